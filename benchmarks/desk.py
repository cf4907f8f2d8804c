"""The desk at size: how long each page takes with 200,000 briefs and 1,000,000 events.

    python -m benchmarks.desk                              PostgreSQL
    python -m benchmarks.desk --sqlite --briefs 20000      SQLite
    python -m benchmarks.desk --only admin                 addresses whose name has this word

A database of its own is filled by `benchmarks.filling`: of the briefs one in ten is open, each has
five events, and there are 3,000 answers of 2,500 characters and 180,000 contact logs and comments
for 200,000 of them. `--database` names one to use instead; it is filled unless it has briefs.

Each address is asked for over HTTP, by one client on one connection, as a lead who is signed in or
by the lead's token: once cold, then `--rounds` times. A figure that may be a minute old is counted
by the cold request. Each line ends with its goal, and with MISSED where p95 does not reach it. The
ceilings are what the web server takes for a probe, and a list for nothing.

Machines that are shared become slow for minutes. So the list of none is asked for before each
request of each line: `times` is p50 beside the median of those, and the last words tell how many
goals would be missed if these had been as quick throughout as in their quickest line.
"""

import argparse
import http.client
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import NamedTuple

import django

from benchmarks import ingest
from benchmarks.installation import Database, Desk, new_postgres, new_sqlite, prepared
from benchmarks.pipeline import WIDTH, percentile

LIST, PAGE, SEARCH, ADMIN = 80, 60, 100, 150  # ms, the goals of p95


class Address(NamedTuple):
    name: str
    path: str  # {…}: one of KEYS
    goal: int | None = LIST


# What stands in a path for {…}: one value that the database has.
KEYS = {
    "open": "SELECT max(id) FROM briefs_brief WHERE state <> 'closed' AND basis <> 'playbook'",
    "closed": "SELECT max(id) FROM briefs_brief WHERE state = 'closed' AND basis <> 'playbook'",
    "message": "SELECT max(message ->> 'campaign_id') FROM briefs_signal",
    "incident": "SELECT min(id) FROM briefs_cause WHERE incident_at IS NOT NULL",
    "persona": "SELECT max(persona_id) FROM briefs_brief",
    "event": "SELECT max(id) FROM webhooks_webhookevent",
    "event_id": "SELECT max(event_id) FROM webhooks_webhookevent",
    "open_pages": "SELECT count(*) / 50 FROM briefs_brief WHERE state <> 'closed'",
    "pages": "SELECT count(*) / 50 FROM briefs_brief",
    "half": "SELECT count(*) / 100 FROM briefs_brief",
}
TABS = ("open", "mine", "unassigned", "overdue", "snoozed", "waiting", "closed", "all")
COLUMNS = ("priority", "customer", "signal", "persona", "value", "plan", "research", "assignee",
           "age", "due")  # fmt: skip
FILTERS = ("priority=urgent", "persona={persona}", "kind=bounced", "research=new",
           "research=under_way", "research=failed", "assignee=nobody", "value_min=500", "plan=pro",
           "company=company+13")  # fmt: skip
SEARCHES = (
    ("rare", "user-777"),
    ("common", "company"),
    ("two words", "fischer+spring"),
    ("phrase", "%22owner+is+on+leave%22"),
    ("-not", "fischer+-ada"),
    ("prefix of two letters", "ga"),
    ("address part", "user-7777%40example"),
    ("number", "%23{open}"),
    ("company", "%22Company+12%22"),
    ("numbers in a row", "2024+2025"),
    ("number of a message", "no.+{message}"),
    ("brief by its name", "brief+{open}"),
    ("nothing found", "zzyzx"),
)
MODELS = ("webhooks/webhookevent", "briefs/brief", "briefs/signal", "briefs/research",
          "briefs/contactlog", "briefs/comment", "briefs/mavecall",
          "personas/customer")  # fmt: skip

