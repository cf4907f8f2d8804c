"""What was turned off is named wherever people and programs read of it."""

import pytest

from briefs.desk.tests.pages import text
from briefs.dossier import story
from briefs.notifying import messages
from briefs.tests.factories import make_brief, make_customer, make_event, make_signal

pytestmark = pytest.mark.django_db


def turned_off(kind="channel_opt_out", detail="SMS"):
    customer = make_customer()
    brief = make_brief(customer=customer, kind=kind, detail=detail)
    signal = make_signal(
        customer=customer, brief=brief, event=make_event(), kind=kind, detail=detail
    )
    return brief, signal


@pytest.mark.parametrize(
    ("kind", "detail", "title"),
    [
        ("channel_opt_out", "SMS", "Channel opt-out: SMS"),
        ("topic_opt_out", "Product updates, Tips", "Topic opt-out: Product updates, Tips"),
        ("unsubscribed", "", "Unsubscribed"),
    ],
)
def test_title_names_it(kind, detail, title):
    brief, signal = turned_off(kind, detail)

    assert brief.title == signal.title == title
    assert str(signal) == f"{title} of {signal.customer}"
    assert title in str(brief)


def test_pages_and_api_name_it(signed_in):
    brief, signal = turned_off()

    assert "Channel opt-out: SMS" in text(signed_in.get("/"))
    page = signed_in.get(brief.get_absolute_url())
    assert "Channel opt-out: SMS · Savedesk</title>" in page.content.decode()
    assert "They turned off a channel: SMS." in text(page)
    [item] = signed_in.get("/api/v1/briefs/").json()["results"]
    assert (item["title"], item["kind_label"]) == ("Channel opt-out: SMS", "Channel opt-out")
    [told] = signed_in.get(f"/api/v1/briefs/{brief.pk}/").json()["signals"]
    assert (told["id"], told["title"]) == (signal.pk, "Channel opt-out: SMS")


@pytest.mark.parametrize(
    "path",
    [
        "briefs/brief/",
        "briefs/brief/{brief}/change/",
        "briefs/signal/",
        "briefs/signal/{signal}/change/",
        "webhooks/webhookevent/{event}/change/",
    ],
)
def test_admin_names_it(admin_client, path):
    brief, signal = turned_off("topic_opt_out", "Tips")

    keys = {"brief": brief.pk, "signal": signal.pk, "event": signal.event_id}
    page = admin_client.get(f"/admin/{path.format(**keys)}")

    assert "Topic opt-out: Tips" in text(page)


def test_timeline_names_it():
    brief, signal = turned_off("topic_opt_out", "Tips")

    [entry] = story.timeline(brief, [signal], [])

    assert entry.title == "Topic opt-out: Tips"


@pytest.mark.parametrize(
    ("kind", "detail", "words"),
    [
        ("channel_opt_out", "E-mail and push", "They turned off a channel: E-mail and push."),
        ("channel_opt_in", "SMS", "They turned on a channel: SMS."),
        ("channel_opt_out", "", "They turned off a channel."),
        ("topic_opt_out", "Tips", "They opted out of some topics and kept others: Tips."),
        ("all_topics_off", "", "They opted out of every topic."),
        ("topic_opt_in", "Tips", "They opted in to topics: Tips."),
        ("unsubscribed", "", "They unsubscribed."),
        ("scanner", "", "Probably a link scanner."),
    ],
)
def test_story_says_what_was_turned(kind, detail, words):
    _, signal = turned_off(kind, detail)

    [happening] = story.happenings([signal])

    assert happening.words == words


def test_notification_names_it():
    brief, _ = turned_off("topic_opt_out", "Tips")

    subject, body = messages.about_brief(brief, {})

    assert "Topic opt-out: Tips" in subject
    assert "Topic opt-out: Tips" in body.splitlines()[0]


@pytest.mark.parametrize("detail", ["a@b.example", "%40here a%40b.example"])
def test_notification_names_no_address(detail):
    brief, _ = turned_off("other_address", detail)

    _, body = messages.about_brief(brief, {})

    assert detail not in body


def test_name_of_a_topic_notifies_nobody_and_breaks_no_line():
    brief, _ = turned_off("topic_opt_out", "<!channel>\nTips")

    subject, _ = messages.about_brief(brief, {})

    assert "!channel Tips" in subject
    assert "<" not in subject
