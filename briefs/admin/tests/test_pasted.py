"""What somebody pastes: a person's attributes, a webhook; and mistakes, said with their place."""

import json
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from briefs.admin.pasted import read_attributes, read_webhook
from briefs.tests.factories import make_payload
from personas.models import Customer
from webhooks.models import WebhookEvent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]

ATTRIBUTES = {"plan": "pro", "mrr": 4200, "tags": ["a", "b"]}
PERSON = {"attributes": ATTRIBUTES, "identifiers": {"id": "7", "email": "Ada@Example.com"},
          "unsubscribed": True, "devices": []}  # fmt: skip


def trouble(read, text: str) -> str:
    with pytest.raises(ValidationError) as caught:
        read(text)
    return caught.value.messages[0]


@pytest.mark.parametrize(
    "given",
    [ATTRIBUTES, PERSON, {"customer": PERSON}, {"customers": [PERSON]},
     {"customers": [{"customer": PERSON}]}],
)  # fmt: skip
def test_attributes_are_read_however_the_app_api_wraps_them(given):
    customer = read_attributes(json.dumps(given))

    assert customer.attributes == {"plan": "pro", "mrr": "4200", "tags": '["a", "b"]'}
    assert customer.fetched_at
    assert customer.value_words == "USD 4,200 a month"
    assert not Customer.objects.exists()


def test_profile_says_who_it_is_and_what_they_receive():
    customer = read_attributes(json.dumps({"customer": PERSON}))

    assert (customer.external_id, customer.email) == ("7", "ada@example.com")
    assert customer.is_unsubscribed is True


def test_attributes_are_read_from_lines():
    customer = read_attributes("plan: enterprise\r\n\r\nsite : https://example.com/a\nusage\tlow\n")

    assert customer.attributes == {
        "plan": "enterprise", "site": "https://example.com/a", "usage": "low",
    }  # fmt: skip


def test_line_without_a_colon_is_named():
    assert trouble(read_attributes, "plan: pro\nusage low") == (
        "Line 2 has no colon. Write each as name: value."
    )


@pytest.mark.parametrize(
    ("text", "place", "why"),
    [
        ('{"a": 1 "b": 2}', "line 1, at character 9", 'a comma is missing'),
        ('{"a": 1,\n "b": 2,}', "line 2, at character 9", "one too many"),
        ('{\n "a": pro}', "line 2, at character 7", "a value is missing here"),
        ('{"a": "x}', "line 1, at character 7", "no quotation mark at its end"),
        ("{“a”: 1}", "line 1, at character 2", "straight double quotation marks"),
        ('{"a" 1}', "line 1, at character 6", "a colon is missing"),
        ('{"a": 1} x', "line 1, at character 10", "something follows"),
    ],
)  # fmt: skip
def test_broken_json_is_said_with_its_place(text, place, why):
    for read in (read_attributes, read_webhook):
        words = trouble(read, text)

        assert f"The JSON breaks in {place}: " in words
        assert why in words


def test_broken_json_shows_what_stands_around_the_place():
    assert trouble(read_webhook, '{"metric": "sent" "data": {}}').endswith(
        'It is at the arrow: {"metric": "sent" →"data": {}}'
    )


def test_json_that_ends_too_early_says_so():
    assert "breaks at its end (line 2)" in trouble(read_webhook, '{"a": {\n"b": 1}')


def test_json_that_is_no_object_is_refused():
    assert "no object" in trouble(read_webhook, "[1, 2]")
    assert "nested too deeply" in trouble(read_attributes, '{"a":' + "[" * 100_000)


def test_webhook_becomes_an_event_as_the_receiver_would_store_it():
    event = read_webhook(f"\n {json.dumps(make_payload(metric='spammed', object_type='email'))}\n")

    assert (event.object_type, event.metric) == ("email", "spammed")
    assert event.identifiers["id"].startswith("person-")
    assert event.data["identifiers"]
    assert not WebhookEvent.objects.exists()


def test_webhook_from_the_future_happened_now():
    ahead = int((timezone.now() + timedelta(days=3)).timestamp())

    assert read_webhook(json.dumps(make_payload(timestamp=ahead))).occurred_at is None


def test_webhook_that_the_receiver_cannot_use_says_why():
    assert "test of the connection" in trouble(read_webhook, '{"hello": 1}')
    assert "several events in one body" in trouble(read_webhook, '{"events": [{"metric": "sent"}]}')


def test_halves_of_characters_do_not_break_the_page():
    customer = read_attributes('{"name": "\\ud800x"}')

    assert customer.attributes["name"].encode()
