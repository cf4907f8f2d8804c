"""The demo: Savedesk on embedded defaults beside the sandbox, told line by line.

It uses the product from outside, as Customer.io and a member of the team do: it posts signed
webhooks and reads the REST API. Only the budgets are lifted through the ORM.
"""

import hashlib
import hmac
import json
import os
import secrets
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import requests

from sandbox.options import CIO_KEY, MAVERA_KEY
from sandbox.processes import ROOT, Failed, Processes, free_port

FOLDER = ROOT / ".demo"
USER, PASSWORD = "demo", "savedesk-demo"
# In one process: each start of Django takes a second or two. The sandbox's credits cost nothing.
PREPARE = f"""
from django.contrib.auth.models import User
from django.core.management import call_command
from briefs.models import ResearchPolicy

call_command("migrate", interactive=False, verbosity=0)
call_command("load_starter_rules", verbosity=0)
if not User.objects.filter(username="{USER}"):
    call_command("createsuperuser", interactive=False, username="{USER}", email="demo@example.com")
ResearchPolicy.current()
ResearchPolicy.objects.update(day_budget=None, month_budget=None)
call_command("create_token", "{USER}", name="Demo")
"""
CLOSE = "from briefs.models import Brief; Brief.objects.get(pk={}).close('retained', 'won back')"
MOST_RETRIES = 10  # of a webhook that was answered 503
REGULATED = ("banking", "insurance", "pharma", "fintech", "biotechnology")
# What 200 people who leave on one day may look like: 7 of 10 are worth a brief.
BURST = (
    ("enterprise", "logistics", "low"),
    ("enterprise", "media", "high"),
    ("business", "retail", "high"),
    ("business", "retail", "low"),
    ("pro", "design", "low"),
    ("trial", "education", "low"),
    ("enterprise", "healthcare", "low"),
    ("free", "retail", "high"),
    ("free", "games", "low"),
    ("free", "media", "low"),
)


