"""The App API: looking up people."""

from urllib.parse import quote

import pytest
import requests

from sandbox.tests.clients import app_api, batch


def test_a_person_is_found_by_id_with_everything_as_documented(sandbox):
    reply = app_api(sandbox).get("customers/acme-1003/attributes")

    customer = reply.json()["customer"]
    assert customer["id"] == "acme-1003"
    assert customer["attributes"]["plan"] == "enterprise"
    assert customer["attributes"]["email"] == "ruth.adeyemi@example.com"
    assert customer["identifiers"].keys() == {"id", "email", "cio_id"}
    assert customer["unsubscribed"] is False
    assert customer["devices"][0].keys() == {"id", "platform", "last_used"}
    assert customer["timestamps"].keys() == customer["attributes"].keys()


def test_all_attribute_values_are_strings(sandbox):
    sandbox.people.add("p", attributes={"seats": 12, "is_internal": True, "tags": ["a"]})

    attributes = app_api(sandbox).get("customers/p/attributes").json()["customer"]["attributes"]

    assert attributes["seats"] == "12"
    assert attributes["is_internal"] == "true"
    assert attributes["tags"] == '["a"]'
    assert {type(value) for value in attributes.values()} == {str}


def test_the_id_in_the_answer_is_the_one_asked_for(sandbox):
    cio_id = sandbox.people.find("id", "acme-1003").cio_id

    reply = app_api(sandbox).get(f"customers/{cio_id}/attributes?id_type=cio_id")

    assert reply.json()["customer"]["id"] == cio_id


def test_an_identifier_is_percent_decoded(sandbox):
    sandbox.people.add("a/b c", email="a+b@example.com")
    client = app_api(sandbox)

    by_id = client.get(f"customers/{quote('a/b c', safe='')}/attributes")
    by_email = client.get("customers/a%2Bb%40example.com/attributes?id_type=email")

    assert by_id.json()["customer"]["attributes"]["email"] == "a+b@example.com"
    assert by_email.json()["customer"]["attributes"]["id"] == "a/b c"


@pytest.mark.parametrize("person_id", ["nobody", "deleted-1099", "deleted-enterprise-x-low-1"])
def test_an_unknown_or_deleted_person_is_a_404(sandbox, person_id):
    reply = app_api(sandbox).get(f"customers/{person_id}/attributes")

    assert reply.status_code == 404
    assert reply.json()["errors"][0]["status"] == "404"


@pytest.mark.parametrize("id_type", ["email", "phone"])
def test_address_and_number_are_refused_where_the_workspace_does_not_identify_by_them(
    sandbox, id_type
):
    sandbox.people.add("a", email="a@example.com", phone="a@example.com")
    address = f"customers/a@example.com/attributes?id_type={id_type}"
    before = app_api(sandbox).get(address)

    setattr(sandbox, f"{id_type}_is_identifier", False)

    assert (before.status_code, app_api(sandbox).get(address).status_code) == (200, 400)


def test_a_number_finds_its_person_and_is_an_attribute_but_no_identifier(sandbox):
    sandbox.people.add("ann", phone="+15550100")

    reply = app_api(sandbox).get("customers/%2B15550100/attributes?id_type=phone")

    customer = reply.json()["customer"]
    assert customer["attributes"]["phone"] == "+15550100"
    assert customer["identifiers"].keys() == {"id", "email", "cio_id"}


def test_an_id_type_that_does_not_exist_is_a_400(sandbox):
    assert app_api(sandbox).get("customers/x/attributes?id_type=name").status_code == 400


@pytest.mark.parametrize("authorization", [None, "Bearer wrong", "sandbox-app-api-key"])
def test_without_the_right_key_it_is_a_401(sandbox, authorization):
    headers = {"Authorization": authorization} if authorization else {}

    reply = requests.get(f"{sandbox.cio_base_url}/customers?email=a", headers=headers, timeout=60)

    assert reply.status_code == 401
    assert reply.json()["errors"][0].keys() == {"detail", "status"}


