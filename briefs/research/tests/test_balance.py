"""Mavera's own count of the credits: read once an hour at most, and compared with the ledger."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from briefs.models import MaveCall, ResearchPolicy, UsageReading
from briefs.research import balance
from briefs.research.working import run_next
from briefs.tests.factories import make_brief, make_research
from providers.mavera import Usage
from sandbox.wire import json_reply
from webhooks.tests.clock import clock
from webhooks.tests.threads import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.begins_at("2026-11-18T12:00")]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def ago(by):
    return timezone.now() - by


def asked(by=timedelta(0), **fields):
    call = MaveCall.objects.create(outcome="answered", **fields)
    MaveCall.objects.filter(pk=call.pk).update(started_at=ago(by))
    return call


def reading(**fields):
    figures = {"used": 2500, "included": 5000, "remaining": 2500, "ledger": 2430, **fields}
    made = UsageReading.objects.create(**{"period_start": ago(10 * DAY), **figures})
    made.refresh_from_db()
    return made


def usage(**fields):
    unknown = dict.fromkeys(("included", "remaining", "requests_per_minute"))
    period = {"period_start": ago(DAY), "period_end": timezone.now() + DAY}
    return Usage(**{"used": 100.0, "has_auto_recharge": False, **unknown, **period, **fields})


def requests(sandbox):
    return [request.path.rsplit("/", 1)[-1] for request in sandbox.requests]


# When it is read ----------------------------------------------------------------------------------


def test_balance_is_read_after_a_call_and_entered_in_the_ledger(sandbox):
    asked(by=2 * HOUR, credits=30)
    question = make_research()
    make_brief(research=question, persona=question.persona)

    assert run_next()

    assert requests(sandbox) == ["chat", "usage"]
    row = UsageReading.objects.get()
    assert (row.used, row.included) == (sandbox.credits_used, 5000)
    assert row.remaining == 5000 - sandbox.credits_used
    assert row.ledger == sandbox.credits_used  # of Mavera's billing period, which began just now
    assert row.period_start < row.at < row.period_end
    assert MaveCall.objects.get(purpose="usage").outcome == "answered"


def test_balance_is_read_when_nothing_could_be_claimed(sandbox):
    asked(by=2 * HOUR)

    assert not run_next()

    assert requests(sandbox) == ["usage"]


@pytest.mark.parametrize(
    ("last_call", "last_reading", "is_read"),
    [
        (None, None, False),
        (30 * timedelta(minutes=1), None, False),  # the first one is due an hour after a call
        (2 * HOUR, None, True),
        (0 * HOUR, 2 * HOUR, True),
        (0 * HOUR, timedelta(minutes=59), False),
        (3 * HOUR, 2 * HOUR, False),  # research is not in use
    ],
)
def test_balance_is_read_once_an_hour_while_research_is_in_use(
    sandbox, last_call, last_reading, is_read
):
    if last_call is not None:
        asked(by=last_call)
    if last_reading is not None:
        reading(at=ago(last_reading))
        asked(by=last_reading, purpose="usage")

    balance.read_if_due()

    assert requests(sandbox) == ["usage"] * is_read


def test_reading_that_failed_is_not_tried_again_within_the_hour(sandbox):
    asked(by=2 * HOUR)
    sandbox.faults.add("usage", "500")

    balance.read_if_due()
    balance.read_if_due()

    assert requests(sandbox) == ["usage"]
    assert MaveCall.objects.get(purpose="usage").outcome == "refused"
    assert not UsageReading.objects.exists()


def test_paused_research_reads_no_balance(sandbox):
    asked(by=2 * HOUR)
    ResearchPolicy.current().pause("a person says so")

    balance.read_if_due()

    assert requests(sandbox) == []


def test_without_a_key_nothing_is_read(settings):
    settings.MAVERA_API_KEY = ""
    asked(by=2 * HOUR)

    balance.read_if_due()

    assert MaveCall.objects.count() == 1


@pytest.mark.parametrize(("requests_left", "is_read"), [(1, False), (2, True)])
def test_reading_takes_no_request_that_a_question_needs(sandbox, requests_left, is_read):
    ResearchPolicy.current()
    ResearchPolicy.objects.update(requests_per_minute=requests_left)
    asked(by=2 * HOUR)
    question = make_research()
    make_brief(research=question, persona=question.persona)

    balance.read_if_due()

    assert requests(sandbox) == ["usage"] * is_read


def test_many_workers_at_once_read_it_once(threaded_db, sandbox):
    asked(by=2 * HOUR)

    at_once(6, lambda number: balance.read_if_due())

    assert requests(sandbox) == ["usage"]


# What is kept -------------------------------------------------------------------------------------


def test_ledger_of_the_same_billing_period_is_kept_beside_it(db):
    asked(credits=30)
    asked(credits=75).settle(MaveCall.Outcome.REFUSED)
    MaveCall.objects.create(credits=75, outcome="unknown")
    asked(credits=1000, by=2 * DAY)

    row = balance.record(usage())

    assert (row.ledger, row.reserved) == (105, 75)


def test_report_without_a_period_is_kept_and_not_compared(db):
    row = balance.record(usage(period_start=None))

    assert (row.ledger, row.unexplained) == (None, 0)
    assert "cannot be compared" in balance.words(row)


@pytest.mark.parametrize("used", [None, float("nan"), float("inf")])
def test_report_without_a_figure_is_not_kept(db, used):
    assert balance.record(usage(used=used)) is None


def test_odd_figures_are_bounded(db):
    row = balance.record(usage(used=1e30, included=-5, remaining=12.6))

    assert (row.used, row.included, row.remaining) == (2**31 - 1, 0, 13)


def test_readings_older_than_a_hundred_days_are_deleted_when_one_is_written(db):
    reading(at=ago(101 * DAY))
    kept = reading(at=ago(99 * DAY))

    new = balance.record(usage())

    assert set(UsageReading.objects.all()) == {kept, new}


def test_period_of_a_report_is_read_from_its_dates(sandbox):
    period = {"start": "2024-03-01T00:00:00.000Z", "end": "never"}
    report = {"credits": {"used": 1}, "billing_period": period}
    sandbox._listener.answer = lambda request: json_reply(report)

    told = balance.Mave().usage()

    assert (told.period_start, told.period_end) == (datetime(2024, 3, 1, tzinfo=UTC), None)


# What is said -------------------------------------------------------------------------------------


def test_words_set_mavera_beside_the_ledger(db):
    row = reading(period_start=datetime(2026, 3, 1, tzinfo=UTC))
    row.at = datetime(2026, 3, 9, 14, 2, tzinfo=UTC)

    assert balance.words(row) == (
        "Mavera says 2,500 of 5,000 used since 1 Mar (read 14:02 UTC on 9 Mar); our ledger has "
        "2,430: 70 were used by others or by calls whose outcome is unknown."
    )


@pytest.mark.parametrize(
    ("ledger", "words"), [(2500, "just as much"), (2600, "counts there as the most")]
)
def test_words_without_anything_unexplained(db, ledger, words):
    assert words in balance.words(reading(ledger=ledger))


@pytest.mark.parametrize(
    ("used", "ledger", "reserved", "warns"),
    [
        (1111, 1000, 0, True),
        (1100, 1000, 0, False),  # exactly 10 %
        (600, 500, 0, False),  # exactly 100
        (601, 500, 0, True),
        (601, 500, 75, False),  # calls of unknown outcome explain it
        (900, 1000, 0, False),
    ],
)
def test_more_than_a_tenth_and_a_hundred_beyond_the_ledger_is_suspicious(
    db, used, ledger, reserved, warns
):
    wrong = balance.trouble(reading(used=used, ledger=ledger, reserved=reserved), None)

    assert bool(wrong) is warns
    assert not warns or "somebody else uses this key" in wrong[0]


@pytest.mark.parametrize(
    ("remaining", "recharges", "warns"),
    [(999, False, True), (1000, False, False), (None, False, False), (10, True, False)],
)
def test_less_at_mavera_than_the_budgets_allow_is_a_trouble(db, remaining, recharges, warns):
    row = reading(remaining=remaining, has_auto_recharge=recharges)

    wrong = balance.trouble(row, 1000)

    assert bool(wrong) is warns
    assert not warns or "Mavera refuses before they are used up" in wrong[0]


def notices(client):
    return [notice.text for notice in client.get("/").context["notices"]]


def test_inbox_tells_of_the_latest_reading_alone(signed_in, sandbox):
    reading(used=4000, ledger=1000, at=ago(HOUR))
    assert "3,000 credits more than our ledger" in notices(signed_in)[0]

    reading(remaining=5000)
    assert notices(signed_in) == []


def test_reading_of_a_period_that_is_over_says_nothing_any_more(signed_in, sandbox):
    reading(remaining=10, period_end=ago(HOUR))

    assert notices(signed_in) == []


@pytest.mark.parametrize(
    ("moment", "days", "warns"),
    [
        ("2026-11-18T12:00", 1, False),
        ("2026-11-18T12:00", 9, True),
        ("2026-11-28T12:00", 9, True),  # 28, 29 and 30 November
        ("2026-11-29T12:00", 9, False),  # December has budgets of its own
        ("2028-02-27T23:59", 9, True),  # 27, 28 and 29 February
        ("2028-02-28T00:00", 9, False),
        ("2026-12-31T23:59", 9, False),
    ],
)
def test_only_what_the_day_allows_until_the_period_or_the_month_ends_counts(
    client, user, sandbox, moment, days, warns
):
    clock.set(moment)
    client.force_login(user)
    ResearchPolicy.current()
    ResearchPolicy.objects.update(day_budget=100, month_budget=None)
    reading(remaining=250, period_end=timezone.now() + days * DAY)

    assert any("250 credits are left at Mavera" in text for text in notices(client)) is warns


def test_reading_counts_for_the_hour_from_its_request_on(sandbox):
    asked(by=2 * HOUR)
    balance.read_if_due()
    MaveCall.objects.update(started_at=F("started_at") - timedelta(minutes=61))
    UsageReading.objects.update(at=F("at") - timedelta(minutes=61))
    balance.read_if_due()
    assert len(requests(sandbox)) == 1  # no question was asked since

    asked()
    balance.read_if_due()

    assert len(requests(sandbox)) == 2
