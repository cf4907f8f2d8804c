"""Messages that went to another address than the person's own."""

import pytest

from briefs.models import Brief, Signal
from briefs.pipeline import draining
from briefs.tests.factories import make_event, make_payload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]

PROFILE = {"plan": "enterprise", "industry": "insurance", "usage_tier": "high"}


def bounced(recipient, metric="bounced", email=None, **data):
    event = make_event(
        make_payload(
            object_type="email",
            metric=metric,
            data={
                "identifiers": {"id": "ann", "email": email},
                "recipient": recipient,
                "subject": "New lead",
                "failure_message": "550 5.1.1 user unknown",
                **data,
            },
        )
    )
    draining.drain()
    event.refresh_from_db()
    return event


@pytest.fixture
def ann(sandbox):
    return sandbox.people.add("ann", email="ann@example.com", attributes=PROFILE)


@pytest.mark.usefixtures("ann")
@pytest.mark.parametrize("metric", ["bounced", "spammed"])
def test_colleagues_address_is_named_and_opens_nothing(metric):
    event = bounced("Sales <sales@ours.example>", metric, email="ann@example.com")

    signal = event.signal
    assert (signal.kind, signal.detail) == ("other_address", "sales@ours.example")
    assert "sales@ours.example" in event.status_reason
    assert "another address than this person's" in event.status_reason
    assert not Brief.objects.exists()


@pytest.mark.usefixtures("ann")
def test_own_address_opens_a_brief_and_is_kept():
    event = bounced("ANN@example.com")

    assert event.signal.kind == "address_gone"
    assert event.signal.message["recipient"] == "ANN@example.com"
    assert Brief.objects.count() == 1


@pytest.mark.usefixtures("ann")
def test_address_they_no_longer_have_is_another():
    assert bounced("ann@old.example").signal.kind == "other_address"


def test_person_who_has_a_new_address_is_looked_up_before_anything_is_said(sandbox):
    sandbox.people.add("ann", email="ann@old.example", attributes=PROFILE)
    bounced("ann@old.example")
    Brief.objects.get().close("retained")
    sandbox.people.add("ann", email="ann@new.example", attributes=PROFILE)

    assert bounced("ann@new.example", delivery_id="d2").signal.kind == "address_gone"
    assert Brief.objects.open().count() == 1


@pytest.mark.usefixtures("ann")
@pytest.mark.parametrize("recipient", [None, "", "{{customer.email}}"])
def test_message_without_an_address_counts_as_sent_to_the_person(recipient):
    assert bounced(recipient).signal.kind == "address_gone"


@pytest.mark.usefixtures("ann")
def test_action_content_and_variant_are_kept_for_figures():
    ids = {"action_id": 7, "parent_action_id": 6, "content_id": 5, "journey_id": "01J"}

    message = bounced("ann@example.com", **ids).signal.message

    assert {name: message[name] for name in ids} == {k: str(v) for k, v in ids.items()}


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize(
    ("object_type", "recipient", "kept"),
    [
        ("slack", "@general", None),
        ("webhook", "https://user:secret@hooks.example/x", None),
        ("sms", "+1 (555) 0100-22", "+1555010022"),
        ("email", "ann@example.com, bob@example.com", "ann@example.com, bob@example.com"),
    ],
)
def test_only_an_address_is_kept_as_recipient(object_type, recipient, kept):
    make_event(
        make_payload(
            object_type=object_type,
            metric="converted",
            data={"identifiers": {"id": "ann"}, "recipient": recipient},
        )
    )
    draining.drain()

    assert Signal.objects.get().message.get("recipient") == kept