def test_a_batch_leaves_out_whom_it_does_not_know(sandbox):
    reply = batch(app_api(sandbox), ["acme-1003", "nobody", "pro-design-low-1"])

    assert [each["id"] for each in reply.json()["customers"]] == ["acme-1003", "pro-design-low-1"]


def test_a_batch_of_strangers_is_an_empty_list(sandbox):
    reply = batch(app_api(sandbox), ["nobody"])

    assert (reply.status_code, reply.json()) == (200, {"customers": []})


def test_a_batch_is_wrapped_as_in_the_specification_when_asked(sandbox):
    sandbox.wrapped = True

    reply = batch(app_api(sandbox), ["acme-1003"])

    assert reply.json()["customers"][0]["customer"]["id"] == "acme-1003"


@pytest.mark.parametrize(("count", "status"), [(0, 400), (1, 200), (100, 200), (101, 400)])
def test_a_batch_holds_1_to_100_ids(sandbox, count, status):
    reply = batch(app_api(sandbox), [f"pro-design-low-{n}" for n in range(count)])

    assert reply.status_code == status
    if status == 200:
        assert len(reply.json()["customers"]) == count


@pytest.mark.parametrize("ids", [None, "acme-1003", [1003]])
def test_a_batch_of_anything_but_strings_is_a_400_that_points_at_ids(sandbox, ids):
    reply = batch(app_api(sandbox), ids)

    assert reply.status_code == 400
    assert reply.json()["errors"][0]["source"] == {"pointer": "/ids"}


def test_a_prefixed_cio_id_matches_nobody(sandbox):
    cio_id = sandbox.people.find("id", "acme-1003").cio_id

    reply = batch(app_api(sandbox), [f"cio_{cio_id}", cio_id], "cio_id")

    assert [each["id"] for each in reply.json()["customers"]] == [cio_id]


def test_everyone_with_an_address_is_listed(sandbox):
    sandbox.people.add("one", email="shared@example.com")
    sandbox.people.add("two", email="Shared@example.com")

    reply = app_api(sandbox).get("customers", params={"email": "shared@example.com"})

    assert [each["id"] for each in reply.json()["results"]] == ["one", "two"]
    assert reply.json()["results"][0].keys() == {"id", "email", "cio_id"}


def test_an_address_nobody_has_is_an_empty_list(sandbox):
    reply = app_api(sandbox).get("customers", params={"email": "nobody@example.com"})

    assert (reply.status_code, reply.json()) == (200, {"results": []})


def test_the_addresses_that_webhooks_come_from_are_listed(sandbox):
    reply = app_api(sandbox).get("info/ip_addresses")

    assert "35.188.196.183" in reply.json()["ip_addresses"]


def test_the_eleventh_request_within_a_second_is_told_to_wait_one(sandbox):
    client = app_api(sandbox)

    replies = [client.get("info/ip_addresses") for _ in range(11)]

    assert [reply.status_code for reply in replies] == [200] * 10 + [429]
    assert replies[-1].headers["Retry-After"] == "1"
    assert replies[-1].json()["errors"][0]["detail"].startswith("rate limited to 10 requests")


def test_an_unknown_path_is_a_404_and_a_wrong_method_a_405(sandbox):
    client = app_api(sandbox)

    assert client.get("campaigns").status_code == 404
    assert client.delete("customers").status_code == 405


def test_a_segment_that_is_built_lists_a_part_of_its_people(sandbox):
    number = sandbox.segments.create("Trials", kind="dynamic")["id"]
    people = [sandbox.people.add(f"p{n}") for n in range(4)]
    sandbox.segments.change(number, "id", [one.id for one in people], is_member=True)
    client = app_api(sandbox)

    sandbox.segments.build(number, is_finished=False)
    assert client.get(f"segments/{number}").json()["segment"]["state"] == "build"
    assert len(client.get(f"segments/{number}/membership").json()["identifiers"]) == 2

    sandbox.segments.build(number, is_finished=True)
    assert len(client.get(f"segments/{number}/membership").json()["identifiers"]) == 4
