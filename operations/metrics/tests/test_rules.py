"""The alert rules and the dashboard of docs/monitoring: each alert fires in its trouble."""

import json
import re
import shutil
import subprocess
from collections import namedtuple
from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import Schedule

from briefs.models import Erasure, MaveCall, ReprocessingJob, SavingSegment, SegmentMembership
from briefs.models.saving import MAX_TRIES
from briefs.notifying.tests.listener import make_notification
from briefs.tests.factories import make_brief, make_event
from operations.metrics import collector
from operations.metrics.tests.rules import ALERTS, FOLDER, rules
from operations.metrics.tests.scraping import scrape
from operations.tests.test_agreement import History
from operations.troubles import Kind
from webhooks import full_disk
from webhooks.models import Pruning, ServiceBeat

pytestmark = pytest.mark.on_sqlite  # the SQL of troubles is tested on both beside them

RULES = rules()
GUIDE = FOLDER.parent / "operations.md"
# Notes of what is over, happens every day, or was accepted: pages tell them, nobody is woken up.
NOT_ALERTED = {Kind.REFUSED_BEFORE, Kind.QUIET, Kind.SOME_MAIL_REFUSED, Kind.FEWER_BRIEFS}
OF_PROMETHEUS = {"SavedeskDown": "up"}  # a metric that Prometheus makes itself


def ago(**length):
    return timezone.now() - timedelta(**length)


def segment(**fields):
    SavingSegment.turn_on(7, "Savedesk: open briefs")
    SavingSegment.objects.update(**fields)


# What causes each alert ---------------------------------------------------------------------------

Given = namedtuple("Given", "settings monkeypatch")
CAUSES = {}


def causes(alert):
    return lambda cause: CAUSES.setdefault(alert, cause)


def happened(alert, **history):
    CAUSES[alert] = lambda given: History(**history).write()


happened("SavedeskNotStored", answers=(("not_stored", 1, 1),))
happened("SavedeskWrongSignature", answers=(("wrong_signature", 1, 5),))
happened("SavedeskOtherSignature", answers=(("wrong_signature", 3, 5), ("stored", 1, 1)))
happened("SavedeskTooOld", answers=(("too_old", 1, 1),))
happened("SavedeskTooLarge", answers=(("too_large", 1, 1),))
happened("SavedeskUnsigned", answers=(("unsigned", 1, 1),))
happened("SavedeskDeliveredAgain", answers=(("duplicate", 40, 1), ("stored", 3, 2)))
happened("SavedeskSilence", rhythm=5, silence=60)
happened("SavedeskMailRefused", bounced=(10, 9))
happened("SavedeskEventsNotTaken", due=((4, False),))
happened("SavedeskWorkersBehind", due=((11, False),), finished=0)
happened("SavedeskNobodyLooksForWork", looked=4)
happened("SavedeskSweepNotStarted", sweep_due=4)
happened("SavedeskEventsFailed", failed=1)
happened("SavedeskNoBriefs", led=(400, 40))
happened("SavedeskResearchPaused", paused=402)
happened("SavedeskMaveFails", mave_fails=11)


@causes("SavedeskDatabaseAway")
def _(given):
    given.monkeypatch.setattr(collector.Parts, "_figures", lambda self: (None, False))


@causes("SavedeskMetricsIncomplete")
def _(given):
    given.monkeypatch.setitem(collector.PARTS, "workers", lambda figures: 1 / 0)


@causes("SavedeskWorkersGone")
def _(given):
    ServiceBeat.objects.create(host="one", service="queue", workers=2, at=ago(minutes=2))


@causes("SavedeskDiskNearlyFull")
def _(given):
    given.monkeypatch.setattr(full_disk, "free_bytes", lambda: 1_000_000_000)


@causes("SavedeskMessagesWait")
def _(given):
    make_notification(created_at=ago(minutes=16))


@causes("SavedeskBudgetUsedUp")
def _(given):
    MaveCall.objects.create(outcome="answered", credits=960, finished_at=timezone.now())


@causes("SavedeskNoSigningKey")
def _(given):
    given.settings.CIO_WEBHOOK_SECRETS = []


@causes("SavedeskUnverified")
def _(given):
    given.settings.DEBUG = True


@causes("SavedeskQuarantined")
def _(given):
    make_event(status="quarantined", event_id="sha256:1")


@causes("SavedeskListsOfEvents")
def _(given):
    make_event(status="quarantined", reason_code="list", event_id="sha256:1")


@causes("SavedeskNoEventId")
def _(given):
    make_event(status="processed", reason_code="no_event_id", event_id="sha256:1")


