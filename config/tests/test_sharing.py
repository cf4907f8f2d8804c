"""A test, its browser and the threads of its live server have one database, and one connection."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import Group
from django.db import connections, transaction

from config.tests.sharing import Requests

pytestmark = pytest.mark.on_sqlite


@pytest.mark.browser
def test_test_and_server_share_a_connection_while_a_browser_runs(live_server, chromium):
    assert live_server.thread.connections_override["default"] is connections["default"]


def test_other_threads_wait_for_the_end_of_a_transaction(live_server):
    shared = connections["default"]

    def count():
        connections["default"] = shared
        return Group.objects.filter(name="Half done").count()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Group.objects.create(name="Half done")
            found = pool.submit(count)
            threading.Event().wait(0.1)  # in which the other thread would have counted 1
            Group.objects.filter(name="Half done").delete()
        assert found.result() == 0


def test_request_that_runs_on_is_waited_for_and_a_later_one_refused():
    requests, is_in, may_end = Requests(), threading.Event(), threading.Event()
    seen = []

    class Answer(list):
        def close(self):
            seen.append("answered")

    def app(environ, start_response):
        is_in.set()
        may_end.wait(60)
        return Answer([b"it"])

    def ask():
        return list(requests.answered_by(app)({}, lambda status, headers: seen.append(status)))

    with ThreadPoolExecutor(2) as pool:
        with requests.taken():
            first = pool.submit(ask)
            is_in.wait(60)
            pool.submit(lambda: (threading.Event().wait(0.1), may_end.set()))
        assert seen == ["answered"]
        assert first.result() == [b"it"]

    assert ask() == []
    assert seen == ["answered", "503 Service Unavailable"]
