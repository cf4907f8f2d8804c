"""Mail that arrives again at an address that was gone, and replies that stop text messages."""

import pytest

from briefs.models import Brief, Signal
from briefs.pipeline import draining
from briefs.reading.channels import routes
from briefs.tests.factories import make_event, make_payload
from personas.models import Customer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]

NOON = 1_764_331_200  # 28 November 2025, 12:00 UTC
PROFILE = {
    "plan": "enterprise",
    "industry": "insurance",
    "usage_tier": "high",
    "phone": "+15550100",
}


@pytest.fixture(autouse=True)
def ann(sandbox):
    return sandbox.people.add("ann", email="ann@example.com", attributes=PROFILE)


def sent(metric, after=0, object_type="email", who="ann", **data):
    given = {"recipient": f"{who}@example.com", "subject": "News", **data}
    payload = make_payload(
        object_type=object_type,
        metric=metric,
        timestamp=NOON + after,
        data={"identifiers": {"id": who}, **given},
    )
    event = make_event(payload)
    draining.drain()
    event.refresh_from_db()
    return event


def gone():
    return sent("bounced", failure_message="550 5.1.1 user unknown")


def answer(channel):
    ann = Customer.objects.get(external_id="ann")
    return {r.channel: r.answer for r in routes(ann, ann.signals.all())}[channel]


@pytest.mark.parametrize(
    ("metric", "data"), [("delivered", {}), ("clicked", {"machine": False}), ("clicked", {})]
)
def test_mail_that_arrives_later_opens_the_address_again(metric, data):
    gone()
    assert answer("E-mail, transactional") == "no"

    event = sent(metric, after=60, **data)

    assert event.signal.kind == "reached"
    assert answer("E-mail, transactional") == "yes"


def test_click_of_a_machine_shows_nobody():
    gone()

    assert sent("clicked", after=60, machine=True).status == "ignored"
    assert answer("E-mail, transactional") == "no"


def test_mail_that_arrived_before_says_nothing():
    gone()

    assert sent("delivered", after=-60).status == "ignored"


def test_mail_that_arrives_at_another_address_says_nothing():
    gone()
    sent("delivered", after=60, recipient="boss@example.com")

    assert answer("E-mail, transactional") == "no"


def test_mail_to_another_address_does_not_hide_the_mail_that_reaches_theirs():
    gone()

    assert sent("delivered", after=60, recipient="boss@example.com").status == "ignored"
    assert sent("delivered", after=120).signal.kind == "reached"
    assert answer("E-mail, transactional") == "yes"


def test_mail_that_arrives_after_a_refusal_shows_that_the_address_works():
    sent("bounced", failure_message="554 5.7.1 message blocked by policy")

    event = sent("delivered", after=60)

    assert event.signal.kind == "reached"


def test_only_the_first_mail_that_arrives_is_told():
    gone()
    sent("delivered", after=60)

    assert sent("delivered", after=120).status == "ignored"
    assert Signal.objects.filter(kind="reached").count() == 1


def test_mail_of_somebody_with_no_trouble_makes_no_customer():
    assert sent("delivered", who="bob").status == "ignored"
    assert not Customer.objects.exists()


def test_many_deliveries_cost_one_query_more_than_none(django_assert_max_num_queries):
    from briefs.pipeline import reaching

    events = [make_event(make_payload(object_type="email", metric="delivered")) for _ in range(50)]
    with django_assert_max_num_queries(1):
        assert reaching.again(events) == set()


@pytest.mark.parametrize(("object_type", "channel"), [("sms", "SMS"), ("whatsapp", "WhatsApp")])
def test_stop_by_a_reply_closes_that_channel_and_start_opens_it(object_type, channel):
    reply = {"inbound_event_id": "i", "to": "+15550199", "recipient": "+15550100"}
    sent("replied", object_type=object_type, content="STOP", **reply)

    assert Brief.objects.get().kind == "channel_opt_out"
    assert answer(channel) == "no"
    assert answer("E-mail, marketing") == "yes"

    sent("replied", after=60, object_type=object_type, content="Start", **reply)

    assert answer(channel) == "yes"


def test_reply_that_says_something_else_is_no_signal():
    event = sent("replied", object_type="sms", inbound_event_id="i", content="Thanks!")

    assert event.status == "ignored"


def test_unsubscribing_by_a_text_message_closes_text_messages():
    event = sent("unsubscribed", object_type="sms", recipient="+15550100", subject=None)

    assert Brief.objects.get().title == event.signal.title == "Unsubscribed: SMS"
    assert answer("SMS") == "no"
    assert answer("WhatsApp") == "unknown"


def replied(words, after=0, recipient="+15550100", **data):
    return sent("replied", after, "sms", content=words, recipient=recipient, **data)


def test_stop_counts_without_the_id_of_the_reply():
    assert replied("STOP").signal.kind == "channel_opt_out"


def test_whatsapp_through_twilio_is_reported_as_sms_and_closes_whatsapp():
    event = replied("STOP", recipient="whatsapp:+15550100")

    assert event.signal.title == "Channel opt-out: WhatsApp"
    assert (answer("WhatsApp"), answer("SMS")) == ("no", "unknown")


def test_stop_that_arrives_after_a_later_start_opens_no_brief():
    replied("START", after=60)

    event = replied("STOP")

    assert "turned it on again since" in event.status_reason
    assert not Brief.objects.exists()
    assert answer("SMS") == "yes"


def test_stop_after_a_start_opens_a_brief():
    replied("START")
    replied("STOP", after=60)

    assert Brief.objects.get().kind == "channel_opt_out"


def test_start_of_another_channel_takes_nothing_back():
    replied("START", after=60, recipient="whatsapp:+15550100")
    replied("STOP")

    assert Brief.objects.get().detail == "SMS"


def test_stop_and_start_in_one_batch_open_no_brief():
    for after, words in ((0, "STOP"), (60, "START")):
        data = {"identifiers": {"id": "ann"}, "recipient": "+15550100", "content": words}
        make_event(
            make_payload(object_type="sms", metric="replied", timestamp=NOON + after, data=data)
        )
    draining.drain()

    assert not Brief.objects.exists()
    assert Signal.objects.count() == 2
