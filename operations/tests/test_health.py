"""The health page: what it counts, and when it shows which trouble."""

import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone
from django_q.models import Schedule

from briefs.desk.tests.pages import messages, text
from briefs.tests.factories import make_brief, make_event, make_events, make_payload, make_research
from briefs.times import length
from conftest import make_user
from operations import figures, progress
from webhooks import clock
from webhooks.models import Answer, Bell, Tally, WebhookEvent

pytestmark = pytest.mark.django_db

URL = "/webhook-health/"
HOUR = timedelta(hours=1)


def ago(**length):
    return timezone.now() - timedelta(**length)


def tally(answer, count=1, at=None):
    at = at or ago(seconds=30)
    hour = at.replace(minute=0, second=0, microsecond=0)
    return Tally.objects.create(hour=hour, answer=answer, count=count, last_at=at)


def quarantined(**kw):
    return make_event(**{"status": "quarantined", "status_reason": "not JSON", **kw})


def digest():
    """The id of an event that came without one."""
    return f"sha256:{uuid.uuid4()}"


def every(length, *, since, until=None):
    """Events at a steady pace, from `since` ago to `until` ago."""
    first, duration = timezone.now() - since, since - (until or timedelta(0))
    make_events(first + number * length for number in range(duration // length + 1))


def found(client):
    """Level and whole text of every trouble on the page."""
    return [(t.level, f"{t.text} {t.cure}") for t in client.get(URL).context["troubles"]]


@pytest.fixture(autouse=True)
def _on_schedule(db):
    """Make the sweep due now; the time that the migration set passes while other tests run."""
    Schedule.objects.update(next_run=timezone.now())


@pytest.fixture
def staff(client, django_user_model):
    user = django_user_model.objects.create_superuser("lee", password="a-long-password")
    client.force_login(user)
    return client


# The page


def test_strangers_are_asked_to_sign_in(client):
    assert client.get(URL).status_code == 302
    assert client.post(f"{URL}retry/").status_code == 302


def test_a_fresh_install_says_how_to_connect(admin_client):
    words = text(admin_client.get(URL))

    assert "No webhook was accepted yet" in words
    assert "http://testserver/webhooks/customerio/" in words
    assert "CIO_WEBHOOK_SECRET" in words
    assert "Received per hour" not in words
    assert "No trouble" not in words


def test_page_says_that_a_placeholder_verifies_nothing(admin_client, settings):
    settings.CIO_WEBHOOK_SECRETS = []
    settings.CIO_WEBHOOK_SECRETS_REFUSED = ["number 1 is a placeholder"]

    words = text(admin_client.get(URL))

    assert "holds no key" in words
    assert "number 1 is a placeholder" in words


def test_a_signed_test_shows_that_the_connection_works(signed_in):
    quarantined(reason_code="signed_test")
    tally("quarantined")

    response = signed_in.get(URL)

    assert "The connection works" in text(response)
    assert response.context["troubles"] == []


def test_the_page_says_that_all_is_well_when_it_is(signed_in):
    make_event(status="processed")
    tally("stored")

    assert "No trouble: webhooks arrive" in text(signed_in.get(URL))


@pytest.mark.begins_at("2028-03-01T00:05")
@pytest.mark.parametrize(("window", "hours"), [("24h", 24), ("48h", 48), ("7d", 168), ("x", 24)])
def test_the_chart_counts_the_hours_of_its_window(signed_in, window, hours):
    now = clock.database_now()
    tally("stored", 5, now)
    tally("stored", 7, now - HOUR * (hours - 1))
    tally("stored", 100, now - HOUR * hours)

    chart = signed_in.get(URL, {"window": window}).context["series"][0]

    assert len(chart.values) == hours
    assert (chart.values[0], chart.values[-1], chart.total) == (7, 5, 12)


def test_the_chart_tells_the_answers_apart(signed_in):
    for number, answer in enumerate(Answer.values):
        tally(answer, 2**number)

    words = text(signed_in.get(URL))

    for part in ("Accepted 1", "Delivered again 2", "Quarantined 4", "Rejected 120",
                 "Could not store 128"):  # fmt: skip
        assert part in words


def test_the_figures_are_those_of_the_rows(signed_in):
    make_event(received_at=ago(minutes=5))
    make_event(status="dead")
    make_event(status="dead")
    quarantined()
    quarantined(reason_code="signed_test")
    Bell.objects.create(pk=1, silenced_at=ago(minutes=2))

    words = text(signed_in.get(URL))

    assert "Waiting 1 oldest received 5 min ago" in words
    assert "Failed 2" in words
    assert "Quarantined 1 " in words
    assert "Workers looked for work 2 min ago no wake-up waits" in words


def test_what_came_without_an_event_id_is_told_apart_and_counted(signed_in):
    at = {"received_at": ago(hours=3), "last_received_at": ago(minutes=2)}
    quarantined(reason_code="signed_test", event_id=digest(), deliveries=3, **at)
    quarantined(reason_code="list", event_id=digest())
    quarantined(reason_code="list", event_id=digest())
    make_event(status="processed", reason_code="no_event_id", event_id=digest(), **at)

    words = text(signed_in.get(URL))

    assert "Signed tests 3 last 2 min ago" in words
    assert "Lists of events 2 last just now" in words
    assert "Real signals 1 last 2 min ago" in words


def test_where_all_events_have_an_id_nothing_is_said_of_it(signed_in):
    make_event(status="processed")

    assert "without an event id" not in text(signed_in.get(URL))


def test_an_event_that_is_tried_again_later_says_when(signed_in):
    make_event(received_at=ago(hours=1), tries=3, available_at=ago(minutes=-10, seconds=-5))

    assert "oldest received 1 h ago, next try in 10 min" in text(signed_in.get(URL))
    assert found(signed_in) == []


def test_counting_stops_at_a_limit(monkeypatch, signed_in):
    monkeypatch.setattr(figures, "MOST_COUNTED", 2)
    for _ in range(4):
        make_event(status="dead")

    assert "2+ events failed on every try" in text(signed_in.get(URL))


def test_the_page_costs_the_same_however_many_events_there_are(
    signed_in, django_assert_max_num_queries
):
    for _ in range(25):
        quarantined()
        make_event(status="dead")
        make_event(received_at=ago(hours=2))

    with django_assert_max_num_queries(30):
        signed_in.get(URL)


# How long silence usually lasts


def test_a_burst_counts_as_long_as_it_lasted():
    now = clock.database_now()
    make_events(
        now - HOUR * hours - timedelta(seconds=second, minutes=30)
        for hours in range(24)
        for second in range(20)
    )

    gaps = figures.gaps(now)

    assert gaps.usual == HOUR - timedelta(seconds=19)


def test_the_usual_gap_is_not_known_after_an_hour():
    every(timedelta(minutes=10), since=HOUR)

    assert figures.gaps(clock.database_now()).usual is None


def test_the_present_silence_does_not_count_as_a_gap():
    every(timedelta(minutes=30), since=timedelta(days=1), until=timedelta(hours=9))

    assert figures.gaps(clock.database_now()).longest <= timedelta(minutes=31)


@pytest.mark.parametrize(
    ("span", "words"),
    [(5, "5 s"), (59.9, "59 s"), (60, "1 min"), (7200, "2 h"), (200_000, "2 d")],
)
def test_lengths_are_said_in_one_unit(span, words):
    assert length(timedelta(seconds=span)) == words


# Troubles: what refused webhooks do to the sender


@pytest.mark.parametrize(
    ("answer", "told", "cure"),
    [
        ("not_stored", "3 webhooks could not be stored", "database reachable"),
        ("wrong_signature", "3 requests looked like Customer.io's but their signature was wrong",
         "Copy the signing key"),
        ("too_old", "3 webhooks had the right signature but an old timestamp",
         "Set CIO_MAX_AGE_SECONDS to 0"),
        ("too_large", "3 requests over 64 MiB were refused", "Turn Body Content off"),
    ],
)  # fmt: skip
def test_a_refusal_is_a_problem_until_a_webhook_is_accepted(admin_client, answer, told, cure):
    tally("stored", at=ago(hours=6))
    tally(answer, 3, ago(hours=5))

    [(level, words)] = found(admin_client)

    assert level == "problem"
    assert told in words
    assert "every later webhook back, for up to 7 days" in words
    assert cure in words


@pytest.mark.parametrize("answer", ["not_stored", "wrong_signature", "too_large"])
def test_a_refusal_is_shown_for_an_hour_after_it_is_over(signed_in, answer):
    refused = tally(answer, 3, ago(minutes=50))
    tally("stored", at=ago(minutes=40))

    assert [level for level, _ in found(signed_in)] == ["hint"]
    Tally.objects.filter(pk=refused.pk).update(last_at=ago(minutes=70))
    assert found(signed_in) == []


def test_a_wrong_signature_names_one_hour_because_the_sender_waits_that_long(signed_in):
    tally("wrong_signature")

    [(_, words)] = found(signed_in)

    assert words.startswith(
        "1 request looked like Customer.io's but its signature was wrong (just now): "
        "Customer.io waits an hour before it tries again"
    )


def test_wrong_signatures_among_accepted_webhooks_are_a_hint_however_many_there_are(signed_in):
    every(timedelta(minutes=4), since=timedelta(hours=10), until=timedelta(minutes=3))
    wrong = tally("wrong_signature", 5000)

    [(level, words)] = found(signed_in)

    assert level == "hint"
    assert "while others were accepted" in words
    WebhookEvent.objects.filter(received_at__gt=ago(minutes=9)).delete()
    assert wrong.last_at > ago(minutes=1)
    assert [level for level, _ in found(signed_in)] == ["problem"]


def test_two_wrong_signatures_among_accepted_webhooks_are_not_shown(signed_in):
    tally("stored")
    tally("wrong_signature", 2, ago(minutes=2))

    assert found(signed_in) == []


def test_a_changed_key_is_a_problem_however_many_webhooks_came_before(admin_client):
    """The last accepted and the first refused webhook are counted at the same moment."""
    every(timedelta(minutes=1), since=timedelta(hours=8), until=timedelta(minutes=4))
    refused = tally("wrong_signature", at=ago(minutes=4))
    tally("stored", 100, refused.last_at)

    [(level, words)] = found(admin_client)

    assert level == "problem"
    assert "Copy the signing key" in words


def test_one_forged_request_a_moment_before_an_event_that_was_accepted_is_no_trouble(signed_in):
    tally("wrong_signature", at=ago(minutes=2, seconds=5))
    at = ago(minutes=2)
    make_event(status="processed", received_at=at, last_received_at=at)

    assert found(signed_in) == []


def test_one_wrong_signature_a_moment_after_the_last_accepted_event_is_a_problem(signed_in):
    at = ago(minutes=2, seconds=5)
    make_event(status="processed", received_at=at, last_received_at=at)
    tally("stored", at=ago(minutes=2))
    tally("wrong_signature", at=ago(minutes=2))

    [(level, words)] = found(signed_in)
    assert (level, "signature was wrong" in words) == ("problem", True)


def test_requests_without_a_signature_matter_only_while_nothing_else_is_accepted(signed_in):
    tally("unsigned", 4)
    [(level, words)] = found(signed_in)
    assert level == "hint"
    assert "let it pass the headers" in words

    tally("stored")

    assert found(signed_in) == []


def test_yesterdays_refusals_are_forgotten(signed_in):
    tally("wrong_signature", at=ago(hours=25))

    assert found(signed_in) == []


def test_many_second_deliveries_mean_that_answers_come_late(signed_in):
    tally("stored", 300)
    again = tally("duplicate", 15)
    assert found(signed_in) == []

    Tally.objects.filter(pk=again.pk).update(count=16)

    [(level, words)] = found(signed_in)
    assert level == "hint"
    assert "within 4 seconds" in words


def test_lists_are_a_problem_for_a_week_and_no_unreadable_webhooks_besides(signed_in):
    row = quarantined(reason_code="list", event_id=digest())

    [(level, words)] = found(signed_in)
    assert level == "problem"
    assert "1 webhook with the right signature held several events each" in words
    assert "send each event by itself and signed" in words

    quarantined()
    assert [level for level, _ in found(signed_in)] == ["problem", "hint"]
    assert "1 webhook had the right signature but could not be read" in found(signed_in)[1][1]

    WebhookEvent.objects.filter(pk=row.pk).update(last_received_at=ago(days=8))
    assert [level for level, _ in found(signed_in)] == ["hint"]


def test_signals_without_an_id_are_a_note_that_leads_to_them(staff):
    make_event(status="processed", reason_code="no_event_id", event_id=digest(), deliveries=2)

    [trouble] = staff.get(URL).context["troubles"]

    assert trouble.level == "hint"
    assert "2 webhooks said what happened to whom, but carried no usable event id" in trouble.text
    assert staff.get(trouble.url).context["cl"].result_count == 1


def test_debug_is_a_hint_because_it_accepts_unsigned_webhooks(signed_in, settings):
    settings.DEBUG = True

    assert "requests without a signature are accepted" in found(signed_in)[0][1]


# Troubles: silence


def test_silence_longer_than_any_before_is_a_problem(signed_in):
    every(timedelta(minutes=20), since=timedelta(days=1), until=timedelta(hours=3))

    [(level, words)] = found(signed_in)

    assert level == "problem"
    assert "where the usual gap is 20 min" in words
    assert "choose Send test" in words


def test_silence_that_has_happened_before_is_a_hint(signed_in):
    every(timedelta(minutes=20), since=timedelta(days=2), until=timedelta(hours=20))
    every(timedelta(minutes=20), since=timedelta(hours=10), until=timedelta(hours=3))

    assert [level for level, _ in found(signed_in)] == ["hint"]


def test_silence_of_less_than_six_times_the_usual_gap_is_none(signed_in):
    every(timedelta(minutes=20), since=timedelta(days=1), until=timedelta(minutes=100))

    assert found(signed_in) == []


def test_a_further_delivery_breaks_the_silence(signed_in):
    every(timedelta(minutes=20), since=timedelta(days=1), until=timedelta(hours=3))
    tally("duplicate")

    assert found(signed_in) == []


# Troubles: what is stored and gets no further


def test_an_event_due_for_ten_minutes_is_a_problem_that_the_sender_does_not_notice(admin_client):
    event = make_event(received_at=ago(minutes=12))

    [(level, words)] = found(admin_client)

    assert level == "problem"
    assert "Events have been due for 12 min and no worker takes them" in words
    assert "Customer.io notices nothing" in words
    assert "manage.py supervise" in words
    WebhookEvent.objects.filter(pk=event.pk).update(lease_until=ago(seconds=-60))
    assert found(admin_client) == []


def test_a_replayed_event_is_not_late(signed_in):
    event = make_event(received_at=ago(days=3), status="ignored")
    event.replay()

    assert progress.event_due_since(timedelta(minutes=1)) is None
    assert progress.event_due_since() > ago(seconds=10)


def test_a_drain_that_stopped_is_noticed_after_a_minute(signed_in):
    make_event(received_at=ago(minutes=2))

    assert "Events have been due for 2 min" in found(signed_in)[0][1]


def test_workers_that_fall_behind_are_noticed_after_ten_minutes(signed_in):
    event = make_event(received_at=ago(minutes=9, seconds=30))
    make_event(status="processed", received_at=ago(minutes=9), finished_at=ago(seconds=5))
    assert found(signed_in) == []

    WebhookEvent.objects.filter(pk=event.pk).update(received_at=ago(minutes=11))

    assert "due for 11 min, although workers take others" in found(signed_in)[0][1]


def test_a_sweep_that_nothing_starts_is_noticed_after_three_minutes(signed_in):
    Schedule.objects.update(next_run=ago(minutes=2, seconds=30))
    assert found(signed_in) == []

    Schedule.objects.update(next_run=ago(minutes=3, seconds=30))

    assert "The sweep was due 3 min ago and nothing starts it" in found(signed_in)[0][1]


def test_workers_that_no_longer_look_are_noticed_before_anything_waits(signed_in):
    bell = Bell.objects.create(pk=1, silenced_at=ago(minutes=2))
    assert found(signed_in) == []

    bell.silenced_at = ago(minutes=4)
    bell.save()

    assert "No worker has looked for work for 4 min" in found(signed_in)[0][1]


def test_research_that_nobody_asks_is_noticed(signed_in, settings):
    settings.MAVERA_API_KEY = "key"
    make_brief(research=make_research(created_at=ago(minutes=2)))

    assert "no worker asks Mave" in found(signed_in)[0][1]


def test_failed_events_lead_staff_to_them(staff):
    make_event(status="dead")

    [trouble] = staff.get(URL).context["troubles"]

    assert trouble.text.startswith("1 event failed on every try")
    assert staff.get(trouble.url).status_code == 200
    assert "status__exact=dead" in trouble.url


def test_links_into_the_admin_are_for_staff_only(signed_in):
    make_event(status="dead")
    quarantined()

    assert "/admin/" not in signed_in.get(URL).content.decode()


# Quarantined bodies


def test_who_may_not_read_bodies_is_not_offered_one(client, django_user_model):
    quarantined()
    client.force_login(make_user(django_user_model, "eddie", "Editor"))

    response = client.get(URL)

    assert "Open of webhook" in text(response)
    assert "Read the body" not in text(response)


def test_quarantined_webhooks_are_listed_with_reason_and_size(staff):
    event = quarantined(body_size=2048)

    response = staff.get(URL)

    assert "not JSON 2.0 KB Read the body" in text(response)
    link = f"/admin/webhooks/webhookevent/{event.pk}/change/"
    assert link in response.content.decode()
    assert staff.get(link).status_code == 200


def test_an_old_quarantined_webhook_is_listed_and_no_trouble_any_more(signed_in):
    event = quarantined()
    assert "right signature but could not be read" in found(signed_in)[0][1]

    WebhookEvent.objects.filter(pk=event.pk).update(received_at=ago(days=8))

    assert "right signature" not in " ".join(words for _, words in found(signed_in))
    assert signed_in.get(URL).context["figures"].quarantined_events == [event]


def test_only_the_latest_twenty_are_listed(signed_in):
    for _ in range(22):
        quarantined()

    response = signed_in.get(URL)

    assert len(response.context["figures"].quarantined_events) == 20
    assert "The latest 20 of 22." in text(response)


def test_trying_again_queues_what_can_be_read_and_says_why_the_rest_was_not(staff):
    good = quarantined(payload=make_payload(event_id="now readable"), event_id="sha256:1")
    bad = quarantined(body=b"never", event_id="sha256:2", body_size=5)

    response = staff.post(f"{URL}retry/", {"event": [good.pk, bad.pk]}, follow=True)

    [message] = messages(response)
    assert message.startswith("1 queued, 1 skipped. Not queued: 1 × the body is not JSON")
    good.refresh_from_db()
    assert (good.status, good.event_id) == ("pending", "now readable")


def test_the_button_tries_nothing_but_quarantined_webhooks(staff):
    dead = make_event(status="dead")

    response = staff.post(f"{URL}retry/", {"event": [dead.pk, "x", "9" * 30, "-1"]}, follow=True)

    assert messages(response) == ["0 queued, 0 skipped."]
    dead.refresh_from_db()
    assert dead.status == "dead"


def test_trying_again_needs_the_permission_that_reprocessing_needs(signed_in, user):
    event = quarantined(event_id="sha256:1")
    assert "Try again" not in text(signed_in.get(URL))
    assert signed_in.post(f"{URL}retry/", {"event": event.pk}).status_code == 403

    user.user_permissions.add(Permission.objects.get(codename="change_webhookevent"))

    assert "Try again" in text(signed_in.get(URL))
    assert signed_in.post(f"{URL}retry/", {"event": event.pk}).status_code == 302


def test_a_get_of_the_buttons_address_leads_to_the_page(staff):
    assert staff.get(f"{URL}retry/").url == URL


def test_the_page_carries_no_inline_script_or_style(staff):
    quarantined()
    tally("stored", 5)
    tally("not_stored")

    page = staff.get(URL).content.decode()

    assert "style=" not in page
    assert page.count("<script") == page.count("<script src=")
