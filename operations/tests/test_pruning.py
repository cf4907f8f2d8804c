"""What ends by the retention policy, after how long, and how the work is shared and stopped."""

import signal
from datetime import timedelta

import pytest
from axes.models import AccessLog
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.utils import timezone
from django_q.models import Schedule, Task

from briefs.desk.tests.pages import text
from briefs.foreseeing import looking
from briefs.models import Brief, Notification, NotificationTarget, Signal
from briefs.tests.factories import make_brief, make_event, make_signal
from operations.pruning import working
from operations.pruning.endings import endings
from personas.models import Persona, RuleVersion, SignalRule
from personas.rules import versions
from webhooks.models import DailySize, Pruning, RetentionPolicy, WebhookEvent
from webhooks.replay import replay

pytestmark = pytest.mark.django_db


def ago(days):
    return timezone.now() - timedelta(days=days)


def event_of(days, status="processed", **kw):
    at = ago(days)
    return make_event(status=status, received_at=at, last_received_at=at, finished_at=at, **kw)


def pruned(**kw):
    """A run as the night does it; whether nothing is left."""
    state = Pruning.made(ago(0))
    assert state.claim(is_asked=True)
    return working.work(state, **kw)


def kept():
    return set(WebhookEvent.objects.values_list("pk", flat=True))


@pytest.mark.parametrize(
    ("status", "days"), [("ignored", 90), ("processed", 400), ("pending", None)]
)
def test_event_ends_a_day_after_its_time(status, days):
    old, young = (event_of((days or 999) + more, status) for more in (1, -1))

    assert pruned()

    assert kept() == ({young.pk} if days else {old.pk, young.pk})


def test_body_ends_and_what_was_read_of_it_stays():
    old, young, failed = event_of(36), event_of(34), event_of(36, "dead")

    pruned()

    for event in (old, young, failed):
        event.refresh_from_db()
    assert (bytes(old.body), old.payload) == (b"", {})
    assert old.body_ended_at
    assert old.body_size
    assert old.identifiers
    assert young.payload
    assert failed.payload  # it can still be retried


def test_event_without_its_body_is_not_read_again_and_says_so(capsys, starter):
    event = event_of(36)
    make_signal(event=event)
    pruned()

    report = replay(WebhookEvent.objects.filter(pk=event.pk))

    event.refresh_from_db()
    assert report.reasons == {"its body is no longer kept": 1}
    assert event.status == "processed"
    assert not event.replay()
    call_command("reprocess_events", "--status", "processed", "--dry-run")
    assert "not read: its body is no longer kept" in capsys.readouterr().out


def test_event_of_an_open_brief_stays_and_that_of_a_closed_one_leaves_its_signal():
    open_, closed = event_of(401), event_of(401)
    make_signal(event=open_, brief=make_brief())
    done = make_brief(state="closed", outcome="retained", closed_at=ago(1))
    left = make_signal(event=closed, brief=done)

    pruned()

    assert kept() == {open_.pk}
    left.refresh_from_db()
    assert (left.event_id, left.brief) == (None, done)
    assert Brief.objects.count() == 2


def test_event_whose_signal_opened_no_brief_ends_as_well():
    make_signal(event=event_of(401), brief=None)

    pruned()

    assert kept() == set()


def test_signed_test_is_no_failed_event_of_which_people_are_told():
    event_of(85, "quarantined", reason_code="signed_test")

    pruned()

    assert Pruning.known().told_at is None


def test_failed_events_go_only_after_people_were_told_for_a_week():
    dead, unreadable, test = (
        event_of(120, "dead"),
        event_of(120, "quarantined"),
        event_of(120, "quarantined", reason_code="signed_test"),
    )

    pruned()
    assert kept() == {dead.pk, unreadable.pk}  # told now
    Pruning.objects.update(told_at=ago(6))
    pruned()
    assert kept() == {dead.pk, unreadable.pk}
    Pruning.objects.update(told_at=ago(8))
    pruned()

    assert kept() == set()
    assert test.pk not in kept()


