"""The receiver's answers, one row of its table after the other."""

import hashlib
import json
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.db import DataError, OperationalError, connection
from django.db.models import F
from django.test import Client

from briefs.tests.factories import make_event
from webhooks import views
from webhooks.models import WebhookEvent
from webhooks.models.events import EventQuerySet
from webhooks.replay import replay
from webhooks.signatures import sign
from webhooks.tests.sending import SECRET, TIMESTAMP, URL, post

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("threadless_receiver")]

EVENT = {
    "event_id": "e1",
    "object_type": "email",
    "metric": "unsubscribed",
    "timestamp": 1613063089,
}
PAYLOADS = Path(__file__).parent / "payloads"


def test_new_event_is_stored_and_pending():
    response = post(EVENT)

    assert (response.status_code, response.json()) == (200, {"status": "stored"})
    event = WebhookEvent.objects.get()
    assert (event.status, event.event_id, event.kind) == ("pending", "e1", "email unsubscribed")
    assert event.is_verified
    assert event.received_at


def test_body_is_kept_byte_for_byte():
    raw = b'{ "event_id" : "e1",\r\n "metric":"sent", "x": "\\u00e9" }\n'

    post(raw)

    assert bytes(WebhookEvent.objects.get().body) == raw


def test_duplicate_delivery_is_counted_and_stored_once():
    post(EVENT)
    # Two may come within a thousandth of a second, which is all that SQLite's clock tells apart.
    WebhookEvent.objects.update(received_at=F("received_at") - timedelta(minutes=1))

    response = post(EVENT)

    assert response.json() == {"status": "duplicate"}
    event = WebhookEvent.objects.get()
    assert event.deliveries == 2
    assert event.last_received_at > event.received_at


def test_golden_vector_of_the_vendor_is_accepted(settings):
    settings.CIO_WEBHOOK_SECRETS = ["signing-secret"]
    body = b'{"event_id":"abc","object_type":"email","metric":"delivered"}'
    headers = {
        "X-CIO-Timestamp": "1614265384",
        "X-CIO-Signature": "6f55cf23f9b73a2ff07733fe04421f64ce9ec5e409696edda6b2a80311944230",
    }

    response = Client().post(URL, body, content_type="application/json", headers=headers)

    assert response.json() == {"status": "stored"}


def test_second_secret_is_valid_during_a_rotation():
    assert post(EVENT, secret="second-key-of-the-tests").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-CIO-Timestamp": TIMESTAMP},
        {"X-CIO-Timestamp": TIMESTAMP, "X-CIO-Signature": "0" * 64},
        {"X-CIO-Timestamp": TIMESTAMP, "X-CIO-Signature": "schlüssel"},
    ],
)
def test_missing_or_wrong_signature_is_refused_and_nothing_kept(headers):
    response = Client().post(
        URL, json.dumps(EVENT), content_type="application/json", headers=headers
    )

    assert response.status_code == 401
    assert not WebhookEvent.objects.exists()


@pytest.mark.parametrize("colon", [1, 2, 3])
def test_signature_holds_for_no_other_boundary_between_timestamp_and_body(colon):
    """Both are signed as one text: a part of the body in the header would make another row."""
    start, rest = split_at(json.dumps(EVENT), colon)
    signature = sign(SECRET, TIMESTAMP, f"{start}:{rest}".encode())
    headers = {"X-CIO-Timestamp": f"{TIMESTAMP}:{start}", "X-CIO-Signature": signature}

    response = Client().post(URL, rest.encode(), content_type="application/json", headers=headers)

    assert response.status_code == 401
    assert not WebhookEvent.objects.exists()


def split_at(text, colon):
    parts = text.split(":")
    return ":".join(parts[:colon]), ":".join(parts[colon:])


@pytest.mark.parametrize("timestamp", ["-1", "1.5", "abc", "9" * 21, "١٢", "1 ", "1:{"])
def test_timestamp_that_is_no_number_of_seconds_is_refused_though_signed(timestamp):
    raw = json.dumps(EVENT).encode()

    response = post(raw, timestamp=timestamp)

    assert response.status_code == 401
    assert not WebhookEvent.objects.exists()


