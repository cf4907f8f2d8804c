"""The doctor: nothing fails where all is well; one test for each fault of an installation."""

import io
import json
import os
import socket
import subprocess
import sys
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.conf import settings as project
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import OrmQ, Schedule

from briefs.models import MaveCall, ResearchPolicy, UsageReading
from briefs.tests.factories import make_brief, make_event, make_persona, make_research
from config.brokers import broker_settings
from operations import doctor, progress, registration
from operations.doctor import Verdict, providers, storage, work
from personas.models import (
    AppApiHealth,
    AppApiPace,
    AttributeName,
    CustomerSegment,
    FirstStep,
    Persona,
    PersonaCondition,
    SegmentList,
    SignalRule,
)
from providers.customerio import AppApi
from sandbox.server import Sandbox
from sandbox.wire import json_reply
from webhooks.models import Bell, Tally
from webhooks.tests.clock import clock

SECRET = "a-signing-key-of-some-length"
ENDPOINT = "https://localhost/webhooks/customerio/"


def ago(**kw):
    return timezone.now() - timedelta(**kw)


@pytest.fixture
def healthy(sandbox, starter, settings, lead):
    """An installation without a fault."""
    settings.SECRET_KEY = "".join(chr(65 + n % 50) for n in range(60))
    settings.CIO_WEBHOOK_SECRETS = [SECRET]
    Bell.objects.create(pk=1, silenced_at=timezone.now())
    Schedule.objects.filter(func=progress.SWEEP).delete()
    Schedule.objects.create(
        name="sweep",
        func=progress.SWEEP,
        schedule_type="I",
        minutes=1,
        repeats=-1,
        cluster="default",
        next_run=timezone.now(),
    )
    register()
    return sandbox


def register(**kw):
    """The webhook as it should be, with keywords in place of single fields."""
    good = registration.ReportingWebhook(
        "Savedesk", ENDPOINT, registration.needed_events(), False, True, True
    )
    registered = AppApi().reporting_webhooks()
    fields = {field: getattr(good, field) for field in good.__slots__} | kw
    fields["id"] = registered[0].id if registered else None
    AppApi().save_reporting_webhook(registration.ReportingWebhook(**fields))


def look(name, url=""):
    """What one check finds."""
    [check] = [check for check in doctor.everything(url) if check.name == name]
    return check.run()


def assert_found(name, level, words, url=""):
    found = look(name, url)
    assert (found.level, words in found.seen) == (level, True), found
    assert found.cure or level == Verdict.OK


def run(**options):
    """The command: what it printed and whether it ended well."""
    said = io.StringIO()
    try:
        call_command("doctor", stdout=said, no_color=True, **options)
    except CommandError as error:
        return f"{said.getvalue()}{error}\n", False
    return said.getvalue(), True


# The command ------------------------------------------------------------------------------------


def test_healthy_installation_fails_nothing(healthy, live_server):
    said, is_well = run(url=live_server.url)

    assert is_well, said
    assert "0 failed" in said
    warned = [line for line in said.splitlines() if line.startswith("warn")]
    in_memory = connection.vendor == "sqlite"
    assert [line.split(":")[0] for line in warned] == ["warn  database"] * in_memory


def test_failure_has_its_cure_below_and_ends_with_an_error(healthy, settings):
    settings.CIO_WEBHOOK_SECRETS = []
    settings.CIO_WEBHOOK_SECRETS_REFUSED = ["number 1 is a placeholder"]

    said, is_well = run()

    lines = said.splitlines()
    place = next(n for n, line in enumerate(lines) if line.startswith("FAIL"))
    assert lines[place].startswith("FAIL  signing secret: no key: number 1 is a placeholder")
    assert lines[place + 1].startswith("      Copy the signing key")
    assert not is_well


def test_json_says_the_same_to_programs(healthy):
    register(is_disabled=True)

    said, is_well = run(json=True)

    report = json.loads(said[: said.rindex("}") + 1])
    assert (report["ok"], report["failed"], is_well) == (False, 1, False)
    [failed] = [check for check in report["checks"] if check["level"] == "FAIL"]
    assert (failed["name"], "--enable" in failed["cure"]) == ("reporting webhook", True)


