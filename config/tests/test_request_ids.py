"""The id of a request: given by a proxy or made, in the answer and in each of its log lines."""

import json
import logging
import re

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from config.request_ids import RequestIdMiddleware
from webhooks.logs import lines
from webhooks.logs.ids import about

GOOD = "7f3a-abc.DEF_0123"


def answer(path="/livez", **headers):
    """The answer, and the line that was logged meanwhile."""
    said = []

    def respond(request):
        record = logging.makeLogRecord({"name": "webhooks.views", "msg": "hm", "levelname": "INFO"})
        said.append(json.loads(lines.Json("web", "one").format(record)))
        return HttpResponse()

    return RequestIdMiddleware(respond)(RequestFactory().get(path, **headers)), said[0]


def test_id_that_a_proxy_gave_is_kept():
    response, line = answer(HTTP_X_REQUEST_ID=GOOD)

    assert response.headers["X-Request-ID"] == line["request_id"] == GOOD


@pytest.mark.parametrize(
    "given", ["", "short", "a" * 65, "robin@example.com", "a b c d e f g", "evil\nline-of-log"]
)
def test_id_that_is_none_is_replaced(given):
    response, line = answer(HTTP_X_REQUEST_ID=given)

    assert re.fullmatch("[0-9a-f]{32}", response.headers["X-Request-ID"])
    assert line["request_id"] == response.headers["X-Request-ID"]


def test_line_says_which_brief_the_page_is_about():
    _, line = answer("/briefs/12/close/")
    _, of_the_api = answer("/api/v1/events/7/")

    assert line["brief"] == 12
    assert of_the_api["event"] == 7


def test_receiver_answers_with_an_id_too(client):
    response = client.post("/webhooks/customerio/", HTTP_X_REQUEST_ID=GOOD)

    assert (response.status_code, response.headers["X-Request-ID"]) == (401, GOOD)


def test_ids_end_with_the_work_that_they_are_about():
    record = logging.makeLogRecord({"name": "webhooks", "msg": "hm"})

    with about(research=3), about(events=[1, 2], brief=None):
        inside = json.loads(lines.Json("queue", "one").format(record))
    after = json.loads(lines.Json("queue", "one").format(record))

    assert (inside["research"], inside["events"]) == (3, [1, 2])
    assert not {"research", "events", "brief"} & (set(after) | {"brief"} & set(inside))