def test_signature_of_another_body_is_refused():
    response = post(EVENT, X_CIO_Signature=views.Verifier([SECRET], TIMESTAMP).digests()[0])

    assert response.status_code == 401


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"hello", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[1, 2]", "a list and not an object"),
        (b'"text"', "a str and not an object"),
        (b'{"event_id": 5}', "event_id is not a text"),
        (b'{"event_id": "a\\u0000b"}', "event_id is not a text"),
        (b'{"event_id": "\\ud800"}', "event_id is not a text"),
        (b'{"event_id": "' + b"x" * 201 + b'"}', "event_id is not a text"),
        (b'{"event_id": "e", "metric": "' + b"m" * 101 + b'"}', "metric is longer"),
        (b'{"event_id": "e", "data": {"identifiers": {"id": "\\u0000"}}}', "identifier id"),
        (b'{"event_id": "e", "n": ' + b"9" * 5000 + b"}", "not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"event_id": "e", "data": ' + b'{"a":' * 900 + b"1" + b"}" * 901, "more than 100 deep"),
        (b'{"event_id": "e", "data": {"a": ' + b"[" * 99 + b"]" * 99 + b"}}", "more than 100 deep"),
    ],
)
def test_unusable_body_is_quarantined_with_its_reason(body, reason):
    response = post(body)

    assert (response.status_code, response.json()) == (200, {"status": "quarantined"})
    event = WebhookEvent.objects.get()
    assert event.status == "quarantined"
    assert reason in event.status_reason
    assert event.reason_code is None
    assert event.event_id == f"sha256:{hashlib.sha256(body).hexdigest()}"
    assert bytes(event.body) == body


def test_signed_test_without_an_event_id_says_that_the_connection_works():
    post({"test": True})

    event = WebhookEvent.objects.get()
    assert event.status_reason == "signed test received: the connection works"
    assert event.reason_code == WebhookEvent.Reason.SIGNED_TEST


UNSUBSCRIBED = {
    "object_type": "customer",
    "metric": "unsubscribed",
    "data": {"identifiers": {"id": "42"}},
}


@pytest.mark.parametrize("extra", [{}, {"event_id": None}, {"event_id": ""}, {"event_id": 7}])
def test_a_real_signal_without_an_event_id_is_worked_on_under_its_digest(extra):
    body = json.dumps({**UNSUBSCRIBED, **extra}).encode()

    assert post(body).json() == {"status": "stored"}

    event = WebhookEvent.objects.get()
    assert event.event_id == f"sha256:{hashlib.sha256(body).hexdigest()}"
    assert (event.status, event.status_reason) == ("pending", "")
    assert event.reason_code == WebhookEvent.Reason.NO_EVENT_ID
    assert (event.kind, event.identifiers) == ("customer unsubscribed", {"id": "42"})
    assert event.key_note == "it was sent without an event id"


def test_the_same_body_without_an_event_id_is_a_duplicate_and_another_body_is_not():
    words = [post(body).json()["status"] for body in (
        UNSUBSCRIBED, UNSUBSCRIBED, {**UNSUBSCRIBED, "timestamp": 1613063089},
    )]  # fmt: skip

    assert words == ["stored", "duplicate", "stored"]
    assert list(WebhookEvent.objects.order_by("pk").values_list("deliveries", flat=True)) == [2, 1]


def test_a_legacy_signal_without_an_event_id_is_worked_on():
    body = {"event_type": "email_unsubscribed", "data": {"customer_id": "42"}}

    assert post(body).json() == {"status": "stored"}


@pytest.mark.parametrize("body", [[UNSUBSCRIBED, UNSUBSCRIBED], {"events": [UNSUBSCRIBED]}])
def test_a_list_of_events_is_quarantined_and_says_what_to_do(body):
    assert post(body).json() == {"status": "quarantined"}

    event = WebhookEvent.objects.get()
    assert event.reason_code == WebhookEvent.Reason.LIST
    assert "have what stands between send each event by itself" in event.status_reason


def test_a_replayed_event_keeps_that_it_came_without_an_id():
    post(UNSUBSCRIBED)
    WebhookEvent.objects.update(status="dead")

    WebhookEvent.objects.get().replay()

    assert WebhookEvent.objects.get().reason_code == WebhookEvent.Reason.NO_EVENT_ID


def test_what_an_earlier_version_took_for_a_test_is_released_as_the_signal_it_is():
    body = json.dumps(UNSUBSCRIBED).encode()
    key = f"sha256:{hashlib.sha256(body).hexdigest()}"
    make_event(status="quarantined", reason_code="signed_test", event_id=key, body=body,
               body_size=len(body))  # fmt: skip

    report = replay(WebhookEvent.objects.all())

    assert report.words == "1 queued, 0 skipped"
    event = WebhookEvent.objects.get()
    assert (event.event_id, event.status, event.reason_code) == (key, "pending", "no_event_id")