class Demo:
    """One run of the demo, in a folder of its own and on SQLite unless told otherwise."""

    def __init__(
        self,
        say: Callable[[str], None],
        *,
        port: int = 8000,
        latency: float = 3.0,
        folder: Path = FOLDER,
        database_url: str = "",
    ) -> None:
        self.say = say
        self.folder = folder
        self.database_url = database_url or f"sqlite:///{folder / 'demo.sqlite3'}"
        self.port = free_port(port)
        self.latency = latency
        self.sandbox_port = free_port(0)  # any free port will do
        self.run = secrets.token_hex(3)
        self.folder.mkdir(exist_ok=True)
        # Made here, so that nobody takes a published key for their own; the README reads the file.
        self.signing_key = self._kept("signing_key")
        self.processes = Processes(self._environment())
        self.session = requests.Session()
        self.url = f"http://127.0.0.1:{self.port}"
        self.sandbox_url = f"http://127.0.0.1:{self.sandbox_port}"

    def tell(self) -> None:
        """Start everything and go through the steps. Raises Failed at the first step that fails."""
        self._start()
        self._enterprise_unsubscribes()
        self._what_makes_no_brief()
        self._what_events_mean()
        self._burst()

    # Setting up -----------------------------------------------------------------------------

    def _kept(self, name: str) -> str:
        """A secret of this folder, made once."""
        path = self.folder / name
        if not path.exists():
            path.write_text(secrets.token_urlsafe(50))
        return path.read_text()

    def _environment(self) -> dict[str, str]:
        sandbox = f"http://127.0.0.1:{self.sandbox_port}"
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DEBUG": "0",
            "SECRET_KEY": self._kept("secret_key"),
            "SECRET_KEY_FALLBACKS": "",
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
            "PUBLIC_URL": "",
            "DATABASE_URL": self.database_url,
            "WEB_DATABASE_URL": "",
            "BROKER_URL": "orm://",
            "PORT": str(self.port),
            "CIO_WEBHOOK_SECRET": self.signing_key,
            "CIO_MAX_AGE_SECONDS": "0",
            "CIO_APP_KEY": CIO_KEY,
            "CIO_APP_BASE_URL": f"{sandbox}/v1",
            "CIO_PERSON_URL": "https://workspace.example/people/{cio_id}",
            "MAVERA_API_KEY": MAVERA_KEY,
            "MAVERA_BASE_URL": f"{sandbox}/api/v1",
            "MAVERA_WORKSPACE_ID": "",
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        }

    def _start(self) -> None:
        self.say("Preparing database, starter rules and login …")
        token = self.processes.manage("shell", "-c", PREPARE).splitlines()[-1]
        self.session.headers["Authorization"] = f"Token {token}"
        self.processes.start(
            self.folder / "sandbox.log",
            *("sandbox", "--port", str(self.sandbox_port), "--latency", str(self.latency)),
            *("--credits", "100000"),
        )
        self.processes.start(self.folder / "savedesk.log", "supervise")
        self._wait("the web server answers", self._is_up, 120)
        self.say(f"\n  Savedesk is at   {self.url}/")
        self.say(f"  Log in with      {USER} / {PASSWORD}")
        self.say(
            "  Customer.io and Mavera are played by the sandbox; nothing leaves this machine.\n"
        )

    def _is_up(self) -> bool:
        try:
            return (
                requests.get(f"{self.url}/login/", timeout=2).ok
                and requests.get(f"{self.sandbox_url}/sandbox/requests", timeout=2).ok
            )
        except requests.RequestException:
            return False

    # Steps ----------------------------------------------------------------------------------

    def _enterprise_unsubscribes(self) -> None:
        industry = secrets.choice(REGULATED)
        self.say(f"1. A customer unsubscribes: enterprise plan, {industry}, low usage.")
        began = time.monotonic()
        event = self.event(f"enterprise-{industry}-low-{self.run}", "unsubscribed")
        self._expect("the webhook is answered", self.post(event), (200, "stored"))
        brief = self._wait("its brief is there", lambda: self.brief_of(event), 30)
        self._done(f"brief {brief['id']}: {brief['persona']['name']}, {brief['priority']}", began)
        self.say(f"     first step: {brief['first_step']}")
        self.say(f"     {self.url}/briefs/{brief['id']}/")
        brief = self._wait("its research is there", lambda: self._researched(brief["id"]), 60)
        credits = brief["research"]["credits"]
        paid = f"new, {credits} credits" if brief["basis"] == "new" else "shared, 0 credits"
        self._done(f"researched: {paid}, {len(brief['research']['sources'])} sources", began)
        self.event_sent = event

    def _what_makes_no_brief(self) -> None:
        self.say("\n2. What makes no brief, and why.")
        self._expect("the same webhook again", self.post(self.event_sent), (200, "duplicate"))
        self._done("delivered twice: stored once, no second brief")
        forged = self.post(self.event("enterprise-banking-low-forged", "unsubscribed"), key="wrong")
        self._expect("a forged signature", forged[0], 401)
        self._done("forged signature: 401, nothing stored")
        for person, metric, title in (
            (f"enterprise-banking-high-{self.run}", "subscribed", "opt-in"),
            (f"free-retail-high-{self.run}", "unsubscribed", "free user unsubscribes"),
        ):
            event = self.event(person, metric)
            self.post(event)
            row = self._wait(f"{title} is processed", partial(self._ended, event), 30)
            if self.brief_of(event) and not self._opens_briefs(person):
                raise Failed(f"{title}: a brief was opened")
            self._done(f"{title}: {row['status_reason']}")

    def _opens_briefs(self, person: str) -> bool:
        """Whether a visitor has edited the persona of free users, as the demo suggests."""
        if not person.startswith("free-"):
            return False
        personas = {row["name"]: row for row in self._pages("personas")}
        return bool(personas["Free, heavy use"]["opens_brief"])

    def _what_events_mean(self) -> None:
        self.say("\n3. What an event means: three that are easily misread.")
        brief, _ = self._brief_after(
            self._person("channel"),
            "cio_subscription_preferences_changed",
            content=json.dumps({"channels": {"sms": False}}),
        )
        self._done(f"one channel turned off: brief {brief['id']}, {brief['title']}")
        colleague = self.event(
            self._person("colleague"),
            "bounced",
            "email",
            recipient="sales-team@ourcompany.example",
            subject="New lead",
            failure_message="550 5.1.1 user unknown",
        )
        self.post(colleague)
        row = self._wait("the bounce is processed", partial(self._ended, colleague), 30)
        if row["signal"]["brief"]:
            raise Failed("a colleague's bounce opened a brief")
        self._done(f"a colleague's address bounced: {row['status_reason']}")
        self._win_back_that_leaves_again(self._person("returns"))

    def _win_back_that_leaves_again(self, person: str) -> None:
        first, _ = self._brief_after(
            person, "unsubscribed", "email", ago=90, recipient=_address(person), subject="News"
        )
        self.post(self.event(person, "subscribed", ago=60))
        self.processes.manage("shell", "-c", CLOSE.format(first["id"]))
        again, row = self._brief_after(person, "unsubscribed")
        if again["id"] == first["id"]:
            raise Failed("the second act was taken for the first one")
        self._done(f"won back, and gone again a minute later: {row['status_reason']}")

    def _person(self, name: str) -> str:
        """A customer of the sandbox whose address is known; returns the id."""
        person = f"{name}-{self.run}"
        profile = {"plan": "enterprise", "industry": "insurance", "usage_tier": "high"}
        answer = requests.post(
            f"{self.sandbox_url}/sandbox/people",
            json={"id": person, "email": _address(person), "attributes": profile},
            timeout=10,
        )
        answer.raise_for_status()
        return person

    def _brief_after(
        self, person: str, metric: str, object_type: str = "customer", ago: int = 0, **data: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Send an event that opens a brief; returns the brief and the processed event."""
        event = self.event(person, metric, object_type, ago, **data)
        self._expect("the webhook is answered", self.post(event), (200, "stored"))
        brief = self._wait("its brief is there", lambda: self.brief_of(event), 30)
        return brief, self._wait("it is processed", partial(self._ended, event), 30)

    def _burst(self) -> None:
        self.say("\n4. A campaign goes wrong: 200 people unsubscribe at once.")
        calls, credits = self._mave_calls(), self._credits_used()
        began = time.monotonic()
        events = [
            self.event(f"{'-'.join(BURST[n % len(BURST)])}-{self.run}{n}", "unsubscribed")
            for n in range(200)
        ]
        for event in events:
            self._expect("every webhook is answered", self.post(event), (200, "stored"))
        self._done("200 webhooks answered", began)
        wanted = {event["event_id"] for event in events}
        rows = self._wait("all are processed", lambda: self._all_ended(wanted), 60)
        briefs = {row["signal"]["brief"] for row in rows if row["signal"]["brief"]}
        self._done(f"{len(rows)} events, {len(briefs)} briefs", began)
        self._wait("their research is there", lambda: self._all_researched(briefs), 180)
        shared = sum(
            brief["research"]["credits"]
            for brief in self._pages("briefs", state="open")
            if brief["id"] in briefs and brief["basis"] == "shared"
        )
        self._done(
            f"{self._mave_calls() - calls} research calls, "
            f"{self._credits_used() - credits} credits spent, {shared} credits saved by sharing",
            began,
        )

    def now_try(self) -> None:
        """What a visitor can do next."""
        self.say(
            f"""
Now try:
  - Log in at {self.url}/ as {USER} / {PASSWORD}, take a brief and close it.
  - Edit a persona at {self.url}/admin/personas/persona/ (say, let “Free, heavy use” open briefs).
  - Send a webhook of your own; the id spells the customer: plan-industry-usage-anything.

id=$(date +%s%N)
body='{{"event_id":"try-'$id'","object_type":"customer","metric":"unsubscribed","timestamp":'$(date +%s)',"data":{{"identifiers":{{"id":"enterprise-insurance-high-'$id'"}}}}}}'
ts=$(date +%s)
sig=$(printf 'v0:%s:%s' "$ts" "$body" | openssl dgst -sha256 -hmac "$(cat {self.folder}/signing_key)" | sed 's/.* //')
curl -X POST {self.url}/webhooks/customerio/ -H "X-CIO-Timestamp: $ts" -H "X-CIO-Signature: $sig" -d "$body"

Ctrl-C stops everything. Logs and database are in {self.folder.name}/.
"""  # noqa: E501 - lines to be copied whole
        )

    # Customer.io's part ---------------------------------------------------------------------

    def event(
        self, person: str, metric: str, object_type: str = "customer", ago: int = 0, **data: Any
    ) -> dict[str, Any]:
        """An event of `ago` seconds ago; `data` beside the person's id."""
        return {
            "event_id": f"demo-{self.run}-{secrets.token_hex(6)}",
            "object_type": object_type,
            "metric": metric,
            "timestamp": int(time.time()) - ago,
            "data": {"identifiers": {"id": person}, **data},
        }

    def post(self, event: dict[str, Any], *, key: str = "") -> tuple[int, str]:
        """Post a signed webhook, again after a 503 as Customer.io does; the last code and word."""
        answer = self._post(event, key)
        for _ in range(MOST_RETRIES):
            if answer.status_code != 503:  # the receiver is busy, and has stored nothing
                break
            time.sleep(int(answer.headers.get("Retry-After", 1)))
            answer = self._post(event, key)
        return answer.status_code, answer.json().get("status", "")

    def _post(self, event: dict[str, Any], key: str) -> requests.Response:
        body = json.dumps(event).encode()
        stamp = str(int(time.time()))
        mac = hmac.new(
            (key or self.signing_key).encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256
        )
        return self.session.post(
            f"{self.url}/webhooks/customerio/",
            data=body,
            headers={"X-CIO-Timestamp": stamp, "X-CIO-Signature": mac.hexdigest()},
            timeout=10,
        )

    # The team's part ------------------------------------------------------------------------

    def get(self, path: str, **params: Any) -> Any:
        answer = self.session.get(f"{self.url}/api/v1/{path}", params=params, timeout=20)
        if answer.status_code == 429:  # the demo looks often; a token may only so often a minute
            time.sleep(int(answer.headers["Retry-After"]))
            return self.get(path, **params)
        answer.raise_for_status()
        return answer.json()

    def _pages(self, path: str, **params: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        page = 1
        while True:
            got = self.get(f"{path}/", page=page, page_size=200, **params)
            rows += got["results"]
            if not got["next"]:
                return rows
            page += 1

    def _ended(self, event: dict[str, Any]) -> dict[str, Any] | None:
        rows = self.get("events/", event_id=event["event_id"])["results"]
        return rows[0] if rows and rows[0]["status"] != "pending" else None

    def brief_of(self, event: dict[str, Any]) -> dict[str, Any] | None:
        row = self._ended(event)
        if row is None or row["signal"] is None or row["signal"]["brief"] is None:
            return None
        brief: dict[str, Any] = self.get(f"briefs/{row['signal']['brief']}/")
        return brief

    def _researched(self, pk: int) -> dict[str, Any] | None:
        brief: dict[str, Any] = self.get(f"briefs/{pk}/")
        return brief if brief["basis"] != "playbook" else None

    def _all_ended(self, wanted: set[str]) -> list[dict[str, Any]] | None:
        rows = [row for row in self._newest_events(len(wanted)) if row["event_id"] in wanted]
        ended = [row for row in rows if row["status"] != "pending"]
        return ended if len(ended) == len(wanted) else None

    def _newest_events(self, count: int) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for page in range(1, count // 200 + 2):
            got = self.get("events/", page=page, page_size=200)
            rows += got["results"]
            if not got["next"]:
                break
        return rows

    def _all_researched(self, briefs: set[int]) -> bool:
        waiting = self._pages("briefs", state="open", research="playbook")
        return not any(brief["id"] in briefs for brief in waiting)

    def _mave_calls(self) -> int:
        got = requests.get(f"{self.sandbox_url}/sandbox/requests", timeout=20).json()
        return sum(1 for item in got["requests"] if item["path"].endswith("/mave/chat"))

    def _credits_used(self) -> int:
        key = self.processes.environment["MAVERA_API_KEY"]
        answer = requests.get(
            f"{self.sandbox_url}/api/v1/usage",
            headers={"Authorization": f"Bearer {key}"},
            timeout=20,
        )
        used: int = answer.json()["credits"]["used"]
        return used

    # Telling --------------------------------------------------------------------------------

    def _wait(self, what: str, ask: Callable[[], Any], seconds: float) -> Any:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := ask():
                return found
            self.processes.check()
            time.sleep(0.1)
        raise Failed(f"{what}: not within {seconds:.0f} s; see the logs in {self.folder}")

    def _expect(self, what: str, got: Any, wanted: Any) -> None:
        if got != wanted:
            raise Failed(f"{what}: {got} instead of {wanted}; see the logs in {self.folder}")

    def _done(self, text: str, began: float | None = None) -> None:
        after = f"  ({time.monotonic() - began:.1f} s)" if began is not None else ""
        self.say(f"   ✓ {text}{after}")


def _address(person: str) -> str:
    return f"{person}@example.com"
