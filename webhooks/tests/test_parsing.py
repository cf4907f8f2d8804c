"""Who an event is about, and what a body without an event id is."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from providers.addresses import email_address, stated_phone_number
from webhooks.parsing import ParsedEvent, Unusable, is_same_event, is_storable, parse

NOBODY = {"id": None, "email": None}


def identifiers(data, object_type="customer", metric="unsubscribed"):
    event = {"event_id": "e1", "object_type": object_type, "metric": metric, "data": data}
    return parse(json.dumps(event).encode()).identifiers


# Whom the identifiers name


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"id": "42", "email": "ann@example.com", "cio_id": "03000001"},
         {"id": "42", "email": "ann@example.com", "cio_id": "03000001"}),
        ({"cio_id": "cio_03000001"}, {"cio_id": "03000001"}),
        ({"id": 42, "cio_id": 3000001}, {"id": "42", "cio_id": "3000001"}),
        ({"id": " 42 ", "email": " ann@example.com "}, {"id": "42", "email": "ann@example.com"}),
        ({"id": None, "email": None, "phone": "+15550100123"}, {"phone": "+15550100123"}),
        ({"phone": 15550100123}, {"phone": "15550100123"}),
        ({"email": "Ann <ann@example.com>"}, {"email": "ann@example.com"}),
        ({"id": "42", "email": "a@example.com, b@example.com"}, {"id": "42"}),
        ({"id": "42", "email": "https://user:password@hooks.example.com"}, {"id": "42"}),
        ({"id": "42", "phone": "https://user:password@hooks.example.com"}, {"id": "42"}),
        ({"id": True, "email": ["ann@example.com"], "cio_id": {"id": 1}, "phone": 1.5}, {}),
        ({"id": "", "email": "  ", "cio_id": "cio_"}, {}),
        ({}, {}),
        (None, {}),
        ("42", {}),
        (["42"], {}),
        ([{"id": "42"}], {}),
        (42, {}),
    ],
)  # fmt: skip
def test_identifiers_are_texts_that_name_somebody(given, found):
    assert identifiers({"identifiers": given}) == found


@pytest.mark.parametrize(
    "given",
    [
        {"cio_id": "c" * 201},
        {"id": "i" * 1001},
        {"id": "𝔘" * 990},
        {"id": "1", "cio_id": "€" * 201},
    ],
)
def test_identifier_that_no_column_or_index_takes_is_refused_at_the_door(given):
    with pytest.raises(Unusable, match="too long"):
        identifiers({"identifiers": given})


@pytest.mark.parametrize("longest", ["i" * 1000, "é" * 1000, "𝔘" * 625])
def test_longest_identifier_that_is_taken(longest):
    assert identifiers({"identifiers": {"id": longest}}) == {"id": longest}


@pytest.mark.parametrize(
    ("older", "found"),
    [
        ({"customer_id": "42"}, {"id": "42"}),
        ({"customer_id": 42}, {"id": "42"}),
        ({"email_address": "ann@example.com"}, {"email": "ann@example.com"}),
        ({"customer_id": "42", "email_address": "ann@example.com"},
         {"id": "42", "email": "ann@example.com"}),
        ({"customer_id": "", "email_address": "ann@example.com"}, {"email": "ann@example.com"}),
        ({"customer_id": "", "email_address": None}, {}),
        ({"customer_id": ""}, {}),
        ({"email_address": "@general"}, {}),
    ],
)  # fmt: skip
def test_where_identifiers_name_nobody_the_older_names_count(older, found):
    nobody = [{}, None, NOBODY, {"id": ""}, {"cio_id": " "}, [], "", "42", 0, {"email": "@general"}]

    for empty in nobody:
        assert identifiers({"identifiers": empty, **older}) == found, empty


@pytest.mark.parametrize(
    "given", [{"id": "42"}, {"cio_id": "03000001"}, {"email": "ann@example.com"},
              {"phone": "+15550100123"}],
)  # fmt: skip
def test_customer_id_may_be_another_id_and_does_not_count_beside_identifiers(given):
    data = {"identifiers": given, "customer_id": "0200000001", "email_address": "b@example.com"}

    assert identifiers(data) == given


def test_identifiers_are_looked_for_where_they_are_documented_and_nowhere_else():
    assert identifiers({"customer": {"identifiers": {"id": "42"}}, "user_id": "42"}) == {}


# Whom a message's recipient names


@pytest.mark.parametrize(
    ("object_type", "recipient", "found"),
    [
        ("email", "ann@example.com", {"email": "ann@example.com"}),
        ("email", "Ann <ann@example.com>", {"email": "ann@example.com"}),
        ("email", "a@example.com, b@example.com", {}),
        ("email", "mailto:ann@example.com", {}),
        ("email", "ann bell@example.com", {}),
        ("email", "jörg@müller.example", {"email": "jörg@müller.example"}),
        ("in_app", "ann@example.com", {"email": "ann@example.com"}),
        ("in_app", "person-42", {}),
        ("sms", "+1 555 010 0123", {"phone": "+15550100123"}),
        ("whatsapp", "+15550100123", {"phone": "+15550100123"}),
        ("sms", "ann@example.com", {}),
        ("slack", "@general", {}),
        ("slack", "ann@example.com", {}),
        ("webhook", "https://user:password@hooks.example.com/in", {}),
        ("webhook", "user:password@hooks.example.com", {}),
        ("push", "ann@example.com", {}),
        ("customer", "ann@example.com", {}),
        ("", "ann@example.com", {}),
        ("email", ["ann@example.com"], {}),
        ("email", "x" * 5000 + "@example.com", {}),
        ("email", "a\0b@example.com", {}),
    ],
)
def test_a_recipient_names_somebody_only_by_an_address_of_the_channel(
    object_type, recipient, found
):
    data = {"identifiers": NOBODY, "recipient": recipient}

    assert identifiers(data, object_type, "converted") == found


def test_a_recipient_does_not_count_beside_identifiers():
    data = {"identifiers": {"phone": "+15550100123"}, "recipient": "+15550100999"}

    assert identifiers(data, "sms", "replied") == {"phone": "+15550100123"}


def test_a_legacy_event_of_a_deleted_person_names_them_by_its_recipient_at_most():
    body = {"event_id": "e1", "event_type": "email_bounced",
            "data": {"customer_id": "", "recipient": "ann@example.com"}}  # fmt: skip

    assert parse(json.dumps(body).encode()).identifiers == {"email": "ann@example.com"}


def test_an_identifier_too_long_for_its_column_makes_the_body_unusable():
    for key, length in (("cio_id", 201), ("id", 1001)):
        with pytest.raises(Unusable, match=key):
            identifiers({"identifiers": {key: "1" * length}})


# Bodies without an event id


SIGNAL = {"object_type": "customer", "metric": "unsubscribed", "data": {"customer_id": "42"}}


@pytest.mark.parametrize("event_id", [None, "", " ", 42, 1.5, True, [], {}, "x" * 201, "a\0b"])
def test_a_real_signal_is_an_event_whatever_its_event_id(event_id):
    event = parse(json.dumps({**SIGNAL, "event_id": event_id}).encode())

    assert event.has_no_id
    assert (event.metric, event.identifiers) == ("unsubscribed", {"id": "42"})


def test_the_same_body_without_an_event_id_is_the_same_event():
    one, other = json.dumps(SIGNAL).encode(), json.dumps({**SIGNAL, "timestamp": 1}).encode()

    assert parse(one).event_id == parse(one).event_id != parse(other).event_id


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"timestamp": 1613063089},
        {"event_id": None, "object_type": "email", "metric": "sent"},
        {"object_type": "email", "metric": "sent", "data": {}},
        {"metric": "unsubscribed", "data": {"identifiers": NOBODY, "customer_id": ""}},
        {"data": {"identifiers": {"id": "42"}}},
        {"test": True, "events": []},
        {"events": ["email_sent"]},
    ],
)
def test_what_says_nothing_of_anybody_is_a_test(body):
    with pytest.raises(Unusable, match="signed test received: the connection works") as caught:
        parse(json.dumps(body).encode())

    assert (caught.value.is_signed_test, caught.value.is_list) == (True, False)


@pytest.mark.parametrize(
    "body",
    [
        [SIGNAL],
        [{**SIGNAL, "event_id": "e1"}, {**SIGNAL, "event_id": "e2"}],
        [1, {"event_type": "email_unsubscribed"}],
        {"events": [SIGNAL]},
        {"body": {"events": [SIGNAL]}},
        {"batch": [{"event_id": "e1"}]},
        {"event_id": 7, "metric": "unsubscribed", "data": [SIGNAL]},
    ],
)
def test_several_events_in_one_body_are_told_as_that(body):
    with pytest.raises(Unusable, match="several events in one body") as caught:
        parse(json.dumps(body).encode())

    assert (caught.value.is_signed_test, caught.value.is_list) == (False, True)


@pytest.mark.parametrize(
    "body",
    [
        {"body": SIGNAL},
        {"payload": {**SIGNAL, "event_id": "e1"}, "source": "proxy"},
        {"event_id": "", "event": {"event_type": "email_unsubscribed"}},
    ],
)
def test_an_event_within_an_envelope_is_no_test(body):
    with pytest.raises(Unusable, match="an event within another object") as caught:
        parse(json.dumps(body).encode())

    assert (caught.value.is_signed_test, caught.value.is_list) == (False, False)


def test_an_event_with_an_id_may_hold_a_list_of_anything():
    assert parse(json.dumps({"event_id": "e1", "events": [SIGNAL]}).encode()).event_id == "e1"


# The same event or another one of the same id


@pytest.mark.parametrize(
    ("metric", "stored", "is_same"),
    [
        ("sent", {"id": "42", "cio_id": "c1"}, True),
        ("sent", {"id": "42", "cio_id": "cio_C1"}, True),
        ("sent", {"id": "42", "cio_id": "c2"}, True),  # one in common is enough
        ("sent", {"id": "43", "cio_id": "c2"}, False),
        ("sent", {"id": "43"}, False),
        ("sent", {"email": "ann@example.com"}, True),  # nothing tells them apart
        ("sent", {}, True),
        ("opened", {"id": "42", "cio_id": "c1"}, False),
    ],
)
def test_an_event_is_another_if_its_person_or_its_metric_is(metric, stored, is_same):
    event = ParsedEvent("e1", "email", "sent", None, {"id": "42", "cio_id": "c1"})

    assert is_same_event(event, metric, stored) is is_same


# Any body whatsoever

texts = st.text(max_size=30) | st.sampled_from(
    ["ann@example.com", "a@b.example, c@d.example", "https://u:p@h.example", "@general", "\ud800",
     "+15550100123", "\0", " ", "Ann <ann@example.com>", "{{customer.email}}@example.com",
     "2026-11-28T18:30:00Z", "1613063089000", "email", "sms", "unsubscribed"]
)  # fmt: skip
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
people = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("cio_id", "id", "email", "phone"), values)
)
data = st.fixed_dictionaries(
    {},
    optional={
        "identifiers": people | values,
        "customer_id": values,
        "email_address": values,
        "recipient": values,
    },
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "event_id": st.just("e1") | values,
        "object_type": st.sampled_from(["email", "sms", "slack", "webhook", "in_app"]) | values,
        "metric": st.just("unsubscribed") | values,
        "event_type": st.just("email_unsubscribed") | values,
        "timestamp": st.integers(0, 2**70) | values,
        "data": data | values,
        "events": values,
    },
)


@given(bodies | values)
@example({"event_id": "e1", "timestamp": 10**4000})
def test_no_json_whatsoever_fails_otherwise_and_all_that_is_stored_is_clean(body):
    try:
        event = parse(json.dumps(body).encode())
    except Unusable:
        return

    assert is_storable(event.event_id, 200)
    assert len(event.object_type) <= 100
    assert len(event.metric) <= 100
    assert len(event.stated_time) <= 40
    assert "\0" not in event.stated_time
    event.stated_time.encode()
    for key, value in event.identifiers.items():
        assert value == value.strip()
        assert is_storable(value, 1000)
        if key == "email":
            assert email_address(value) == value
        if key == "phone":
            assert stated_phone_number(value) == value
