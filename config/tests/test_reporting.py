"""What Sentry is sent over HTTP: the kind of an error, its places and ids, and nobody's data."""

import gzip
import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import sentry_sdk
from django.core.exceptions import ImproperlyConfigured

from config import reporting
from config.addresses import sentry
from config.values import Wrong
from webhooks.logs.ids import about

PERSON = "robin.ray@example.com"


@pytest.fixture
def project():
    """A server that takes what Sentry's library sends; its DSN, and the bodies that came."""
    bodies = []

    class Project(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            is_packed = self.headers.get("Content-Encoding") == "gzip"
            bodies.append((gzip.decompress(body) if is_packed else body).decode())
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *given):
            pass

    server = HTTPServer(("127.0.0.1", 0), Project)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://publickey@127.0.0.1:{server.server_port}/7", bodies
    sentry_sdk.get_client().close()
    # No DSN: nothing is sent any more. Its integrations would patch Django for all later tests.
    sentry_sdk.init(default_integrations=False, auto_enabling_integrations=False)
    server.shutdown()
    server.server_close()
    thread.join()


def test_error_is_sent_with_its_place_and_ids_and_without_anybody(project, rf):
    dsn, bodies = project
    logger = logging.getLogger("briefs.of_this_test")
    handler = reporting.handler(dsn, release="1.2", service="queue", host="one.example")
    logger.addHandler(handler)
    request = rf.post(f"/search/?q={PERSON}", {"name": PERSON}, HTTP_COOKIE=f"who={PERSON}")

    try:
        secret_local = {"email": PERSON}
        raise ValueError(f"no {secret_local}")
    except ValueError:
        with about(request_id="7f3a", events=[12]):
            logger.exception("events %s of %s failed", [12], PERSON, extra={"request": request})
    logger.removeHandler(handler)
    sentry_sdk.flush(60)

    [body] = bodies
    event = json.loads(body.splitlines()[-1])
    [error] = event["exception"]["values"]
    assert (error["type"], event["release"]) == ("ValueError", "savedesk@1.2")
    assert error["stacktrace"]["frames"][-1]["function"].startswith("test_error_is_sent")
    assert event["tags"] == {"request_id": "7f3a", "events": "[12]"}
    assert event["logentry"] == {"message": "events %s of %s failed"}
    assert "robin" not in body
    assert not {"request", "user", "extra", "breadcrumbs", "contexts", "modules"} & set(event)


def test_words_of_other_packages_are_not_sent():
    event = {"logger": "django-q", "logentry": {"message": f"Failed task - {PERSON}"}}

    assert "logentry" not in reporting.what_may_leave(event)


@pytest.mark.parametrize("text", ["https://o1.example.com/7", "https://key@o1.example.com", "key"])
def test_dsn_that_is_none_is_refused_without_repeating_it(text):
    with pytest.raises(Wrong, match="DSN") as refused:
        sentry(text)

    assert not isinstance(refused.value, ImproperlyConfigured)
    assert "key@" not in str(refused.value).replace("https://key@host/number", "")


def test_dsn_is_taken_as_it_is():
    assert sentry("https://key@o1.example.com/7") == "https://key@o1.example.com/7"