# An event id that two events have


@pytest.mark.parametrize(
    "other",
    [{"metric": "subscribed"}, {"data": {"identifiers": {"id": "43"}}}],
    ids=["metric", "person"],
)
def test_another_event_of_the_same_id_gets_a_row_of_its_own(other):
    first = {**UNSUBSCRIBED, "event_id": "e1"}
    second = json.dumps({**first, **other}).encode()

    words = [post(body).json()["status"] for body in (first, second, second, first)]

    assert words == ["stored", "stored", "duplicate", "duplicate"]
    one, two = WebhookEvent.objects.order_by("pk")
    assert (one.event_id, one.key_note) == ("e1", "")
    assert two.event_id == f"sha256:{hashlib.sha256(second).hexdigest()}"
    assert (two.status, two.reason_code) == ("pending", None)
    assert "its own id, e1, is that of an event with another person or metric" in two.key_note


@pytest.mark.parametrize(
    "again",
    [
        {"timestamp": 1613063090},
        {"data": {"identifiers": {"id": "42", "email": "new@example.com"}}},
        {"data": {"identifiers": {"cio_id": "cio_03000001"}}},
        {"data": {}},
        {"object_type": "email"},
    ],
)
def test_the_same_event_in_other_words_is_a_duplicate(again):
    first = {**UNSUBSCRIBED, "event_id": "e1"}
    post(first)

    assert post({**first, **again}).json() == {"status": "duplicate"}
    assert WebhookEvent.objects.count() == 1


@pytest.mark.parametrize(
    "as_read_then", [("quarantined", "", {}), ("ignored", "sent", {"id": "7"})]
)
def test_a_body_that_an_earlier_version_read_otherwise_is_a_duplicate(as_read_then):
    """The row under a body's digest is of that body, whatever was read from it then."""
    post(UNSUBSCRIBED)
    status, metric, identifiers = as_read_then
    WebhookEvent.objects.update(status=status, metric=metric, identifiers=identifiers)

    response = post(UNSUBSCRIBED)

    assert (response.status_code, response.json()) == (200, {"status": "duplicate"})
    assert WebhookEvent.objects.get().deliveries == 2


def test_signed_tests_of_an_earlier_version_get_their_code_and_nothing_else_does():
    words = "signed test received: the connection works"
    quarantined = make_event(status="quarantined", status_reason=words)
    others = [
        make_event(status="quarantined", status_reason="the body is not JSON"),
        make_event(status="ignored", status_reason=words),
    ]

    import_module("webhooks.migrations.0004_reason_code").fill(apps, None)

    quarantined.refresh_from_db()
    assert quarantined.reason_code == "signed_test"
    assert not WebhookEvent.objects.filter(pk__in=[o.pk for o in others], reason_code="signed_test")


def test_a_receiver_of_the_version_before_stores_on():
    """During an upgrade it runs beside the new version, and does not know the new column."""
    columns = (
        "event_id, object_type, metric, identifiers, body, body_size, body_sha256, headers, "
        "is_verified, status, status_reason, deliveries, tries, history"
    )
    values = ["e1", "", "", "{}", b"{}", 2, "", "{}", True, "pending", "", 1, 0, "[]"]

    with connection.cursor() as cursor:
        marks = ", ".join(["%s"] * len(values))
        cursor.execute(f"INSERT INTO webhooks_webhookevent ({columns}) VALUES ({marks})", values)

    assert WebhookEvent.objects.get().reason_code is None


def test_body_over_10_mib_keeps_digest_size_and_its_start():
    body = b'{"event_id": "big", "x": "' + b"a" * (10 * 1024 * 1024) + b'"}'

    response = post(body)

    assert response.json() == {"status": "quarantined"}
    event = WebhookEvent.objects.get()
    assert event.body_size == len(body)
    assert event.body_sha256 == hashlib.sha256(body).hexdigest()
    assert bytes(event.body) == body[: 64 * 1024]


def test_body_of_3_mib_is_an_ordinary_event():
    body = json.dumps({**EVENT, "data": {"content": "a" * 3 * 1024 * 1024}}).encode()

    assert post(body).json() == {"status": "stored"}
    assert bytes(WebhookEvent.objects.get().body) == body


