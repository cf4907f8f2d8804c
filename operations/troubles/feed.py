"""What comes in, or does not: silence, webhooks that cannot be read, and those sent twice."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings

from briefs.links import admin_url
from briefs.times import length
from operations.figures import WEEK, Count, Figures
from operations.troubles.kinds import Kind, Trouble
from webhooks.models import Answer, WebhookEvent
from webhooks.parsing import DIGEST

Reason = WebhookEvent.Reason

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
    """For a week after the latest one: until then an upgrade may come that can read it.

    Lists of events are another trouble.
    """
    if not figures.quarantined:
        return
    unread = [event for event in figures.quarantined_events if event.reason_code != Reason.LIST]
    number = figures.quarantined.number - (figures.lists.rows.number if figures.lists else 0)
    if unread and number > 0 and unread[0].received_at > figures.now - WEEK:
        yield Trouble(
            Kind.QUARANTINED,
            "hint",
            unread[0].received_at,
            f"{Count(number).of('webhook')} had the right signature but could not be read as "
            "an event. Customer.io was told that all is well, so that nothing is held back; the "
            "body is kept.",
            "Read the reasons below. After an upgrade that can read them, try them again.",
        )


def lists(figures: Figures) -> Iterator[Trouble]:
    """A problem, because none of the events in them led to anything."""
    found = figures.lists
    if found and found.last_at > figures.now - WEEK:
        yield Trouble(
            Kind.LISTS,
            "problem",
            found.last_at,
            f"{found.received.of('webhook')} with the right signature held several events each. "
            "None of those events was worked on, and Customer.io was told that all is well; the "
            "bodies are kept, see Quarantined below.",
            "A reporting webhook carries one event. Let Customer.io send to this address directly, "
            "or have what stands between send each event by itself and signed.",
        )


def without_id(figures: Figures) -> Iterator[Trouble]:
    found = figures.without_id
    if found and found.last_at > figures.now - WEEK:
        url = admin_url("webhooks_webhookevent_changelist")
        yield Trouble(
            Kind.NO_EVENT_ID,
            "hint",
            found.last_at,
            f"{found.received.of('webhook')} said what happened to whom, but carried no usable "
            "event id. Each is worked on once per body: the same event in other bytes counts as "
            "another one.",
            "Customer.io gives every event an event_id. Find out what changes the body on its way.",
            url=f"{url}?q={DIGEST}" if url else "",
            link="Events without an id" if url else "",
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
