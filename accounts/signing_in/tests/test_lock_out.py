"""How many wrong passwords lock whom, for how long, and what does not evade the count."""

import re

import pytest
from axes.models import AccessAttempt
from django.urls import reverse

from accounts.signing_in.names import plain
from webhooks.tests.clock import clock

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.on_sqlite,  # django-axes counts, and it is tested on both
    pytest.mark.begins_at("2026-12-01T12:00"),
]

DIGITS = re.compile(r"\d")
OFFICE, STRANGER = "203.0.113.9", "198.51.100.7"
PASSWORD = "a-long-password"


@pytest.fixture
def sign_in(client):
    def post(name, password="", address=STRANGER, path="/login/", **headers):
        form = {"username": name, "password": password or "wrong"}
        return client.post(
            path, form, REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR=address, **headers
        )

    return post


def guess(sign_in, count, name, **how):
    return [sign_in(name, **how).status_code for _ in range(count)]


def addresses(count):
    return [f"198.51.100.{number}" for number in range(1, count + 1)]


def is_in(response):
    return response.status_code == 302


def test_ten_wrong_passwords_of_a_stranger_do_not_lock_the_lead_out(lead, sign_in):
    assert guess(sign_in, 11, "lee") == [200] * 9 + [429] * 2

    assert sign_in("lee", PASSWORD).status_code == 429
    assert is_in(sign_in("lee", PASSWORD, address=OFFICE))


def test_one_address_cannot_try_many_names(lead, sign_in):
    statuses = [sign_in(f"name-{number}").status_code for number in range(31)]

    assert statuses == [200] * 29 + [429] * 2
    assert sign_in("lee", PASSWORD).status_code == 429


def test_all_addresses_of_an_ipv6_network_are_one(lead, sign_in):
    places = [f"2001:db8:1:2::{number:x}" for number in range(1, 31)]

    statuses = [sign_in(f"name-{n}", address=place).status_code for n, place in enumerate(places)]

    assert statuses == [200] * 29 + [429]
    assert sign_in("lee", PASSWORD, address="2001:db8:1:2:ffff::1").status_code == 429
    assert is_in(sign_in("lee", PASSWORD, address="2001:db8:1:3::1"))


def test_many_addresses_cannot_guess_one_name(lead, sign_in):
    for address in addresses(12):
        guess(sign_in, 9, "lee", address=address)

    assert sign_in("lee", PASSWORD, address="198.51.100.200").status_code == 429


@pytest.mark.parametrize("name", ["lee", "Lee", "Ömer Groß"])
def test_person_may_still_sign_in_from_where_they_did_before(client, lead, sign_in, name):
    lead.username = name
    lead.save()
    assert is_in(sign_in(name, PASSWORD, address=OFFICE))
    client.logout()
    # As many as the test above makes by the page, without asking for it a hundred times.
    AccessAttempt.objects.bulk_create(
        AccessAttempt(
            username=plain(name), ip_address=address, user_agent="", failures_since_start=9
        )
        for address in addresses(12)
    )

    assert is_in(sign_in(name, PASSWORD, address=OFFICE))
    client.logout()
    assert sign_in(name, PASSWORD, address="198.51.100.200").status_code == 429


@pytest.mark.parametrize("other", ["LEE", "Lee", " lee", "lee ", "ｌee", "lee@example.com"])
def test_other_spelling_and_mail_address_are_the_same_name(lead, sign_in, other):
    guess(sign_in, 9, other)

    assert sign_in("lee").status_code == 429


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_USER_AGENT": "another"},
        {"HTTP_X_REAL_IP": "1.1.1.1"},
        {"HTTP_CLIENT_IP": "1.1.1.1"},
        {"HTTP_FORWARDED": "for=1.1.1.1"},
        {"address": f"1.1.1.1, {STRANGER}"},
    ],
)
def test_header_that_anybody_may_send_evades_nothing(lead, sign_in, headers):
    guess(sign_in, 9, "lee")

    assert sign_in("lee", **headers).status_code == 429


def test_web_server_behind_a_unix_socket_counts_as_well(client, lead):
    form = {"username": "lee", "password": "wrong"}
    for _ in range(10):
        last = client.post("/login/", form, REMOTE_ADDR="")

    assert last.status_code == 429


def test_admin_takes_no_password_of_its_own(lead, sign_in):
    response = sign_in("lee", PASSWORD, path="/admin/login/")

    assert response.headers["Location"] == "/login/?next=/admin/"


def test_right_password_of_ones_own_does_not_hide_tries_of_other_names(client, user, lead, sign_in):
    for number in range(29):
        sign_in(f"name-{number}")
    assert is_in(sign_in("robin", PASSWORD))
    client.logout()

    assert sign_in("one-more").status_code == 429


def test_right_password_forgets_the_wrong_ones_before_it(client, lead, sign_in):
    guess(sign_in, 9, "lee")
    sign_in("lee", PASSWORD)
    client.logout()

    assert guess(sign_in, 9, "lee") == [200] * 9


def test_lock_ends_when_the_page_said_and_trying_does_not_prolong_it(lead, sign_in):
    guess(sign_in, 10, "lee")
    clock.set("2026-12-01T12:10:30")
    page = sign_in("lee", PASSWORD)
    assert "in 5 minutes" in page.content.decode()
    assert "12:15 UTC" in page.content.decode()
    assert page["Retry-After"] == "300"
    clock.set("2026-12-01T12:16")

    assert is_in(sign_in("lee", PASSWORD))


def test_page_names_nobody_and_says_whom_to_ask(lead, sign_in):
    guess(sign_in, 9, "lee")
    page = sign_in("lee").content.decode()

    assert "ask a lead" in page
    assert "lee" not in page.replace("sleep", "")
    assert "example.com" not in page


def test_unknown_name_is_locked_like_a_known_one(lead, sign_in):
    known = [sign_in("lee", address=OFFICE) for _ in range(11)]
    unknown = [sign_in("nobody") for _ in range(11)]

    assert [one.status_code for one in known] == [one.status_code for one in unknown]
    assert DIGITS.sub("", known[-1].content.decode()) == DIGITS.sub(
        "", unknown[-1].content.decode()
    )


def test_lead_unlocks_a_name(client, lead, user, sign_in):
    guess(sign_in, 10, "robin")
    client.force_login(lead)
    assert "robin" in client.get(reverse("accounts:sign_in_policy")).content.decode()

    client.post(reverse("accounts:unlock"), {"name": "robin"})
    client.logout()
    assert is_in(sign_in("robin", PASSWORD))


def test_agent_unlocks_nobody(signed_in, lead, sign_in):
    AccessAttempt.objects.create(
        username="lee", ip_address=STRANGER, user_agent="", failures_since_start=10
    )

    assert signed_in.post(reverse("accounts:unlock"), {"name": "lee"}).status_code == 403
    assert AccessAttempt.objects.exists()


def test_locked_address_still_delivers_webhooks_and_reads_probes(client, lead, sign_in):
    guess(sign_in, 10, "lee")

    where = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": STRANGER}
    assert client.get("/livez", **where).status_code == 200
    assert (
        client.post("/webhooks/customerio/", b"{}", "application/json", **where).status_code == 401
    )
