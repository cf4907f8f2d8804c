"""What research cost: where and on which day each row counts, and what the page says."""

import csv
import html
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from briefs.desk.tests.pages import rows, text
from briefs.insights.costs import Cost, Period, cost_report, persona_costs
from briefs.models import MaveCall, MaveHealth, Priority, ResearchPolicy
from briefs.research import pacing, spending
from briefs.research.accounts import DAY, Spending
from briefs.research.waiting import count_waiting, why_not_asked
from briefs.tests.factories import make_brief, make_persona, make_research, make_threshold
from webhooks.clock import database_now

pytestmark = [pytest.mark.django_db, pytest.mark.begins_at("2026-11-23T12:00")]

URL = "/insights/"
TODAY = date(2026, 11, 23)
WEEK = Period(TODAY, 7)


def at(days_ago=0, hour=12):
    return datetime(2026, 11, 23, hour, tzinfo=UTC) - timedelta(days=days_ago)


def make_call(**kw):
    fields = {"outcome": "answered", "credits": 20, "started_at": at(), **kw}
    fields.setdefault("research", make_research())
    return MaveCall.objects.create(**fields)


def make_sharing(credits=20, **kw):
    """A brief that shares an answer of this price, given to it today."""
    research = make_research(status="done", credits=credits, finished_at=at(3))
    fields = {"research": research, "basis": "shared", "researched_at": at(), **kw}
    return make_brief(**{"created_at": at(), **fields})


def policy(**fields):
    ResearchPolicy.objects.update_or_create(pk=1, defaults=fields)
    return ResearchPolicy.current()


def why(now=None):
    waiting, policy = count_waiting(), ResearchPolicy.current()
    held = pacing.why_waiting(policy, waiting.least)
    return why_not_asked(policy, waiting, held, now or timezone.now())


def rows_of(response):
    return list(csv.DictReader(response.content.decode().splitlines()))


def links(response, words):
    """The addresses of links whose text begins like this."""
    found = re.findall(rf'<a href="([^"]*)"[^>]*>{words}', response.content.decode())
    return [html.unescape(address) for address in found]


@pytest.fixture
def connected(settings):
    settings.MAVERA_API_KEY = "mvra_live_of_the_tests"


@pytest.fixture
def staff(client, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("lee"))
    return client


# Credits


@pytest.mark.parametrize(
    ("outcome", "is_repeat", "kind"),
    [
        ("answered", False, "new_credits"),
        ("answered", True, "repeat_credits"),
        ("unknown", False, "unknown_credits"),
        ("unknown", True, "unknown_credits"),
        ("pending", False, "reserved_credits"),
        ("pending", True, "reserved_credits"),
    ],
)
def test_credits_of_a_call_belong_to_exactly_one_kind(outcome, is_repeat, kind):
    make_call(outcome=outcome, is_repeat=is_repeat, credits=30)

    total = cost_report(WEEK).total

    assert getattr(total, kind) == total.credits == 30


def test_credits_of_a_day_are_those_that_its_budget_counts():
    for outcome in MaveCall.Outcome.values:
        make_call(outcome=outcome, credits=7)
    make_call(purpose="threads", credits=3)

    today = cost_report(WEEK).by_day[TODAY]

    assert today.credits == spending.account(policy(), database_now()).day.taken == 38


def test_calls_that_were_never_sent_are_counted_apart():
    make_call()
    make_call(outcome="refused", credits=0)
    make_call(outcome="not_sent", credits=0)

    total = cost_report(WEEK).total

    assert (total.calls, total.answered, total.refused, total.not_sent) == (2, 1, 1, 1)


def test_only_answered_repeats_are_paid_again_and_the_others_are_said():
    make_call(is_repeat=True, credits=24)
    make_call(is_repeat=True, outcome="unknown", credits=75)
    make_call(is_repeat=True, outcome="refused", credits=0)

    total = cost_report(WEEK).total

    assert (total.repeats, total.repeat_credits, total.open_repeats) == (1, 24, 1)


def test_requests_that_ask_no_question_are_no_research_calls():
    make_call(purpose="threads", credits=0)
    make_call(purpose="usage", credits=0, research=None)

    total = cost_report(WEEK).total

    assert (total.calls, total.threads, total.usage, total.others) == (0, 1, 1, 2)


# Days


