"""Manual segments over HTTP: filled by the Track API, listed by the App API."""

import pytest

from sandbox.tests.clients import Client, app_api, control


def track(sandbox, key=None):
    client = Client(sandbox.track_base_url, "")
    del client.headers["Authorization"]
    client.auth = (sandbox.track_site_id, key or sandbox.track_key)
    return client


def make_segment(sandbox, name="Saving"):
    reply = app_api(sandbox).post("segments", json={"segment": {"name": name}})
    return reply.json()["segment"]["id"]


def add(sandbox, segment, ids, id_type="id", act="add_customers"):
    address = f"segments/{segment}/{act}?id_type={id_type}"
    return track(sandbox).post(address, json={"ids": ids})


def members(sandbox, segment, query=""):
    return app_api(sandbox).get(f"segments/{segment}/membership{query}").json()


def ids_in(sandbox, segment):
    return members(sandbox, segment)["ids"]


def test_a_new_segment_is_manual_and_has_nobody(sandbox):
    segment = make_segment(sandbox)

    [made] = [
        one
        for one in app_api(sandbox).get("segments").json()["segments"]
        if one["name"] == "Saving"
    ]
    assert (made["id"], made["type"], made["state"]) == (segment, "manual", "finished")
    assert members(sandbox, segment) == {
        "segment_id": segment, "ids": None, "identifiers": None, "next": ""
    }  # fmt: skip


def test_people_are_put_in_and_taken_out_and_unknown_ids_are_passed_over(sandbox):
    segment = make_segment(sandbox)

    reply = add(sandbox, segment, ["acme-1003", "nobody", "pro-design-low-1"])
    assert (reply.status_code, reply.json()) == (200, {})
    assert ids_in(sandbox, segment) == ["acme-1003", "pro-design-low-1"]

    add(sandbox, segment, ["acme-1003", "nobody"], act="remove_customers")
    assert ids_in(sandbox, segment) == ["pro-design-low-1"]


def test_ids_are_of_the_one_type_that_the_request_names(sandbox):
    segment = make_segment(sandbox)
    ann = sandbox.people.add("ann", email="ann@example.com")

    add(sandbox, segment, ["ann"], "email")
    assert ids_in(sandbox, segment) is None
    add(sandbox, segment, [ann.cio_id], "cio_id")
    assert ids_in(sandbox, segment) == ["ann"]


def test_a_person_who_was_deleted_is_in_no_segment(sandbox):
    segment = make_segment(sandbox)
    add(sandbox, segment, ["acme-1003"])

    sandbox.people.remove("acme-1003")

    assert ids_in(sandbox, segment) is None


@pytest.mark.parametrize(("count", "status"), [(0, 400), (1, 200), (1000, 200), (1001, 400)])
def test_a_request_holds_1_to_1000_ids(sandbox, count, status):
    ids = [f"pro-design-low-{number}" for number in range(count)]

    assert add(sandbox, make_segment(sandbox), ids).status_code == status


def test_an_id_that_is_refused_spoils_its_whole_request(sandbox):
    segment = make_segment(sandbox)
    sandbox.refused_ids = {"bad"}

    assert add(sandbox, segment, ["acme-1003", "bad"]).status_code == 400
    assert ids_in(sandbox, segment) is None


def test_a_segment_made_of_conditions_takes_nobody_and_a_missing_one_is_a_404(sandbox):
    everybody = app_api(sandbox).get("segments").json()["segments"][0]
    segment = make_segment(sandbox)
    app_api(sandbox).delete(f"segments/{segment}")

    assert everybody["type"] == "dynamic"
    assert add(sandbox, everybody["id"], ["acme-1003"]).status_code == 400
    assert add(sandbox, segment, ["acme-1003"]).status_code == 404
    assert app_api(sandbox).get(f"segments/{segment}").status_code == 404
    assert app_api(sandbox).get(f"segments/{segment}/membership").status_code == 404


def test_people_are_listed_by_pages(sandbox):
    segment = make_segment(sandbox)
    add(sandbox, segment, [f"pro-design-low-{number}" for number in range(3)])

    first = members(sandbox, segment, "?limit=2")
    second = members(sandbox, segment, f"?limit=2&start={first['next']}")

    assert [len(page["identifiers"]) for page in (first, second)] == [2, 1]
    assert second["next"] == ""


def test_site_id_and_key_are_asked_for(sandbox):
    segment = make_segment(sandbox)

    reply = track(sandbox, key="wrong").post(f"segments/{segment}/add_customers", json={"ids": []})

    assert reply.status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "customers/acme-1003"),
        ("POST", "customers/acme-1003/events"),
        ("POST", "customers/acme-1003/unsubscribe"),
        ("DELETE", "customers/acme-1003"),
    ],
)
def test_every_other_write_is_refused_and_recorded(sandbox, method, path):
    reply = track(sandbox).request(method, path, json={"unsubscribed": True})

    assert reply.status_code == 403
    assert [(r.method, r.path) for r in sandbox.requests] == [(method, f"/track/api/v1/{path}")]


def test_faults_are_played(sandbox):
    segment = make_segment(sandbox)
    sandbox.faults.add("segments/add_customers", "429", retry_after=30)

    reply = add(sandbox, segment, ["acme-1003"])

    assert (reply.status_code, reply.headers["Retry-After"]) == (429, "30")


def test_who_is_in_which_segment_is_shown_without_a_key(sandbox):
    segment = make_segment(sandbox)
    add(sandbox, segment, ["acme-1003"])

    shown = control(sandbox).get("segments").json()["segments"]

    assert [each["id"] for each in shown[-1]["members"]] == ["acme-1003"]
