"""The settings as a new process reads them: what it refuses to start without, and what it derives.

Each test starts a process of its own, in which every variable is unset unless the test sets it.
"""

import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from accounts.models import Role
from briefs.models import research
from config import single_sign_on
from config.settings import env
from config.tests import reading
from providers import mavera as mave
from webhooks.models import LEASE

ROOT = Path(settings.BASE_DIR)
PRODUCTION = {
    "SECRET_KEY": "Jr4kq9Zt-of-these-tests",
    "CIO_WEBHOOK_SECRET": "3b9f-signs-these-tests",
}


def documented():
    return re.findall(r"^([A-Z][A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)


def start(names, environment):
    """Import the settings; returns the values of those named, or the traceback."""
    # Empty rather than absent: a developer's .env must not fill them in.
    unset = dict.fromkeys(documented(), "")
    return reading.read(names, {"PATH": os.environ["PATH"], **unset, **environment})


def read(*names, **environment):
    values, error = start(names, {**PRODUCTION, **environment})
    assert not error
    return values


def refusal(**environment):
    _, error = start(("DEBUG",), environment)
    return error.splitlines()[-1]


# Refusals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["SECRET_KEY", "CIO_WEBHOOK_SECRET"])
@pytest.mark.parametrize("value", ["", "  ", None])
def test_production_does_not_start_without_its_secrets_and_says_how_to_get_them(missing, value):
    given = {name: secret for name, secret in PRODUCTION.items() if name != missing}

    words = refusal(**given, **({missing: value} if value is not None else {}))

    assert f"ImproperlyConfigured: {missing} is missing. " in words
    assert "DEBUG=1 lifts this for development only" in words


def test_secret_of_commas_alone_is_none():
    assert "CIO_WEBHOOK_SECRET is missing" in refusal(**{**PRODUCTION, "CIO_WEBHOOK_SECRET": ", ,"})


@pytest.mark.parametrize(
    "key", ["x", "changeme", "only-for-development", "django-insecure-" + "k9" * 30, "ab" * 30]
)
def test_production_does_not_start_with_a_secret_key_that_can_be_guessed(key):
    words = refusal(**{**PRODUCTION, "SECRET_KEY": key})

    assert words.startswith("django.core.exceptions.ImproperlyConfigured: SECRET_KEY ")
    assert "openssl rand -base64 48" in words


def test_former_key_that_can_be_guessed_signs_nothing_either():
    words = refusal(**PRODUCTION, SECRET_KEY_FALLBACKS="a-former-key-of-length,changeme")

    assert "Of SECRET_KEY_FALLBACKS number 2 is a placeholder" in words


@pytest.mark.parametrize(
    "url",
    ["desk.example", "ftp://desk.example", "https://", "https://desk.example/x", "https://u@desk.e",
     "https://desk.example:port", "https://desk.example?x", "https://desk example", "https://*.e"],
)  # fmt: skip
def test_public_url_that_is_no_address_is_refused_in_words(url):
    assert "PUBLIC_URL must be scheme, host" in refusal(**PRODUCTION, PUBLIC_URL=url)


def test_debug_is_off_by_default_and_lifts_the_need_for_secrets():
    assert read("DEBUG") == [False]
    assert read("DEBUG", DEBUG="1", SECRET_KEY="", CIO_WEBHOOK_SECRET="") == [True]


def test_unknown_region_is_refused_in_words():
    assert refusal(**PRODUCTION, CIO_REGION="asia").endswith(
        "ImproperlyConfigured: CIO_REGION is 'asia'; it must be us or eu."
    )


def test_unknown_broker_is_refused_in_words():
    words = refusal(**PRODUCTION, BROKER_URL="amqp://user:hidden@host")

    assert "BROKER_URL begins with amqp://. Use orm:// (the database), redis://" in words
    assert "hidden" not in words


# What it reads ------------------------------------------------------------------------------------


def test_several_signing_secrets_are_separated_by_commas():
    keys = ["7f3e9c1d0b52", "c0ffee-for-signing"]

    assert read("CIO_WEBHOOK_SECRETS", CIO_WEBHOOK_SECRET=", ".join(keys) + ",") == [keys]


@pytest.mark.parametrize("secret", ["$tart", "a$b", r"\$c", "$", "x#y z'"])
def test_secret_is_taken_as_it_is(secret):
    secret += "-of-some-length"
    given = {"SECRET_KEY": secret, "CIO_WEBHOOK_SECRET": secret}
    key = secret.replace(" ", "")

    assert read(
        "SECRET_KEY", "CIO_WEBHOOK_SECRETS", "MAVERA_API_KEY", **given, MAVERA_API_KEY=key
    ) == [
        secret,
        [secret],
        key,
    ]


def test_space_between_host_names_does_not_matter():
    hosts = "localhost, 127.0.0.1"

    assert read("ALLOWED_HOSTS", "IS_PUBLIC", ALLOWED_HOSTS=hosts) == [hosts.split(", "), False]


@pytest.mark.parametrize(("hosts", "is_secure"), [("localhost", False), ("desk.example.com", True)])
def test_cookies_of_a_public_desk_travel_over_https_only(hosts, is_secure):
    secure = read("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", ALLOWED_HOSTS=hosts)

    assert secure == [is_secure, is_secure]


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, "https://api.customer.io/v1"),
        ({"CIO_REGION": "EU"}, "https://api-eu.customer.io/v1"),
        ({"CIO_APP_BASE_URL": "http://127.0.0.1:9/v1/"}, "http://127.0.0.1:9/v1"),
    ],
)
def test_app_api_is_that_of_the_region_unless_named(given, url):
    assert read("CIO_APP_BASE_URL", **given) == [url]


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, "https://track.customer.io/api/v1"),
        ({"CIO_REGION": "EU"}, "https://track-eu.customer.io/api/v1"),
        ({"CIO_TRACK_BASE_URL": "http://127.0.0.1:9/api/v1/"}, "http://127.0.0.1:9/api/v1"),
    ],
)
def test_track_api_is_that_of_the_region_unless_named(given, url):
    assert read("CIO_TRACK_BASE_URL", **given) == [url]