def test_days_begin_at_midnight_utc():
    midnight = datetime(2026, 11, 22, tzinfo=UTC)
    make_call(credits=1, started_at=midnight - timedelta(microseconds=1))
    make_call(credits=2, started_at=midnight)

    by_day = cost_report(WEEK).by_day

    assert by_day[date(2026, 11, 21)].credits == 1
    assert by_day[date(2026, 11, 22)].credits == 2


def test_every_day_of_the_period_is_there_and_none_before_it():
    make_call(credits=5, started_at=at(6, hour=0))
    make_call(credits=100, started_at=at(7, hour=23))

    found = cost_report(WEEK)

    assert [cost.credits for cost in found.by_day.values()] == [5, 0, 0, 0, 0, 0, 0]
    assert list(found.by_day)[-1] == TODAY
    assert found.total.credits == 5


# Briefs and sharing


def test_briefs_count_on_the_day_they_were_opened_by_what_they_stand_on():
    for basis in ("new", "shared", "shared", "playbook"):
        make_brief(basis=basis, created_at=at(2))

    day = cost_report(WEEK).by_day[date(2026, 11, 21)]

    assert (day.new, day.shared, day.playbook, day.briefs, day.researched) == (1, 2, 1, 4, 3)


def test_a_shared_brief_saves_what_its_answer_cost_on_the_day_it_got_it():
    make_sharing(credits=40, created_at=at(30), researched_at=at(2))

    found = cost_report(WEEK)

    assert found.by_day[date(2026, 11, 21)].saved == found.total.saved == 40
    assert (found.total.sharings, found.total.briefs) == (1, 0)


def test_only_briefs_that_share_an_answer_count_as_savings():
    answer = make_sharing(credits=40).research
    make_sharing(research=answer)
    make_brief(research=answer, basis="new", researched_at=at(), created_at=at())
    make_brief(research=answer, basis="playbook", created_at=at())
    make_sharing(research=make_research(status="failed", credits=9))

    assert cost_report(WEEK).total.saved == 80


def test_cost_per_brief_is_all_credits_over_all_briefs_opened():
    make_call(credits=30)
    make_brief(basis="new", created_at=at())
    make_brief(basis="shared", created_at=at())
    make_brief(basis="playbook", created_at=at())

    total = cost_report(WEEK).total

    assert (total.per_brief, total.per_researched) == (10, 15)


def test_withdrawn_briefs_are_counted_apart_and_cost_nothing():
    make_call(credits=30)
    make_brief(basis="new", created_at=at())
    make_brief(created_at=at()).withdraw("the same person as in another brief")

    total = cost_report(WEEK).total

    assert (total.briefs, total.playbook, total.withdrawn, total.per_brief) == (1, 0, 1, 30)


def test_a_day_with_nothing_but_a_withdrawn_brief_is_not_idle():
    make_brief(created_at=at()).withdraw("the same person as in another brief")

    assert not cost_report(WEEK).total.is_idle


def test_without_briefs_there_is_no_cost_per_brief():
    make_call()

    total = cost_report(WEEK).total

    assert total.per_brief is total.per_researched is None


# Personas


def test_personas_are_sorted_by_what_they_cost():
    cheap, dear, idle = (make_persona(name=name) for name in ("Cheap", "Dear", "Idle"))
    make_call(research=make_research(persona=cheap), credits=10)
    make_call(research=make_research(persona=dear), credits=50)
    make_sharing(persona=cheap)

    found = persona_costs(cost_report(WEEK), {})

    assert [(one.name, one.cost.credits, one.cost.saved) for one in found] == [
        ("Dear", 50, 0),
        ("Cheap", 10, 20),
    ]
    assert idle.name not in [one.name for one in found]


def test_a_persona_for_which_research_only_waits_is_listed():
    research = make_research()

    [one] = persona_costs(cost_report(WEEK), count_waiting().by_persona)

    assert (one.name, one.waiting, one.cost) == (research.persona.name, 1, Cost())


def test_personas_and_days_add_up_to_the_same():
    for number in range(4):
        make_call(started_at=at(number), credits=number, research=make_research())
        make_sharing(created_at=at(number))
    make_call(research=None, credits=6)

    found = cost_report(WEEK)

    for sums in (found.by_day, found.by_persona):
        for name in ("credits", "calls", "briefs", "saved"):
            assert sum(getattr(one, name) for one in sums.values()) == getattr(found.total, name)
    assert [one.name for one in persona_costs(found, {}) if one.cost.credits == 6] == [
        "Without a persona"
    ]


def test_reading_the_balance_makes_no_line_among_the_personas():
    make_call(purpose="usage", credits=0, research=None)

    assert persona_costs(cost_report(WEEK), {}) == []