@pytest.mark.parametrize(("age", "is_told"), [(82, False), (84, True)])
def test_failed_event_is_told_a_week_before_its_90_days_are_over(age, is_told):
    event_of(age, "dead")

    pruned()

    assert bool(Pruning.known().told_at) is is_told


def test_limit_is_that_of_all_batches_and_kinds(monkeypatch):
    monkeypatch.setattr(working, "BATCH", 1)
    for status in ("ignored", "ignored", "processed", "processed"):
        event_of(401, status)

    assert not pruned(limit=3)

    assert len(kept()) == 1


def test_sizes_of_two_months_are_kept():
    for days in (59, 61):
        DailySize.objects.create(day=ago(days).date())

    pruned()

    days = DailySize.objects.values_list("day", flat=True)
    assert ago(59).date() in days
    assert ago(61).date() not in days


def test_fewer_days_for_failed_events_are_told_anew():
    event_of(50, "dead")
    event_of(120, "dead")
    pruned()
    Pruning.objects.update(told_at=ago(8))
    RetentionPolicy.objects.create(pk=1, failed_days=40)

    pruned()

    assert len(kept()) == 2
    assert Pruning.known().told_at > ago(1)


def test_rows_of_other_kinds_end():
    target = NotificationTarget.objects.create(name="them", scheme="json", sealed_address="x")
    for days, status in ((181, "sent"), (179, "sent"), (181, "pending")):
        Notification.objects.create(
            target=target, kind="alarm", dedupe_key=f"{days} {status}", status=status,
            created_at=ago(days),
        )  # fmt: skip
    for days in (29, 31):
        Task.objects.create(id=str(days), name="x", func="x", started=ago(days), stopped=ago(days))
    log = AccessLog.objects.create(username="robin", path_info="/")
    AccessLog.objects.filter(pk=log.pk).update(attempt_time=ago(91))

    pruned()

    left = Notification.objects.values_list("dedupe_key", flat=True)
    assert sorted(left) == ["179 sent", "181 pending"]
    assert [task.pk for task in Task.objects.all()] == ["29"]
    assert not AccessLog.objects.exists()


def test_old_version_keeps_its_rules_only_if_something_was_made_by_it():
    for number in range(1, 55):
        RuleVersion.objects.create(number=number, what="x", document={"a": 1}, digest="x")
    make_signal(rules_version=2)
    make_brief(rules_version=3)
    RetentionPolicy.objects.create(pk=1, rule_versions=50)

    pruned()

    ended = RuleVersion.objects.exclude(document_ended_at=None)
    assert [(one.number, one.document) for one in ended.order_by("pk")] == [(1, {}), (4, {})]


def test_for_ever_is_for_ever():
    fields = [f.name for f in RetentionPolicy._meta.fields if f.name != "id"]
    RetentionPolicy.objects.create(pk=1, **dict.fromkeys(fields, 0))
    event_of(4000), event_of(4000, "ignored"), event_of(4000, "dead")

    pruned()

    assert WebhookEvent.objects.filter(body_ended_at=None).count() == 3


@pytest.mark.parametrize(
    ("field", "days", "said"),
    [
        ("body_days", 7, "At least 8 days"),
        ("ignored_days", 34, "At least as long as bodies, 35 days"),
        ("login_days", 30, "At least 31 days"),
    ],
)
def test_too_few_days_are_refused(field, days, said):
    with pytest.raises(ValidationError, match=said):
        RetentionPolicy(**{field: days}).full_clean(exclude=["id"])


# Stopping, sharing, telling


def test_stopped_run_goes_on_where_it_was(monkeypatch):
    monkeypatch.setattr(working, "BATCH", 2)
    for _ in range(5):
        event_of(100, "ignored")

    assert not pruned(is_stopped=lambda: len(kept()) < 5)
    state = Pruning.known()
    assert (state.begun_at is None, state.removed) == (False, {"ignored": 2})
    assert pruned()

    state.refresh_from_db()
    assert (state.begun_at, state.removed) == (None, {"ignored": 5})
    assert state.finished_at
    assert state.due_at > timezone.now()