NOTHING = "/?plan=none"
# A further address is one line here.
ADDRESSES = (
    Address("ceiling: a probe", "/livez", None),
    Address("ceiling: a list of none", NOTHING, None),
    Address("inbox", "/"),
    *(Address(f"tab {tab}", f"/?state={tab}") for tab in TABS[1:]),
    Address("inbox, in the middle", "/?page={open_pages}"),
    Address("tab closed, in the middle", "/?state=closed&page={pages}"),
    Address("tab all, in the middle", "/?state=all&page={pages}"),
    *(
        Address(f"inbox by {sign}{column}", f"/?ordering={sign}{column}")
        for column in COLUMNS
        for sign in ("", "-")
    ),
    Address("tab closed, oldest first", "/?state=closed&ordering=closed"),
    *(Address(f"tab all by {one}", f"/?state=all&ordering={one}") for one in COLUMNS),
    *(Address(f"inbox, {one}", f"/?{one}") for one in FILTERS),
    *(Address(f"tab all, {one}", f"/?state=all&{one}") for one in FILTERS),
    *(
        Address(f"search, {name}{where}", f"/?{tab}q={words}", SEARCH)
        for where, tab in (("", ""), (" in all", "state=all&"))
        for name, words in SEARCHES
    ),
    Address("API search", "/api/v1/briefs/?q=fischer+spring", SEARCH),
    Address("API search, common", "/api/v1/briefs/?q=company", SEARCH),
    Address("inbox, a fold open", "/?unfold={incident}"),
    Address("inbox, the briefs of a fold", "/?cause={incident}"),
    Address("incidents", "/incidents/", PAGE),
    Address("incident", "/incidents/{incident}/", PAGE),
    Address("company of 500", "/companies/?name=Company+12", PAGE),
    Address("customer", "/customers/1/", PAGE),
    Address("brief, open", "/briefs/{open}/", PAGE),
    Address("brief, closed", "/briefs/{closed}/", PAGE),
    Address("API briefs", "/api/v1/briefs/"),
    Address("API briefs, in the middle", "/api/v1/briefs/?cursor={briefs}"),
    Address("API briefs, 200 a page", "/api/v1/briefs/?page_size=200", None),
    Address("API briefs, open", "/api/v1/briefs/?state=open"),
    Address("API briefs by value", "/api/v1/briefs/?ordering=-value"),
    Address("API briefs, closed last", "/api/v1/briefs/?state=closed&ordering=-closed_at"),
    Address("API one brief", "/api/v1/briefs/{open}/", PAGE),
    Address("API events", "/api/v1/events/"),
    Address("API events, in the middle", "/api/v1/events/?cursor={events}"),
    Address("API events, dead", "/api/v1/events/?status=dead"),
    Address("API customers", "/api/v1/customers/"),
    Address("API customers, in the middle", "/api/v1/customers/?cursor={customers}"),
    *(Address(f"admin {model.partition('/')[2]}", f"/admin/{model}/", ADMIN) for model in MODELS),
    Address("admin events, processed", "/admin/webhooks/webhookevent/?status=processed", ADMIN),
    Address("admin events, dead", "/admin/webhooks/webhookevent/?status__exact=dead", ADMIN),
    Address("admin events, page 2,000", "/admin/webhooks/webhookevent/?p={half}", ADMIN),
    Address("admin events, one id", "/admin/webhooks/webhookevent/?q={event_id}", ADMIN),
    Address("admin event", "/admin/webhooks/webhookevent/{event}/change/", ADMIN),
    Address("admin briefs, closed", "/admin/briefs/brief/?state__exact=closed", ADMIN),
    Address("admin brief", "/admin/briefs/brief/{open}/change/", ADMIN),
)


# Asking -------------------------------------------------------------------------------------------


