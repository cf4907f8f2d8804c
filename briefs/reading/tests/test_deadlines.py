"""By when a brief's first step is to be done: by the step that the brief shows."""

from datetime import UTC, datetime, timedelta

import pytest

from briefs.models import Brief
from briefs.reading.deadlines import Deadlines
from briefs.tests.factories import make_brief, make_customer, make_signal, make_step

pytestmark = pytest.mark.django_db
TUESDAY = datetime(2026, 11, 24, 10, tzinfo=UTC)  # the team works from nine to five, UTC


def due(brief):
    return Deadlines([brief]).of(brief, TUESDAY)


def after(hours):
    return TUESDAY + timedelta(hours=hours)


@pytest.mark.parametrize(("closes_mail", "hours"), [(False, 2), (True, 5)])
def test_time_is_that_of_the_first_step_whose_channels_are_open(closes_mail, hours):
    make_step(channels=["email"], within_hours=2)
    make_step(channels=["phone"], within_hours=5, position=20)
    brief = make_brief()
    if closes_mail:
        make_signal(brief=brief, kind="spam_complaint")

    assert due(brief) == after(hours)


def test_nothing_is_due_for_somebody_who_was_deleted():
    make_step(within_hours=2)

    assert due(make_brief(customer=make_customer(is_deleted=True))) is None


def test_nobodys_channels_are_read_where_they_change_nothing(django_assert_num_queries):
    make_step(channels=["in_app"], within_hours=2)
    make_step(channels=[], within_hours=2, position=20)
    make_brief()
    brief = Brief.objects.select_related("customer").get()

    with django_assert_num_queries(3):  # the steps, the working time, the holidays
        assert due(brief) == after(2)
