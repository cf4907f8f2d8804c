"""What comes in, or does not: silence, webhooks that cannot be read, and those sent twice."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings

from briefs.times import length
from operations.figures import WEEK, Figures
from operations.troubles.kinds import Kind, Trouble
from webhooks.models import Answer

# Webhooks come at no steady pace: six usual gaps without one are rare, and below ten minutes
# nobody is told, even if events usually come every second.
SILENT_TIMES = 6
SILENT_AT_LEAST = timedelta(minutes=10)
# One in twenty, of more than a few: Customer.io repeats what got no answer within 4 seconds.
MANY_AGAIN = 10
ONE_AGAIN_IN = 20


def silence(figures: Figures) -> Iterator[Trouble]:
    """Nights and weekends are quiet: it is a problem only if it was never so long in 7 days."""
    last, gaps = figures.last_taken_at, figures.gaps
    if last is None or gaps.usual is None or gaps.longest is None:
        return
    silent_for = figures.now - last
    if silent_for < max(SILENT_TIMES * gaps.usual, SILENT_AT_LEAST):
        return
    is_new = silent_for > gaps.longest
    yield Trouble(
        Kind.SILENCE if is_new else Kind.QUIET,
        "problem" if is_new else "hint",
        last,
        f"No webhook for {length(silent_for)}, where the usual gap is {length(gaps.usual)} and the "
        f"longest of the last 7 days was {length(gaps.longest)}: nothing happens in the workspace, "
        "Customer.io cannot reach this address, or it waits before it tries again.",
        "In Customer.io, see that the reporting webhook is enabled and choose Send test. If the "
        "test does not arrive, check the name, the certificate and the proxy in front.",
    )


def quarantined(figures: Figures) -> Iterator[Trouble]:
    """For a week after the latest one: until then an upgrade may come that can read it."""
    latest = figures.quarantined_events[0].received_at if figures.quarantined_events else None
    if latest and latest > figures.now - WEEK:
        yield Trouble(
            Kind.QUARANTINED,
            "hint",
            latest,
            f"{figures.quarantined.of('webhook')} had the right signature but could not be read as "
            "an event. Customer.io was told that all is well, so that nothing is held back; the "
            "body is kept.",
            "Read the reasons below. After an upgrade that can read them, try them again.",
        )


def delivered_again(figures: Figures) -> Iterator[Trouble]:
    again, new = figures.seen(Answer.DUPLICATE), figures.seen(Answer.STORED)
    if not again or again.count < MANY_AGAIN:
        return
    if again.count * ONE_AGAIN_IN > (new.count if new else 0):
        yield Trouble(
            Kind.DELIVERED_AGAIN,
            "hint",
            again.last_ats[0],
            f"{again.count:,} webhooks of the last 24 hours were delivered again. Each is stored "
            "once, but Customer.io repeats only what it got no answer to within 4 seconds, and "
            "waits between the tries.",
            "Is a proxy slow or its time-out short, is the database's disk busy? The answer itself "
            "takes milliseconds.",
        )


def unverified(figures: Figures) -> Iterator[Trouble]:
    if settings.DEBUG:
        yield Trouble(
            Kind.UNVERIFIED,
            "hint",
            figures.now,
            "DEBUG is on: requests without a signature are accepted from everybody.",
            "Set DEBUG=0 before this machine can be reached from outside.",
        )