class Client:
    """One connection, which one of the server's processes serves."""

    def __init__(self, port: int, cookie: str, token: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {True: {"Authorization": f"Token {token}"}, False: {"Cookie": cookie}}

    def ask(self, path: str) -> tuple[float, int, bytes]:
        """Seconds, status and body."""
        began = time.perf_counter()
        self.connection.request("GET", path, headers=self.headers[path.startswith("/api/")])
        answer = self.connection.getresponse()
        body = answer.read()
        return time.perf_counter() - began, answer.status, body


class Measured(NamedTuple):
    goal: int | None  # these are ms
    p95: float
    ceiling: float  # the median of a list of none, asked for in turn

    def is_missed(self, quicker: float = 1) -> bool:
        """Whether the goal is, were the machine so much quicker."""
        return self.goal is not None and self.p95 > self.goal * quicker


def measure(client: Client, address: Address, path: str, rounds: int) -> Measured:
    cold, status, body = client.ask(path)
    turns = [(client.ask(NOTHING)[0], client.ask(path)[0]) for _ in range(rounds)]
    ceilings, lengths = zip(*turns, strict=True)
    p50, ceiling = percentile(lengths, 0.5), percentile(ceilings, 0.5)
    found = Measured(address.goal, percentile(lengths, 0.95), ceiling)
    goal = "" if address.goal is None else f"  goal {address.goal:3}"
    missed = " MISSED" if found.is_missed() else ""
    wrong = f"  NOT 200: {status}" if status != 200 else ""
    print(
        f"{address.name:<{WIDTH}}cold {1000 * cold:5.0f}  p50 {p50:5.0f}  p95 {found.p95:5.0f} ms"
        f"  times {p50 / ceiling:4.1f} {len(body) / 1024:5.0f} KiB{goal}{missed}{wrong}",
        flush=True,
    )
    return found


def tell(lines: list[Measured]) -> None:
    """How many goals are missed, and how many of them not because the machine was slow."""
    quickest = min(line.ceiling for line in lines)
    slowest = max(line.ceiling for line in lines)
    missed = [line for line in lines if line.is_missed()]
    still = [line for line in missed if line.is_missed(line.ceiling / quickest)]
    print(
        f"\n{len(missed)} of {sum(line.goal is not None for line in lines)} goals are missed. The "
        f"list of none took {quickest:.0f} to {slowest:.0f} ms: had it taken {quickest:.0f} "
        f"throughout, {len(still)} would be."
    )


@contextmanager
def database(url: str, *, is_sqlite: bool) -> Iterator[Database]:
    if url:
        yield prepared(Database(url))
        return
    with new_sqlite() if is_sqlite else new_postgres() as new:
        yield new


def cursors() -> dict[str, str]:
    """By list of the API: the cursor in its middle."""
    from django.test import RequestFactory
    from django.utils import timezone
    from rest_framework.request import Request

    from briefs.api import views
    from briefs.api.cursors import Cursor
    from briefs.finding.keysets import Keyset

    found = {}
    for name, view in (("briefs", views.BriefViewSet), ("events", views.EventViewSet),
                       ("customers", views.CustomerViewSet)):  # fmt: skip
        rows = view.queryset.all()
        middle = rows.values_list("pk", flat=True)[rows.count() // 2]
        [(_, place)] = Keyset(rows.filter(pk=middle)).part(1)
        request = Request(RequestFactory().get(f"/api/v1/{name}/"))
        found[name] = Cursor(timezone.now()).moved(request, place)
    return found


def filled(briefs: int) -> tuple[str, str]:
    """Fill this process's database unless it is; returns the lead's cookie and token."""
    from django.conf import settings
    from django.test import Client as SignedIn

    from benchmarks import filling
    from briefs.models import Brief

    began = time.monotonic()
    if not Brief.objects.exists():
        filling.Filling(briefs, datetime.now(UTC).replace(tzinfo=None)).write()
        print(f"filled in {time.monotonic() - began:.0f} s", flush=True)
        filling.index()
    client = SignedIn()
    client.force_login(filling.lead())
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={client.cookies[name].value}", filling.token()


def index_size() -> int:
    """Bytes of the documents and of the index of their words."""
    from django.db import connection

    tables = ("briefdocument", "customerdocument", "researchdocument")
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sizes = ", ".join(f"pg_total_relation_size('briefs_{name}')" for name in tables)
            cursor.execute(f"SELECT {sizes}")
            return sum(cursor.fetchone())
        cursor.execute("SELECT sum(length(block)) FROM briefs_briefwords_data")
        index = cursor.fetchone()[0]
        cursor.execute(
            "SELECT sum(length(c0) + length(c1) + length(c2) + length(c3)) "
            "FROM briefs_briefwords_content"
        )
        return int(index + cursor.fetchone()[0])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--briefs", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--sqlite", action="store_true")
    parser.add_argument("--database", default="", help="the address of one to use instead")
    parser.add_argument("--only", default="", help="a word that the names must have")
    given = parser.parse_args()
    with ExitStack() as stack:
        used = stack.enter_context(database(given.database, is_sqlite=given.sqlite))
        desk = stack.enter_context(Desk(used))
        os.environ.update(desk.env)
        django.setup()
        cookie, token = filled(given.briefs)
        keys = {name: used.query(statement)[0][0] for name, statement in KEYS.items()}
        keys |= cursors()
        stack.enter_context(ingest.process(desk.env, *ingest.web_command(desk.env)))
        ingest.wait_for(desk.port)
        client = Client(desk.port, cookie, token)
        print(f"{used.name}, {os.cpu_count()} cores, {given.rounds} rounds", flush=True)
        print(f"documents and index of the search: {index_size() / 2**20:.0f} MiB\n", flush=True)
        tell([
            measure(client, address, address.path.format(**keys), given.rounds)
            for address in ADDRESSES
            if given.only in address.name
        ])  # fmt: skip


if __name__ == "__main__":
    main()
