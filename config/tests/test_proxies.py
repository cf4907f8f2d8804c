"""Whose word about addresses and HTTPS is believed, and what the web server really hands over."""

import logging

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.test import RequestFactory

from config.proxies import NOWHERE, ProxyMiddleware, networks

CLIENT, STRANGER = "203.0.113.9", "198.51.100.7"


def seen(peer, **headers):
    """The request as the views see it."""
    request = RequestFactory().get("/", REMOTE_ADDR=peer, **headers)
    ProxyMiddleware(lambda request: HttpResponse())(request)
    return request


def client_of(peer, forwarded):
    return seen(peer, HTTP_X_FORWARDED_FOR=forwarded).META["REMOTE_ADDR"]


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_proxy_on_the_same_machine_is_believed(peer):
    assert client_of(peer, CLIENT) == CLIENT


@pytest.mark.parametrize("peer", [STRANGER, f"::ffff:{STRANGER}"])
def test_nobody_else_is_believed(peer):
    assert client_of(peer, CLIENT) == STRANGER


@pytest.mark.parametrize("peer", ["", "unix:"])
def test_peer_without_an_address_is_one_and_not_believed(peer):
    assert client_of(peer, CLIENT) == str(NOWHERE)


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (f"1.1.1.1, {CLIENT}", CLIENT),
        (f"1.1.1.1, {CLIENT}, 10.0.0.3, 127.0.0.1", CLIENT),
        ("10.0.0.4, 10.0.0.3", "10.0.0.4"),
        (f"{CLIENT}:5123", CLIENT),
        ("[2001:db8::9]:5123", "2001:db8::9"),
        (f"{CLIENT}, unknown", "10.0.0.2"),
        (f"{CLIENT}, unknown, 10.0.0.3", "10.0.0.3"),
        ("", "10.0.0.2"),
    ],
)
def test_client_is_the_right_most_address_that_is_no_proxy(settings, forwarded, client):
    settings.TRUSTED_PROXIES = ["127.0.0.0/8", "10.0.0.0/24"]

    assert client_of("10.0.0.2", forwarded) == client


def test_https_is_believed_of_a_proxy_only():
    https = {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_HOST": "evil.example"}

    assert seen("127.0.0.1", **https).is_secure()
    untrusted = seen(STRANGER, **https)
    assert not untrusted.is_secure()
    assert "HTTP_X_FORWARDED_HOST" not in untrusted.META


def test_ignored_header_is_told_once(caplog):
    middleware = ProxyMiddleware(lambda request: HttpResponse())

    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            middleware(RequestFactory().get("/", REMOTE_ADDR=STRANGER, HTTP_X_FORWARDED_FOR=CLIENT))

    assert caplog.messages == [f"X-Forwarded-For ignored: {STRANGER} is not in TRUSTED_PROXIES"]


@pytest.mark.parametrize("name", ["proxy.local", "10.0.0.5/24", "10.0.0", "*"])
def test_bad_name_does_not_start(name):
    with pytest.raises(ImproperlyConfigured, match=r"^TRUSTED_PROXIES: .*10\.0\.0\.0/24"):
        networks([name])
