"""Sends one signed event the way Customer.io does, and follows it through the rows.

It takes no part in the work: every step is read from what the receiver and the workers wrote.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import requests
from django.conf import settings
from django.utils import timezone

from briefs.models import Brief, MaveHealth, Research, ResearchPolicy, Signal
from briefs.research import pacing
from personas.models import Customer
from webhooks import checks
from webhooks.models import WebhookEvent
from webhooks.signatures import sign

ANSWER_SECONDS = 10.0
STORED_SECONDS = 3.0  # an answered event must be in our database at once
PROCESSED_SECONDS = 15.0
QUEUED_SECONDS = 60.0
RESEARCHED_SECONDS = 240.0
UPGRADED_SECONDS = 90.0  # if its worker died just then, the sweep of the next minute does it
LOOK_EVERY_SECONDS = 0.1
DOCTOR = "manage.py doctor says more."


class Stopped(Exception):
    """The event got no further; the message says where, and what to check."""


@dataclass(frozen=True, slots=True)
class Step:
    words: str
    seconds: float  # since the event was sent


@dataclass(slots=True)
class Following:
    """One event on its way; `base_url` is where its brief will be read."""

    event_id: str
    base_url: str = ""
    began: float = 0.0

    def send(self, url: str, body: bytes) -> Step:
        """Post the signed body. Raises Stopped for any answer but "stored"."""
        self.began = time.monotonic()
        timestamp = str(int(time.time()))
        headers = {"Content-Type": "application/json", "X-CIO-Timestamp": timestamp}
        if not settings.DEBUG and not settings.CIO_WEBHOOK_SECRETS:
            raise Stopped(f"there is no key to sign it with. {checks.why_refused()}".strip())
        if settings.CIO_WEBHOOK_SECRETS:
            headers["X-CIO-Signature"] = sign(settings.CIO_WEBHOOK_SECRETS[0], timestamp, body)
        try:
            answer = requests.post(
                url, body, headers=headers, timeout=ANSWER_SECONDS, allow_redirects=False
            )
        except requests.ConnectionError as error:
            raise Stopped(
                f"no connection to {url}: is the web server running there (make run), and is "
                "--url or PORT right?"
            ) from error
        except requests.RequestException as error:
            raise Stopped(f"no answer from {url} ({type(error).__name__})") from error
        status = _status_of(answer)
        if status != "stored":
            raise Stopped(_why_not_stored(answer.status_code, status))
        return self._step(f"answered {answer.status_code}: {status}")

    def until_processed(self) -> Iterator[Step]:
        """Tell how the event was claimed and ended. Raises Stopped if it did not end well."""
        if not self._wait(self._event, STORED_SECONDS):
            raise Stopped(
                "answered, but this database has no such event: the web server uses another "
                "DATABASE_URL than this command"
            )
        if not self._wait(lambda: self._event_that(lambda e: e.tries > 0), PROCESSED_SECONDS):
            raise Stopped(
                f"no worker has claimed it within {PROCESSED_SECONDS:.0f} s: the clusters do not "
                f"run, or are stuck (make run, or manage.py supervise --no-web). {DOCTOR}"
            )
        yield self._step("claimed by a worker")
        ended = self._wait(lambda: self._event_that(_has_ended_or_failed), PROCESSED_SECONDS)
        if ended is None:
            raise Stopped(f"it is not finished after {PROCESSED_SECONDS:.0f} s. {DOCTOR}")
        if ended.status not in (WebhookEvent.Status.PROCESSED, WebhookEvent.Status.IGNORED):
            raise Stopped(f"processing failed: {ended.status_reason}. {DOCTOR}")
        yield self._step(f"{ended.get_status_display().lower()}: {ended.status_reason}")

    def what_it_led_to(self) -> Iterator[Step]:
        """Tell of the signal, the customer, the persona, the brief, and the research's course."""
        signal = (
            Signal.objects.filter(event__event_id=self.event_id)
            .select_related("customer", "persona", "brief__persona", "brief__research")
            .first()
        )
        if signal is None:
            return
        yield self._step(f"signal: {signal.title} ({signal.get_effect_display()})")
        yield self._step(f"customer {signal.customer.pk}: {_looked_up(signal.customer)}")
        if signal.persona:
            yield self._step(f"persona: {signal.persona}")
        brief = signal.brief
        if brief is None:
            return
        yield self._step(
            f"brief {brief.pk}, {brief.get_priority_display().lower()}: "
            f"{self.base_url}{brief.get_absolute_url()}"
        )
        yield self._step(f"its research: {brief.get_basis_display()}")
        yield from self._research_of(brief)

    def _research_of(self, brief: Brief) -> Iterator[Step]:
        """Tell the research's course until the brief rests on it, or will not soon.

        Raises Stopped if the answer is saved and the brief does not get it.
        """
        told, told_at = "", 0.0
        while research := brief.research:
            # The brief first: its answer is saved before it rests on it.
            brief.refresh_from_db()
            research.refresh_from_db()
            if (words := _words_of(research)) != told:
                told, told_at = words, time.monotonic()
                yield self._step(words)
            if brief.basis != Brief.Basis.PLAYBOOK:
                yield self._step(f"the brief rests on it: {brief.get_basis_display()}")
                return
            if research.status in Research.GIVEN_UP:
                return
            if why := _why_late(research, time.monotonic() - told_at):
                yield self._step(f"no longer followed: {why}")
                return
            pause()
        yield self._step(f"no research: {_why_none(brief)}")

    def _event(self) -> WebhookEvent | None:
        return WebhookEvent.objects.defer("body").filter(event_id=self.event_id).first()

    def _event_that(self, holds: Callable[[WebhookEvent], bool]) -> WebhookEvent | None:
        event = self._event()
        return event if event and holds(event) else None

    def _wait(self, look: Callable[[], WebhookEvent | None], seconds: float) -> WebhookEvent | None:
        end = time.monotonic() + seconds
        while (found := look()) is None and time.monotonic() < end:
            pause()
        return found

    def _step(self, words: str) -> Step:
        return Step(words, time.monotonic() - self.began)


