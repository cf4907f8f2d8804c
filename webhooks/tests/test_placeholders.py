"""A web server with a placeholder in the place of its signing key, as in docs/connect.md."""

import pytest

from webhooks.tests import real_server
from webhooks.tests.real_server import Client, Server, copied_database, request

pytestmark = [pytest.mark.processes, pytest.mark.on_sqlite]

EVENT = b'{"event_id":"e1","object_type":"customer","metric":"unsubscribed"}'
KEY = "0c9e5d1f7a3b"


@pytest.fixture
def send(tmp_path, migrated, monkeypatch):
    """Sends the event, signed with this secret, to a server whose CIO_WEBHOOK_SECRET is that."""
    servers = {}

    def send(secret, setting):
        if setting not in servers:
            servers[setting] = Server(url, CIO_WEBHOOK_SECRET=setting)
            servers[setting].start()
        server = servers[setting]
        monkeypatch.setattr(real_server, "SECRET", secret)
        return Client(server.port).send(request(server.port, EVENT))

    with copied_database(tmp_path, migrated) as url:
        yield send
        for server in servers.values():
            server.stop()


def test_event_signed_with_a_placeholder_is_refused(send):
    status, body = send("not-yet", setting="not-yet")

    assert (status, b"the signature is wrong" in body) == (401, True)


def test_placeholder_beside_a_key_verifies_nothing_and_the_key_does(send):
    assert send("not-yet", setting=f"{KEY},not-yet")[0] == 401
    assert send(KEY, setting=f"{KEY},not-yet") == (200, b'{"status":"stored"}')
