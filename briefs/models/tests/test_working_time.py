"""When something is due, in the team's hours, days, holidays and time zone."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.core.exceptions import ValidationError

from briefs.models import Calendar, WorkingTime

BERLIN = WorkingTime(time_zone="Europe/Berlin", opens_at=time(9), closes_at=time(17))


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "since", "due"),
    [
        (8, "2026-11-24 10:00", "2026-11-25 10:00"),  # Tuesday
        (8, "2026-11-27 15:00", "2026-11-30 15:00"),  # Friday at four in Berlin
        (8, "2026-11-28 12:00", "2026-11-30 16:00"),  # Saturday: the end of Monday
        (4, "2026-11-24 15:00", "2026-11-25 11:00"),  # an hour today, three tomorrow
        (16, "2026-11-23 05:00", "2026-11-24 16:00"),  # before work begins
        (8, "2026-03-27 10:00", "2026-03-30 09:00"),  # summer time begins on the Sunday between
        (8, "2026-12-24 10:00", "2026-12-28 10:00"),  # Christmas Day is a holiday
    ],
)
def test_hours_pass_in_the_teams_working_time(hours, since, due):
    calendar = Calendar(BERLIN, [date(2026, 12, 25)])

    assert calendar.after(at(since), timedelta(hours=hours)) == at(due)


def test_longer_steps_are_never_due_earlier():
    calendar, since = Calendar(BERLIN, []), at("2026-11-24 10:00")

    due = [calendar.after(since, timedelta(hours=hours)) for hours in range(1, 100)]

    assert due == sorted(due)


def test_working_days_before_a_moment_leave_out_weekends_and_holidays():
    calendar = Calendar(BERLIN, [date(2026, 11, 25)])

    before = calendar.days_before(at("2026-11-30 10:00"), 5)

    assert before == at("2026-11-20 10:00")


def test_team_that_never_works_is_no_endless_search():
    calendar = Calendar(WorkingTime(days=[]), [])

    assert calendar.after(at("2026-11-24 10:00"), timedelta(hours=3)) == at("2026-11-24 13:00")


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"time_zone": "Berlin"}, "time_zone"),
        ({"days": []}, "days"),
        ({"opens_at": time(17), "closes_at": time(9)}, "closes_at"),
    ],
)
@pytest.mark.django_db
def test_working_time_that_cannot_be_is_refused(fields, fault):
    with pytest.raises(ValidationError) as refused:
        WorkingTime(**fields).full_clean(exclude=["id"])

    assert fault in refused.value.message_dict
