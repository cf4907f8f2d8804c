"""The App API client, over HTTP: shapes, identifiers, refusals, and its time budget."""

import time
import traceback
from unittest.mock import Mock
from urllib.parse import quote

import pytest

from providers import customerio, http
from providers.customerio import AppApi, BadRequest, LookupFailed
from sandbox.server import Sandbox
from sandbox.wire import Reply, json_reply

BATCH, ONE, BY_EMAIL = "customers/attributes", "customers/attributes", "customers"


@pytest.fixture
def api(sandbox):
    return AppApi()


@pytest.fixture
def scripted(settings):
    """A sandbox that gives the replies of `scripted.replies` first."""

    class Scripted(Sandbox):
        def handle(self, request):
            return self.replies.pop(0) if self.replies else super().handle(request)

    with Scripted() as running:
        running.replies = []
        settings.CIO_APP_BASE_URL = running.cio_base_url
        settings.CIO_APP_KEY = running.cio_key
        yield running


# People -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_wrapped", [False, True])
def test_batch_is_read_flat_and_wrapped(sandbox, api, is_wrapped):
    sandbox.wrapped = is_wrapped

    ruth, sofia = api.profiles("id", ["acme-1003", "nobody", "acme-1010"])

    assert (ruth.id, ruth.email) == ("acme-1003", "ruth.adeyemi@example.com")
    assert ruth.cio_id == sandbox.people.find("id", "acme-1003").cio_id
    assert ruth.attributes["plan"] == "enterprise"
    assert ruth.is_unsubscribed is False
    assert ruth.devices[0]["platform"] == "android"
    assert ruth.preferences["topics"] == {"topic_1": True, "topic_2": False}
    assert sofia.attributes["plan"] == "trial"


def test_hundred_people_are_one_request(sandbox, api):
    ids = [f"pro-design-low-{number}" for number in range(customerio.BATCH_SIZE)]

    profiles = api.profiles("id", ids)

    assert [profile.id for profile in profiles] == ids
    [request] = sandbox.requests
    assert (request.path, request.query) == ("/v1/customers/attributes", {"id_type": "id"})


def test_person_is_found_alone(api):
    profile = api.profile("id", "acme-1003")

    assert (profile.id, profile.attributes["industry"]) == ("acme-1003", "healthcare")


def test_nobody_is_none(api):
    assert api.profile("id", "nobody") is None
    assert api.profiles("id", ["nobody"]) == []


@pytest.mark.parametrize(
    "person_id", ["a/b c", "a+b@example.com", "50%", "a?b=c&d#e", "ä ö", "%2F", "a//b", ";,:"]
)
def test_odd_id_is_percent_encoded(sandbox, api, person_id):
    sandbox.people.add(person_id, attributes={"plan": "pro"})

    profile = api.profile("id", person_id)

    assert (profile.id, profile.attributes["plan"]) == (person_id, "pro")
    assert sandbox.requests[0].path == f"/v1/customers/{quote(person_id, safe='')}/attributes"


def test_everybody_with_an_address_is_listed(sandbox, api):
    sandbox.people.add("one", email="a+b@example.com", cio_id="cio_1")
    sandbox.people.add("two", email="a+b@example.com", cio_id="2")

    assert api.cio_ids_of("a+b@example.com") == ["1", "2"]
    assert api.cio_ids_of("nobody@example.com") == []


# The prefix of cio_ids --------------------------------------------------------------------------


def test_prefix_is_left_out_of_a_batch(sandbox, api):
    cio_id = sandbox.people.find("id", "acme-1003").cio_id

    [profile] = api.profiles("cio_id", [f"cio_{cio_id}"])

    assert (profile.id, profile.cio_id) == ("acme-1003", cio_id)


def test_id_that_looks_like_a_prefixed_cio_id_stays_as_it_is(sandbox, api):
    sandbox.people.add("cio_77")

    assert [profile.id for profile in api.profiles("id", ["cio_77"])] == ["cio_77"]


def test_one_person_is_asked_for_without_the_prefix_and_then_with_it(sandbox, api):
    sandbox.people.add("p", cio_id="cio_77")

    profile = api.profile("cio_id", "77")

    assert (profile.id, profile.cio_id) == ("p", "77")
    assert [request.path.split("/")[3] for request in sandbox.requests] == ["77", "cio_77"]


# What a profile holds ---------------------------------------------------------------------------


