"""Webhooks that were refused: what it does to Customer.io's deliveries, and the cure.

Customer.io sends one webhook after the other. One that fails holds back all that come after it,
until it succeeds or 7 days are over.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings

from briefs.times import span
from operations.figures import HOUR, Figures, Seen
from operations.troubles.kinds import Kind, Trouble
from webhooks import checks
from webhooks.models import Answer

# What is refused holds the rest back until a webhook is accepted, and is told for a day at most.
# What is over is told for an hour, so that people who were told of it still find it.
RECENT = HOUR
TOLERANCE = timedelta(seconds=10)  # answers are counted every few seconds
# Strangers may sign wrongly more often than Customer.io delivers: give it time to be accepted.
USUAL_GAPS_OF_PATIENCE = 2
MOST_PATIENCE = timedelta(minutes=10)
# Beside accepted ones within an hour. A scanner does not guess Customer.io's headers three times.
ODD_SIGNATURES = 3
_HOUR_OFF = (
    "Customer.io waits an hour before it tries again and holds every later webhook back, "
    "for up to 7 days"
)


def not_stored(figures: Figures) -> Iterator[Trouble]:
    seen = figures.seen(Answer.NOT_STORED)
    if seen and not _is_over(figures, seen):
        yield Trouble(
            Kind.NOT_STORED,
            "problem",
            _since(figures, seen),
            f"{_told_not_stored(figures, seen)}. Until that succeeds it holds every later webhook "
            "back, for up to 7 days.",
            "Is the database reachable, is its disk full, does something lock it for seconds? The "
            "web server's log says “not stored” with the kind of error.",
        )


def too_old(figures: Figures) -> Iterator[Trouble]:
    """Others that are accepted cure nothing: the next retry is refused again."""
    seen = figures.seen(Answer.TOO_OLD)
    if seen and (_is_recent(figures, seen) or not _is_over(figures, seen)):
        yield Trouble(
            Kind.TOO_OLD,
            "problem",
            _since(figures, seen),
            f"{_times(seen, 'webhook')} had the right signature but an old timestamp"
            f"{_last(figures, seen)}: {_HOUR_OFF}.",
            f"Set CIO_MAX_AGE_SECONDS to 0 (it is {settings.CIO_MAX_AGE_SECONDS}): a retry may "
            "carry its first timestamp, and replays are stopped by the event's id already. Is the "
            "clock of this machine right?",
        )


def too_large(figures: Figures) -> Iterator[Trouble]:
    seen = figures.seen(Answer.TOO_LARGE)
    if seen and not _is_over(figures, seen):
        text, cure = _told_too_large(figures, seen)
        yield Trouble(Kind.TOO_LARGE, "problem", _since(figures, seen), text, cure)


def refused_before(figures: Figures) -> Iterator[Trouble]:
    """Refusals that are over. People hear of an outage of the database only now."""
    seen = figures.seen(Answer.NOT_STORED)
    if seen and _is_recent(figures, seen) and _is_over(figures, seen):
        yield Trouble(
            Kind.REFUSED_BEFORE,
            "hint",
            seen.last_at,
            f"{_told_not_stored(figures, seen)}. Since then webhooks are stored again: nothing is "
            "lost, they came later.",
            "If it happens again, look for “not stored” in the web server's log.",
        )
    seen = figures.seen(Answer.TOO_LARGE)
    if seen and _is_recent(figures, seen) and _is_over(figures, seen):
        text, cure = _told_too_large(figures, seen)
        yield Trouble(Kind.REFUSED_BEFORE, "hint", seen.last_at, text, cure)


def no_key(figures: Figures) -> Iterator[Trouble]:
    """Not alarmed: whoever starts without a key knows it. The doctor has a check of its own."""
    if settings.DEBUG or settings.CIO_WEBHOOK_SECRETS:
        return
    given = ", ".join(settings.CIO_WEBHOOK_SECRETS_REFUSED)
    yield Trouble(
        Kind.NO_KEY,
        "problem",
        figures.now,
        "CIO_WEBHOOK_SECRET holds no key with which webhooks can be verified"
        f"{f' ({given})' if given else ''}: every webhook is refused.",
        checks.CURE,
    )


def wrong_signature(figures: Figures) -> Iterator[Trouble]:
    """One is enough where nothing is accepted: Customer.io sends one and waits for an hour."""
    seen = figures.seen(Answer.WRONG_SIGNATURE)
    if seen is None:
        return
    key = "the signing key from the Reporting Webhooks page of Customer.io"
    # Answers are counted every few seconds: on a busy feed the last one that is accepted may be
    # counted after the first one that is not. An event has the very moment at which it came.
    newest = figures.newest
    is_over = _is_over(figures, seen, later_by=TOLERANCE) or bool(
        newest and newest.received_at > seen.last_at
    )
    if not is_over and not _may_just_be_quiet(figures):
        yield Trouble(
            Kind.WRONG_SIGNATURE,
            "problem",
            _since(figures, seen),
            f"{_told_wrong(figures, seen)}: {_HOUR_OFF}.",
            f"Is the secret right? Copy {key} into CIO_WEBHOOK_SECRET and start Savedesk again. "
            "If it is, a proxy in front changes the body or the X-CIO-Timestamp header; or a "
            "stranger imitates Customer.io: a test from its Reporting Webhooks page tells which.",
        )
        return
    recent = figures.seen(Answer.WRONG_SIGNATURE, within=RECENT)
    if recent and recent.count >= ODD_SIGNATURES:
        yield Trouble(
            Kind.OTHER_SIGNATURE,
            "hint",
            recent.last_ats[0],
            f"{_told_wrong(figures, seen)}, while others were accepted: somebody signs with "
            "another key, or you have just changed it.",
            f"If a second workspace sends here, copy {key} and add it to CIO_WEBHOOK_SECRET, "
            "after a comma. If nobody of yours does, there is nothing to do.",
        )


def unsigned(figures: Figures) -> Iterator[Trouble]:
    """Beside accepted ones they are the noise of the internet."""
    seen = figures.seen(Answer.UNSIGNED)
    if seen and not _is_over(figures, seen):
        yield Trouble(
            Kind.UNSIGNED,
            "hint",
            _since(figures, seen),
            f"{_times(seen, 'request')} came without a signature, or with one that is not made as "
            f"Customer.io's are{_last(figures, seen)}, and none was accepted since. If they are "
            f"Customer.io's: {_HOUR_OFF}.",
            "If a proxy stands in front, let it pass the headers X-CIO-Timestamp and "
            "X-CIO-Signature. Strangers without a signature are refused as they should be.",
        )


def _is_over(figures: Figures, seen: Seen, later_by: timedelta = -TOLERANCE) -> bool:
    """Whether a webhook was accepted since. The next try of a refused one may be hours away."""
    taken_at = figures.last_taken_at
    return taken_at is not None and taken_at > seen.last_at + later_by


def _is_recent(figures: Figures, seen: Seen) -> bool:
    return seen.last_at > figures.now - RECENT


def _may_just_be_quiet(figures: Figures) -> bool:
    """Whether Customer.io may have had nothing to send since the last webhook was accepted."""
    if figures.last_taken_at is None:
        return False
    patience = USUAL_GAPS_OF_PATIENCE * (figures.gaps.usual or TOLERANCE)
    patience = max(TOLERANCE, min(patience, MOST_PATIENCE))
    return figures.now - figures.last_taken_at < patience


def _since(figures: Figures, seen: Seen) -> datetime:
    """The first refusal that is known since a webhook was accepted; counts are by the hour."""
    taken_at = figures.last_taken_at
    unheard = [at for at in seen.last_ats if taken_at is None or at > taken_at - TOLERANCE]
    return unheard[0] if unheard else seen.last_at


def _told_not_stored(figures: Figures, seen: Seen) -> str:
    return (
        f"{_times(seen, 'webhook')} could not be stored{_last(figures, seen)}, and Customer.io was "
        "asked to send again soon (503)"
    )


def _told_too_large(figures: Figures, seen: Seen) -> tuple[str, str]:
    return (
        f"{_times(seen, 'request')} over 64 MiB {'was' if seen.count == 1 else 'were'} refused"
        f"{_last(figures, seen)}. If Customer.io sent it, it tries again and holds every later "
        "webhook back, for up to 7 days.",
        "Turn Body Content off in the reporting webhook if messages are that large; no event "
        "needs more than a few KiB without it.",
    )


def _told_wrong(figures: Figures, seen: Seen) -> str:
    return (
        f"{_times(seen, 'request')} looked like Customer.io's but "
        f"{'its' if seen.count == 1 else 'their'} signature was wrong{_last(figures, seen)}"
    )


def _times(seen: Seen, noun: str) -> str:
    return f"{seen.count:,} {noun}{'' if seen.count == 1 else 's'}"


def _last(figures: Figures, seen: Seen) -> str:
    ago = span(figures.now - seen.last_at)
    when = "just now" if ago == "now" else f"{ago} ago"
    return f" ({when})" if seen.count == 1 else f" in the last 24 hours (the latest {when})"
