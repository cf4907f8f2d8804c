"""Two reports of one act are one entry; two acts are two."""

import pytest

from briefs.models import Brief, Signal
from briefs.pipeline import draining
from briefs.tests.factories import make_event, make_payload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter", "sandbox")]

PERSON = "enterprise-logistics-low-1"
NOON = 1_764_331_200  # 28 November 2025, 12:00 UTC


def sent(after, metric="unsubscribed", level="person", **data):
    """An event `after` seconds after noon, about the person or about one message."""
    about = (
        {"email_address": "x@example.com"} if level == "person" else {"recipient": "x@e.example"}
    )
    event = make_event(
        make_payload(
            object_type="email",
            metric=metric,
            timestamp=NOON + after,
            data={"identifiers": {"id": PERSON}, **about, **data},
        )
    )
    draining.drain()
    event.refresh_from_db()
    return event


def is_echo(event):
    return event.signal.same_act_as is not None


@pytest.mark.parametrize("levels", [("delivery", "person"), ("person", "delivery")])
@pytest.mark.parametrize("apart", [0, 1, 300])
def test_one_click_reported_about_message_and_person_is_one_act(levels, apart):
    sent(0, level=levels[0])
    second = sent(apart, level=levels[1])

    assert is_echo(second)
    assert Brief.objects.count() == 1


def test_unsubscribing_again_after_a_win_back_is_a_new_act():
    sent(0, level="delivery")
    sent(60, metric="subscribed")
    Brief.objects.get().close("retained")

    again = sent(120)

    assert not is_echo(again)
    assert Brief.objects.open().get().signals.get() == again.signal


def test_win_back_and_second_leaving_may_arrive_in_one_batch():
    for after, metric, level in ((0, "unsubscribed", "delivery"), (60, "subscribed", "person")):
        make_event(
            make_payload(
                object_type="email",
                metric=metric,
                timestamp=NOON + after,
                data={
                    "identifiers": {"id": PERSON},
                    **(
                        {"recipient": "x"}
                        if level == "delivery"
                        else {"email_address": "x@e.example"}
                    ),
                },
            )
        )
    again = sent(120)

    assert not is_echo(again)
    assert Signal.objects.count() == 3


def test_reports_longer_apart_than_five_minutes_are_two_acts():
    sent(0, level="delivery")
    Brief.objects.get().close("retained")

    later = sent(301)

    assert not is_echo(later)
    assert Brief.objects.open().count() == 1


def test_late_report_of_the_same_click_opens_nothing_after_the_brief_was_closed():
    sent(0, level="delivery")
    Brief.objects.get().close("retained")

    assert is_echo(sent(2))
    assert not Brief.objects.open().exists()


def test_act_after_the_brief_was_closed_is_new():
    first = sent(0, level="delivery")
    Brief.objects.get().close("retained")
    Brief.objects.update(closed_at=first.occurred_at.replace(second=1))

    assert not is_echo(sent(2))
    assert Brief.objects.open().count() == 1


def test_two_topics_turned_off_within_one_second_are_two_acts():
    one = Signal(kind="topic_opt_out", level="person", detail="News", happened_at=NOON, message={})
    two = Signal(kind="topic_opt_out", level="person", detail="Tips", happened_at=NOON, message={})

    assert not one.is_same_act(two, [])


def test_same_report_in_one_second_is_a_new_act_where_they_came_back_between():
    sent(0)
    sent(0, metric="subscribed")

    assert not is_echo(sent(0))
