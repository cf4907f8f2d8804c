"""What an edit of the rules is said to stop or to multiply, tried on stored people and events."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from briefs.foreseeing import consequences, judging, looking
from briefs.foreseeing.consequences import FEWEST, MORE
from briefs.models import QuestionTemplate
from briefs.tests.factories import (
    make_customer,
    make_event,
    make_payload,
    make_research,
    make_signal,
)
from personas.models import AttributeName, Customer, Persona, PersonaCondition, SignalRule
from personas.rules.rulebook import Rulebook
from webhooks.models import WebhookEvent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]

ENTERPRISE = {"plan": "enterprise", "usage_tier": "low"}
PRO = {"plan": "pro", "usage_tier": "low"}
LOW = "Enterprise, low usage"


def foresee(*books):
    return [one.words for one in consequences.foresee(*books)]


def leave(number=1, attributes=ENTERPRISE, days=1, metric="unsubscribed", **kw):
    """So many customers unsubscribe. `kw` is for the customers."""
    rule = SignalRule.objects.filter(metrics__contains=metric, is_active=True).first()
    for _ in range(number):
        payload = make_payload(metric=metric)
        make_signal(
            customer=make_customer(attributes=attributes, **kw),
            event=make_event(payload, status="processed"),
            rule=rule,
            happened_at=timezone.now() - timedelta(days=days),
        )


def happen(number, status="ignored", **kw):
    """Events of so many further people, which led to no signal."""
    for _ in range(number):
        make_event(make_payload(**kw), status=status)


def edited(**fields):
    """The rules after somebody added a persona at the first place."""
    added = {"name": "New", "position": 1, "description": "d", "playbook": "p", **fields}
    conditions = added.pop("conditions", [])
    persona = Persona.objects.create(**added)
    for field, operator, value in conditions:
        PersonaCondition.objects.create(
            persona=persona, field=field, operator=operator, value=value
        )
    return Rulebook.load()


def test_persona_at_the_first_place_that_opens_no_briefs_stops_all():
    leave(3)
    leave(2, PRO)
    before = Rulebook.load()

    said = foresee(before, edited(opens_brief=False), None)

    assert said == ["All briefs stop: 5 customers of 2 personas in 30 days."]


def test_share_of_briefs_that_stays_is_told_with_the_sentence():
    leave(15)
    leave(5, PRO)
    before = Rulebook.load()
    Persona.objects.filter(name=LOW).update(opens_brief=False)

    found = consequences.foresee(before, Rulebook.load(), None)

    assert found[0].words.startswith("Half of the briefs or more stop")
    assert [one.briefs_left for one in found] == [0.25, None]


def test_last_brief_of_a_small_desk_counts_too():
    leave(1)
    before = Rulebook.load()

    said = foresee(before, edited(opens_brief=False), None)

    assert said == ["All briefs stop: 1 customer in 30 days."]


def test_desk_without_signals_is_asked_nothing():
    before = Rulebook.load()

    assert foresee(before, edited(opens_brief=False), None) == []


def test_edit_that_decides_nothing_else_reads_no_customer(django_assert_num_queries):
    leave(FEWEST)
    before = Rulebook.load()
    Persona.objects.update(playbook="Another one.", research_focus="Another one.")
    SignalRule.objects.update(note="Another one.")
    after = Rulebook.load()

    with django_assert_num_queries(0):
        assert foresee(before, after, None) == []


def test_persona_whose_briefs_stop_is_named_with_its_customers():
    leave(FEWEST + 1)
    leave(20, PRO)
    before = Rulebook.load()
    Persona.objects.filter(name=LOW).update(opens_brief=False)

    said = foresee(before, Rulebook.load(), None)

    assert said == [f"Briefs for “{LOW}” stop: 6 customers in 30 days."]


def test_several_personas_that_stop_are_one_sentence():
    leave(5)
    leave(6, {"plan": "business"})
    leave(20, PRO)
    before = Rulebook.load()
    after = edited(opens_brief=False, conditions=[("plan", "in", "enterprise, business")])

    assert foresee(before, after, None) == [
        f"Briefs for “{LOW}” and “Business, low usage” stop: 11 customers of 2 personas in 30 days."
    ]


def test_persona_of_few_customers_is_worth_no_question():
    leave(FEWEST - 1)
    leave(20, PRO)
    before = Rulebook.load()
    Persona.objects.filter(name=LOW).update(opens_brief=False)

    assert foresee(before, Rulebook.load(), None) == []


def test_persona_that_gives_half_of_its_customers_to_a_new_one_is_told():
    leave(5)
    leave(5, {**ENTERPRISE, "team": "finance"})
    before = Rulebook.load()
    after = edited(name="Finance", conditions=[("team", "equals", "finance")])

    assert foresee(before, after, None) == [
        f"“{LOW}” has a brief for 5 customers in 30 days, 10 now: most of the others come to "
        "“Finance”."
    ]


def test_less_than_half_is_told_by_nobody():
    leave(6)
    leave(4, {**ENTERPRISE, "team": "finance"})
    before = Rulebook.load()
    after = edited(name="Finance", opens_brief=False, conditions=[("team", "equals", "finance")])

    assert foresee(before, after, None) == []


def test_half_of_the_briefs_are_told_in_numbers():
    leave(5)
    leave(5, {**ENTERPRISE, "team": "finance"})
    before = Rulebook.load()
    after = edited(name="Finance", opens_brief=False, conditions=[("team", "equals", "finance")])

    assert foresee(before, after, None) == [
        "Half of the briefs or more stop: 5 in 30 days, 10 now.",
        f"“{LOW}” has a brief for 5 customers in 30 days, 10 now: the others have none.",
    ]


def test_another_name_is_no_loss():
    leave(10)
    before = Rulebook.load()
    Persona.objects.filter(name=LOW).update(name="Enterprise that sleeps")

    assert foresee(before, Rulebook.load(), None) == []


def test_persona_that_is_deleted_stops_where_no_other_opens_briefs():
    leave(6, PRO)
    leave(10)
    before = Rulebook.load()
    Persona.objects.get(name="Pro, low usage").delete()

    assert foresee(before, Rulebook.load(), None) == [
        "Briefs for “Pro, low usage” stop: 6 customers in 30 days."
    ]


def test_signals_of_earlier_months_do_not_count():
    leave(10, days=31)
    before = Rulebook.load()

    assert foresee(before, edited(opens_brief=False), None) == []


def worth(month, company="", level="person"):
    return {"value_month": month, "value_currency": "USD", "value_level": level, "company": company}


def test_value_that_halves_is_told_though_most_briefs_stay():
    leave(9, **worth(100))
    leave(1, {**ENTERPRISE, "team": "finance"}, **worth(9_000))
    before = Rulebook.load()
    after = edited(name="Finance", opens_brief=False, conditions=[("team", "equals", "finance")])

    assert foresee(before, after, None) == [
        "The value behind the briefs falls to half or less: USD 900 a month, USD 9,900 now."
    ]


def test_value_of_a_company_counts_once():
    leave(5, **worth(100))
    leave(4, {**ENTERPRISE, "team": "finance"}, **worth(400, "Acme", "company"))
    before = Rulebook.load()
    after = edited(name="Finance", opens_brief=False, conditions=[("team", "equals", "finance")])

    assert foresee(before, after, None) == []


def test_value_is_read_anew_where_its_attribute_changes():
    leave(10, {**ENTERPRISE, "mrr": "100"}, **worth(100))
    before = Rulebook.load()
    AttributeName.objects.filter(role="value").update(names="monthly_value")

    assert foresee(before, Rulebook.load(), None) == [
        "The value behind the briefs falls to half or less: USD 0 a month, USD 1,000 now."
    ]


def test_attribute_name_without_values_stops_briefs():
    leave(6)
    before = Rulebook.load()
    AttributeName.objects.filter(role="plan").update(names="tariff")

    said = foresee(before, Rulebook.load(), None)

    assert said == ["All briefs stop: 6 customers in 30 days."]  # “Everyone else” opens none


def test_signal_rule_that_is_switched_off_stops_its_briefs():
    leave(6)
    leave(2, metric="spammed")
    before = Rulebook.load()
    SignalRule.objects.filter(metrics__contains="unsubscribed").update(is_active=False)

    assert foresee(before, Rulebook.load(), None)[0] == (
        "Half of the briefs or more stop: 2 in 30 days, 8 now."
    )


def test_signal_whose_event_is_gone_is_known_by_its_rule():
    leave(6)
    SignalRule.objects.get(name="Unsubscribed").signal_set.update(event=None)
    before = Rulebook.load()
    SignalRule.objects.filter(name="Unsubscribed").update(is_active=False)

    assert foresee(before, Rulebook.load(), None) == ["All briefs stop: 6 customers in 30 days."]


def test_change_of_preferences_is_judged_by_what_it_was_found_to_be():
    rule = SignalRule.objects.get(name="Turned off a channel")
    for _ in range(6):
        payload = make_payload(metric="cio_subscription_preferences_changed")
        make_signal(
            customer=make_customer(), event=make_event(payload), rule=rule, kind="channel_opt_out"
        )
    before = Rulebook.load()
    SignalRule.objects.filter(pk=rule.pk).update(severity=3)
    SignalRule.objects.filter(name="Turned on a channel").update(is_active=False)

    assert foresee(before, Rulebook.load(), None) == []

    SignalRule.objects.filter(pk=rule.pk).update(effect="ignore")

    assert foresee(before, Rulebook.load(), None) == ["All briefs stop: 6 customers in 30 days."]


def rule_for_clicks(**kw):
    SignalRule.objects.create(
        name="Clicked", metrics="clicked", kind="other", effect="opens_brief", position=1, **kw
    )
    return Rulebook.load()


def test_rule_that_floods_the_desk_is_told_with_both_numbers():
    leave(10, PRO)
    happen(MORE + 10, metric="clicked")
    before = Rulebook.load()

    assert foresee(before, rule_for_clicks(), None) == [
        "4 times as many briefs: 40 in 30 days, 10 now."
    ]


def test_many_events_of_one_person_are_one_brief():
    leave(2, PRO)
    same = make_payload(metric="clicked")["data"]
    happen(MORE + 10, metric="clicked", data=same)
    before = Rulebook.load()

    assert foresee(before, rule_for_clicks(), None) == []


def test_known_person_is_judged_by_their_persona():
    for number in range(MORE + 10):
        make_customer(attributes={"plan": "free", "usage_tier": "high"}, cio_id=f"f{number}")
        happen(1, metric="clicked", data={"identifiers": {"cio_id": f"f{number}"}})
    before = Rulebook.load()

    assert foresee(before, rule_for_clicks(), None) == []  # “Free, heavy use” opens none


def test_events_that_name_nobody_open_nothing():
    happen(MORE + 10, metric="clicked", data={"identifiers": {}})
    before = Rulebook.load()

    assert foresee(before, rule_for_clicks(), None) == []


def test_bounce_of_another_address_is_not_taken_for_a_brief():
    message = "550 5.1.1 user unknown"
    happen(
        MORE + 10,
        object_type="email",
        metric="bounced",
        status="processed",
        data={"identifiers": {"id": "one"}, "failure_message": message, "recipient": "a@b.example"},
    )
    leave(1, PRO)
    before = Rulebook.load()
    SignalRule.objects.filter(name__startswith="Bounced").update(level="any", severity=3)
    SignalRule.objects.filter(name="Address gone").update(match="any")

    assert foresee(before, Rulebook.load(), None) == []


def test_first_briefs_of_all_are_told_too():
    happen(MORE, metric="clicked")
    before = Rulebook.load()

    assert foresee(before, rule_for_clicks(), None) == [
        "There were no briefs, and there will be: 20 in 30 days, 0 now."
    ]


def test_few_more_briefs_are_no_flood():
    leave(2, PRO)
    happen(MORE - 1, metric="clicked")
    before = Rulebook.load()

    assert foresee(before, rule_for_clicks(), None) == []


def test_twice_the_credits_are_told_where_research_can_be_bought(settings):
    settings.MAVERA_API_KEY = "mvra_live_of_the_tests"
    make_research(status="done", credits=40, finished_at=timezone.now())
    for number in range(12):
        leave(1, {**PRO, "team": f"t{number}"})
    before = Rulebook.load()
    persona = Persona.objects.get(name="Pro, low usage")
    teams = ", ".join(f"t{number}" for number in range(12))
    PersonaCondition.objects.create(persona=persona, field="team", operator="in", value=teams)
    after = Rulebook.load()

    assert foresee(before, after, None) == ["12 times as many credits: 480 in 30 days, 40 now."]

    settings.MAVERA_API_KEY = ""
    assert foresee(before, after, None) == []


def test_credits_are_told_of_those_looked_at_where_these_are_not_all(settings, monkeypatch):
    settings.MAVERA_API_KEY = "mvra_live_of_the_tests"
    monkeypatch.setattr(looking, "PEOPLE", 80)
    teams = [f"t{number}" for number in range(40)]
    for team in teams:
        leave(3, {**PRO, "team": team})
    before = Rulebook.load()
    persona = Persona.objects.get(name="Pro, low usage")
    PersonaCondition.objects.create(
        persona=persona, field="team", operator="in", value=", ".join(teams)
    )

    (words,) = foresee(before, Rulebook.load(), None)

    assert " times as many credits for those looked at: about " in words


def test_answer_is_bought_again_when_it_is_too_old(settings):
    settings.MAVERA_API_KEY = "mvra_live_of_the_tests"
    for days in range(1, 29):
        leave(1, PRO, days=days)
    before = Rulebook.load()
    Persona.objects.filter(name="Pro, low usage").update(reuse_hours=20)

    (words,) = foresee(before, Rulebook.load(), None)

    assert words.startswith("7 times as many credits: 896 in 30 days, 128 now.")


def test_ten_small_edits_are_one_large_one():
    for team in ("a", "b", "c", "d"):
        leave(5, {**ENTERPRISE, "team": team})
    week_ago = Rulebook.load()
    edited(name="A", opens_brief=False, conditions=[("team", "equals", "a")])
    before = Rulebook.load()
    after = edited(name="B", opens_brief=False, conditions=[("team", "equals", "b")])

    assert foresee(before, after, None) == []
    assert foresee(before, after, week_ago) == [
        "Half of the briefs or more stop: 10 in 30 days, 20 by the rules of a week ago.",
        f"“{LOW}” has a brief for 10 customers in 30 days, 20 by the rules of a week ago: the "
        "others have none.",
    ]


def test_what_was_confirmed_this_week_is_not_asked_with_every_further_edit():
    leave(10)
    leave(10, PRO)
    week_ago = Rulebook.load()
    Persona.objects.filter(name=LOW).update(opens_brief=False)
    before = Rulebook.load()
    after = edited(conditions=[("plan", "equals", "nobody has this")])

    assert foresee(before, after, week_ago) == []


def test_of_many_people_some_are_looked_at_and_it_says_so(monkeypatch):
    monkeypatch.setattr(looking, "PEOPLE", 20)
    leave(60)
    before = Rulebook.load()

    (words,) = foresee(before, edited(opens_brief=False), None)

    assert words.startswith("All briefs stop: about 60 customers in 30 days. Estimated from ")
    assert words.endswith(" signals that were looked at.")


def test_of_many_signals_the_newest_are_looked_at(monkeypatch):
    monkeypatch.setattr(looking, "SIGNALS", 10)
    for days in range(1, 21):
        leave(1, days=days)
    before = Rulebook.load()

    (words,) = foresee(before, edited(opens_brief=False), None)

    # A third of the time; but there are not more customers than that.
    assert words == (
        "All briefs stop: about 20 customers in 30 days. Estimated from 10 signals that were "
        "looked at."
    )


def test_wording_without_facts_asks_one_question_of_a_persona(settings):
    settings.MAVERA_API_KEY = "mvra_live_of_the_tests"
    QuestionTemplate.objects.write("{segment} {signal}")
    for number in range(12):
        leave(1, {**PRO, "team": f"t{number}"})
    before = Rulebook.load()
    persona = Persona.objects.get(name="Pro, low usage")
    teams = ", ".join(f"t{number}" for number in range(12))
    PersonaCondition.objects.create(persona=persona, field="team", operator="in", value=teams)

    assert foresee(before, Rulebook.load(), None) == []


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0"), (141, "141"), (999, "999"), (1_000, "about 1,000"), (1_437, "about 1,400")],
)
def test_large_numbers_are_rounded_so_that_they_stay_while_somebody_reads(number, words):
    assert consequences._figure(number, looking.Sample()) == words


def test_same_thing_is_told_by_the_rules_of_now_and_not_once_more_by_those_of_a_week_ago():
    for team in ("a", "b", "c", "d"):
        leave(5, {**ENTERPRISE, "team": team})
    week_ago = Rulebook.load()
    edited(name="A", opens_brief=False, conditions=[("team", "equals", "a")])
    before = Rulebook.load()
    after = edited(name="B", opens_brief=False, conditions=[("team", "in", "b, c")])

    said = foresee(before, after, week_ago)

    assert said[0] == "Half of the briefs or more stop: 5 in 30 days, 15 now."
    assert not any("week" in words for words in said)


NEUTRAL = {"name": "Nobody", "conditions": [("plan", "equals", "nobody has this")]}


def test_stop_of_all_and_loss_of_value_are_not_asked_again_once_they_were_confirmed():
    leave(9, **worth(100))
    leave(1, {**ENTERPRISE, "team": "finance"}, **worth(9_000))
    week_ago = Rulebook.load()
    before = edited(opens_brief=False, conditions=[("team", "equals", "finance")])

    assert foresee(before, edited(**NEUTRAL), week_ago) == []

    Persona.objects.update(opens_brief=False)
    before = Rulebook.load()
    Persona.objects.filter(name="Nobody").delete()
    assert foresee(before, Rulebook.load(), week_ago) == []


def test_growth_is_not_asked_again_once_it_was_confirmed(settings):
    settings.MAVERA_API_KEY = "mvra_live_of_the_tests"
    happen(MORE + 10, metric="clicked")
    for days in range(1, 29):
        leave(1, PRO, days=days)
    week_ago = Rulebook.load()
    Persona.objects.filter(name="Pro, low usage").update(reuse_hours=20)
    before = rule_for_clicks()
    assert len(foresee(week_ago, before, None)) == 2  # briefs and credits

    assert foresee(before, edited(**NEUTRAL), week_ago) == []


def test_half_is_told_from_five_customers_on_and_of_value_too():
    leave(2)
    leave(2, {**ENTERPRISE, "team": "finance"}, **worth(9_000))
    before = Rulebook.load()
    after = edited(opens_brief=False, conditions=[("team", "equals", "finance")])
    assert foresee(before, after, None) == []

    leave(1, {**ENTERPRISE, "team": "finance"}, **worth(9_000))

    assert len(foresee(before, after, None)) == 3  # briefs, the persona, and their value


def test_exactly_half_of_the_value_is_told_and_nothing_of_nothing_is_not():
    leave(6, **worth(100))
    leave(4, {**ENTERPRISE, "team": "finance"}, **worth(150))
    before = Rulebook.load()
    after = edited(opens_brief=False, conditions=[("team", "equals", "finance")])

    assert foresee(before, after, None) == [
        "The value behind the briefs falls to half or less: USD 600 a month, USD 1,200 now."
    ]

    Customer.objects.update(value_month=0)
    assert foresee(before, after, None) == []


def test_exactly_twice_as_many_briefs_are_told():
    leave(MORE, PRO)
    happen(MORE, metric="clicked")
    before = Rulebook.load()

    assert foresee(before, rule_for_clicks(), None) == [
        "Twice as many briefs: 40 in 30 days, 20 now."
    ]


def test_many_more_briefs_that_are_less_than_twice_as_many_are_no_flood():
    leave(MORE + 5, PRO)
    happen(MORE + 2, metric="clicked")
    before = Rulebook.load()

    assert foresee(before, rule_for_clicks(), None) == []


def test_persona_whose_customers_come_to_one_that_there_was_has_no_other_name():
    leave(10)
    leave(1, PRO)
    before = Rulebook.load()
    Persona.objects.get(name=LOW).delete()

    assert foresee(before, Rulebook.load(), None) == [
        f"“{LOW}” has a brief for 0 customers in 30 days, 10 now: most of the others come to "
        "“Enterprise, active”."
    ]


def test_customer_with_a_signal_whose_other_events_open_briefs_too_is_counted_once():
    leave(10, PRO)
    for customer in Customer.objects.all():
        named = {"cio_id": customer.cio_id}
        happen(3, metric="clicked", data={"identifiers": named})
    happen(MORE - 1, metric="clicked")
    before = Rulebook.load()

    assert foresee(before, rule_for_clicks(), None) == []


def test_events_that_wait_or_came_before_the_30_days_are_not_looked_at():
    happen(MORE, metric="clicked")
    WebhookEvent.objects.update(received_at=timezone.now() - timedelta(days=31))
    happen(MORE, metric="clicked", status="pending")
    happen(1, metric="clicked")
    before = Rulebook.load()

    assert foresee(before, rule_for_clicks(), None) == []


def test_estimate_says_of_which_events_and_whose_value(monkeypatch):
    monkeypatch.setattr(looking, "PEOPLE", 40)
    leave(50, **worth(100))
    happen(2, metric="clicked", data={"identifiers": {"phone": "+49301234567"}})
    happen(50, metric="clicked")
    before = Rulebook.load()
    SignalRule.objects.filter(metrics__contains="unsubscribed").update(is_active=False)
    after = rule_for_clicks()

    said = foresee(before, after, None)

    assert any("behind the briefs of those looked at falls" in words for words in said)
    assert all(re.search(r"signals and \d+ other events that were", words) for words in said)


@pytest.mark.parametrize(
    ("rows", "sums"),
    [
        ([("USD", 100, "person", "")] * 2, {"USD": 200}),
        ([("USD", 300, "company", "Acme"), ("USD", 100, "company", "ACME")], {"USD": 300}),
        ([("USD", 100, "company", "")] * 2, {"USD": 200}),
        ([("USD", 100, "person", "Acme")] * 2, {"USD": 200}),
        ([("USD", 100, "company", "Acme"), ("EUR", 70, "company", "Acme")],
         {"USD": 100, "EUR": 70}),
    ],
)  # fmt: skip
def test_value_of_those_looked_at_is_added_up_by_currency(rows, sums):
    book = Rulebook.load()
    added = judging._Worth(book, book)

    for currency, month, level, company in rows:
        given = {"value_month": month, "value_currency": currency, "value_level": level}
        added.add(Customer(**given, company=company))

    assert added.sums() == sums


def test_answer_is_good_until_its_hours_are_over():
    hours = [timezone.now() + timedelta(hours=number) for number in (0, 19, 20, 39, 41)]

    assert judging._bought(hours, 20) == 3


@pytest.mark.parametrize(
    ("model", "change"),
    [
        (Persona, {"match": "any"}), (Persona, {"opens_brief": False}),
        (Persona, {"reuse_hours": 7}), (Persona, {"name": "Else"}),
        (PersonaCondition, {"value": "else"}), (PersonaCondition, {"operator": "not_equals"}),
        (SignalRule, {"object_types": "sms"}), (SignalRule, {"level": "any"}),
        (SignalRule, {"match": "any"}), (SignalRule, {"effect": "timeline"}),
        (SignalRule, {"kind": "other"}), (AttributeName, {"names": "else"}),
    ],
)  # fmt: skip
def test_whatever_decides_makes_other_rules(model, change):
    before = Rulebook.load()
    row = model.objects.order_by("pk").exclude(**change).first()
    model.objects.filter(pk=row.pk).update(**change)

    assert not judging.decide_alike(before, Rulebook.load())


@pytest.mark.parametrize(
    ("number", "words"), [(3, "“a”, “b” and “c”"), (4, "“a”, “b”, “c” and 1 more"), (1, "“a”")]
)
def test_three_personas_are_named_and_of_others_the_number(number, words):
    assert consequences._named(["a", "b", "c", "d"][:number]) == words


@pytest.mark.parametrize(("number", "words"), [(99.4, "about 99"), (437, "about 440")])
def test_estimates_have_two_digits_from_a_hundred_on(number, words):
    assert consequences._figure(number, looking.Sample(is_whole=False)) == words
