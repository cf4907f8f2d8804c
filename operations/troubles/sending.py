"""What receiving servers refuse because of us. No customer left, so no brief tells of it."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.db.models import Count, Min, Q, QuerySet
from django.db.models.functions import Now

from briefs.links import admin_url
from briefs.models import Signal
from briefs.times import clock_and_day
from operations.figures import DAY, Figures
from operations.statements import written_once
from operations.troubles.kinds import Kind, Trouble
from personas.models import Effect, SignalKind
from personas.rules import bounces
from personas.rules.bounces import Cause

BOUNCES = (
    SignalKind.ADDRESS_GONE, SignalKind.BOUNCED, SignalKind.MAILBOX_FULL, SignalKind.BLOCKED,
)  # fmt: skip
REFUSED = Q(kind=SignalKind.BLOCKED, effect=Effect.NOTICE)
# Some servers refuse some messages every day. It is our sending that is broken if they refuse many
# people's mail, and most of all that bounced.
MANY = 10
MOST_READ = 100  # replies, the latest ones: enough to see which cause is the most frequent
_CURES = {
    Cause.SENDER: "Look the sending address and server up in the blocklists that the replies "
    "name, ask to be removed, and ask Customer.io about the reputation of its server.",
    Cause.DOMAIN: "In Customer.io, verify the sending domain and put the DNS records in place that "
    "it names: SPF, DKIM and DMARC.",
    Cause.POLICY: "Read the replies: what is in these messages, their links, attachments or size, "
    "is what is refused. Change it before the next sending.",
    Cause.RATE: "Send more slowly, and only to people who still read what you send; look which "
    "campaign gets the complaints.",
}


def mail_refused(figures: Figures) -> Iterator[Trouble]:
    """Blocked bounces of the last day that a rule made a notice; problem if most of all are."""
    if not _any_refused():
        return
    bounced = Signal.objects.filter(happened_at__gt=figures.now - DAY, kind__in=BOUNCES)
    seen = bounced.aggregate(
        people=Count("customer", distinct=True, filter=REFUSED),
        all=Count("customer", distinct=True),
        since=Min("happened_at", filter=REFUSED),
    )
    if not seen["people"]:
        return
    since = min(seen["since"], figures.now)
    causes = _causes(bounced.filter(REFUSED))
    is_most = seen["people"] >= MANY and 2 * seen["people"] > seen["all"]
    url = admin_url("briefs_signal_changelist")
    query = f"?kind__exact={SignalKind.BLOCKED}&effect__exact={Effect.NOTICE}"
    yield Trouble(
        Kind.MAIL_REFUSED if is_most else Kind.SOME_MAIL_REFUSED,
        "problem" if is_most else "hint",
        since,
        f"Our mail is refused: {_people(seen['people'])} since {clock_and_day(since)}, of "
        f"{seen['all']:,} whose mail bounced in the last 24 hours. {_told(causes)} "
        "Nobody left because of it, so no brief was opened.",
        _CURES[causes.most_common(1)[0][0]] if causes else "Read the replies of these bounces.",
        url=url + query if url else "",
        link="Refused messages" if url else "",
    )


@written_once
def _any_refused() -> QuerySet[Any, Any]:
    """One, if there is any: to count people reads all bounces of the day."""
    lately = Signal.objects.filter(REFUSED, happened_at__gt=Now() - DAY)
    return lately.order_by("-happened_at").values_list("pk")[:1]  # so that the index serves it


def _causes(refused: Any) -> Counter[Cause]:
    replies = refused.order_by("-happened_at").values_list("message__failure_message", flat=True)
    found = (bounces.read(str(reply or "")).cause for reply in replies[:MOST_READ])
    return Counter(cause for cause in found if cause)


def _told(causes: Counter[Cause]) -> str:
    if not causes:
        return "The replies do not say why."
    cause, number = causes.most_common(1)[0]
    share = f"{number:,} of the latest {causes.total():,} replies"
    return f"Most often ({share}) {bounces.WHY_BLOCKED[cause]}."


def _people(number: int) -> str:
    return f"{number:,} customer" if number == 1 else f"{number:,} customers"