def test_worker_whose_lease_was_taken_removes_nothing(monkeypatch):
    event_of(100, "ignored")
    state = Pruning.made(ago(0))
    state.claim()
    Pruning.objects.update(lease_until=ago(1))
    assert Pruning.known().claim()  # another host

    assert not working.work(state)

    assert len(kept()) == 1


def test_two_hosts_at_once_prune_once():
    event_of(100, "ignored")
    Pruning.made(ago(0))
    assert Pruning.known().claim()

    assert not working.run()
    with pytest.raises(CommandError, match="under way already"):
        call_command("prune")

    assert len(kept()) == 1


def test_night_is_awaited_after_an_upgrade_and_woken_once(monkeypatch):
    woken = []
    monkeypatch.setattr(working.waking, "wake", lambda *given: woken.append(given))
    event_of(100, "ignored")

    working.wake_if_due()
    assert not woken  # the first night is still to come
    Pruning.objects.update(due_at=ago(0))
    working.wake_if_due()
    working.wake_if_due()

    assert woken == [("briefs.tasks.prune", "research")]
    assert working.run()
    assert not kept()
    assert not working.run()  # until the next night


def test_nothing_is_removed_while_workers_are_behind(monkeypatch):
    monkeypatch.setattr(working, "BUSY", 0)
    monkeypatch.setattr(working, "WAIT_SECONDS", 0)
    event_of(100, "ignored")
    make_event()  # due
    asked = iter([False] * 3)

    assert not pruned(is_stopped=lambda: next(asked, True))

    assert len(kept()) == 2


def test_failure_of_one_kind_is_noted_and_the_others_go_on(monkeypatch):
    event_of(100, "ignored")
    event_of(36)
    monkeypatch.setattr(Signal.objects, "filter", None)  # events cannot be deleted

    assert not pruned()

    state = Pruning.known()
    assert state.trouble == "ignored events: TypeError"
    assert state.failing_since
    assert state.removed == {"bodies": 1}


def test_database_that_is_away_ends_the_run_and_is_no_failure_of_a_kind(monkeypatch):
    def is_away(*given):
        raise OperationalError("the database is away")

    event_of(100, "ignored")
    monkeypatch.setattr(working, "_batch", is_away)

    with pytest.raises(OperationalError):
        pruned()

    assert Pruning.known().trouble == ""


def test_dry_run_counts_what_the_run_removes(capsys):
    event_of(100, "ignored")
    event_of(40, "ignored")
    event_of(401)
    event_of(40)
    make_signal(event=event_of(401), brief=make_brief())  # keeps the event, not its body

    call_command("prune", "--dry-run")
    said = capsys.readouterr().out
    assert len(kept()) == 5
    call_command("prune")

    done = capsys.readouterr().out
    assert said.splitlines()[:-1] == done.splitlines()[:-1]
    assert [line.split(maxsplit=1) for line in said.splitlines()[:-1]] == [
        ["1", "ignored events"], ["1", "other events"], ["3", "raw bodies"],
    ]  # fmt: skip
    assert done.endswith("5 rows ended.\n")


def test_command_that_is_interrupted_says_where_and_goes_on(monkeypatch, capsys):
    monkeypatch.setattr(working, "BATCH", 1)
    stop = lambda took: signal.raise_signal(signal.SIGTERM)  # noqa: E731
    event_of(100, "ignored"), event_of(100, "ignored")

    with monkeypatch.context() as patch:
        patch.setattr(working, "_let_others_in", stop)
        with pytest.raises(CommandError, match="Stopped in ignored events: SIGTERM came"):
            call_command("prune")
    assert len(kept()) == 1
    call_command("prune", "--limit", "1")

    assert not kept()
    assert "That is the limit" in capsys.readouterr().out


def test_sizes_of_the_day_are_recorded_once():
    pruned()
    pruned()

    (record,) = DailySize.objects.all()
    size, rows = record.tables["webhooks_webhookevent"]
    assert size > 0
    assert rows in (0, None)