@causes("SavedeskResearchNotAsked")
def _(given):
    given.settings.MAVERA_API_KEY = "mvra_live_of_the_tests"
    History(question=2).write()


@causes("SavedeskSegmentNotKept")
def _(given):
    segment()  # without a key of the Track API


@causes("SavedeskSegmentRowsFailed")
def _(given):
    segment()
    SegmentMembership.objects.create(customer=make_brief().customer, tries=MAX_TRIES)


@causes("SavedeskSegmentNotCompared")
def _(given):
    segment(compare_reason="403", compared_at=ago(days=3))


@causes("SavedeskJobFailed")
def _(given):
    ReprocessingJob.objects.create(kind="events", state="failed", ended_at=timezone.now())


@causes("SavedeskFailedEventsGo")
def _(given):
    Pruning.made(timezone.now())
    Pruning.objects.update(told_at=timezone.now(), told_days=90)


@causes("SavedeskNotPruned")
def _(given):
    Pruning.made(timezone.now())
    Pruning.objects.update(finished_at=ago(days=4))


@causes("SavedeskNotErased")
def _(given):
    Erasure.objects.create(way="admin", customer=make_brief().customer_id, tries=5)


# Tests --------------------------------------------------------------------------------------------


@pytest.fixture
def calm(db):
    """A working installation with nothing to do."""
    Schedule.objects.update(next_run=timezone.now())


@pytest.mark.usefixtures("calm")
def test_no_alert_fires_where_nothing_is_wrong(client):
    found = scrape(client)

    assert not [name for name, rule in RULES.items() if rule.fires(found)]


@pytest.mark.usefixtures("calm")
@pytest.mark.parametrize("alert", [name for name in RULES if name not in OF_PROMETHEUS])
def test_alert_fires_in_its_trouble(client, settings, monkeypatch, alert):
    CAUSES[alert](Given(settings, monkeypatch))

    assert RULES[alert].fires(scrape(client))


def test_every_kind_of_trouble_has_an_alert_or_a_reason_to_have_none():
    alerted = {rule.labels["kind"] for rule in RULES.values() if "kind" in rule.labels}

    assert alerted | NOT_ALERTED == set(Kind)
    assert not alerted & NOT_ALERTED


def test_operations_guide_says_the_cure_of_each_alert():
    guide = GUIDE.read_text()
    table = guide.partition("### Alerts\n")[2].partition("\n## ")[0]

    told = dict(re.findall(r"^\| `(Savedesk\w+)` \| .+ \| (.+) \|$", table, re.MULTILINE))

    assert list(told) == list(RULES)
    assert all(len(cure) > 20 for cure in told.values())
    assert {rule.runbook for rule in RULES.values()} == {"docs/operations.md#alerts"}
    assert {rule.severity for rule in RULES.values()} == {"critical", "warning"}


def expressions_of_dashboard():
    dashboard = json.loads((FOLDER / "grafana-dashboard.json").read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]


@pytest.mark.django_db
def test_rules_and_dashboard_name_only_metrics_and_labels_that_there_are(client):
    ServiceBeat.objects.all().note("one", {"queue": 2})
    make_event()
    found = scrape(client)
    types = {family.name: family for family in found.families}
    known = {sample.name for sample in found.samples} | set(types)
    labels = {name for sample in found.samples for name in sample.labels}
    own = {"job", "instance", "table", "application"}  # Prometheus's, and PostgreSQL's alone

    for expression in [*expressions_of_dashboard(), *(rule.expr for rule in RULES.values())]:
        for name in re.findall(r"savedesk_\w+", expression):
            assert name in known, expression
        named = re.findall(r'(\w+)=~?"', expression)
        grouped = re.findall(r"by \(([\w, ]+)\)", expression)
        used = {*named, *(name for group in grouped for name in group.split(", "))}
        assert used <= labels | own, expression


def test_dashboard_has_a_panel_of_each_subject_and_a_data_source_of_ones_own():
    dashboard = json.loads((FOLDER / "grafana-dashboard.json").read_text())

    assert dashboard["schemaVersion"] >= 38  # Grafana 10
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    assert all(
        panel["datasource"]["uid"] == "${datasource}"
        for panel in dashboard["panels"]
        if panel["type"] != "row"
    )


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not on PATH")
@pytest.mark.parametrize(
    "asked", [("check", "rules", ALERTS), ("test", "rules", "alerts-test.yml")]
)
def test_promtool_accepts_the_rules(asked):
    done = subprocess.run(
        ["promtool", *map(str, asked)], cwd=FOLDER, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
