"""Savedesk on embedded defaults beside the sandbox, for the demo. What it tells is in story.py.

It uses the product from outside, as Customer.io and a member of the team do: it posts signed
webhooks, and reads and acts through the REST API. Only the budgets are lifted through the ORM.
"""

import hashlib
import hmac
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import requests

from sandbox.processes import ROOT, Failed, Processes, free_port
from sandbox.server import Sandbox

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
LOOKS_EVERY = 0.25  # seconds; a token may ask 600 times a minute, and a look is up to two requests
MOST_RETRIES = 10  # of a webhook that was answered 503, of an act that was answered 412


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
        # In this process: one Django less to start.
        self.sandbox = Sandbox(
            port=free_port(0), latency=latency, jitter=0.5, credits=100_000, log=self._log
        )
        self.run = secrets.token_hex(3)
        self.folder.mkdir(exist_ok=True)
        # Made here, so that nobody takes a published key for their own; the README reads the file.
        self.signing_key = self._kept("signing_key")
        self.processes = Processes(self._environment())
        self.session = requests.Session()
        self.url = f"http://127.0.0.1:{self.port}"

    # Setting up -----------------------------------------------------------------------------

    def _kept(self, name: str) -> str:
        """A secret of this folder, made once."""
        path = self.folder / name
        if not path.exists():
            path.write_text(secrets.token_urlsafe(50))
        return path.read_text()

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            **self.sandbox.environment,
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
            "CIO_PERSON_URL": "https://workspace.example/people/{cio_id}",
            "MAVERA_WORKSPACE_ID": "",
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        }

    def start(self) -> None:
        """Make everything ready and start it; returns when pages are answered."""
        self.say("Preparing database, starter rules and login …")
        token = self.processes.manage("shell", "-c", PREPARE).splitlines()[-1]
        self.session.headers["Authorization"] = f"Token {token}"
        self.sandbox.start()
        (self.folder / "sandbox.log").write_text(self.sandbox.introduction)
        self.processes.start(self.folder / "savedesk.log", "supervise")
        self.wait("the web server answers", self._is_up, 300)
        self.say(f"\n  Savedesk is at   {self.url}/")
        self.say(f"  Log in with      {USER} / {PASSWORD}")
        self.say(
            "  Customer.io and Mavera are played by the sandbox; nothing leaves this machine.\n"
        )

    def _is_up(self) -> bool:
        try:
            return requests.get(f"{self.url}/login/", timeout=30).ok
        except requests.RequestException:
            return False

    def stop(self) -> None:
        """First the product, then the sandbox it talks to."""
        self.processes.stop()
        self.sandbox.stop()

    def _log(self, line: str) -> None:
        with (self.folder / "sandbox.log").open("a") as log:
            log.write(f"{line}\n")

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
            timeout=60,
        )

    def person(self, name: str, **attributes: str) -> str:
        """A customer of the sandbox whose address is known; returns the id."""
        person = f"{name}-{self.run}"
        profile = {"plan": "enterprise", "industry": "insurance", "usage_tier": "high"}
        answer = requests.post(
            f"{self.sandbox.url}/sandbox/people",
            json={"id": person, "email": address(person), "attributes": profile | attributes},
            timeout=60,
        )
        answer.raise_for_status()
        return person

    def in_segments(self) -> set[str]:
        """The ids of all customers who are in any manual segment of the sandbox."""
        got = requests.get(f"{self.sandbox.url}/sandbox/segments", timeout=60).json()
        return {person["id"] for one in got["segments"] for person in one["members"]}

    # The team's part ------------------------------------------------------------------------

    def get(self, path: str, **params: Any) -> Any:
        answer = self._ask("GET", f"{self.url}/api/v1/{path}", params=params)
        answer.raise_for_status()
        return answer.json()

    def _ask(self, method: str, url: str, **sent: Any) -> requests.Response:
        """Later if it was too often: the demo looks often, a token may only so often a minute."""
        while True:
            answer = self.session.request(method, url, timeout=60, **sent)
            if answer.status_code != 429:
                return answer
            time.sleep(int(answer.headers["Retry-After"]))

    def act(self, brief: dict[str, Any], name: str, **fields: Any) -> dict[str, Any]:
        """Act on a brief as it is now, as the person of the demo's token; returns the answer."""
        url = f"{self.url}/api/v1/briefs/{brief['id']}/"
        for _ in range(MOST_RETRIES):
            seen = self._ask("GET", url)
            headers = {"If-Match": seen.headers["ETag"], "Idempotency-Key": secrets.token_hex(8)}
            answer = self._ask("POST", f"{url}{name}/", json=fields, headers=headers)
            if answer.status_code != 412:  # the brief changed meanwhile: its research arrived
                break
        if not answer.ok:
            raise Failed(f"{name} of brief {brief['id']}: {answer.status_code} {answer.text}")
        got: dict[str, Any] = answer.json()
        return got

    def write(self, path: str, **fields: Any) -> dict[str, Any]:
        """POST to the API what is no act on one brief; returns the answer."""
        headers = {"Idempotency-Key": secrets.token_hex(8)}
        answer = self._ask("POST", f"{self.url}/api/v1/{path}", json=fields, headers=headers)
        if not answer.ok:
            raise Failed(f"POST {path}: {answer.status_code} {answer.text}")
        got: dict[str, Any] = answer.json()
        return got

    def page(self, path: str) -> str:
        """A page of the desk, as the person who is signed in sees it."""
        with requests.Session() as browser:
            login = f"{self.url}/login/"
            browser.get(login, timeout=60)
            token = browser.cookies["csrftoken"]
            said = {"username": USER, "password": PASSWORD, "csrfmiddlewaretoken": token}
            browser.post(login, data=said, timeout=60).raise_for_status()
            answer = browser.get(f"{self.url}{path}", timeout=60)
        answer.raise_for_status()
        return answer.text

    def pages(self, path: str, **params: Any) -> list[dict[str, Any]]:
        return list(self.rows(path, **params))

    def rows(self, path: str, **params: Any) -> Iterator[dict[str, Any]]:
        """Of all pages of a list, each page asked for when it is needed."""
        got = self.get(f"{path}/", page_size=200, **params)
        yield from got["results"]
        while got["next"]:
            got = self._ask("GET", got["next"]).json()
            yield from got["results"]

    def ended(self, event: dict[str, Any]) -> dict[str, Any] | None:
        rows = self.get("events/", event_id=event["event_id"])["results"]
        return rows[0] if rows and rows[0]["status"] != "pending" else None

    def brief_of(self, event: dict[str, Any]) -> dict[str, Any] | None:
        row = self.ended(event)
        if row is None or row["signal"] is None or row["signal"]["brief"] is None:
            return None
        brief: dict[str, Any] = self.get(f"briefs/{row['signal']['brief']}/")
        return brief

    def brief_after(
        self, person: str, metric: str, object_type: str = "customer", ago: int = 0, **data: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Send an event that opens a brief; returns the brief and the processed event."""
        event = self.event(person, metric, object_type, ago, **data)
        self.expect("the webhook is answered", self.post(event), (200, "stored"))
        brief = self.wait("its brief is there", lambda: self.brief_of(event), 180)
        return brief, self.wait("it is processed", partial(self.ended, event), 180)

    def researched(self, pk: int) -> dict[str, Any] | None:
        brief: dict[str, Any] = self.get(f"briefs/{pk}/")
        return brief if brief["basis"] != "playbook" else None

    def all_ended(self, wanted: set[str]) -> list[dict[str, Any]] | None:
        rows = [
            row
            for row in islice(self.rows("events"), len(wanted) + 200)
            if row["event_id"] in wanted
        ]
        ended = [row for row in rows if row["status"] != "pending"]
        return ended if len(ended) == len(wanted) else None

    def all_researched(self, briefs: set[int]) -> bool:
        waiting = self.pages("briefs", state="open", research="playbook")
        return not any(brief["id"] in briefs for brief in waiting)

    def mave_calls(self) -> int:
        got = requests.get(f"{self.sandbox.url}/sandbox/requests", timeout=60).json()
        return sum(1 for item in got["requests"] if item["path"].endswith("/mave/chat"))

    def credits_used(self) -> int:
        key = self.processes.environment["MAVERA_API_KEY"]
        answer = requests.get(
            f"{self.sandbox.url}/api/v1/usage",
            headers={"Authorization": f"Bearer {key}"},
            timeout=60,
        )
        used: int = answer.json()["credits"]["used"]
        return used

    # Telling --------------------------------------------------------------------------------

    def wait(self, what: str, ask: Callable[[], Any], seconds: float) -> Any:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := ask():
                return found
            self.processes.check()
            time.sleep(LOOKS_EVERY)
        raise Failed(f"{what}: not within {seconds:.0f} s; see the logs in {self.folder}")

    def expect(self, what: str, got: Any, wanted: Any) -> None:
        if got != wanted:
            raise Failed(f"{what}: {got} instead of {wanted}; see the logs in {self.folder}")

    def done(self, text: str, began: float | None = None) -> None:
        after = f"  ({time.monotonic() - began:.1f} s)" if began is not None else ""
        self.say(f"   ✓ {text}{after}")


def address(person: str) -> str:
    """The e-mail address of a customer that `Demo.person` made."""
    return f"{person}@example.com"
