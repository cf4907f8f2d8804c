"""The sandbox's own routes for people and requests, and the record it keeps."""

import pytest

from sandbox.tests.clients import app_api, ask, control, mavera


def test_a_received_request_is_recorded_with_its_time_and_status(sandbox):
    ask(mavera(sandbox), "Hello")

    (call,) = sandbox.requests

    assert (call.method, call.path, call.status) == ("POST", "/api/v1/mave/chat", 200)
    assert call.body == '{"message": "Hello"}'
    assert call.headers["authorization"] == f"Bearer {sandbox.mavera_key}"
    assert call.started <= call.finished


def test_the_path_is_recorded_as_sent_and_the_query_decoded(sandbox):
    app_api(sandbox).get("customers/a%2Fb/attributes?id_type=id")

    (call,) = sandbox.requests

    assert call.path == "/v1/customers/a%2Fb/attributes"
    assert call.query == {"id_type": "id"}


def test_requests_are_listed_over_http_without_the_whole_key(sandbox):
    ask(mavera(sandbox))

    reply = control(sandbox).get("requests")

    (call,) = reply.json()["requests"]
    assert call["path"] == "/api/v1/mave/chat"
    assert call["headers"]["authorization"] == "Bearer mvra_live_sand..."
    assert sandbox.mavera_key not in reply.text


def test_requests_are_cleared_over_http_and_in_python(sandbox):
    client = mavera(sandbox)
    client.get("usage")
    control(sandbox).delete("requests")
    assert sandbox.requests == []

    client.get("usage")
    sandbox.clear_requests()
    assert sandbox.requests == []


def test_a_person_is_added_over_http(sandbox):
    device = {"id": "phone", "platform": "ios", "last_used": 1_700_000_000}
    person = {"id": "p-1", "attributes": {"plan": "pro"}, "unsubscribed": True, "devices": [device]}

    reply = control(sandbox).post("people", json=person)

    customer = app_api(sandbox).get("customers/p-1/attributes").json()["customer"]
    assert reply.status_code == 201
    assert customer["attributes"]["plan"] == "pro"
    assert customer["unsubscribed"] is True
    assert customer["devices"] == [device]


def test_a_person_is_removed_over_http(sandbox):
    control(sandbox).delete("people/acme-1003")

    assert app_api(sandbox).get("customers/acme-1003/attributes").status_code == 404


def test_people_are_listed_over_http(sandbox):
    people = control(sandbox).get("people").json()["people"]

    assert len(people) == 13
    assert people[0]["id"] == "acme-1001"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": 7},
        {"id": "x", "plan": "pro"},
        {"id": "x", "devices": [{"id": "phone"}]},
        {"id": "x", "devices": ["phone"]},
        {"id": "deleted-7"},
    ],
)
def test_a_bad_person_is_a_400_with_a_sentence(sandbox, body):
    reply = control(sandbox).post("people", json=body)

    assert reply.status_code == 400
    assert reply.json()["error"].endswith(".")


def test_the_index_tells_the_routes_the_faults_and_the_figures(sandbox):
    ask(mavera(sandbox))

    index = control(sandbox).get("").json()

    assert "DELETE sandbox/people/{id}" in index["routes"]
    assert "paid_then_dropped" in index["faults"]
    assert index["credits_used"] == sandbox.credits_used > 0
    assert (index["max_in_flight"], index["worst_minute"]) == (1, 1)


def test_an_unknown_route_says_which_there_are(sandbox):
    reply = control(sandbox).get("fault")

    assert reply.status_code == 404
    assert "POST sandbox/faults" in reply.json()["error"]
    assert control(sandbox).put("faults").status_code == 405
