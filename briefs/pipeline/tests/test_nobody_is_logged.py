"""A run of the pipeline with a person, through successes and failures: no log line names them."""

import io
import logging
import time

import pytest

from briefs.models import Brief, Notification
from briefs.notifying import outbox
from briefs.notifying.tests.listener import make_target
from briefs.pipeline import draining, recording
from briefs.research import working
from operations import sweeping
from webhooks.logs import lines
from webhooks.tests.sending import post

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("starter", "threadless_receiver"),
]
NAMED = ("zebulon", "quisenberry", "0958", "acme-of-zebulon")


@pytest.fixture
def log():
    """All that is logged, at all levels, as text and as JSON."""
    said = io.StringIO()
    handlers = [logging.StreamHandler(said) for _ in lines.FORMATS]
    handlers[0].setFormatter(lines.Text())
    handlers[1].setFormatter(lines.Json("queue", "one"))
    root, before = logging.getLogger(), logging.getLogger().level
    root.setLevel(logging.INFO)
    for handler in handlers:
        root.addHandler(handler)
    yield said
    root.setLevel(before)
    for handler in handlers:
        root.removeHandler(handler)


def test_no_line_names_the_person(sandbox, log, monkeypatch, signed_in):
    identifiers = {"id": "zebulon-q", "email": "zebulon@quisenberry.example"}
    sandbox.people.add(
        "zebulon-q", email="zebulon@quisenberry.example",
        attributes={"first_name": "Zebulon", "phone": "+44 20 7946 0958", "plan": "enterprise"},
    )  # fmt: skip
    data = {"identifiers": identifiers, "recipient": "zebulon@quisenberry.example"}
    event = {"object_type": "customer", "metric": "unsubscribed", "data": data}
    make_target(address="json://127.0.0.1:9/acme-of-zebulon", minimum_priority=1)

    def fail(*given):
        raise ValueError("zebulon@quisenberry.example is on +44 20 7946 0958")

    with monkeypatch.context() as broken:
        broken.setattr(recording, "record", fail)
        post({**event, "event_id": "e1", "timestamp": int(time.time()) - 60})
        draining.drain()
    post({**event, "event_id": "e2", "timestamp": int(time.time()) - 50})
    post({**event, "event_id": "e2", "metric": "opened", "timestamp": int(time.time()) - 50})
    post({**event, "event_id": "e3"}, secret="not-the-right-one-at-all")
    draining.drain()
    sandbox.faults.add("mave/chat", "503")
    working.run_next()
    sweeping.sweep()
    outbox.send_due()
    signed_in.get("/nowhere/?q=zebulon@quisenberry.example")
    signed_in.get(f"/briefs/{Brief.objects.get().pk}/")

    said = log.getvalue()
    assert "processing events" in said
    assert '"events": [' in said
    assert Notification.objects.exists()
    assert "notification" in said
    assert not [word for word in NAMED if word in said.lower()]