def test_defaults_are_those_of_one_machine():
    [database, cluster, port, mavera, age] = read(
        "DATABASES", "Q_CLUSTER", "PORT", "MAVERA_BASE_URL", "CIO_MAX_AGE_SECONDS"
    )

    assert database["default"]["NAME"] == str(ROOT / "db.sqlite3")
    assert "synchronous=FULL" in database["default"]["OPTIONS"]["init_command"]
    assert cluster["orm"] == "default"
    assert (port, mavera, age) == (8000, "https://app.mavera.io/api/v1", 0)


def test_web_server_waits_less_than_a_worker():
    def waits(**environment):
        [on_sqlite] = read("DATABASES", **environment)
        [on_postgres, cluster] = read(
            *("DATABASES", "Q_CLUSTER"),
            DATABASE_URL="postgres://u:p@db/n",
            BROKER_URL="redis://host",
            **environment,
        )
        return (
            on_sqlite["default"]["OPTIONS"]["timeout"],
            on_postgres["default"]["OPTIONS"]["connect_timeout"],
            float(cluster["redis"].rpartition("=")[2]),
        )

    for web, worker in zip(waits(SAVEDESK_PROCESS="web"), waits(), strict=True):
        assert web <= 2
        assert web < worker


def test_web_server_has_an_address_of_the_database_of_its_own_if_there_is_one():
    given = {
        "DATABASE_URL": "postgres://worker@pooler/savedesk",
        "WEB_DATABASE_URL": "postgres://web@pooler/savedesk",
    }

    [of_worker, of_web] = (
        read("DATABASES", **given, **more)[0]["default"]["USER"]
        for more in ({}, {"SAVEDESK_PROCESS": "web"})
    )

    assert (of_worker, of_web) == ("worker", "web")


# Placeholders -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "secret",
    ["not-yet", "not-yet-known-to-us", "changeme1234567890", "paste-the-key-here",
     "CHANGEME", "change_me", "secret", "your-signing-key-here", "<signing key>",
     "xxxxxxxx", "TODO", "example", "signing-secret", "demo-signing-key", "Kq7-zW2",
     "aaaaaaaaaaaaaaaaaaaa"],
)  # fmt: skip
def test_placeholder_starts_and_verifies_nothing(secret):
    keys, refused = read(
        *("CIO_WEBHOOK_SECRETS", "CIO_WEBHOOK_SECRETS_REFUSED"), CIO_WEBHOOK_SECRET=secret
    )

    assert keys == []
    assert [words.split(maxsplit=2)[:2] for words in refused] == [["number", "1"]]


@pytest.mark.parametrize("key", ["7f3e9c1d0b52", "x7Kq2mW9sPzL", "b" * 8 + "3f9c1d0e" * 7])
def test_key_that_a_program_made_is_used(key):
    assert read("CIO_WEBHOOK_SECRETS", CIO_WEBHOOK_SECRET=f"not-yet,{key}") == [[key]]


def test_former_keys_are_read_from_the_environment():
    former = ["k1-9f83ac20b7d4e6", "k2-0a1b2c3d4e5f67"]

    assert read("SECRET_KEY_FALLBACKS", SECRET_KEY_FALLBACKS=", ".join(former)) == [former]
    assert read("SECRET_KEY_FALLBACKS") == [[]]


# The public address -------------------------------------------------------------------------------

PUBLIC = {"PUBLIC_URL": "https://Desk.example:8443/"}
COOKIES = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE")


