"""What is wrong with the webhooks: what it does to Customer.io's deliveries, and the cure.

Customer.io sends one webhook after the other. One that fails holds back all that come after it,
until it succeeds or 7 days are over.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.conf import settings

from briefs.links import admin_url
from briefs.times import length, span
from operations.figures import WEEK, Figures, Seen, unswept_since
from webhooks.models import Answer, WebhookEvent

RECENT = timedelta(hours=1)
TOLERANCE = timedelta(seconds=10)  # answers are counted every few seconds
MOST_PATIENCE = timedelta(minutes=10)
SILENT_TIMES = 6
SILENT_AT_LEAST = timedelta(minutes=15)  # below that no usual gap is short enough to alarm
MANY_AGAIN = 10
_HOUR_OFF = (
    "Customer.io waits an hour before it tries again and holds every later webhook back, "
    "for up to 7 days"
)


@dataclass(frozen=True, slots=True)
class Trouble:
    level: str  # "problem" stops something, "hint" did or may
    text: str
    cure: str
    url: str = ""
    link: str = ""


def troubles(figures: Figures, user: Any) -> list[Trouble]:
    """All that holds at present, problems first; links lead into the admin, for staff only."""
    found = [trouble for look in _LOOKS for trouble in look(figures)]
    found.sort(key=lambda trouble: trouble.level != "problem")
    if user.is_staff:
        return found
    return [replace(trouble, url="", link="") for trouble in found]


def _not_stored(figures: Figures) -> Iterator[Trouble]:
    seen, is_over = _refused(figures, Answer.NOT_STORED)
    if not seen:
        return
    told = (
        f"{_times(seen, 'webhook')} could not be stored{_last(figures, seen)}, and Customer.io was "
        "asked to send again soon (503)"
    )
    if is_over:
        yield Trouble(
            "hint",
            f"{told}. Since then webhooks are stored again: nothing is lost, they came later.",
            "If it happens again, look for “not stored” in the web server's log.",
        )
        return
    yield Trouble(
        "problem",
        f"{told}. Until that succeeds it holds every later webhook back, for up to 7 days.",
        "Is the database reachable, is its disk full, does something lock it for seconds? The web "
        "server's log says “not stored” with the kind of error.",
    )


def _wrong_signature(figures: Figures) -> Iterator[Trouble]:
    # Strangers may knock more often than Customer.io delivers: give it time to be accepted.
    patience = max(TOLERANCE, min(2 * (figures.gaps.usual or TOLERANCE), MOST_PATIENCE))
    seen, is_over = _refused(figures, Answer.WRONG_SIGNATURE, patience)
    if not seen:
        return
    told = (
        f"{_times(seen, 'request')} looked like Customer.io's but "
        f"{'its' if seen.count == 1 else 'their'} signature was wrong{_last(figures, seen)}"
    )
    key = "the signing key from the Reporting Webhooks page of Customer.io"
    if is_over:
        yield Trouble(
            "hint",
            f"{told}, while others were accepted: somebody signs with another key, or you have "
            "just changed it.",
            f"If a second workspace sends here, copy {key} and add it to CIO_WEBHOOK_SECRET, "
            "after a comma. If nobody of yours does, there is nothing to do.",
        )
        return
    yield Trouble(
        "problem",
        f"{told}: {_HOUR_OFF}.",
        f"Is the secret right? Copy {key} into CIO_WEBHOOK_SECRET and start Savedesk again. "
        "If it is, a proxy in front changes the body or the X-CIO-Timestamp header.",
    )


def _too_old(figures: Figures) -> Iterator[Trouble]:
    seen, _ = _refused(figures, Answer.TOO_OLD)
    if seen:
        yield Trouble(
            "problem",
            f"{_times(seen, 'webhook')} had the right signature but an old timestamp"
            f"{_last(figures, seen)}: {_HOUR_OFF}.",
            f"Set CIO_MAX_AGE_SECONDS to 0 (it is {settings.CIO_MAX_AGE_SECONDS}): a retry may "
            "carry its first timestamp, and replays are stopped by the event's id already. Is the "
            "clock of this machine right?",
        )


def _too_large(figures: Figures) -> Iterator[Trouble]:
    seen, is_over = _refused(figures, Answer.TOO_LARGE)
    if seen:
        yield Trouble(
            "hint" if is_over else "problem",
            f"{_times(seen, 'request')} over 64 MiB {'was' if seen.count == 1 else 'were'} refused"
            f"{_last(figures, seen)}. If Customer.io sent it, it tries again and holds every later "
            "webhook back, for up to 7 days.",
            "Turn Body Content off in the reporting webhook if messages are that large; no event "
            "needs more than a few KiB without it.",
        )


def _unsigned(figures: Figures) -> Iterator[Trouble]:
    seen, is_over = _refused(figures, Answer.UNSIGNED)
    if seen and not is_over:  # beside accepted ones they are the noise of the internet
        yield Trouble(
            "hint",
            f"{_times(seen, 'request')} came without a signature{_last(figures, seen)}, and none "
            f"was accepted since. If they are Customer.io's: {_HOUR_OFF}.",
            "If a proxy stands in front, let it pass the headers X-CIO-Timestamp and "
            "X-CIO-Signature. Strangers without a signature are refused as they should be.",
        )


def _silence(figures: Figures) -> Iterator[Trouble]:
    usual, longest, silence = figures.gaps.usual, figures.gaps.longest, figures.silence
    if not usual or not longest or not silence:
        return
    if silence <= max(SILENT_TIMES * usual, SILENT_AT_LEAST):
        return
    yield Trouble(
        "problem" if silence > longest else "hint",
        f"No webhook for {length(silence)}, where the usual gap is {length(usual)} and the longest "
        f"of the last 7 days was {length(longest)}: nothing happens in the workspace, Customer.io "
        "cannot reach this address, or it waits before it tries again.",
        "In Customer.io, see that the reporting webhook is enabled and choose Send test. If the "
        "test does not arrive, check the name, the certificate and the proxy in front.",
    )


def _workers(figures: Figures) -> Iterator[Trouble]:
    unswept = unswept_since(figures.bell, figures.now)
    if figures.late_since:
        told = (
            f"The oldest event has been due for {length(figures.now - figures.late_since)} and no "
            "worker took it"
        )
    elif figures.is_drain_stuck:
        told = "Events have been due for a minute and no worker takes them"
    elif unswept:
        told = f"No worker has looked for work for {length(figures.now - unswept)}"
    else:
        return
    yield Trouble(
        "problem",
        f"{told}. Webhooks are still accepted and kept, so Customer.io notices nothing, but no new "
        "brief appears.",
        "Does manage.py supervise run, here or on a worker host? manage.py doctor says what is "
        "missing; whatever waits is processed as soon as a worker is back.",
    )


def _research(figures: Figures) -> Iterator[Trouble]:
    if figures.is_research_stuck:
        yield Trouble(
            "problem",
            "Research has been due for a minute and no worker asks Mave. Customer.io notices "
            "nothing; briefs stand on their playbooks meanwhile.",
            "The supervisor starts a stuck cluster again by itself; if this stays, see whether "
            "manage.py supervise runs and what manage.py doctor says.",
        )


def _dead(figures: Figures) -> Iterator[Trouble]:
    if figures.dead:
        url = admin_url("webhooks_webhookevent_changelist")
        yield Trouble(
            "problem",
            f"{figures.dead.of('event')} failed on every try and led to nothing. Customer.io has "
            "its answer and does not send them again.",
            "Read the reason at the event. Once it is mended, reprocess them there, or all of them "
            "with manage.py reprocess_events --status dead.",
            f"{url}?status__exact={WebhookEvent.Status.DEAD}" if url else "",
            "Failed events" if url else "",
        )


def _quarantined(figures: Figures) -> Iterator[Trouble]:
    latest = figures.quarantined_events[0].received_at if figures.quarantined_events else None
    if latest and latest > figures.now - WEEK:
        yield Trouble(
            "hint",
            f"{figures.quarantined.of('webhook')} had the right signature but could not be read as "
            "an event. Customer.io was told that all is well, so that nothing is held back; the "
            "body is kept.",
            "Read the reasons below. After an upgrade that can read them, try them again.",
        )


def _again(figures: Figures) -> Iterator[Trouble]:
    again, new = figures.seen(Answer.DUPLICATE), figures.seen(Answer.STORED)
    if again and again.count >= MANY_AGAIN and again.count * 20 > (new.count if new else 0):
        yield Trouble(
            "hint",
            f"{again.count:,} webhooks of the last 24 hours were delivered again. Each is stored "
            "once, but Customer.io repeats only what it got no answer to within 4 seconds, and "
            "waits between the tries.",
            "Is a proxy slow or its time-out short, is the database's disk busy? The answer itself "
            "takes milliseconds.",
        )


def _unverified(figures: Figures) -> Iterator[Trouble]:
    if settings.DEBUG:
        yield Trouble(
            "hint",
            "DEBUG is on: requests without a signature are accepted, whoever sends them.",
            "Set DEBUG=0 before this machine can be reached from outside.",
        )


_LOOKS = (_not_stored, _wrong_signature, _too_old, _too_large, _unsigned, _silence, _workers,
          _research, _dead, _quarantined, _again, _unverified)  # fmt: skip


def _refused(
    figures: Figures, answer: Answer, tolerance: timedelta = TOLERANCE
) -> tuple[Seen | None, bool]:
    """These refusals of the last day, and whether webhooks were accepted since.

    The next try of a refused webhook may be hours away, so it stays a problem until one is
    accepted, and is spoken of for an hour after that.
    """
    seen, taken_at = figures.seen(answer), figures.last_taken_at
    is_over = bool(seen and taken_at and taken_at > seen.last_at - tolerance)
    if seen and is_over and seen.last_at < figures.now - RECENT:
        return None, True
    return seen, is_over


def _times(seen: Seen, noun: str) -> str:
    return f"{seen.count:,} {noun}{'' if seen.count == 1 else 's'}"


def _last(figures: Figures, seen: Seen) -> str:
    ago = span(figures.now - seen.last_at)
    when = "just now" if ago == "now" else f"{ago} ago"
    return f" ({when})" if seen.count == 1 else f" in the last 24 hours (the latest {when})"