# What waits


def test_queued_and_lost_questions_wait_and_those_being_asked_do_not(connected):
    for status in ("queued", "recovering", "running", "done", "failed"):
        make_brief(research=make_research(status=status))

    waiting = count_waiting()

    assert (waiting.questions, waiting.briefs, waiting.running) == (2, 2, 1)


def test_a_question_whose_answer_is_lost_is_not_waiting_for_its_turn(connected):
    soon = timezone.now() + timedelta(seconds=20)
    persona = make_research(status="recovering", available_at=soon).persona
    assert why() == "1 was asked, and its lost answer is looked for"

    make_research(persona=persona)

    assert why().startswith("each for its turn")
    assert why().endswith("; 1 was asked, and its lost answer is looked for")


def test_lost_answers_are_told_beside_what_holds_the_others_back(connected):
    ResearchPolicy.current().pause("we look at the bill")
    for status in ("queued", "recovering", "recovering"):
        make_research(status=status)

    assert why() == (
        "research is paused: we look at the bill; 2 were asked, and their lost answers are "
        "looked for"
    )


def test_closed_briefs_wait_for_nothing():
    make_brief(research=make_research()).close("churned")

    assert count_waiting().briefs == 0


def test_a_question_waits_for_its_turn_if_nothing_holds_it_back(connected):
    assert why() == "no question waits"

    make_research()

    assert why() == "each for its turn: at most 5 are asked at once"


def test_a_question_put_off_says_when_it_is_tried_again(connected):
    now = timezone.now()
    make_research(available_at=now + timedelta(minutes=15))
    assert why(now) == "put off after a failure; next try in 15 min"

    make_research()

    assert "each for its turn: at most 5 are asked at once; 1 put off" in why(now)


def test_the_reserve_holds_back_what_is_not_urgent_and_nothing_else(connected):
    make_threshold()
    policy(day_budget=150, month_budget=None, urgent_reserve=100)
    persona = make_research(priority=Priority.URGENT).persona
    assert "each for its turn" in why()

    make_research(priority=Priority.HIGH, persona=persona)

    assert "down to its reserve" in why()


# Budgets


@pytest.mark.parametrize(
    ("used", "limit", "percent", "width", "left", "kept", "colour"),
    [
        (0, 1000, 0, 0, 1000, 100, "fine"),
        (250, 1000, 25, 25, 750, 100, "fine"),
        (900, 1000, 90, 90, 100, 100, "low"),
        (826, 1000, 82, 82, 174, 100, "low"),
        (825, 1000, 82, 82, 175, 100, "fine"),
        (930, 1000, 93, 93, 70, 70, "out"),
        (9999, 10000, 99, 99, 1, 1, "out"),
        (1000, 1000, 100, 100, 0, 0, "out"),
        (1100, 1000, 110, 100, 0, 0, "out"),
        (0, 0, 100, 100, 0, 0, "out"),
        (500, None, 0, 0, 0, 0, "fine"),
    ],
)
def test_a_budget_says_how_far_it_is_used(used, limit, percent, width, left, kept, colour):
    day = Spending(DAY, at(0, 0), at(-1, 0), limit, settled=used, reserved=0, reserve=100)

    assert (day.percent, day.width, day.left, day.kept) == (percent, width, left, kept)
    assert day.colour == colour


def test_a_budget_that_pays_for_no_answer_any_more_is_used_up_here_and_in_the_alarm(signed_in):
    limits = policy(day_budget=1000, month_budget=None)
    make_call(started_at=timezone.now(), credits=930)

    day = spending.account(limits, timezone.now()).day
    assert (day.colour, day.level) == ("out", 100)
    assert "used up: 70 left, and one answer may cost 75" in text(signed_in.get(URL))


@pytest.mark.parametrize(
    ("budget", "words"), [(0, "nothing is bought"), (74, "it buys nothing: one answer may cost 75")]
)
def test_a_budget_that_buys_nothing_says_so(budget, words):
    day = Spending(DAY, at(0, 0), at(-1, 0), budget, settled=0, reserved=0, reserve=100)

    assert day.rest == words


def test_what_is_reserved_is_not_spent_and_is_told_beside_it(signed_in, connected):
    policy(day_budget=1000, month_budget=None)
    make_call(started_at=timezone.now(), credits=333)
    make_call(started_at=timezone.now(), credits=75, outcome="pending")

    words = text(signed_in.get(URL))

    assert "Credits spent 333 75 more reserved for 1 call under way" in words
    assert "Today 333 of 1,000 credits, 33 % 333 spent, 75 reserved; 592 left" in words
    assert "This month 333 credits, no limit is set 333 spent, 75 reserved" in words