def test_body_over_64_mib_is_refused(monkeypatch):
    monkeypatch.setattr(views, "REFUSED_ABOVE", 1000)

    assert post(b"x" * 1001).status_code == 413
    assert not WebhookEvent.objects.exists()


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch", "head"])
def test_other_methods_are_not_allowed(method):
    assert getattr(Client(), method)(URL).status_code == 405


def test_database_trouble_is_503_and_then_503_at_once(monkeypatch):
    calls = []

    def down(*args):
        calls.append(1)
        raise OperationalError("down")

    monkeypatch.setattr(EventQuerySet, "record", down)

    first, second = post(EVENT), post(EVENT)

    assert (first.status_code, second.status_code) == (503, 503)
    assert int(first.headers["Retry-After"]) > 0
    assert len(calls) == 2  # once more on a fresh connection, then not at all


def test_value_the_database_refuses_is_quarantined(monkeypatch):
    record = EventQuerySet.record

    def refuse(self, rows):
        if not rows[0].quarantined_because:
            raise DataError("no")
        return record(self, rows)

    monkeypatch.setattr(EventQuerySet, "record", refuse)

    assert post(EVENT).json() == {"status": "quarantined"}
    assert "refused" in WebhookEvent.objects.get().status_reason


def test_unexpected_failure_is_503(monkeypatch):
    monkeypatch.setattr(views, "store", lambda delivery: 1 / 0)

    response = post(EVENT)

    assert response.status_code == 503
    assert response.headers["Retry-After"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "text/html"},
        {"Accept": "nonsense/;;"},
        {"Content_Type": "text/plain; charset=nonsense"},
        {"Host": "somewhere.else:99"},
        {"Content_Encoding": "gzip"},
        {"Cookie": "sessionid=\x80"},
        {"Authorization": "Token none"},
    ],
)
def test_no_header_stands_between_the_sender_and_the_row(headers):
    assert post(EVENT, **headers).json() == {"status": "stored"}


def test_address_without_the_slash_is_the_receiver_too():
    from webhooks.signatures import sign

    raw = json.dumps(EVENT).encode()
    headers = {"X-CIO-Timestamp": "1", "X-CIO-Signature": sign(SECRET, "1", raw)}

    response = Client().post(URL.rstrip("/"), raw, content_type="application/json", headers=headers)

    assert response.json() == {"status": "stored"}


def test_legacy_event_type_is_split():
    post({"event_id": "old", "event_type": "email_unsubscribed", "data": {"customer_id": "42"}})

    event = WebhookEvent.objects.get()
    assert (event.object_type, event.metric) == ("email", "unsubscribed")
    assert event.identifiers == {"id": "42"}


def test_misnamed_object_type_of_preference_changes_is_read():
    post({"event_id": "p", "object_type_type": "customer", "metric": "x"})

    assert WebhookEvent.objects.get().object_type == "customer"


def test_authorization_header_is_never_kept():
    post(EVENT, Authorization="Basic c2VjcmV0", User_Agent="cio")

    headers = WebhookEvent.objects.get().headers
    assert headers["User-Agent"] == "cio"
    assert "Authorization" not in headers


def test_age_is_checked_only_when_asked_for(settings):
    settings.CIO_MAX_AGE_SECONDS = 300

    assert post(EVENT, timestamp="1614265384").status_code == 401


def test_without_secret_and_with_debug_an_unsigned_event_is_taken_as_unverified(settings):
    settings.DEBUG = True
    settings.CIO_WEBHOOK_SECRETS = []

    response = Client().post(URL, json.dumps(EVENT), content_type="application/json")

    assert response.json() == {"status": "stored"}
    assert not WebhookEvent.objects.get().is_verified


def test_wrong_signature_is_refused_with_debug_on(settings):
    settings.DEBUG = True

    assert post(EVENT, secret="wrong").status_code == 401


@pytest.mark.parametrize("path", sorted(PAYLOADS.glob("*.json")), ids=lambda path: path.stem)
def test_every_documented_payload_is_stored(path):
    response = post(path.read_bytes())

    assert response.json() == {"status": "stored"}
    event = WebhookEvent.objects.get()
    assert event.metric
    assert event.occurred_at
    assert event.identifiers["cio_id"] == "d9c106000001"


def test_fault_of_our_own_in_reading_a_body_quarantines_it(monkeypatch):
    monkeypatch.setattr(views, "parse", lambda body: {}["a fault"])

    assert post(EVENT).json() == {"status": "quarantined"}
    assert "reading it failed: KeyError" in WebhookEvent.objects.get().status_reason
