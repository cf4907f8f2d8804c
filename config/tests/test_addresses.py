"""Addresses: what each takes, what it refuses and with which cure, and never a password."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import addresses
from config.environment import Environment

PASSWORD = "hunter2"


def refusal(kind, text):
    with pytest.raises(ImproperlyConfigured) as caught:
        Environment({"NAME": text}, {}).read("NAME", kind)
    words = str(caught.value)
    assert PASSWORD not in words
    assert caught.value.__suppress_context__
    return words


# Databases ----------------------------------------------------------------------------------------


def test_postgres_address_becomes_settings():
    found = addresses.database("postgres://desk:p%40%2Fss@db:5433/name?sslmode=require")

    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db", 5433, "name")
    assert (found["PASSWORD"], found["OPTIONS"]) == ("p@/ss", {"sslmode": "require"})


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://u@/name?host=/run/postgresql",
        "postgres://u:p@one:5432,two:5432/name?target_session_attrs=read-write",
        "postgres://u:p@[::1]:5432/name",
        "postgres:///name",
        "postgres://u@%2Frun%2Fpostgresql/name",
        "pgsql://u@db/name?service=desk&conn_max_age=5",
        "postgres://?service=desk",
    ],
)
def test_other_ways_to_reach_postgres_are_taken(text):
    assert addresses.database(text)["ENGINE"] == "django.db.backends.postgresql"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("postgers://u:hunter2@db/n", "NAME begins with postgers://. Write postgres://user"),
        ("mysql://u:hunter2@db/n", "NAME begins with mysql://. Write postgres://user"),
        ("u:hunter2@db:5432/n", "NAME has no scheme. Write postgres://user"),
        ("/srv/db.sqlite3", "NAME has no scheme"),
        ("postgres:/u:hunter2@db/n", "NAME has no scheme"),
        ("postgres://u:hunter2@db", "NAME names no database"),
        ("postgres://u:hunter2@db/", "NAME names no database"),
    ],
)
def test_address_of_no_database_of_ours_is_refused(text, words):
    assert refusal(addresses.database, text).startswith(words)


@pytest.mark.parametrize(
    "text",
    [
        "postgres://u:hunter2#x@db/n",
        "postgres://u:hunter2/x@db/n",
        "postgres://u:hunter2?x@db/n",
        "postgres://u:12/hunter2@db/n",
        "postgres://u:hunter2@x@db/n",
        "postgres://u:hunter2@db:port/n",
        "postgres://u:hunter2@db:99999/n",
        "postgres://u:hunter2[@db/n",
        "postgres://u:hunter2 x@db/n",
        "postgres://u:hunter2@one:1,two:x/n",
        "smtp://u:hunter2#x@mail.example.com:25",
    ],
)
def test_password_with_signs_of_addresses_is_told_how_to_write_them(text):
    kind = addresses.mail if text.startswith("smtp") else addresses.database

    assert "NAME cannot be read: behind the host there is no port, or a password" in refusal(
        kind, text
    )


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("sslmod=require", "an option that PostgreSQL does not know, number 1. Is it sslmode?"),
        ("sslmode=require&hunter2=x", "does not know, number 2. Remove it."),
        ("sslmode=required", "has no valid sslmode. It is one of disable, allow"),
    ],
)
def test_option_that_the_client_would_refuse_is_refused_at_the_start(query, words):
    assert words in refusal(addresses.database, f"postgres://u:p@db/n?{query}")


def test_file_of_sqlite_is_taken(tmp_path):
    found = addresses.database(f"sqlite:///{tmp_path}/desk.sqlite3")

    assert found["NAME"] == f"{tmp_path}/desk.sqlite3"
    assert addresses.database("sqlite:///:memory:")["NAME"] == ":memory:"


@pytest.mark.parametrize("text", ["sqlite://db.sqlite3", "sqlite://srv/db.sqlite3", "sqlite:///"])
def test_file_that_sqlite_would_not_open_is_refused(text):
    """It would be a database in memory, which every process has for itself."""
    assert "NAME names no file. Three slashes begin" in refusal(addresses.database, text)


def test_folder_of_sqlite_must_exist(tmp_path):
    text = f"sqlite:///{tmp_path}"

    assert "a folder, not a file" in refusal(addresses.database, text)
    assert "a folder that does not exist" in refusal(addresses.database, f"{text}/a/db.sqlite3")


# Brokers, mail servers, services ------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["orm://", "redis://host:6379/0", "rediss://u:p@host/1?x=5", "sqs://eu-west-1", "sqs://a:b@r"],
)
def test_broker_is_taken_as_it_is(text):
    assert addresses.broker(text) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("amqp://u:hunter2@host", "NAME begins with amqp://. Use orm://"),
        ("redis:6379", "NAME has no scheme. Use orm://"),
        ("redis://", "NAME names no host"),
        ("redis://host:hunter2", "NAME cannot be read"),
        ("redis://host/queue", "NAME ends with no number of a database"),
        ("sqs://AKIA:hunter2/x@region", "NAME cannot be read"),
    ],
)
def test_broker_that_cannot_be_reached_is_refused(text, words):
    assert refusal(addresses.broker, text).startswith(words)


def test_mail_server_becomes_settings():
    found = addresses.mail("smtp+tls://desk:p%23w@mail.example.com:587")

    assert (found["EMAIL_HOST"], found["EMAIL_PORT"]) == ("mail.example.com", 587)
    assert (found["EMAIL_HOST_PASSWORD"], found["EMAIL_USE_TLS"]) == ("p#w", True)
    assert addresses.mail("") == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mail.example.com:587", "NAME has no scheme. Write it like smtp+tls://"),
        ("http://u:hunter2@mail", "NAME begins with http://"),
        ("smtp://", "NAME names no mail server"),
        ("smtp://u:hunter2@mail:x", "NAME cannot be read"),
    ],
)
def test_mail_server_that_cannot_be_reached_is_refused(text, words):
    assert refusal(addresses.mail, text).startswith(words)


def test_service_on_the_web_is_taken_without_its_last_slash():
    assert addresses.web("https://api.example.com/v1/") == "https://api.example.com/v1"
    assert addresses.web("http://[::1]:9") == "http://[::1]:9"
    assert addresses.web("") == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("api.customer.io/v1", "NAME has no scheme. Write it like https://host/path."),
        ("htps://api.customer.io/v1", "NAME begins with htps://"),
        ("https:///v1", "NAME must be scheme, host and path alone"),
        ("https://u:hunter2@host/v1", "NAME must be scheme, host and path alone"),
        ("https://host/v1?a=b", "NAME must be scheme, host and path alone"),
        ("https://[host", "NAME cannot be read"),
        ("https://host:port/v1", "NAME cannot be read"),
        ("https://host/v1 # eu", "NAME cannot be read"),
    ],
)
def test_service_without_a_whole_address_is_refused(text, words):
    assert refusal(addresses.web, text).startswith(words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fly.customer.io/people/{cio_id}", "NAME has no scheme"),
        ("javascript:alert({cio_id})", "NAME has no scheme"),
        ("https://fly.customer.io/people/", "NAME must name the person by {cio_id}"),
        ("https://fly.customer.io/people/{name}", "NAME must name the person by {cio_id}"),
        ("https://fly.customer.io/people/{cio_id", "NAME must name the person by {cio_id}"),
    ],
)
def test_page_of_a_person_that_leads_nowhere_is_refused(text, words):
    assert refusal(addresses.page_of_person, text).startswith(words)


def test_page_of_a_person_is_taken_as_it_is():
    text = "https://fly.customer.io/workspaces/1/journeys/people/{cio_id}?m={email}#a"

    assert addresses.page_of_person(text) == text
