"""What the receiver keeps about people."""

from webhooks.models import WebhookEvent
from webhooks.personal import Fate, Nobody, Person, Quotes, Rows, Theirs, register


def events_of(person: Person) -> Rows:
    """All events that name the person: waiting, ended and dead ones alike."""
    return WebhookEvent.objects.filter(
        pk__in=WebhookEvent.objects.all().of_person(person.identifiers)
    )


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