def test_public_url_is_allowed_and_trusted_with_its_port():
    url, hosts, origins = read("PUBLIC_URL", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", **PUBLIC)

    assert url == "https://desk.example:8443"
    assert hosts == ["localhost", "127.0.0.1", "[::1]", "desk.example"]
    assert url in origins


def test_host_that_is_allowed_already_is_not_added():
    given = {"PUBLIC_URL": "https://desk.example:443", "ALLOWED_HOSTS": ".example"}

    [url, hosts, origins] = read("PUBLIC_URL", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", **given)

    assert (url, hosts) == ("https://desk.example", [".example"])
    assert origins == ["https://*.example", "https://desk.example"]


@pytest.mark.parametrize(
    ("url", "is_secure", "is_remembered"),
    [
        ("https://desk.example", True, True),
        ("https://desk.example:8443", True, False),  # other ports may be other services
        ("http://desk.example", False, False),
        ("", False, False),
    ],
)
def test_browsers_keep_to_https_where_the_public_address_is_https(url, is_secure, is_remembered):
    session, csrf, seconds = read(*COOKIES, "SECURE_HSTS_SECONDS", PUBLIC_URL=url)

    assert (session, csrf, bool(seconds)) == (is_secure, is_secure, is_remembered)


# What must fit together ---------------------------------------------------------------------------


def test_call_ends_before_its_task_and_that_before_its_lease_and_that_before_the_next_delivery():
    cluster = settings.Q_CLUSTER["ALT_CLUSTERS"]["research"]

    assert (
        timedelta(seconds=mave.DEADLINE_SECONDS)
        < timedelta(seconds=cluster["timeout"])
        < research.LEASE
        < timedelta(seconds=cluster["retry"])
    )
    assert cluster["queue_limit"] == 1


def test_drain_ends_before_its_lease_and_that_before_the_next_delivery():
    cluster = settings.Q_CLUSTER

    assert timedelta(seconds=cluster["timeout"]) < LEASE < timedelta(seconds=cluster["retry"])
    # Counted from the dequeue, while a task waits behind others in the worker's own queue.
    assert cluster["retry"] > cluster["timeout"] * cluster["queue_limit"]


def test_django_q_never_retries_by_itself_and_runs_the_schedules():
    cluster = settings.Q_CLUSTER

    assert (cluster["ack_failures"], cluster["max_attempts"]) == (True, 1)
    assert (cluster["name"], cluster["catch_up"]) == ("default", False)


def test_bad_name_of_a_proxy_does_not_start():
    said = refusal(**PRODUCTION, TRUSTED_PROXIES="127.0.0.1, the-proxy")

    assert "TRUSTED_PROXIES: 'the-proxy' does not appear to be" in said


# Names --------------------------------------------------------------------------------------------


def test_env_example_names_every_variable_that_the_settings_read_and_no_other():
    assert set(documented()) == set(env.known)
    assert len(documented()) == len(set(documented()))


def test_documents_name_no_variable_that_is_not_read():
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    text = "".join(path.read_text() for path in documents)

    named = set(re.findall(r"\b((?:CIO|MAVERA|OIDC)_[A-Z_]+|[A-Z_]+_URL)\b", text))

    misspelt = {"CIO_APPKEY", "DATABSE_URL"}  # as examples of names that are told
    assert named - misspelt <= set(env.known)


def test_tests_set_every_variable_themselves():
    source = (ROOT / "config" / "settings_test.py").read_text()

    assert set(re.findall(r"^    ([A-Z_]+)=", source, re.MULTILINE)) == set(documented())


def test_values_in_env_example_are_the_defaults():
    lines = re.findall(r"^([A-Z][A-Z_]+)=(.+)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    names = [name for name, _ in lines]

    assert read(*names, **dict(lines)) == read(*names)


# Single sign-on -----------------------------------------------------------------------------------

PROVIDER = {
    "OIDC_ISSUER": "https://id.example",
    "OIDC_CLIENT_ID": "savedesk",
    "OIDC_CLIENT_SECRET": "shared",
}


def test_roles_of_groups_are_read():
    given = "cn=Leads=Lead, retention = Agent"

    assert read("OIDC_ROLES", "OIDC_ISSUER", **PROVIDER, OIDC_ROLES=given) == [
        {"cn=Leads": "Lead", "retention": "Agent"},
        "https://id.example",
    ]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"OIDC_CLIENT_SECRET": ""}, "OIDC_CLIENT_SECRET must be set too"),
        ({"OIDC_ISSUER": ""}, "OIDC_ISSUER must be set too"),
        ({"OIDC_ISSUER": "http://id.example"}, "must be an address that begins with https://"),
        ({"OIDC_ISSUER": "id.example"}, "OIDC_ISSUER has no scheme. Write it like https://"),
        ({"OIDC_ISSUER": "https://id.example/.well-known/openid-configuration"}, "must end before"),
        ({"OIDC_ROLES": "leads=Boss"}, "OIDC_ROLES: 'leads=Boss' is not a group and a role"),
        ({"OIDC_ROLES": "=Lead"}, "OIDC_ROLES"),
        ({"OIDC_ROLES": "a=Lead,a=Viewer"}, "OIDC_ROLES gives the group 'a' two roles"),
    ],
)
def test_single_sign_on_that_cannot_work_does_not_start(wrong, said):
    assert said in refusal(**{**PRODUCTION, **PROVIDER, **wrong})


def test_role_names_are_those_of_accounts():
    assert list(single_sign_on.ROLES) == Role.values


def test_token_of_the_metrics_that_is_none_does_not_start():
    assert "METRICS_TOKEN is a placeholder" in refusal(**PRODUCTION, METRICS_TOKEN="changeme")