def pause() -> None:
    time.sleep(LOOK_EVERY_SECONDS)


def _status_of(answer: requests.Response) -> str:
    try:
        decoded = answer.json()
    except ValueError:
        return ""
    return str(decoded.get("status") or "") if isinstance(decoded, dict) else ""


def _why_not_stored(code: int, status: str) -> str:
    if code == 200 and status:
        return f"answered 200: {status}, so nothing is processed. See the event in the admin."
    cures = {
        401: "the web server has another CIO_WEBHOOK_SECRET than this command: restart it after "
        "changing .env",
        404: "the receiver is not there: does the address end in /webhooks/customerio/?",
        413: "the payload is larger than 64 MiB",
        502: "the proxy is up, but the web server behind it is not",
        503: "the web server is up, but cannot store: is its database up?",
    }
    if code in (301, 302, 307, 308):
        return f"answered {code}: it redirects, and Customer.io needs the final address"
    return f"answered {code}: {cures.get(code, 'something else than Savedesk answers there')}"


def _has_ended_or_failed(event: WebhookEvent) -> bool:
    has_failed = event.status == WebhookEvent.Status.PENDING and event.available_at is not None
    return event.status != WebhookEvent.Status.PENDING or has_failed


def _looked_up(customer: Customer) -> str:
    if customer.is_deleted:
        return "unknown to Customer.io (no such person, or deleted)"
    if customer.fetched_at is None:
        return "not looked up"
    age = timezone.now() - customer.fetched_at
    fresh = "looked up just now" if age < timedelta(seconds=30) else "known from an earlier look-up"
    return f"{fresh}, {len(customer.attributes)} attributes"


def _why_none(brief: Brief) -> str:
    if brief.is_waiting_for_profile:
        return "the brief waits for the customer's profile"
    if brief.customer.is_deleted:
        return "none is bought for a person whom Customer.io does not know"
    return f"none is bought for the persona “{brief.persona}”"


def _why_late(research: Research, seconds: float) -> str:
    """Why the answer will not come soon; empty while it may still come.

    seconds: since its state or its reason changed. What passes by itself, such as a failed try or a
    pause that Mavera asks for, is waited for. Raises Stopped if the brief does not get the answer.
    """
    if research.status == Research.Status.DONE:
        if seconds > UPGRADED_SECONDS:
            raise Stopped(f"the answer is saved, but the brief does not rest on it. {DOCTOR}")
        return ""
    if seconds > RESEARCHED_SECONDS:
        return f"the answer takes longer than usual. {DOCTOR}"
    if research.status != Research.Status.QUEUED:
        return ""
    policy = ResearchPolicy.current()
    why = pacing.why_waiting(policy, research.priority, research.persona)
    is_passing = policy.paused_at is None and MaveHealth.current().is_held
    if seconds <= QUEUED_SECONDS:
        return "" if is_passing else why
    busy = f"other questions go first, or the research cluster does not run. {DOCTOR}"
    return why or research.reason_in_full or busy


def _words_of(research: Research) -> str:
    words = f"research {research.pk}: {research.get_status_display().lower()}"
    if research.status == Research.Status.DONE:
        return f"{words}, {len(research.sources)} sources, {research.credits} credits"
    return f"{words}: {research.reason_in_full}" if research.status_reason else words
