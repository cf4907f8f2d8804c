"""With an HTTPS address as PUBLIC_URL: who is sent there, who may sign in, what checks say."""

import os
import re
import subprocess
import sys

import pytest
from django.conf import settings as project
from django.test import Client

from webhooks.tests.sending import post

URL = "https://desk.example:8443"
PROXIED = {"Host": "desk.example", "X-Forwarded-Proto": "https"}  # as nginx sends it: no port


@pytest.fixture
def public(settings):
    """What the settings derive from PUBLIC_URL; config/tests/test_settings.py reads them."""
    settings.PUBLIC_URL = URL
    settings.ALLOWED_HOSTS = ["localhost", "desk.example"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://desk.example", URL]
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True


def get(path, **headers):
    return Client().get(path, headers=headers)


# Redirects ----------------------------------------------------------------------------------------


def test_browser_that_comes_by_http_is_sent_to_the_public_address(public):
    response = get("/login/?next=/insights/", Host="desk.example")

    assert (response.status_code, response["Location"]) == (302, f"{URL}/login/?next=/insights/")


@pytest.mark.django_db
@pytest.mark.usefixtures("threadless_receiver")
@pytest.mark.parametrize("path", ["/webhooks/customerio/", "/webhooks/customerio"])
def test_webhook_by_http_is_stored_and_never_redirected(public, path, monkeypatch):
    monkeypatch.setattr("webhooks.tests.sending.URL", path)

    response = post(
        {"event_id": "e1", "metric": "sent", "object_type": "email"}, Host="desk.example"
    )

    assert (response.status_code, response.json()) == (200, {"status": "stored"})


def test_probe_by_http_is_answered(public):
    assert get("/livez", Host="desk.example").status_code == 200


@pytest.mark.django_db
def test_name_of_this_machine_is_not_redirected(public):
    assert get("/login/", Host="localhost:8000").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("said", ["https", "HTTPS", "https, http"])
def test_whoever_came_by_https_is_not_sent_in_circles(public, settings, said):
    settings.SECURE_PROXY_SSL_HEADER = None  # the proxy that says so is not trusted

    response = get("/login/", Host="desk.example", X_Forwarded_Proto=said)

    assert response.status_code == 200


@pytest.mark.django_db
def test_nobody_is_redirected_without_a_public_https_address(settings):
    settings.ALLOWED_HOSTS = ["desk.example"]

    for url in ("", "http://desk.example"):
        settings.PUBLIC_URL = url
        assert get("/login/", Host="desk.example").status_code == 200


def test_redirect_is_decided_right_behind_the_receiver(settings):
    assert settings.MIDDLEWARE[1:3] == [
        "webhooks.middleware.ReceiverMiddleware",
        "config.https.RedirectMiddleware",
    ]


# Signing in ---------------------------------------------------------------------------------------


def sign_in(origin):
    client = Client(enforce_csrf_checks=True, headers=PROXIED)
    form = client.get("/login/").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)[1]
    fields = {"username": "robin", "password": "a-long-password", "csrfmiddlewaretoken": token}
    return client.post("/login/", fields, headers={"Origin": origin})


@pytest.mark.django_db
def test_somebody_can_sign_in_where_https_is_on_another_port(public, user):
    assert sign_in(URL).status_code == 302
    assert sign_in("https://desk.example:9443").status_code == 403


# Django's checks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["https://desk.example", URL])
def test_check_deploy_finds_nothing_where_the_settings_are_as_documented(url):
    environment = {
        **{name: os.environ[name] for name in ("PATH", "DATABASE_URL")},
        "SECRET_KEY": "q9Zt2Jr4" * 4 + "-of-the-check-of-a-deployment-only",
        "CIO_WEBHOOK_SECRET": "5d1f7a3b0c9e5d1f7a3b0c9e",
        "PUBLIC_URL": url,
        "DEBUG": "0",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }

    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=project.BASE_DIR, env=environment, capture_output=True, text=True,
    )  # fmt: skip

    said = done.stdout + done.stderr
    assert re.fullmatch(r"System check identified no issues \(\d silenced\)\.\n", said), said