def profile_from(scripted, **customer):
    scripted.replies = [json_reply({"customers": [customer]})]
    [profile] = AppApi().profiles("id", ["1"])
    return profile


def test_attributes_are_text_and_absent_ones_left_out(scripted):
    profile = profile_from(
        scripted, attributes={"seats": 12, "vip": True, "tags": ["a"], "gone": None, "plan": "pro"}
    )

    assert profile.attributes == {"seats": "12", "vip": "true", "tags": '["a"]', "plan": "pro"}


def test_identifiers_count_more_than_attributes_unless_they_are_empty(scripted):
    profile = profile_from(
        scripted,
        id="whatever was asked for",
        attributes={"id": "old", "email": "a@example.com", "cio_id": "cio_1"},
        identifiers={"id": "new", "email": None},
    )

    assert (profile.cio_id, profile.id, profile.email) == ("1", "new", "a@example.com")


def test_empty_person_is_a_profile_of_nobody(scripted):
    profile = profile_from(scripted, attributes=None, devices="none", unsubscribed="no")

    assert (profile.cio_id, profile.id, profile.email) == ("", "", "")
    assert (profile.attributes, profile.devices, profile.is_unsubscribed) == ({}, [], None)


@pytest.mark.parametrize("person", [{"customer": None}, {"customer": "x"}, {}])
def test_hollow_item_of_a_batch_is_nobody(scripted, person):
    scripted.replies = [json_reply({"customers": [person, "x", None]})]

    assert [profile.id for profile in AppApi().profiles("id", ["1"])] == [""]


def test_what_a_database_refuses_is_taken_out(scripted):
    body = b"""{"customers": [{"attributes": {"plan\\u0000": "pro\\u0000", "name": "\\ud800"},
                "identifiers": {"email": "a\\u0000@example.com"},
                "devices": [{"id": "\\u0000x", "last_used": 1e999}]}]}"""
    scripted.replies = [Reply(body=body)]

    [profile] = AppApi().profiles("id", ["1"])

    assert profile.attributes == {"plan": "pro", "name": "\ufffd"}
    assert profile.email == "a@example.com"
    assert profile.devices == [{"id": "x", "last_used": None}]


# Refusals and failures --------------------------------------------------------------------------


def failure_of(ask):
    with pytest.raises(LookupFailed) as caught:
        ask()
    return caught.value


def test_malformed_request_is_a_bad_request(sandbox, api):
    sandbox.email_is_identifier = False

    for ask in (api.profiles, api.profile):
        given = ["a@example.com"] if ask == api.profiles else "a@example.com"
        error = failure_of(lambda ask=ask, given=given: ask("email", given))
        assert isinstance(error, BadRequest)
        assert error.is_permanent


def test_refused_key_needs_a_person_and_says_what_to_check(sandbox, api):
    sandbox.cio_key = "another"

    error = failure_of(lambda: api.profiles("id", ["1"]))

    assert error.is_permanent
    assert str(error).startswith("Customer.io's App API answered 401: check CIO_APP_KEY")


@pytest.mark.parametrize(
    ("status", "is_permanent"),
    [(402, True), (403, True), (405, True), (301, False), (408, False), (500, False), (503, False)],
)
def test_only_a_refusal_of_the_request_is_permanent(scripted, status, is_permanent):
    scripted.replies = [Reply(status=status)]

    error = failure_of(lambda: AppApi().profiles("id", ["1"]))

    assert error.is_permanent is is_permanent
    assert str(status) in str(error)


def test_batch_that_is_not_found_means_a_wrong_address(settings, sandbox):
    settings.CIO_APP_BASE_URL = f"{sandbox.url}/v1/v1"

    error = failure_of(lambda: AppApi().profiles("id", ["1"]))

    assert error.is_permanent
    assert "check CIO_APP_BASE_URL" in str(error)


def test_rate_limit_is_waited_for_if_there_is_time(sandbox, api, monkeypatch):
    waits = []
    monkeypatch.setattr(customerio, "time", Mock(wraps=time, sleep=waits.append))
    sandbox.faults.add(BATCH, "429", retry_after=1)
    sandbox.faults.add(BATCH, "429", retry_after=0)

    [profile] = api.profiles("id", ["acme-1003"])

    assert profile.id == "acme-1003"
    assert waits == [1.0, 1.0]