def test_the_page_shows_day_and_month(signed_in):
    make_threshold()
    policy(day_budget=1000, month_budget=None)
    make_call(started_at=timezone.now(), credits=310)

    words = text(signed_in.get(URL))

    assert "310 of 1,000 credits, 31 %" in words
    assert "690 left, 100 of them for urgent briefs only; begins anew at 00:00 UTC" in words
    assert "This month 310 credits, no limit is set" in words


# The page


def test_strangers_are_asked_to_sign_in(client):
    for url in (URL, f"{URL}days.csv", f"{URL}personas.csv"):
        assert client.get(url).url.startswith("/login/")


def test_a_new_installation_says_what_will_appear(signed_in):
    make_call(purpose="usage", credits=0, research=None, started_at=timezone.now())

    words = text(signed_in.get(URL))

    assert "As soon as the first brief is there, this page shows what research costs" in words
    assert "Mave is not connected: ask whoever runs Savedesk for you." in words
    assert "Credits per day" not in words


def test_a_period_in_which_nothing_happened_says_so(signed_in):
    make_call(started_at=timezone.now() - timedelta(days=20))

    idle, busy = (text(signed_in.get(URL, {"days": days})) for days in (7, 30))

    assert "Nothing was asked, and no brief was opened, in these 7 days." in idle
    assert "Nothing was asked" not in busy


@pytest.mark.parametrize(
    ("asked", "length"), [("7", 7), ("30", 30), ("90", 90), ("", 30), ("8", 30), ("x", 30)]
)
def test_the_period_is_chosen_by_a_link(signed_in, asked, length):
    make_brief()

    response = signed_in.get(URL, {"days": asked})

    assert [len(one.values) for one in response.context["credit_series"]] == [length] * 4
    assert f'?days={length}" aria-current="page"' in response.content.decode()


def test_the_figures_say_what_is_not_certain(signed_in, connected):
    now = timezone.now()
    make_call(started_at=now, credits=24)
    make_call(started_at=now, credits=24, is_repeat=True)
    make_call(started_at=now, credits=75, outcome="pending")
    make_call(started_at=now, credits=75, outcome="unknown")

    words = text(signed_in.get(URL))

    assert "Credits spent 123 75 more reserved for 1 call under way, 75 of those spent" in words
    assert "perhaps not charged: the outcome of 1 call is unknown" in words
    assert "Research calls 4 2 answered, 1 of unknown outcome, 1 under way" in words
    assert "Credits paid again 24 for 1 call whose question may have been charged before" in words


def test_the_page_says_what_saved_means_and_which_days_are_counted(signed_in):
    make_brief()

    words = text(signed_in.get(URL))

    assert "each brief that shares an answer counts what that answer cost, on the day" in words
    assert "an estimate of what one call for every brief would have cost" in words
    assert "Days are counted in UTC; today is still running." in words


def test_research_that_is_held_back_is_a_note_with_its_cure(signed_in, staff, connected):
    ResearchPolicy.current().pause("we look at the bill")
    make_brief(research=make_research())

    response = staff.get(URL)

    assert "because research is paused: we look at the bill; resume it" in text(response)
    assert "1 question, for 1 brief: research is paused: we look at the bill" in text(response)
    assert links(response, "Research policy")


def test_the_page_says_how_many_briefs_were_withdrawn(signed_in):
    make_brief()
    make_brief().withdraw("the same person as in another brief")

    words = text(signed_in.get(URL))

    assert "Briefs opened 1 0 with new research, 0 with shared, 1 without research yet" in words
    assert "; 1 more withdrawn" in words


def test_days_before_anything_happened_are_one_line_of_the_table(signed_in):
    make_brief(created_at=timezone.now() - timedelta(days=2))

    response = signed_in.get(URL)

    assert "27 days without anything" in text(response)
    assert len(re.findall(r"<tr><th scope=\"row\">", response.content.decode())) == 3 + 1 + 1


def test_the_bar_of_today_is_named(signed_in):
    make_brief()

    for days in (7, 30, 90):
        page = signed_in.get(URL, {"days": days}).content.decode()
        assert page.count(">today</text>") == 2


