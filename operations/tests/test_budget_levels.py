"""Warnings at 50, 75, 90 and 100 % of the day's and the month's budget: once each."""

from datetime import UTC, datetime

import pytest

from briefs.models import Alarm, BudgetLevel, MaveCall, Notification, ResearchPolicy
from briefs.notifying.tests.listener import make_target
from briefs.tests.factories import make_threshold
from operations import alarms, budget_levels
from webhooks.clock import database_now
from webhooks.tests.clock import clock
from webhooks.tests.threads import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.begins_at("2026-11-18T12:00")]


@pytest.fixture(autouse=True)
def target(db):
    policy(day_budget=1000)
    return make_target(gets_alarms=True, minimum_priority=None)


def policy(**fields):
    limits = {"day_budget": None, "month_budget": None, **fields}
    ResearchPolicy.objects.update_or_create(pk=1, defaults=limits)


def use(credits, outcome="answered"):
    """Replace the ledger with one call of this cost."""
    MaveCall.objects.all().delete()
    MaveCall.objects.create(credits=credits, outcome=outcome)


def look():
    budget_levels.check(database_now())


def told():
    """The first sentence of each message."""
    bodies = Notification.objects.order_by("pk").values_list("body", flat=True)
    return [body.split(":")[0] for body in bodies]


@pytest.mark.parametrize(
    ("used", "level"), [(499, 0), (500, 50), (750, 75), (899, 75), (900, 90), (925, 90), (926, 100)]
)
def test_level_is_the_highest_that_is_reached_and_the_last_when_no_answer_fits(used, level):
    use(used)

    look()

    assert BudgetLevel.objects.get(period="day").level == level
    assert len(told()) == bool(level)


def test_each_level_is_told_once():
    for used in (510, 520, 760, 770, 910, 920, 930, 940):
        use(used)
        look()

    assert told() == [
        "51 % of the day's research budget is used",
        "76 % of the day's research budget is used",
        "91 % of the day's research budget is used",
        "The day's research budget is used up",
    ]


def test_warning_is_an_alarm_with_figures_effect_and_cure():
    make_threshold()
    policy(day_budget=1000, urgent_reserve=100)
    use(760)

    look()

    message = Notification.objects.get()
    assert message.subject == "Alarm: The day's research budget is being used up"
    assert "760 of 1,000 credits, 240 are left" in message.body
    assert "Once it is used up, briefs go without research" in message.body
    assert "The last 100 are kept for urgent briefs" in message.body
    assert "raise the day's budget under “Research policy”" in message.body


@pytest.mark.parametrize(
    ("used", "words"),
    [
        (860, "What is left is the reserve, which is for urgent briefs"),
        (990, "Briefs go without research; it is asked by itself"),
    ],
)
def test_warning_says_who_is_still_researched(used, words):
    make_threshold()
    policy(day_budget=1000, urgent_reserve=100)
    use(used)

    look()

    assert words in Notification.objects.get().body


def test_month_has_levels_of_its_own():
    policy(day_budget=1000, month_budget=2000)
    use(1500)

    look()

    assert told() == [
        "The day's research budget is used up",
        "75 % of the month's research budget is used",
    ]


def test_reservation_of_a_call_under_way_is_not_used_yet():
    use(600, outcome="pending")

    look()

    assert told() == []


def test_level_that_falls_by_a_settlement_is_not_told_again_when_it_rises():
    for used, outcome in [(760, "unknown"), (740, "answered"), (760, "answered")]:
        use(used, outcome)
        look()

    assert len(told()) == 1
    assert BudgetLevel.objects.get(period="day").level == 75


@pytest.mark.parametrize(
    ("period", "last", "first"),
    [
        ("day", "2026-11-18T23:59", "2026-11-19T00:00"),
        ("day", "2028-02-28T23:59", "2028-02-29T00:00"),
        ("month", "2028-02-29T23:59", "2028-03-01T00:00"),
        ("month", "2026-12-31T23:59", "2027-01-01T00:00"),
    ],
)
def test_new_day_or_month_starts_anew_without_a_message(period, last, first):
    policy(**{f"{period}_budget": 1000})
    clock.set(last)
    use(910)
    look()

    clock.set(first)
    look()

    assert len(told()) == 1
    assert not Alarm.objects.get(kind=f"{period}_budget").is_open
    use(910)
    look()
    assert len(told()) == 2


def test_higher_budget_lowers_the_level_silently_and_warns_anew_by_its_own_measure():
    use(910)
    look()

    policy(day_budget=1800)
    look()
    assert (BudgetLevel.objects.get(period="day").level, len(told())) == (50, 1)

    use(1360)
    look()
    assert told()[1:] == ["75 % of the day's research budget is used"]


def test_lower_budget_warns_at_once():
    use(510)
    look()

    policy(day_budget=600)
    look()

    assert told()[1:] == ["85 % of the day's research budget is used"]


@pytest.mark.parametrize("budget", [None, 0, 74])
def test_budget_that_is_none_or_buys_nothing_does_not_warn(budget):
    policy(day_budget=budget)
    use(60)

    look()

    assert told() == []


def test_target_created_later_is_told_of_a_level_that_nobody_was_told_of(target):
    target.delete()
    use(510)
    look()

    make_target(gets_alarms=True)
    look()
    look()

    assert len(told()) == 1


def test_warning_is_not_repeated_while_it_lasts():
    use(510)
    look()
    Alarm.objects.update(last_told_at=datetime(2020, 1, 1, tzinfo=UTC))

    alarms.check()

    assert len(told()) == 1


def test_many_sweeps_at_once_tell_once(threaded_db):
    use(510)

    at_once(6, lambda number: look())

    assert len(told()) == 1