def test_indexes_serve_the_search_for_old_events():
    """Of a million rows few are read: those that end, and no others."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")  # of few rows it costs nothing
            cursor.execute("DROP INDEX event_received_at")  # for few rows as good as that of bodies
    found = {one.key: one for one in endings(RetentionPolicy(), timezone.now(), None)}

    plans = {key: found[key].ordered()[:5].explain() for key in ("ignored", "bodies")}

    assert "event_status_received_at" in plans["ignored"]
    assert "event_with_body" in plans["bodies"]


# What people see


def test_pages_of_an_event_without_its_body_say_so(admin_client, starter):
    event = event_of(36)
    pruned()

    page = admin_client.get(f"/admin/webhooks/webhookevent/{event.pk}/change/")
    told = admin_client.get(f"/api/v1/events/{event.pk}/").json()
    tried = admin_client.post("/admin/try/", {"_try": "case", "try-on": f"event-{event.pk}"})

    assert "by the retention policy: it cannot be processed again" in text(page)
    assert (told["payload"], bool(told["body_ended_at"])) == (None, True)
    assert "is no longer kept, so the rules cannot be tried on it" in text(tried)


def test_page_of_a_version_without_its_rules_says_so(admin_client, starter):
    RuleVersion.objects.update(document={}, document_ended_at=ago(1))
    with versions.change(None, "an edit"):
        Persona.objects.filter(is_default=True).update(description="Others.")
    old, new = RuleVersion.objects.order_by("number").values_list("number", flat=True)[:2]

    page, next_ = (
        admin_client.get(f"/admin/personas/ruleversion/{number}/change/") for number in (old, new)
    )
    restored = admin_client.get(f"/admin/personas/ruleversion/{old}/restore/")

    assert "The rules of this version were removed" in text(page)
    assert "so this cannot be said" in text(next_)
    assert restored.status_code == 404


def test_edit_is_tried_on_events_without_a_body_by_their_rule(starter):
    """Not as if they had said nothing: then an edit would seem to stop what it does not touch."""
    rule = SignalRule.objects.get(name="Unsubscribed")
    event = make_event(status="processed", finished_at=ago(1), body=b"", body_ended_at=ago(0))
    make_signal(event=event, rule=rule, brief=make_brief(), happened_at=ago(1))

    sample = looking.look(timezone.now(), ["unsubscribed"])

    ((act,),) = [person.acts for person in sample.people]
    assert (act.metric, act.data, act.rule) == ("", None, "Unsubscribed")


def test_health_page_shows_sizes_and_what_was_removed(signed_in):
    event_of(100, "ignored")
    pruned()

    page = text(signed_in.get("/webhook-health/"))

    assert "In the last run: 1 ignored events." in page
    assert "Events webhooks_webhookevent" in page


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"finished_at": 4}, "was not removed for "),
        ({"finished_at": 2}, None),
        ({"failing_since": 0.1}, "was not removed: raw bodies: TypeError"),
        ({"told_at": 1}, "events will soon be 90 days old"),
    ],
)
def test_health_page_tells_of_trouble_with_the_removal(signed_in, state, said):
    Schedule.objects.update(next_run=timezone.now())  # else the sweep is late in a long run
    Pruning.made(ago(0))
    days = {"told_days": 90} if "told_at" in state else {}
    moments = {name: ago(number) for name, number in state.items()}
    Pruning.objects.update(trouble="raw bodies: TypeError", **days, **moments)

    troubles = signed_in.get("/webhook-health/").context["troubles"]

    assert [said in one.text for one in troubles] == ([True] if said else [])


def test_whoever_runs_savedesk_sets_the_numbers(admin_client):
    page = admin_client.get("/admin/webhooks/retentionpolicy/", follow=True)
    form = {name: value or "" for name, value in page.context["adminform"].form.initial.items()}
    url = page.redirect_chain[-1][0]

    refused = admin_client.post(url, {**form, "body_days": 5})
    admin_client.post(url, {**form, "body_days": 10, "event_days": ""})

    assert "At least 8 days" in text(refused)
    policy = RetentionPolicy.current()
    assert (policy.body_days, policy.event_days) == (10, None)
    assert policy.history.count() == 2  # made, and changed once