def test_url_that_is_not_an_address_is_refused(db):
    assert run(url="desk.example.com") == (
        "--url must be a whole address: https://your-host\n",
        False,
    )


@pytest.mark.parametrize("is_refused", [False, True])
def test_no_secret_is_ever_printed(healthy, settings, live_server, is_refused):
    if is_refused:
        healthy.cio_key = healthy.mavera_key = "another"
    secrets = (settings.SECRET_KEY, SECRET, settings.CIO_APP_KEY, settings.MAVERA_API_KEY)

    said = run(url=live_server.url.replace("//", "//user:hunter2@"))[0] + run(json=True)[0]

    assert not [secret for secret in (*secrets, "hunter2") if secret in said]


def test_database_that_is_down_is_reported_once_and_the_rest_is_left_out():
    """In a process of its own, because the tests' own database is up."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": "postgres://desk:hunter2@127.0.0.1:9/desk",
        "CIO_APP_BASE_URL": "http://127.0.0.1:9",
    }

    done = subprocess.run(
        [sys.executable, "manage.py", "doctor", "--json"],
        cwd=project.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
    )

    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert checks["database"]["seen"] == "PostgreSQL cannot be reached (OperationalError)"
    assert checks["sweep"]["seen"].startswith("not checked")
    assert checks["App API"]["level"] == "FAIL"
    assert done.returncode == 1
    assert "hunter2" not in done.stdout + done.stderr


# Settings ---------------------------------------------------------------------------------------


def test_debug_is_a_failure(settings):
    settings.DEBUG = True

    assert_found("debug", Verdict.FAIL, "unsigned webhooks are taken")


@pytest.mark.parametrize(
    ("secrets", "refused", "level", "words"),
    [
        ([], [], Verdict.FAIL, "none is set"),
        ([], ["number 1 is a placeholder"], Verdict.FAIL, "every webhook is refused"),
        ([SECRET], ["number 2 is a placeholder"], Verdict.WARN, "number 2 is a placeholder"),
        ([SECRET, "3f9c1d0e72ab"], [], Verdict.WARN, "only 12 characters"),
        ([SECRET, SECRET + "2"], [], Verdict.OK, "2 secrets"),
    ],
)
def test_signing_secret(settings, secrets, refused, level, words):
    settings.CIO_WEBHOOK_SECRETS = secrets
    settings.CIO_WEBHOOK_SECRETS_REFUSED = refused

    assert_found("signing secret", level, words)


@pytest.mark.parametrize(
    ("key", "level", "words"),
    [
        ("only-for-development", Verdict.FAIL, "published"),
        ("django-insecure-" + "abcdefgh" * 8, Verdict.FAIL, "published"),
        ("abcdefgh", Verdict.WARN, "8 characters"),
        ("ab" * 40, Verdict.WARN, "2 of them different"),
    ],
)
def test_weak_secret_key(settings, key, level, words):
    settings.SECRET_KEY = key

    assert_found("secret key", level, words)


def test_persona_that_serves_nobody_is_a_warning(starter):
    Persona.objects.create(name="New", description="d", playbook="p", position=1)

    words = "“Internal and test accounts” serves nobody: “New” comes before it"
    assert_found("rules", Verdict.WARN, words)


def test_age_limit_is_a_warning(settings):
    settings.CIO_MAX_AGE_SECONDS = 300

    assert_found("timestamp age", Verdict.WARN, "300 s")


def test_variable_that_looks_like_one_of_ours_is_a_warning(settings):
    settings.SUSPICIONS = ["CIO_APPKEY is no variable of Savedesk. Did you mean CIO_APP_KEY?"]

    assert_found("variables", Verdict.WARN, "CIO_APPKEY is no variable of Savedesk.")


def test_setting_that_names_no_task_is_found(settings):
    settings.WEBHOOKS_WAKE_TASK = "briefs.tasks.nothing"

    assert_found("system checks", Verdict.FAIL, "WEBHOOKS_WAKE_TASK")


def test_missing_style_sheet_is_found(monkeypatch):
    monkeypatch.setattr(doctor.configuration, "STYLE_SHEET", "gone.css")

    assert_found("static files", Verdict.FAIL, "gone.css is not found")


# Database ---------------------------------------------------------------------------------------


def test_database_on_a_disk_is_ok(threaded_db):
    assert look("database").level == Verdict.OK


def test_network_file_system_is_told_by_its_mount(tmp_path, monkeypatch):
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/vda / ext4 rw 0 0\nserver:/x {tmp_path}/far\\040away nfs4 rw 0 0\n")
    monkeypatch.setattr(storage, "MOUNTS", mounts)

    assert storage.file_system_of(tmp_path / "far away" / "db.sqlite3") == "nfs4"
    assert storage.file_system_of(tmp_path / "db.sqlite3") == "ext4"


def test_sqlite_on_a_network_is_a_warning(threaded_db, monkeypatch):
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite is a file")
    monkeypatch.setattr(storage, "file_system_of", lambda path: "nfs4")

    assert_found("database", Verdict.WARN, "network file system (nfs4)")


@pytest.mark.parametrize(
    ("mib", "level", "words"),
    [(15, Verdict.FAIL, "the disk of the database is full: 15 MiB"), (100, Verdict.WARN, "only")],
)
def test_disk_with_little_room_is_told(threaded_db, monkeypatch, mib, level, words):
    if connection.vendor != "sqlite":
        pytest.skip("a server does not say it")
    monkeypatch.setattr(storage.full_disk, "free_bytes", lambda: mib * storage.MIB)

    assert_found("database", level, words)


def test_postgres_that_finds_no_room_is_a_full_disk(db, monkeypatch):
    if connection.vendor == "sqlite":
        pytest.skip("a fault of a server")
    raise_it = "DO $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '53100'; END $$"
    monkeypatch.setattr(storage, "TAKE_ROOM", raise_it)

    assert_found("database", Verdict.FAIL, "the disk of the database is full")
    monkeypatch.setattr(storage, "TAKE_ROOM", raise_it.replace("53100", "42501"))
    assert look("database").level == Verdict.OK


def test_missing_migration_is_found(db):
    MigrationRecorder(connection).record_unapplied("briefs", "0042_look_up_erases_again")

    assert_found("migrations", Verdict.FAIL, "1 migration not applied")


@pytest.mark.parametrize(
    ("empty", "words"),
    [
        (lambda: Persona.objects.all()._raw_delete("default"), "no personas"),
        (lambda: SignalRule.objects.update(is_active=False), "no active signal rule"),
        (lambda: AttributeName.objects.all().delete(), "no attribute names"),
    ],
)
def test_missing_rules_are_found(starter, empty, words):
    Persona.conditions.rel.related_model.objects.all().delete()
    FirstStep.objects.all()._raw_delete("default")
    empty()

    assert_found("rules", Verdict.FAIL, words)


# Workers ----------------------------------------------------------------------------------------


@pytest.fixture
def redis_at(monkeypatch, settings):
    def use(port):
        settings.BROKER_URL = f"redis://:hunter2@127.0.0.1:{port}"
        url = broker_settings(settings.BROKER_URL, timeout_seconds=60)["redis"]
        monkeypatch.setattr(Conf, "ORM", None)
        monkeypatch.setattr(Conf, "REDIS", url)

    return use


def test_broker_that_is_down_is_found(redis_at):
    redis_at(9)

    assert_found("broker", Verdict.FAIL, "redis cannot be used (ConnectionError)")


def test_broker_that_does_not_answer_fails_in_time(redis_at, monkeypatch):
    monkeypatch.setattr(work, "BROKER_SECONDS", 0.3)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        redis_at(mute.getsockname()[1])

        assert_found("broker", Verdict.FAIL, "does not answer within")


def test_wake_ups_that_nobody_takes_are_a_warning(db):
    OrmQ.objects.bulk_create(
        [OrmQ(key="default", payload="", lock=ago(seconds=1)) for _ in range(11)]
    )

    assert_found("broker", Verdict.WARN, "11 wake-ups wait")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cluster": None}, "for the cluster (none)"),
        ({"repeats": 0}, "not scheduled every minute"),
        ({"minutes": 60}, "not scheduled every minute"),
        ({"next_run": "past"}, "was due 10 min ago"),
        ({"func": "something.else"}, "is not scheduled"),
    ],
)
def test_wrong_schedule_is_found(healthy, change, words):
    if "next_run" in change:
        change = {"next_run": ago(minutes=10, seconds=30)}
    Schedule.objects.update(**change)

    assert_found("schedule", Verdict.FAIL, words)


def test_sweep_that_is_overdue_is_found(healthy):
    Bell.objects.update(silenced_at=ago(minutes=4, seconds=30))

    assert_found("sweep", Verdict.FAIL, "looked for work for 4 min")


def test_bell_that_was_never_silenced_means_no_sweep(healthy):
    Bell.objects.update(silenced_at=None, rung_at=ago(minutes=4, seconds=30))

    assert_found("sweep", Verdict.FAIL, "No worker has looked for work for 4 min")


def test_before_the_first_event_the_schedule_tells_whether_workers_run(healthy):
    Bell.objects.all().delete()

    assert_found("sweep", Verdict.OK, "no event has needed one yet")
    assert_found("schedule", Verdict.OK, "every minute")
    Schedule.objects.update(next_run=ago(minutes=4, seconds=30))
    assert_found("schedule", Verdict.FAIL, "was due 4 min ago")


def test_events_that_nobody_claims_are_found(db):
    make_event(received_at=ago(minutes=2))

    assert_found("events", Verdict.FAIL, "due for 2 min and no worker takes them")


def test_backlog_is_a_warning_with_its_age(db):
    make_event(received_at=ago(minutes=5, seconds=30))
    make_event(status="processed", finished_at=timezone.now())

    assert_found("events", Verdict.WARN, "due for 5 min, although workers take others")


def test_events_that_led_to_nothing_are_a_failure(db):
    make_event(status="dead")

    assert_found("failed events", Verdict.FAIL, "1 event failed on every try")


def tally(answer, **kw):
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    Tally.objects.create(hour=hour, answer=answer, count=3, last_at=ago(**kw))


def test_only_refused_signatures_mean_a_wrong_secret(db):
    tally("wrong_signature", minutes=1)

    assert_found(
        "deliveries",
        Verdict.FAIL,
        "3 requests looked like Customer.io's but their signature was wrong",
    )


def test_refused_signatures_after_good_ones_mean_that_the_key_has_changed(db):
    tally("stored", minutes=2)
    tally("wrong_signature", minutes=1)

    assert_found("deliveries", Verdict.FAIL, "their signature was wrong")


def test_refused_signatures_before_good_ones_are_a_warning_for_an_hour(db):
    tally("wrong_signature", minutes=2)
    tally("stored", minutes=1)

    assert_found("deliveries", Verdict.WARN, "while others were accepted")
    Tally.objects.filter(answer="wrong_signature").update(last_at=ago(minutes=61))
    assert_found("deliveries", Verdict.OK, "3 events stored")


def test_what_could_not_be_stored_is_a_failure_until_something_is(db):
    tally("not_stored", minutes=1)
    assert_found("deliveries", Verdict.FAIL, "3 webhooks could not be stored")

    tally("stored", seconds=5)

    assert_found("deliveries", Verdict.WARN, "webhooks are stored again")


def test_several_troubles_are_told_as_one_with_the_worst_first(db):
    tally("wrong_signature", minutes=2)
    tally("stored", minutes=1)
    tally("too_old", minutes=1)

    found = look("deliveries")

    assert (found.level, found.kinds) == (Verdict.FAIL, ("too_old", "other_signature"))
    assert "CIO_MAX_AGE_SECONDS" in found.cure
    assert "CIO_WEBHOOK_SECRET" in found.cure


# Research ---------------------------------------------------------------------------------------


def test_stuck_research_is_found(sandbox, starter):
    make_brief(research=make_research(created_at=ago(minutes=2)))

    assert_found("research", Verdict.FAIL, "no worker asks Mave")


def test_paused_research_says_why(sandbox, db):
    ResearchPolicy.current().pause("credits are used up")

    assert_found("research", Verdict.WARN, "paused: credits are used up")


def test_used_up_budget_is_a_warning(sandbox, db):
    ResearchPolicy.current()
    ResearchPolicy.objects.update(day_budget=0)

    assert_found("research", Verdict.WARN, "budget is used up")


def test_failed_research_of_an_open_brief_is_a_warning(sandbox, db):
    make_brief(research=make_research(status="failed"))

    assert_found("research", Verdict.WARN, "1 open brief without research")


# Segments that conditions name --------------------------------------------------------------------


def name_segment(**kw):
    """A persona that asks for the segment “Trials”, and the list of segments as it was fetched."""
    PersonaCondition.objects.create(
        persona=make_persona(), field="customer", operator="in_segment", value="Trials"
    )
    SegmentList.objects.create(pk=1, listed_at=timezone.now())
    fields = {"number": 1, "name": "Trials", "is_named": True, "read_at": ago(hours=3), **kw}
    return CustomerSegment.objects.create(**fields)


def test_no_segment_is_named(db):
    assert_found("named segments", Verdict.OK, "no condition names one")


def test_named_segment_that_is_read_each_night_is_well(db):
    name_segment()

    assert_found("named segments", Verdict.OK, "1 segment read at night")


def test_segment_that_does_not_exist_is_a_failure_with_the_nearest_name(db):
    name_segment(name="Trial")

    assert_found("named segments", Verdict.FAIL, "no segment called “Trials” (“Trial”?)")


def test_segment_that_was_deleted_or_renamed_is_a_failure(db):
    row = name_segment(is_listed=False)
    assert_found("named segments", Verdict.FAIL, "no segment called “Trials”")

    CustomerSegment.objects.filter(pk=row.pk).update(
        is_listed=True, name="Trial users", former_name="Trials"
    )
    assert_found("named segments", Verdict.FAIL, "“Trials” (“Trial users”?)")


def test_segment_that_was_not_read_for_days_is_a_warning_with_its_age(db):
    name_segment(read_at=ago(days=4), trouble="it fails")

    assert_found("named segments", Verdict.WARN, "“Trials” (4 d old: it fails)")


def test_segment_that_was_never_read_is_a_warning(db):
    name_segment(read_at=None)

    assert_found("named segments", Verdict.WARN, "“Trials” (never read)")


def test_list_of_segments_that_was_never_read_is_a_warning_with_the_reason(db):
    name_segment()
    SegmentList.objects.update(listed_at=None, trouble="the key may not")

    assert_found("named segments", Verdict.WARN, "was never read: the key may not")


# Customer.io ------------------------------------------------------------------------------------


def test_missing_key_is_a_failure(settings):
    settings.CIO_APP_KEY = ""

    assert_found("App API", Verdict.FAIL, "not set")


@pytest.mark.parametrize(
    ("status", "level", "words"),
    [
        (401, Verdict.FAIL, "refused (401)"),
        (403, Verdict.FAIL, "may not look people up"),
        (429, Verdict.WARN, "too many requests"),
        (500, Verdict.FAIL, "500"),
    ],
)
@pytest.mark.django_db
def test_refusals_of_the_app_api_are_told_apart(sandbox, status, level, words):
    sandbox._listener.answer = lambda request: json_reply({}, status=status)

    assert_found("App API", level, words)


@pytest.mark.django_db
def test_app_api_that_asked_for_silence_is_not_asked(sandbox):
    AppApiPace.hold_back(60)

    assert_found("App API", Verdict.WARN, "not asked, because Customer.io asked for silence")

    assert sandbox.requests == []


@pytest.mark.django_db
def test_unreachable_app_api_is_a_failure(sandbox, settings):
    settings.CIO_APP_BASE_URL = "http://127.0.0.1:9"

    assert_found("App API", Verdict.FAIL, "no connection")


@pytest.mark.django_db
def test_key_of_the_other_region_is_recognised(sandbox, settings, monkeypatch):
    settings.CIO_APP_KEY = "a-key-of-the-eu"
    with Sandbox(cio_key="a-key-of-the-eu") as europe:
        regions = {"us": sandbox.cio_base_url, "eu": europe.cio_base_url}
        monkeypatch.setattr(providers, "REGIONS", regions)

        found = look("App API")

    assert found.seen == "the key is refused in region us and good in region eu"
    assert found.cure == "Set CIO_REGION=eu and restart."


@pytest.mark.django_db
def test_key_that_no_region_accepts_is_refused(sandbox, settings, monkeypatch):
    settings.CIO_APP_KEY = "a-track-key"
    regions = {"us": sandbox.cio_base_url, "eu": sandbox.cio_base_url + "/"}
    monkeypatch.setattr(providers, "REGIONS", regions)

    assert "not a Track or Pipelines key" in look("App API").cure


@pytest.mark.django_db
def test_address_set_by_hand_has_no_other_region(sandbox):
    sandbox.cio_key = "another"

    assert_found("App API", Verdict.FAIL, "refused (401)")
    assert len(sandbox.requests) == 1


def test_failing_look_ups_are_a_warning(db):
    AppApiHealth.current().failed("Customer.io's App API answered 500", timedelta(minutes=5))

    assert_found("profiles", Verdict.WARN, "1 look-up failed in a row")


@pytest.mark.parametrize(
    ("change", "level", "words"),
    [
        ({"is_disabled": True}, Verdict.FAIL, "disabled"),
        ({"events": frozenset({"email_bounced"})}, Verdict.FAIL, "email_spammed"),
        ({"with_content": False}, Verdict.WARN, "Body Content is off"),
        ({"full_resolution": False}, Verdict.WARN, "Send Frequency"),
        ({"name": "Other", "endpoint": "https://x.example/y"}, Verdict.FAIL, "none is registered"),
        ({"name": "Named by hand"}, Verdict.OK, "Named by hand"),
    ],
)
def test_reporting_webhook(healthy, change, level, words):
    register(**change)

    assert_found("reporting webhook", level, words)


def test_webhooks_that_the_key_may_not_read_are_a_warning(sandbox, starter):
    sandbox._listener.answer = lambda request: json_reply({}, status=403)

    found = look("reporting webhook")

    assert found.level == Verdict.WARN
    assert "email_spammed" in found.cure


# Mavera -----------------------------------------------------------------------------------------


def test_balance_is_read_and_entered_in_the_ledger(sandbox, db):
    assert_found("Mavera", Verdict.OK, "5,000 credits left of 5,000")

    call = MaveCall.objects.get()
    assert (call.purpose, call.outcome, call.credits) == ("usage", "answered", 0)


def report(remaining, included=5000, requests=120):
    return {
        "credits": {"remaining": remaining, "included": included},
        "rate_limit": {"requests_per_minute": requests},
    }


@pytest.mark.parametrize(
    ("body", "level", "words"),
    [
        (report(74, included=500), Verdict.WARN, "74 credits left of 500"),
        (report(75, included=500), Verdict.OK, "75 credits left"),
        (report(499), Verdict.WARN, "499 credits left"),
        (report(None), Verdict.WARN, "does not say"),
        (report(4000, requests=30), Verdict.WARN, "allows 30 requests a minute"),
    ],
)
def test_low_credits_are_a_warning(sandbox, db, body, level, words):
    sandbox._listener.answer = lambda request: json_reply(body)

    assert_found("Mavera", level, words)


@pytest.mark.parametrize(
    ("moment", "used", "remaining", "words"),
    [
        ("2026-11-18T12:00", 101, 4900, "101 credits more than our ledger can explain"),
        ("2026-11-18T12:00", 0, 4000, "the budgets still allow 5,000"),
        ("2026-11-18T12:00", 0, 5000, ""),
        ("2026-11-28T12:00", 0, 2900, "the budgets still allow 3,000"),  # 1,000 a day
        ("2026-11-30T12:00", 0, 2900, ""),
    ],
)
def test_balance_that_does_not_fit_the_ledger_or_the_budgets_is_a_warning(
    sandbox, db, moment, used, remaining, words
):
    clock.set(moment)
    body = report(remaining)
    body["credits"]["used"] = used
    body["billing_period"] = {"start": "2026-01-01T00:00:00Z"}
    sandbox._listener.answer = lambda request: json_reply(body)

    level, words = (Verdict.WARN, words) if words else (Verdict.OK, f"{remaining:,} credits left")
    assert_found("Mavera", level, words)
    assert UsageReading.objects.get().used == used


@pytest.mark.parametrize(("fault", "words"), [("401", "refuses the API key"), ("402", "used up")])
def test_refusal_of_mavera_is_a_failure(sandbox, db, fault, words):
    sandbox.faults.add("usage", fault)

    assert_found("Mavera", Verdict.FAIL, words)
    assert MaveCall.objects.get().outcome == "refused"


def test_missing_mavera_key_is_a_warning(db, settings):
    settings.MAVERA_API_KEY = ""

    assert_found("Mavera", Verdict.WARN, "go without research")


# Clocks -----------------------------------------------------------------------------------------


def test_clocks_agree(sandbox, db):
    assert_found("clock", Verdict.OK, "agrees with the database and Customer.io")


def test_clock_that_is_off_is_a_warning_and_a_failure_where_age_counts(db, settings, monkeypatch):
    monkeypatch.setattr(providers, "database_now", lambda: ago(hours=3, minutes=1))

    assert_found("clock", Verdict.WARN, "3 h apart from the database")
    settings.CIO_MAX_AGE_SECONDS = 300
    assert_found("clock", Verdict.FAIL, "refused as too old")


# The public address -----------------------------------------------------------------------------


def test_host_that_is_not_allowed_is_a_failure():
    assert_found("allowed hosts", Verdict.FAIL, "desk.example.com", "https://desk.example.com")


def test_every_host_allowed_is_a_warning(settings):
    settings.ALLOWED_HOSTS = ["*"]

    assert_found("allowed hosts", Verdict.WARN, "every host", "https://desk.example.com")


def test_plain_http_is_a_failure_elsewhere():
    assert_found("receiver", Verdict.FAIL, "is not https", "http://desk.example.com")


@pytest.mark.parametrize("name", ["receiver", "pages", "style sheet"])
def test_closed_port_is_a_failure(name):
    assert_found(name, Verdict.FAIL, "does not answer", "http://127.0.0.1:9")


def test_public_url_is_checked_without_being_given_again(healthy, live_server, settings):
    settings.PUBLIC_URL = live_server.url

    said, _ = run()

    assert f"pages: {live_server.url}/login/ is there" in said


def test_redirect_of_a_page_to_itself_is_a_failure_that_names_the_proxy(sandbox):
    headers = {"Location": f"{sandbox.url}/login/"}
    sandbox._listener.answer = lambda request: json_reply({}, status=302, headers=headers)

    assert_found("pages", Verdict.FAIL, "redirects to itself", sandbox.url)
    assert "X-Forwarded-Proto" in look("pages", sandbox.url).cure


@pytest.mark.parametrize("name", ["receiver", "pages", "style sheet"])
def test_something_else_at_the_address_is_a_failure(sandbox, name):
    assert_found(name, Verdict.FAIL, "answered 404", sandbox.url)


def test_401_of_a_proxy_is_not_taken_for_ours(sandbox):
    sandbox._listener.answer = lambda request: json_reply({}, status=401)

    found = look("receiver", sandbox.url)

    assert (found.level, "A proxy asks for a password" in found.cure) == (Verdict.FAIL, True)


def test_redirect_is_a_failure_that_says_where_to(sandbox):
    headers = {"Location": "https://elsewhere.example/"}
    sandbox._listener.answer = lambda request: json_reply({}, status=301, headers=headers)

    assert "https://elsewhere.example/" in look("receiver", sandbox.url).cure


def test_web_server_that_accepts_unsigned_webhooks_is_a_failure(live_server, settings):
    settings.DEBUG = True

    assert_found("receiver", Verdict.FAIL, "answered 200", live_server.url)


def test_host_that_the_web_server_does_not_allow_is_found(live_server, settings):
    settings.ALLOWED_HOSTS = ["desk.example.com"]

    assert_found("pages", Verdict.FAIL, "answered 400", live_server.url)


def test_web_server_that_runs_with_another_secret_is_found(live_server, monkeypatch):
    from operations.doctor import address

    monkeypatch.setattr(address, "sign", lambda *given: "0" * 64)

    assert_found("receiver", Verdict.FAIL, "today's CIO_WEBHOOK_SECRET", live_server.url)


def test_web_server_that_accepts_our_signature_is_ok(live_server):
    assert_found("receiver", Verdict.OK, "takes the signed", live_server.url)


@pytest.mark.parametrize(
    ("status", "level"), [(200, Verdict.FAIL), (401, Verdict.OK), (403, Verdict.OK)]
)
def test_metrics_that_answer_everybody_outside_are_a_failure(monkeypatch, status, level):
    from operations.doctor import address

    reply = SimpleNamespace(status=status, headers={}, body=b"")
    monkeypatch.setattr(address.http, "send", lambda *given, **kw: reply)

    assert look("metrics", "https://desk.example.com").level == level
