"""Names that are like ours are told with the one that was meant; other programs' names are not."""

import pytest

from config import suspicions
from config.environment import Environment
from config.settings import env


def found(lines=(), **given):
    """What is suspicious about these variables, of which some may be lines of .env."""
    lines = dict(enumerate(lines, 1))
    one = Environment({**dict(lines.values()), **given}, lines)
    one.known = env.known
    return suspicions.found(one)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("CIO_APPKEY", "CIO_APP_KEY"),
        ("MAVERA_APIKEY", "MAVERA_API_KEY"),
        ("DATABSE_URL", "DATABASE_URL"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("database_url", "DATABASE_URL"),
        ("SECRET_KY", "SECRET_KEY"),
        ("DJANGO_SECRET_KEY", "SECRET_KEY"),
        ("SAVEDESK_DATABASE_URL", "DATABASE_URL"),
        ("ALLOWED_HOST", "ALLOWED_HOSTS"),
        ("TRUSTED_PROXY", "TRUSTED_PROXIES"),
        ("PUBLC_URL", "PUBLIC_URL"),
        ("PROT", "PORT"),
        ("DEUBG", "DEBUG"),
        ("MAVERA_KEY", "MAVERA_API_KEY"),
        ("CIO_SECRET", "CIO_WEBHOOK_SECRET"),
        ("OIDC_RP_CLIENT_ID", "OIDC_CLIENT_ID"),
    ],
)
def test_name_like_one_of_ours_is_told_with_the_nearest(name, near):
    [words] = found(**{name: "hunter2"})

    assert words == f"{name} is no variable of Savedesk. Did you mean {near}?"


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "HOME", "HOST", "SORT", "POST", "PORTS", "debug", "port", "DEBUGGER", "TZ"),
        *("TEST_DATABASE_URL", "CELERY_BROKER_URL", "DATABASE_USER", "DATABASE_NAME", "DB_URL"),
        *("REDIS_URL", "EMAIL_HOST", "MAIL_FROM", "PUBLIC_IP", "SECRET_KEY_BASE", "API_KEY"),
        *("AWS_REGION", "OCI_REGION", "GEO_REGION", "AWS_SECRET_ACCESS_KEY", "PGHOST"),
        *("DJANGO_SETTINGS_MODULE", "DJANGO_SUPERUSER_PASSWORD", "Q_CLUSTER_NAME"),
        *("SAVEDESK_PROCESS", "SAVEDESK_PORT", "SAVEDESK_SERVICE_HOST", "SAVEDESK_PORT_8000_TCP"),
        *("LOG_DIR", "HTTP_PROXY", "NO_PROXY", "GUNICORN_CMD_ARGS", "CIRCLE_OIDC_TOKEN"),
    ],
)
def test_name_of_another_program_is_not_told(name):
    assert found(**{name: "1"}) == []


def test_names_of_ours_are_not_told():
    assert found(**dict.fromkeys(env.known, "k7-value-of-some-length")) == []


def test_empty_variable_does_nothing_and_is_not_told():
    assert found(CIO_APPKEY=" ") == []


def test_file_with_a_secret_is_not_read():
    assert found(SECRET_KEY_FILE="/run/secrets/key") == [
        "SECRET_KEY_FILE is not read: put the value itself into SECRET_KEY."
    ]


def test_line_of_the_file_is_named_and_short_names_in_it_are_ours():
    said = found([("PORT", "8000"), ("PORTS", "8001"), ("CIO_APPKEY", "hunter2")])

    assert said == [
        "PORTS (line 2 of .env) is no variable of Savedesk. Did you mean PORT?",
        "CIO_APPKEY (line 3 of .env) is no variable of Savedesk. Did you mean CIO_APP_KEY?",
    ]


def test_variable_that_stands_twice_in_the_file_is_told():
    assert found([("CIO_APP_KEY", ""), ("CIO_APP_KEY", "k7-of-the-workspace")]) == [
        "CIO_APP_KEY stands 2 times in .env, and the last line counts. Keep one."
    ]


def test_comment_behind_a_value_belongs_to_it():
    lines = [("SECRET_KEY", "hunter2-and-more  # keep it"), ("CIO_WEBHOOK_SECRET", "'a # b'")]

    [words] = found(lines)

    assert words.startswith("Line 1 of .env: what follows the # belongs to the value of SECRET_KEY")
    assert "hunter2" not in words


def test_api_key_that_is_a_placeholder_is_told():
    assert found(MAVERA_API_KEY="your-key-here", CIO_APP_KEY="changeme") == [
        "CIO_APP_KEY is a placeholder: the service will refuse it. Copy the key into it.",
        "MAVERA_API_KEY is a placeholder: the service will refuse it. Copy the key into it.",
    ]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"OIDC_ROLES": "a=Lead"}, "OIDC_ROLES does nothing without OIDC_ISSUER"),
        ({"MAVERA_BASE_URL": "http://api.example.com"}, "the key travels unencrypted"),
        ({"CIO_TRACK_BASE_URL": "http://api.example.com"}, "the key travels unencrypted"),
        ({"CIO_TRACK_KEY": "k7-of-the-workspace"}, "CIO_TRACK_KEY does nothing without CIO_TRACK_"),
        ({"CIO_TRACK_SITE_ID": "5f3e74f"}, "CIO_TRACK_SITE_ID does nothing without CIO_TRACK_KEY"),
        ({"TRUSTED_PROXIES": "127.0.0.1, 0.0.0.0/0"}, "TRUSTED_PROXIES believes every machine"),
        ({"METRICS_ADDRESSES": "::/0"}, "METRICS_ADDRESSES lets everybody read /metrics"),
    ],
)
def test_value_that_does_nothing_or_too_much_is_told(given, words):
    [said] = found(**given)

    assert words in said


@pytest.mark.parametrize(
    "given",
    [
        {"OIDC_ROLES": "a=Lead", "OIDC_ISSUER": "https://id.example"},
        {"MAVERA_BASE_URL": "http://127.0.0.1:9", "CIO_APP_BASE_URL": "https://api.example.com"},
        {"TRUSTED_PROXIES": "10.0.0.0/8,::1"},
        {"CIO_TRACK_SITE_ID": "5f3e74f", "CIO_TRACK_KEY": "k7-of-the-workspace"},
    ],
)
def test_value_with_its_usual_effect_is_not_told(given):
    assert found(**given) == []


@pytest.mark.parametrize(
    ("one", "other", "away"),
    [("", "ab", 2), ("port", "prot", 1), ("kitten", "sitting", 3), ("ca", "abc", 3)],
)
def test_distance_counts_mistakes(one, other, away):
    assert suspicions.distance(one, other) == away
    assert suspicions._least_distance(one, other) <= away
