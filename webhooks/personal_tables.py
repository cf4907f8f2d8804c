"""What the receiver keeps about people."""

from django.db.models import Q

from webhooks.models import WebhookEvent
from webhooks.personal import Fate, Nobody, Person, Quotes, Rows, Theirs, register


def events_of(person: Person) -> Rows:
    """All events that name the person: waiting, ended and dead ones alike."""
    return WebhookEvent.objects.filter(
        pk__in=WebhookEvent.objects.all().of_person(person.identifiers)
    )


def _may_quote_others(events: Rows) -> Rows:
    """Of a million events few say more than their kind and rule: an address, a number, an error."""
    says_an_address = Q(status_reason__contains="@") | Q(status_reason__contains="+")
    failed = Q(status__in=(WebhookEvent.Status.DEAD, WebhookEvent.Status.QUARANTINED))
    return events.filter(says_an_address | failed | ~Q(history=[]) | Q(noted__isnull=False))


def enter() -> None:
    register(
        Theirs(
            "webhooks.WebhookEvent",
            "event_id identifiers body body_sha256 headers status_reason noted history stated_time",
            events_of,
            "by each identifier, through an index; quarantined ones by reading their bodies",
            Fate.EMPTIED,
            harmless={
                "object_type": "which channel, and the figures of the feed count it",
                "metric": "what happened, and the figures of the feed count it",
            },
        ),
        # A message to another address than the customer's own says which in its reason.
        Quotes("webhooks.WebhookEvent", "status_reason history noted", among=_may_quote_others),
        Nobody("webhooks.Bell", "whether a wake-up waits"),
        Nobody("webhooks.Tally", "how many answers of each kind in an hour"),
        Nobody("webhooks.Tombstone", "keyed digests, from which nobody can be read"),
        Nobody("webhooks.TombstoneKey", "the key of these digests"),
        Nobody("webhooks.Meter", "until when the metrics were counted"),
        Nobody("webhooks.MeterCount", "numbers, by names of ours"),
        Nobody("webhooks.ServiceBeat", "which service of which host lives"),
        Nobody("webhooks.DailySize", "how large the tables are"),
        Nobody("webhooks.RetentionPolicy", "after how many days rows end"),
        Nobody("webhooks.HistoricalRetentionPolicy", "the same, of before"),
        Quotes("webhooks.Pruning", "trouble", harmless={"removed": "numbers, by names of ours"}),
    )
