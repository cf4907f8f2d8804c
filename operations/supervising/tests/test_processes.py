"""Web server, supervisor, both clusters and the sandbox as real processes, over each broker.

On SQLite, or on the PostgreSQL that TEST_DATABASE_URL names, in a database of the test's own.
"""

import os
import secrets
import shutil
import signal
import subprocess

import psycopg
import pytest

from config.tests import template
from sandbox import brokers, story
from sandbox.demo import Demo

pytestmark = [pytest.mark.processes, pytest.mark.first]


@pytest.fixture
def database_url(tmp_path):
    """A migrated database of its own that is gone afterwards, because migrating takes long.

    Empty text without pytest's workers on SQLite: the demo then migrates a file of its own.
    """
    server = os.environ.get("TEST_DATABASE_URL", "")
    if not server:
        yield template.url() and f"sqlite:///{shutil.copy(template.name(), tmp_path)}"
        return
    name = f"processes_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template.name()}")
    path, query = server.split("?", 1) if "?" in server else (server, "")
    base = path.rsplit("/", 1)[0]
    yield f"{base}/{name}" + (f"?{query}" if query else "")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def demo(tmp_path, database_url):
    lines: list[str] = []
    demo = Demo(lines.append, port=0, latency=0.5, folder=tmp_path, database_url=database_url)
    demo.lines = lines
    yield demo
    demo.stop()
    assert not _processes_of(demo), "processes were left behind"


@pytest.fixture
def broker(request, demo):
    """A broker of its own for the demo, in the place of the database."""
    try:
        made = request.param()
    except ImportError:
        pytest.skip("no Redis from a package for this Python")
    with brokers.running(made):
        demo.processes.environment.update(made.environment)
        yield made


OWN_BROKER = pytest.mark.parametrize(
    "broker",
    # One of them always: what is told apart is in the tests of both brokers themselves.
    [pytest.param(brokers.redis, id="redis"),
     pytest.param(brokers.sqs, id="sqs", marks=pytest.mark.long)],
    indirect=True,
)  # fmt: skip


def _processes_of(demo):
    """Processes that still run on this demo's database."""
    found = subprocess.run(
        ["pgrep", "-f", "manage.py|supervising.web"], capture_output=True, text=True
    )
    mine = []
    for pid in found.stdout.split():
        try:
            with open(f"/proc/{pid}/environ", "rb") as environment:
                if f"PORT={demo.port}".encode() in environment.read().split(b"\0"):
                    mine.append(int(pid))
        except OSError:
            continue
    return mine


@pytest.mark.on_sqlite
def test_every_step_of_the_demo_comes_true_twice(demo):
    story.tell(demo)
    story.customer_unsubscribes(demo)

    told = "\n".join(demo.lines)
    assert told.index(demo.url) < told.index("brief 1")
    assert "free user unsubscribes: no brief, because persona “Free, heavy use”" in told
    assert "opt-in: good news, no brief" in told
    assert "Channel opt-out: SMS" in told
    assert "a colleague's address bounced: an entry on the timeline, no brief" in told
    assert "gone again a minute later: opened a brief" in told
    assert "200 events, 140 briefs" in told
    assert "7 research calls" in told
    assert "thresholds by the team's own customers" in told
    assert "a spam complaint has a first step of its own" in told
    assert "is back in the list" in told
    assert "begins with how the last one ended" in told
    assert "its value of 5,400 a month counts once" in told


@pytest.mark.on_postgresql
@pytest.mark.long  # a whole installation for a crash that briefs/research/tests/test_killing.py has
def test_answer_of_a_research_cluster_killed_in_mid_call_is_found_and_not_paid_again(demo):
    demo.sandbox.latency = 8.0  # within which the cluster is killed
    demo.start()
    event = demo.event("enterprise-logistics-low-killed", "unsubscribed")
    demo.post(event)
    brief = demo.wait("the brief", lambda: demo.brief_of(event), 180)
    demo.wait("the call", lambda: demo.mave_calls() == 1, 180)

    os.killpg(_leader(demo, b"Q_CLUSTER_NAME=research"), signal.SIGKILL)
    _let_the_leases_run_out(demo)
    demo.processes.manage("shell", "-c", "from operations.sweeping import sweep; sweep()")

    brief = demo.wait("the research", lambda: demo.researched(brief["id"]), 200)
    assert brief["research"]["status"] == "done"
    ledger = demo.processes.manage("shell", "-c", LEDGER)
    assert ledger.split()[-3:] == ["answered", "False", "True"]
    assert demo.mave_calls() == 1


# Over other brokers than the database -----------------------------------------------------------


def leaves(demo, profile):
    """Somebody unsubscribes, and the brief and its research come."""
    event = demo.event(f"{profile}-{demo.run}", "unsubscribed")
    assert demo.post(event) == (200, "stored")
    brief = demo.wait("the brief", lambda: demo.brief_of(event), 180)
    demo.wait("the research", lambda: demo.researched(brief["id"]), 180)


def readiness(demo):
    return demo.session.get(f"{demo.url}/readyz", timeout=60).json()["checks"]["broker"]


@pytest.mark.on_postgresql
@OWN_BROKER
def test_signal_becomes_a_researched_brief_over_another_broker(demo, broker):
    demo.start()

    leaves(demo, "enterprise-logistics-low")

    assert readiness(demo)["ok"]


@pytest.mark.on_postgresql
@pytest.mark.long
@OWN_BROKER
def test_every_step_of_the_demo_comes_true_over_another_broker(demo, broker):
    story.tell(demo)

    told = "\n".join(demo.lines)
    assert "200 events, 140 briefs" in told
    assert "7 research calls" in told
    assert "thresholds by the team's own customers" in told
    assert "a spam complaint has a first step of its own" in told
    assert "is back in the list" in told
    assert "begins with how the last one ended" in told
    assert "its value of 5,400 a month counts once" in told


@pytest.mark.on_postgresql
@pytest.mark.long
@OWN_BROKER
def test_signals_become_briefs_whatever_happens_to_the_broker(demo, broker):
    demo.start()

    broker.freeze()
    leaves(demo, "enterprise-media-low")
    assert not readiness(demo)["ok"]
    broker.thaw()

    broker.stop()
    leaves(demo, "business-games-low")
    assert not readiness(demo)["ok"]
    broker.start()

    broker.purge()
    leaves(demo, "pro-music-low")
    demo.wait("it is said to be back", lambda: readiness(demo)["ok"], 180)
    assert demo.mave_calls() == 3  # one for each persona's question


@pytest.mark.on_postgresql
@pytest.mark.long
@OWN_BROKER
def test_installation_starts_while_its_broker_is_away(demo, broker):
    broker.stop()

    demo.start()

    leaves(demo, "enterprise-logistics-low")


LEDGER = """
from briefs.models import MaveCall
for call in MaveCall.objects.chats().order_by("pk"):
    print(call.outcome, call.is_repeat, call.is_recovered)
"""


def _leader(demo, variable):
    """The process group of a cluster."""
    for pid in _processes_of(demo):
        with open(f"/proc/{pid}/environ", "rb") as environment:
            if variable in environment.read().split(b"\0"):
                return os.getpgid(pid)
    raise AssertionError("no such cluster")


def _let_the_leases_run_out(demo):
    demo.processes.manage(
        "shell",
        "-c",
        "from briefs.models import Research; from django.utils import timezone;"
        "Research.objects.update(lease_until=timezone.now() - timezone.timedelta(seconds=1))",
    )