def test_days_without_anything_are_drawn_and_listed(signed_in):
    make_brief()
    make_brief(created_at=timezone.now() - timedelta(days=6))

    response = signed_in.get(URL, {"days": "7"})

    page = response.content.decode()
    assert page.count("No credits spent</title>") == 7
    assert page.count("No brief opened</title>") == 5
    assert page.count('class="chart-bar running"') == 2
    assert len(re.findall(r"<tr><th scope=\"row\">", page)) == 7 + 1


def test_a_persona_leads_to_its_briefs_closed_ones_too(signed_in):
    brief = make_brief()
    brief.close("churned")
    make_brief(persona=make_persona(name="Another"))

    [url] = links(signed_in.get(URL), brief.persona.name)

    assert rows(signed_in.get(url)) == [brief]


def test_each_persona_has_a_bar_and_its_credits_of_every_kind(signed_in):
    dear, idle = make_persona(name="Dear"), make_persona(name="Idle")
    asked, now = make_research(persona=dear), timezone.now()
    make_call(research=asked, started_at=now, credits=30)
    make_call(research=asked, started_at=now, credits=24, is_repeat=True)
    make_call(research=asked, started_at=now, credits=75, outcome="unknown")
    make_call(research=asked, started_at=now, credits=70, outcome="pending")
    make_brief(persona=idle)

    response = signed_in.get(URL)

    names, series = response.context["persona_names"], response.context["persona_series"]
    assert (names, [one.values for one in series]) == (["Dear"], [[30], [24], [75], [70]])
    words = text(response)
    assert "Persona Credits New answers Paid again Outcome unknown Reserved Calls" in words
    assert "Dear 199 30 24 75 70 4" in words
    assert response.content.decode().count('class="chart-row"') == 1


def test_staff_get_links_to_the_calls_behind_the_figures(staff):
    call = make_call(started_at=timezone.now(), is_repeat=True)
    make_call(started_at=timezone.now(), outcome="unknown")
    make_call(started_at=timezone.now() - timedelta(days=31))
    response = staff.get(URL)

    def selected(words):
        found = staff.get(links(response, words)[0]).context["cl"].queryset
        return found.count()

    assert (selected("2"), selected("20"), selected("Ledger")) == (2, 1, 1)
    assert MaveCall.objects.filter(research__persona=call.research.persona).count() == 1


def test_only_staff_get_links_into_the_admin(signed_in):
    make_call(started_at=timezone.now(), is_repeat=True)

    assert "/admin/" not in signed_in.get(URL).content.decode()


def test_the_page_costs_the_same_however_much_there_is(
    signed_in, connected, django_assert_num_queries
):
    for days in range(20):
        when = timezone.now() - timedelta(days=days)
        make_call(started_at=when)
        make_sharing(created_at=when, researched_at=when)
        make_research(priority=Priority.URGENT)
    ResearchPolicy.current(), MaveHealth.current()

    with django_assert_num_queries(15):
        signed_in.get(URL, {"days": "90"})


def test_the_page_carries_no_inline_script_or_style(signed_in):
    make_call(started_at=timezone.now())

    page = signed_in.get(URL).content.decode()

    assert "style=" not in page
    assert page.count("<script") == page.count("<script src=")


# Spreadsheets


def test_days_can_be_downloaded(signed_in):
    make_call(credits=30)
    make_brief()

    response = signed_in.get(f"{URL}days.csv", {"days": "7"})

    rows = rows_of(response)
    assert "-2026-11-17-to-2026-11-23.csv" in response["Content-Disposition"]
    assert [row["Credits"] for row in rows] == ["0"] * 6 + ["30"]
    assert (rows[0]["Credits per brief"], rows[-1]["Credits per brief"]) == ("", "30.00")
    assert (rows[0]["Day (UTC)"], rows[-1]["Day (UTC)"]) == ("2026-11-17", "2026-11-23")


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@A1", "\ta", " =1"])
def test_a_name_is_no_formula_in_a_spreadsheet(signed_in, name):
    make_brief(persona=make_persona(name=name))

    [row] = rows_of(signed_in.get(f"{URL}personas.csv"))

    assert row["Persona"] == f"'{name}"


def test_a_name_is_no_formula_behind_a_semicolon_either(signed_in):
    make_brief(persona=make_persona(name="Shops;=HYPERLINK(1)"))

    [row] = rows_of(signed_in.get(f"{URL}personas.csv"))

    assert row["Persona"] == "Shops;'=HYPERLINK(1)"


def test_there_is_no_other_table(signed_in):
    assert signed_in.get(f"{URL}people.csv").status_code == 404
