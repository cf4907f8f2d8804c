"""Signals arrive and briefs do not: told once there were enough to tell, and never by chance."""

from datetime import timedelta

import pytest
from django.utils import timezone

from briefs.models import Alarm, Signal
from briefs.tests.factories import make_events
from operations import alarms, troubles
from operations.doctor import Verdict, work
from operations.tests.openings import lead
from operations.troubles import Kind
from personas.models import Persona, RuleVersion
from webhooks.models import WebhookEvent

pytestmark = pytest.mark.django_db


def found():
    return troubles.look(kinds=[Kind.NO_BRIEFS])


def hours_ago(*hours):
    return [timezone.now() - timedelta(hours=number) for number in hours]


def weeks_of(number_a_day, *, metric="unsubscribed", until=2):
    """Four weeks with so many briefs a day, until so many days ago."""
    lead([
        timezone.now() - timedelta(days=until + day, minutes=minute)
        for day in range(28) for minute in range(number_a_day)
    ], metric=metric)  # fmt: skip


def test_signals_without_briefs_are_a_problem_that_says_how_many_and_what_to_do():
    weeks_of(16)
    lead(hours_ago(*range(1, 18)), is_led=False)

    (trouble,) = found()
    alarms.check()

    assert trouble.level == "problem"
    assert (
        "of 17 events of the kinds that lead to briefs in 1 d none led to a brief, where about 15 "
        "are usual." in trouble.text
    )
    assert timezone.now() - trouble.since > timedelta(days=1)
    assert trouble.cure.startswith("Look at the newest rule versions")
    assert "Signals arrive as usual" in Alarm.objects.get(kind="no_briefs").words
    assert work.briefs().level == Verdict.FAIL


def test_persona_that_takes_them_without_a_brief_is_named():
    weeks_of(16)
    lead(hours_ago(*range(1, 18)), is_led=False)
    Persona.objects.filter(pk=Signal.objects.first().persona_id).update(
        name="Everybody", opens_brief=False
    )

    assert "17 were of “Everybody”, which opens none." in found()[0].text


def test_events_that_no_rule_makes_signals_of_any_more_are_told_too():
    weeks_of(16)
    make_events(hours_ago(*range(1, 18)))
    WebhookEvent.objects.filter(status="ignored").update(metric="unsubscribed")

    (trouble,) = found()

    assert "none led to a brief" in trouble.text


def accept(user, *, left, days=1.2, digest="new"):
    """A version of so many days ago, whose author accepted that only this share of briefs stays."""
    newest = RuleVersion.objects.order_by("number").last()
    return RuleVersion.objects.create(
        number=newest.number + 1 if newest else 1, document={}, digest=digest,
        made_by=user, made_by_name=user.username,
        made_at=timezone.now() - timedelta(days=days), briefs_left=left,
        accepted=["All briefs stop."],
    )  # fmt: skip


def test_stop_that_somebody_accepted_is_a_hint_that_names_them_and_rings_no_alarm(user):
    weeks_of(16)
    lead(hours_ago(*range(1, 18)), is_led=False)
    version = accept(user, left=0)

    (trouble,) = troubles.look(kinds=[Kind.NO_BRIEFS, Kind.FEWER_BRIEFS])
    alarms.check()

    assert (trouble.kind, trouble.level) == (Kind.FEWER_BRIEFS, "hint")
    assert f"robin accepted it with version {version.number} of the rules at" in trouble.text
    assert "“All briefs stop.”" in trouble.text
    assert not Alarm.objects.get(kind="no_briefs").words
    assert work.briefs().level == Verdict.WARN


def test_stop_rings_if_the_rules_were_put_back_after_it_was_accepted(user):
    weeks_of(16)
    lead(hours_ago(*range(1, 18)), is_led=False)
    accept(user, left=None, days=50, digest="old")
    accept(user, left=0)
    accept(user, left=None, days=1, digest="old")

    assert [one.kind for one in found()] == [Kind.NO_BRIEFS]


def test_stop_rings_if_briefs_came_after_what_was_accepted(user):
    weeks_of(16)
    lead(hours_ago(*range(1, 18)), is_led=False)
    accept(user, left=0, days=5)

    assert [one.kind for one in found()] == [Kind.NO_BRIEFS]


def test_stop_rings_if_fewer_briefs_come_than_was_accepted(user):
    weeks_of(60)  # of six hours it is explained, of a day it is not
    lead(hours_ago(*range(1, 18)) * 3, is_led=False)
    accept(user, left=0.4)

    assert "robin accepted it" in found()[0].text
    assert found()[0].text.endswith("That explains only a part of it.")

    lead(hours_ago(*range(1, 10)))
    assert found() == []


def test_few_that_still_lead_to_briefs_are_counted():
    weeks_of(16)
    lead(hours_ago(*range(1, 15)), is_led=False)
    lead(hours_ago(3, 5, 7))

    assert "only 3 led to a brief" in found()[0].text

    lead(hours_ago(9))
    assert found() == []


@pytest.mark.parametrize(("number_a_day", "is_told"), [(2, True), (1, False)])
def test_small_desk_is_told_of_a_week_and_a_smaller_one_of_nothing(number_a_day, is_told):
    weeks_of(number_a_day, until=6)
    lead(hours_ago(*range(5, 105, 5)), is_led=False)

    assert [("in 7 d only 2 led" in one.text) for one in found()] == [True] * is_told


def test_stop_that_is_over_is_told_no_more():
    weeks_of(60)
    lead(hours_ago(*range(6, 24)) * 3, is_led=False)
    assert found()

    lead(hours_ago(*range(1, 6)))

    assert found() == []


def test_quiet_days_are_no_trouble():
    weeks_of(16)
    lead(hours_ago(*range(1, 10)), is_led=False)

    assert found() == []


def test_wave_of_other_events_on_a_quiet_day_is_no_trouble():
    weeks_of(16)
    weeks_of(4, metric="bounced")
    lead(hours_ago(*range(1, 8)))  # a Sunday
    lead(hours_ago(*range(1, 12)) * 30, metric="bounced", is_led=False)

    assert found() == []


def test_events_that_still_wait_are_another_trouble():
    weeks_of(16)
    lead(hours_ago(*range(1, 18)), is_led=False)
    WebhookEvent.objects.filter(received_at__gt=hours_ago(24)[0]).update(status="pending")

    assert found() == []


def test_new_installation_is_told_nothing():
    lead(hours_ago(*range(1, 40)), is_led=False)

    assert found() == []


def test_what_is_usual_is_told_from_the_newest_of_many(monkeypatch):
    monkeypatch.setattr(troubles.openings, "SIGNALS_READ", 100)
    weeks_of(16)
    lead(hours_ago(*range(1, 18)), is_led=False)

    assert "about 1" in found()[0].text


def test_well_running_desk_costs_one_query(django_assert_num_queries):
    weeks_of(16)
    lead(hours_ago(*range(1, 18)))
    figures = troubles.Figures()

    with django_assert_num_queries(1):
        assert troubles.judge(figures, [Kind.NO_BRIEFS]) == []
