"""Reads addresses: of databases, brokers, mail servers and services on the web.

A password with a sign that has a meaning in addresses is the most usual mistake. So an address is
taken apart strictly, and no words repeat more of it than its scheme.
"""

import re
from difflib import get_close_matches
from os.path import dirname, isdir  # unlike Path they take any text
from typing import Any
from urllib.parse import SplitResult, urlsplit

import environ

from config.values import Wrong

POSTGRES = ("postgres", "postgresql", "psql", "pgsql")
MAIL = ("smtp", "smtp+tls", "smtp+ssl", "smtps")
MAIL_FOR_DEVELOPMENT = ("consolemail", "filemail", "memorymail", "dummymail")
BROKERS = ("orm", "redis", "rediss", "sqs")
LIKE_A_DATABASE = "postgres://user:password@host:5432/name, or nothing for SQLite"
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
# Django's own, beside those of PostgreSQL's client library.
DJANGO_OPTIONS = ("assume_role", "isolation_level", "pool", "server_side_binding", "service")
_HOST = re.compile(r"(\[[\da-fA-F:.]+\]|[\w.%-]*)(:([0-9]{1,5}))?")


def web(text: str) -> str:
    """The address of a service, without a slash at its end; empty if there is none."""
    if not text:
        return ""
    like = "Write it like https://host/path."
    parts = _taken_apart(text, ("http", "https"), like)
    if not parts.hostname or "@" in parts.netloc or parts.query:
        raise Wrong(f"must be scheme, host and path alone. {like}")
    return text.rstrip("/")


def sentry(text: str) -> str:
    """Where errors are sent: the address of a project of Sentry, with its public key."""
    if not text:
        return ""
    like = "Copy the DSN of the project; it is like https://key@host/number."
    parts = _taken_apart(text, ("http", "https"), like)
    if not (parts.hostname and parts.username and re.search(r"/\d+$", parts.path)):
        raise Wrong(f"is no DSN. {like}")
    return text


def page_of_person(text: str) -> str:
    """An address in which {cio_id}, {id} or {email} stands for the person."""
    if not text:
        return ""
    like = "Write it like https://fly.customer.io/workspaces/12345/journeys/people/{cio_id}."
    if _scheme(text) not in ("http", "https") or re.search(r"\s", text):
        raise Wrong(f"{_beginning(text)}. {like}")
    braces = re.findall(r"\{.*?\}|[{}]", text)
    if not braces or set(braces) - {"{cio_id}", "{id}", "{email}"}:
        raise Wrong(f"must name the person by {{cio_id}}, {{id}} or {{email}}. {like}")
    return text


def database(text: str) -> dict[str, Any]:
    """Django's settings of one database: PostgreSQL, or a file of SQLite."""
    if _scheme(text) == "sqlite":
        return _sqlite(text)
    like = f"Write {LIKE_A_DATABASE}."
    parts = _taken_apart(text, POSTGRES, like)
    settings: dict[str, Any] = environ.Env.db_url_config(text)
    if not settings["NAME"] and "service" not in settings.get("OPTIONS", {}):
        raise Wrong(f"names no database. {like}")
    if parts.query:
        _check_options(settings.get("OPTIONS", {}))
    return settings


def _sqlite(text: str) -> dict[str, Any]:
    if text != "sqlite://:memory:" and not re.match(r"sqlite:///.", text):
        raise Wrong(
            "names no file. Three slashes begin a path from the present folder and four a whole "
            "path: sqlite:////srv/savedesk/db.sqlite3"
        )
    settings: dict[str, Any] = environ.Env.db_url_config(text)
    file = settings["NAME"]
    if not isdir(dirname(file) or "."):
        raise Wrong("names a file in a folder that does not exist. Make the folder first.")
    if isdir(file):
        raise Wrong("names a folder, not a file. Add the name of a file in it.")
    return settings


def _check_options(options: dict[str, Any]) -> None:
    """Refuse what the client library would refuse at the first connection."""
    from psycopg import pq  # needed for PostgreSQL only

    known = [option.keyword.decode() for option in pq.Conninfo.get_defaults()]
    for place, name in enumerate(options, 1):
        if name not in (*known, *DJANGO_OPTIONS):  # may be a part of a password: not repeated
            near = get_close_matches(name, known, 1)
            cure = f"Is it {near[0]}?" if near else "Remove it."
            raise Wrong(f"has an option that PostgreSQL does not know, number {place}. {cure}")
    if options.get("sslmode", "prefer") not in SSL_MODES:
        raise Wrong(f"has no valid sslmode. It is one of {', '.join(SSL_MODES)}.")


def mail(text: str) -> dict[str, Any]:
    """Django's settings of the mail server; none if there is none."""
    if not text:
        return {}
    like = "Write it like smtp+tls://user:password@mail.example.com:587."
    parts = _taken_apart(text, (*MAIL, *MAIL_FOR_DEVELOPMENT), like)
    if parts.scheme in MAIL and not parts.hostname:
        raise Wrong(f"names no mail server. {like}")
    settings: dict[str, Any] = environ.Env.email_url_config(text)
    return settings


def broker(text: str) -> str:
    """The address as it is; config/brokers.py makes django-q2's settings of it."""
    like = "Use orm:// (the database), redis://host:6379/0 or sqs://region."
    parts = _taken_apart(text, BROKERS, like)
    if parts.scheme.startswith("redis"):
        if not parts.hostname:
            raise Wrong(f"names no host. {like}")
        if not re.fullmatch(r"/?|/[0-9]+", parts.path):  # the client would take number 0 instead
            raise Wrong(f"ends with no number of a database. {like}")
    return text


def _taken_apart(text: str, schemes: tuple[str, ...], like: str) -> SplitResult:
    if _scheme(text) not in schemes:
        raise Wrong(f"{_beginning(text)}. {like}")
    cannot_be_read = Wrong(
        "cannot be read: behind the host there is no port, or a password holds a sign of "
        f"addresses: write % as %25, / as %2F, # as %23, ? as %3F, @ as %40, : as %3A. {like}"
    )
    try:
        parts = urlsplit(text)
    except ValueError:
        raise cannot_be_read from None
    several = _scheme(text) in POSTGRES  # servers, one of which is the leader
    named = parts.netloc.rpartition("@")[2]
    hosts = [_HOST.fullmatch(host) for host in (named.split(",") if several else [named])]
    is_readable = all(host and int(host[3] or 1) in range(1, 65536) for host in hosts)
    is_split = parts.fragment or "@" in parts.path or parts.netloc.count("@") > 1
    if not is_readable or is_split or re.search(r"\s", text):
        raise cannot_be_read
    return parts


def _scheme(text: str) -> str:
    found = re.match(r"([a-z][a-z0-9+.-]*)://", text, re.IGNORECASE)
    return found[1].lower() if found else ""


def _beginning(text: str) -> str:
    return f"begins with {_scheme(text)}://" if _scheme(text) else "has no scheme"