@pytest.mark.parametrize("retry_after", [30, None])
def test_rate_limit_beyond_the_budget_is_a_failure_that_says_how_long(sandbox, api, retry_after):
    sandbox.faults.add(BATCH, "429", retry_after=retry_after)

    error = failure_of(lambda: api.profiles("id", ["1"]))

    assert (error.retry_after, error.is_permanent) == (retry_after, False)
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("500", "answered 500"),
        ("drop", "the connection broke"),
        ("html", "not a JSON object"),
        ("empty", "not a JSON object"),
        ("truncated", "the answer broke off"),
    ],
)
def test_spoilt_answer_is_a_failure_in_words(sandbox, api, fault, words):
    sandbox.faults.add(BATCH, fault)

    error = failure_of(lambda: api.profiles("id", ["acme-1003"]))

    assert words in str(error)
    assert not error.is_permanent


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"customers": {}}', b'{"customer": []}', b"7"])
@pytest.mark.parametrize(
    "ask",
    [
        lambda: AppApi().profiles("id", ["1"]),
        lambda: AppApi().profile("id", "1"),
        lambda: AppApi().cio_ids_of("a@example.com"),
    ],
    ids=["batch", "one", "by e-mail"],
)
def test_answer_of_another_shape_is_a_failure_and_not_nobody(scripted, ask, body):
    scripted.replies = [Reply(body=body)]

    assert str(failure_of(ask)).startswith("Customer.io answered")


@pytest.mark.parametrize("depth", [980, 5_000, 100_000])
def test_deeply_nested_answer_is_a_failure(scripted, depth):
    scripted.replies = [Reply(body=b'{"customers": ' + b"[" * depth + b"]" * depth + b"}")]

    assert "not a JSON object" in str(failure_of(lambda: AppApi().profiles("id", ["1"])))


def test_results_that_name_no_person_are_left_out(scripted):
    scripted.replies = [json_reply({"results": [None, "x", {"cio_id": None}, {"cio_id": "1"}]})]

    assert AppApi().cio_ids_of("a@example.com") == ["1"]


# Time -------------------------------------------------------------------------------------------


def test_whole_look_up_has_three_seconds():
    before = time.monotonic()

    deadline = AppApi()._deadline

    assert before + 3 <= deadline <= time.monotonic() + 3


def test_hanging_answer_is_given_up_within_the_budget(sandbox):
    sandbox.faults.add(BATCH, "hang")
    started = time.monotonic()

    error = failure_of(lambda: AppApi(budget_seconds=0.3).profiles("id", ["1"]))

    assert time.monotonic() - started < 50  # the answer would take a minute
    assert str(error) == "Customer.io's App API: no complete answer within 0.3 s"


def test_requests_of_one_look_up_share_the_budget(sandbox, monkeypatch):
    given = []
    send = http.send
    monkeypatch.setattr(
        http, "send", lambda *args, **kw: given.append(kw["seconds"]) or send(*args, **kw)
    )
    api = AppApi(budget_seconds=60)
    sandbox.faults.add(BY_EMAIL, "hang", seconds=0.5)

    failure_of(lambda: api.cio_ids_of("a@example.com"))
    api.profile("id", "acme-1003")

    first, second = given
    assert second <= first - 0.5


def test_nothing_is_sent_once_the_time_is_used_up(sandbox):
    error = failure_of(lambda: AppApi(budget_seconds=0).profiles("id", ["acme-1003"]))

    assert "used up" in str(error)
    assert sandbox.requests == []


# The key ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["401", "429", "500", "drop", "html", "truncated", "hang"])
def test_key_is_in_no_message(sandbox, fault):
    sandbox.faults.add(BATCH, fault, retry_after=30)

    error = failure_of(lambda: AppApi(budget_seconds=0.2).profiles("id", ["1"]))

    told = repr(error) + "".join(traceback.format_exception(error))
    assert sandbox.cio_key not in told


def test_key_is_in_no_repr(settings):
    settings.CIO_APP_KEY = "a-secret"

    assert "a-secret" not in repr(AppApi()) + str(AppApi())


def test_key_that_no_header_can_carry_is_a_failure_that_does_not_quote_it(sandbox, settings):
    settings.CIO_APP_KEY = "schlüssel–"

    error = failure_of(lambda: AppApi().profiles("id", ["1"]))

    assert "check address and key" in str(error)
    assert "schlüssel" not in "".join(traceback.format_exception(error))


def test_client_without_a_key_is_not_configured(settings):
    settings.CIO_APP_KEY = ""

    assert not AppApi().is_configured
