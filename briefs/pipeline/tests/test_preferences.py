"""Changes of preferences from the event to the signal: what each is compared with and called."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from briefs.models import Brief, Signal
from briefs.pipeline import draining, previewing
from briefs.reading import channels
from briefs.tests.factories import make_customer, make_event, make_payload
from personas.models import Customer, SubscriptionNames
from personas.people import lookups
from webhooks.models import WebhookEvent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]

CHANGED = "cio_subscription_preferences_changed"
ATTRIBUTE = "cio_subscription_preferences"
PERSON = {"plan": "enterprise", "usage_tier": "low", "industry": "retail"}


def add(sandbox, content=None, person="p1"):
    """Somebody in Customer.io with these preferences at present."""
    chosen = {} if content is None else {ATTRIBUTE: content}
    attributes = {**PERSON, **chosen}
    sandbox.people.add(person, email=f"{person}@example.com", attributes=attributes)


def known(content_before=None, **kw):
    """Somebody who was looked up some days ago, when these were their preferences."""
    return make_customer(
        external_id="p1",
        cio_id=None,
        email="p1@example.com",
        preferences=json.loads(content_before) if content_before else {},
        fetched_at=timezone.now() - timedelta(days=3),
        **kw,
    )


def changed(content=None, ago=0, channel="customer"):
    """An event that happened so many seconds ago."""
    happened = int(timezone.now().timestamp()) - ago
    data = {"identifiers": {"id": "p1"}, "email_address": "p1@example.com"}
    if content is not None:
        data["content"] = content
    payload = make_payload(object_type=channel, metric=CHANGED, timestamp=happened, data=data)
    return make_event(payload)


def drained(*events):
    """What the events were taken for, once they were processed together."""
    draining.drain()
    signals = dict(Signal.objects.filter(event__in=events).values_list("event", "kind"))
    return [signals.get(event.pk) for event in events]


def reason(event):
    event.refresh_from_db()
    return event.status_reason


def topics(**values):
    return json.dumps({"topics": values})


def topic_and(**channels):
    return json.dumps({"topics": {"topic_1": True}, "channels": channels})


ON_OFF = topics(topic_1=True, topic_2=False)
OFF_OFF = topics(topic_1=False, topic_2=False)
ON_ON = topics(topic_1=True, topic_2=True)
SMS_ON, SMS_OFF = (json.dumps({"channels": {"sms": is_on}}) for is_on in (True, False))


# What an event is compared with -------------------------------------------------------------------


def test_first_that_is_heard_of_somebody_with_topics_on_and_off_says_nothing(sandbox):
    add(sandbox, ON_OFF)
    event = changed(ON_OFF)

    assert drained(event) == [None]
    assert "direction unknown" in reason(event)
    assert "Body Content" not in reason(event)
    assert not Brief.objects.exists()


def test_first_that_is_heard_of_somebody_with_a_topic_off_is_an_opt_out(sandbox):
    add(sandbox, topics(topic_1=False, topic_2=True))

    assert drained(changed(topics(topic_1=False))) == ["topic_opt_out"]


@pytest.mark.parametrize("is_one_batch", [True, False])
@pytest.mark.parametrize("has_key", [True, False])
@pytest.mark.parametrize(
    ("contents", "kinds"),
    [
        ([OFF_OFF, ON_OFF], ["all_topics_off", "topic_opt_in"]),
        ([ON_OFF, OFF_OFF], [None, "all_topics_off"]),
        ([ON_OFF, ON_ON, ON_OFF], [None, "topic_opt_in", "topic_opt_out"]),
        ([OFF_OFF, OFF_OFF], ["all_topics_off", None]),
        ([SMS_ON, SMS_OFF, SMS_ON], ["channel_opt_in", "channel_opt_out", "channel_opt_in"]),
    ],
)
def test_events_are_compared_with_each_other(
    sandbox, settings, contents, kinds, has_key, is_one_batch
):
    settings.CIO_APP_KEY = settings.CIO_APP_KEY if has_key else ""
    add(sandbox, contents[-1])
    events, seen = [], []
    for number, content in enumerate(contents):
        events.append(changed(content, ago=60 - number))
        seen += [] if is_one_batch else drained(events[-1])

    assert (seen or drained(*events)) == kinds


def test_order_of_happening_decides_not_the_order_of_arrival(sandbox):
    add(sandbox, ON_OFF)
    later, earlier = changed(ON_OFF, ago=10), changed(OFF_OFF, ago=20)

    assert drained(earlier, later) == ["all_topics_off", "topic_opt_in"]


def test_of_one_second_the_order_of_arrival_decides(sandbox):
    add(sandbox, ON_OFF)
    first, second = changed(OFF_OFF, ago=10), changed(ON_OFF, ago=10)

    assert drained(first, second) == ["all_topics_off", "topic_opt_in"]


def test_late_event_is_no_new_change(sandbox):
    add(sandbox, ON_ON)
    drained(changed(ON_ON, ago=10))
    late = changed(OFF_OFF, ago=20)

    assert drained(late) == [None]
    assert "a newer event" in reason(late)
    assert not Brief.objects.exists()
    assert Customer.objects.get().preferences["topics"] == {"topic_1": True, "topic_2": True}


def test_look_up_that_was_faster_than_the_event_hides_no_opt_out(sandbox):
    """A click causes several events: the first brings a profile that shows the opt-out already."""
    who = known(ON_ON)
    add(sandbox, ON_OFF)
    lookups.refresh([who])

    assert drained(changed(ON_OFF, ago=5)) == ["topic_opt_out"]


def test_opt_out_of_somebody_whose_first_look_up_was_faster_is_one(sandbox):
    add(sandbox, topics(topic_1=False, topic_2=True))
    lookups.refresh([make_customer(external_id="p1", cio_id=None, fetched_at=None)])

    assert drained(changed(topics(topic_1=False), ago=5)) == ["topic_opt_out"]


def test_profile_that_held_it_before_the_event_makes_it_no_news(sandbox):
    add(sandbox, ON_OFF)
    known(ON_OFF)
    event = changed(ON_OFF)

    assert drained(event) == [None]
    assert "direction unknown" in reason(event)


def test_missing_topic_is_as_for_everybody_where_somebody_never_chose(sandbox):
    """In the sandbox topic 2 is on by default, and topic 4 is off."""
    add(sandbox)
    known()

    assert drained(changed(topics(topic_2=True, topic_4=True))) == ["topic_opt_in"]
    assert Signal.objects.get().detail == "Partner offers"


def test_event_that_is_read_again_is_taken_for_the_same(sandbox):
    add(sandbox, ON_OFF)
    events = [changed(OFF_OFF, ago=30), changed(ON_OFF, ago=20)]
    before = drained(*events)

    for event in WebhookEvent.objects.all():
        event.replay()

    assert drained(*events) == before == ["all_topics_off", "topic_opt_in"]
    assert Brief.objects.count() == 1
    assert not WebhookEvent.objects.filter(status="ignored").exists()


def test_preview_of_reading_it_again_asks_nobody_and_sees_no_change(sandbox):
    add(sandbox, ON_OFF)
    drained(changed(OFF_OFF, ago=30), changed(ON_OFF, ago=20))
    long_ago = timezone.now() - timedelta(days=2)
    SubscriptionNames.objects.update(fetched_at=long_ago)

    seen = previewing.preview(WebhookEvent.objects.all())

    assert (seen.read, seen.changed, seen.failed.total()) == (2, 0, 0)
    assert SubscriptionNames.objects.get().fetched_at == long_ago


def test_change_without_a_content_is_told_once(sandbox):
    who = known(ON_ON)
    add(sandbox, OFF_OFF)
    first, second = changed(ago=5), changed(ago=4)

    assert drained(first, second) == ["all_topics_off", None]
    assert drained(changed(ago=3)) == [None]
    who.refresh_from_db()
    assert who.preferences["topics"] == {"topic_1": False, "topic_2": False}


def test_what_an_event_states_is_kept_where_nobody_can_be_looked_up(sandbox, settings):
    settings.CIO_APP_KEY = ""
    drained(changed(ON_OFF, ago=20))

    assert drained(changed(topics(topic_1=False), ago=10)) == ["all_topics_off"]
    assert Customer.objects.get().preferences["topics"] == {"topic_1": False, "topic_2": False}


# What was not sent, and what cannot be read -------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "turn on Body Content"),
        ("", "turn on Body Content"),
        ('{"topics": {"topic_1": fal', "cannot be read"),
        ("topics: off", "cannot be read"),
        ('{"topics": ["topic_1"]}', "cannot be read"),
        ("{}", "direction unknown"),
    ],
)
def test_reason_tells_what_was_not_sent_from_what_cannot_be_read(sandbox, content, words):
    add(sandbox, ON_OFF)
    event = changed(content)

    assert drained(event) == [None]
    assert words in reason(event)
    others = {"turn on Body Content", "cannot be read"} - {words}
    assert not any(other in reason(event) for other in others)


def test_unreadable_content_is_told_from_the_profile_where_that_shows_it(sandbox):
    known(ON_ON)
    add(sandbox, ON_OFF)

    assert drained(changed('{"topics": {"topic_1": fal')) == ["topic_opt_out"]


@pytest.mark.parametrize(
    "content",
    ['{"topics": {"topic_1": "false"}}', '{"topics": {"topic_1": 0}}',
     '{"topics": {"topic_1": {"subscribed": false}}}', {"topics": {"topic_1": False}}],
)  # fmt: skip
def test_unusual_values_are_read(sandbox, content):
    add(sandbox, topics(topic_1=False, topic_2=True))

    assert drained(changed(content)) == ["topic_opt_out"]


# The names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "detail"),
    [
        ({"email": True, "sms": True}, {"email": True, "sms": False}, "SMS"),
        ({"email": True, "twilio": True}, {"email": True, "twilio": False}, "SMS"),
        ({"email": True, "sms": True}, {"email": False, "sms": True}, "E-mail"),
        ({"email": True, "push": True}, {"email": False, "push": False}, "E-mail and push"),
        ({"sms": True, "push": True, "in_app": True},
         {"sms": False, "push": False, "in_app": False}, "SMS, push and in-app"),
        ({"whatsapp": True}, {"whatsapp": False}, "WhatsApp"),
        ({"fax": True}, {"fax": False}, "Fax"),
    ],
)  # fmt: skip
def test_channel_that_was_turned_off_is_named(sandbox, before, after, detail):
    add(sandbox, topic_and(**before))
    lookups.refresh([make_customer(external_id="p1", cio_id=None, fetched_at=None)])
    add(sandbox, topic_and(**after))

    assert drained(changed(topic_and(**after), channel="email")) == ["channel_opt_out"]

    brief = Brief.objects.get()
    assert (brief.detail, brief.title) == (detail, f"Channel opt-out: {detail}")
    assert brief.signals.get().title == brief.title
    assert brief.signals.get().severity == 2


@pytest.mark.parametrize("off", ["sms", "push", "in_app", "whatsapp"])
def test_channel_that_was_turned_off_closes_no_other(sandbox, off):
    before, after = {"email": True, off: True}, {"email": True, off: False}
    who = known(topic_and(**before))
    add(sandbox, topic_and(**after))

    assert drained(changed(topic_and(**after), channel="email")) == ["channel_opt_out"]

    who.refresh_from_db()
    answers = {route.channel: route.answer for route in channels.routes(who, who.signals.all())}
    assert answers["E-mail, marketing"] == "yes"
    assert answers[{"sms": "SMS", "push": "Push", "in_app": "In-app"}.get(off, "WhatsApp")] == "no"


def test_reply_that_stops_text_messages_names_them(sandbox):
    add(sandbox)
    data = {"identifiers": {"id": "p1"}, "inbound_event_id": "i1", "content": "STOP"}
    event = make_event(make_payload(object_type="sms", metric="replied", data=data))

    assert drained(event) == ["channel_opt_out"]
    assert Brief.objects.get().title == "Channel opt-out: SMS"


def test_topics_are_called_as_in_customer_io(sandbox):
    known(ON_ON)
    add(sandbox, topics(topic_1=False, topic_2=True))

    drained(changed(topics(topic_1=False, topic_2=True)))

    assert Brief.objects.get().title == "Topic opt-out: Product updates"


@pytest.mark.parametrize("status", ["404", "403", "500"])
def test_topics_whose_names_are_not_told_are_called_by_their_identifier(sandbox, status):
    for path in ("subscription_topics", "subscription_channels"):
        sandbox.faults.add(path, status, count=None)
    add(sandbox, topics(topic_1=False, topic_4=False, topic_2=True))

    drained(changed(topics(topic_1=False, topic_4=False)))

    assert Brief.objects.get().title == "Topic opt-out: topic_1, topic_4"
    assert SubscriptionNames.objects.get().fetched_at


def test_more_topics_than_fit_are_counted(sandbox):
    off = {f"topic_{number}": False for number in range(100, 160)}
    add(sandbox, topics(**off, topic_1=True))

    drained(changed(topics(**off)))

    detail = Brief.objects.get().detail
    assert len(detail) <= 300
    assert detail.startswith("topic_100, topic_101, ")
    assert detail.endswith(" more")
