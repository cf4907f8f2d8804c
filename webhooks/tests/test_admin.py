"""The admin's pages of events: they can be read and processed again, but not edited."""

import json

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.urls import reverse

from briefs.tests.factories import make_event, make_payload
from webhooks.models import WebhookEvent

pytestmark = pytest.mark.django_db

LIST = reverse("admin:webhooks_webhookevent_changelist")


def page_of(event: WebhookEvent) -> str:
    return reverse("admin:webhooks_webhookevent_change", args=[event.pk])


def reprocess(client, *events):
    data = {"action": "reprocess", "_selected_action": [event.pk for event in events]}
    return client.post(LIST, data, follow=True)


@pytest.fixture
def staff(client, user):
    """A colleague who may see events and nothing more."""
    user.is_staff = True
    user.save()
    user.user_permissions.add(Permission.objects.get(codename="view_webhookevent"))
    client.force_login(user)
    return client


def test_list_tells_what_an_event_was_and_what_became_of_it(admin_client):
    make_event(make_payload(metric="bounced"), status="ignored", status_reason="no active rule")

    response = admin_client.get(LIST)

    assert b"customer bounced" in response.content
    assert b"no active rule" in response.content


def test_list_needs_the_same_queries_for_one_event_and_for_many(
    admin_client, django_assert_num_queries
):
    for _ in range(30):
        make_event()

    with django_assert_num_queries(8):
        admin_client.get(LIST)


def test_list_reads_no_bodies(admin_client, django_assert_num_queries):
    make_event()

    with django_assert_num_queries(8) as queries:
        admin_client.get(LIST)

    assert not [query for query in queries if '"webhooks_webhookevent"."body"' in query["sql"]]


@pytest.mark.parametrize(
    "term", ["evt-un", "abc0001", "cio_abc0001", "person-x", "R@Example.com", "+15550100123"]
)
def test_event_is_found_by_the_start_of_its_id_or_by_an_identifier(admin_client, term):
    identifiers = {"id": "person-x", "cio_id": "abc0001", "email": "R@Example.com",
                   "phone": "+15550100123"}  # fmt: skip
    event = make_event(event_id="evt-unique", identifiers=identifiers)
    make_event()

    response = admin_client.get(LIST, {"q": term})

    assert list(response.context["cl"].result_list) == [event]


@pytest.mark.parametrize(
    ("beginning", "found"),
    [("evt-", {"evt-1", "evt-10%"}), ("evt-1", {"evt-1", "evt-10%"}), ("evt-10%", {"evt-10%"}),
     ("EVT", {"EVT-1"}), ("evt-_", set()), ("vt-", set())],
)  # fmt: skip
def test_start_of_an_id_is_found_as_it_is_written_and_by_an_index(beginning, found):
    for event_id in ("evt-1", "evt-10%", "EVT-1", "evu"):
        make_event(event_id=event_id)

    events = WebhookEvent.objects.all().whose_id_begins(beginning)

    assert {event.event_id for event in events} == found
    assert connection.vendor != "sqlite" or "USING INDEX" in events.explain()


def test_filters_offer_what_came_in_lately(admin_client):
    make_event(make_payload(metric="bounced"))
    make_event(make_payload(metric="unsubscribed"))

    response = admin_client.get(LIST, {"metric": "bounced"})

    assert response.context["cl"].result_count == 1
    assert b"?metric=unsubscribed" in response.content


def test_page_shows_the_payload_indented_and_escaped(admin_client):
    event = make_event(make_payload(data={"subject": "<script>alert(1)</script>"}))

    html = admin_client.get(page_of(event)).content.decode()

    assert "&quot;subject&quot;: &quot;&lt;script&gt;" in html
    assert "<script>alert" not in html


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"\xff<b>not json\x00", "�&lt;b&gt;not json␀"),
        (b'{"subject": "\\ud800"}', "&quot;subject&quot;: &quot;?&quot;"),
        (b"x" * 70_000, "Only the beginning is shown."),
        (b"[" * 5_000, "[[[["),
    ],
)
def test_page_shows_whatever_bytes_were_kept(admin_client, body, shown):
    event = make_event(body=body, body_size=len(body), status="quarantined")

    response = admin_client.get(page_of(event))

    assert response.status_code == 200
    assert shown in response.content.decode()


def test_no_page_shows_a_password_of_a_webhook_s_address(admin_client):
    """The bytes stay; an event of an earlier version may have the address as an identifier."""
    address = "https://ann:open-sesame@hooks.example.com/in?api_key=open-sesame&x=1"
    payload = make_payload(
        object_type="webhook",
        metric="failed",
        data={
            "recipient": address,
            "content": json.dumps({"url": address}),
            "failure_message": f"POST {address}: no answer",
        },
    )
    event = make_event(payload, identifiers={"email": address})
    cut = make_event(body=b"not json " * 7280 + address.encode(), status="quarantined")

    pages = [LIST, page_of(event), page_of(cut)]
    for html in (admin_client.get(page).content.decode() for page in pages):
        assert "open-sesame" not in html

    assert (
        "https://…@hooks.example.com/in?api_key=…&amp;x=1"
        in admin_client.get(page_of(event)).content.decode()
    )
    assert b"open-sesame" in WebhookEvent.objects.get(pk=event.pk).body


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "23 Nov 2026, 14:02 UTC"),
        ({"occurred_at": None, "stated_time": "1924992000"},
         "the event says 1924992000 (1 Jan 2031, 00:00 UTC), which cannot be: when it was received"
         " counts"),
        ({"occurred_at": None}, "the event does not say: when it was received counts"),
    ],
)  # fmt: skip
def test_page_says_when_it_happened_or_why_that_is_not_known(admin_client, fields, words):
    assert words in admin_client.get(page_of(make_event(**fields))).content.decode()


def test_page_says_that_an_event_came_without_an_id(admin_client):
    event = make_event(event_id="sha256:0", body=b"{}")

    html = admin_client.get(page_of(event)).content.decode()

    assert "sha256:0 (it was sent without an event id)" in html


def test_nobody_can_add_or_edit_an_event(admin_client):
    event = make_event()

    assert admin_client.get(reverse("admin:webhooks_webhookevent_add")).status_code == 403
    assert admin_client.post(page_of(event), {"metric": "other"}).status_code == 403


def test_only_a_superuser_can_delete_an_event(staff, user):
    event = make_event()
    permission = Permission.objects.get(codename="delete_webhookevent")
    user.user_permissions.add(permission)

    response = staff.post(reverse("admin:webhooks_webhookevent_delete", args=[event.pk]))

    assert response.status_code == 403


def test_reprocess_is_not_offered_to_whoever_may_only_look(staff):
    event = make_event(status="dead")

    response = reprocess(staff, event)

    event.refresh_from_db()
    assert event.status == "dead"
    assert b"Reprocess\xe2\x80\xa6" not in response.content


def test_page_obeys_the_content_security_policy(admin_client):
    html = admin_client.get(page_of(make_event())).content.decode()

    assert " style=" not in html
    assert "<style" not in html
    assert "onclick" not in html
