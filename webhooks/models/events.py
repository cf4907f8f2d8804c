"""What Customer.io sent, row by row.

The rows are the queue of record: an event is due, leased, and ends in one of four states.
"""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Self

from django.db import connection, models, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Concat, Now

from providers.addresses import folded
from webhooks.clock import NOW_SQL
from webhooks.models import deliveries, naming
from webhooks.models.deliveries import DeliveryRow
from webhooks.parsing import (
    DIGEST,
    MAX_EVENT_ID,
    ParsedEvent,
    Unusable,
    bounded,
    is_storable,
    load_object,
    parse,
    storable,
)

LEASE = timedelta(seconds=90)  # longer than the drain's time-out
MAX_TRIES = 5
ERASED = "about an erased person: nothing of it is kept"
SMALL_BODY = 64 * 1024  # bytes; a larger body is claimed alone, so a batch stays small in memory

# A leased row is always pending. Asking for the status here as well would make PostgreSQL read all
# pending rows.
_FINISH_SQL = """
    UPDATE webhooks_webhookevent
    SET status = outcome.status, status_reason = outcome.reason,
        lease_token = NULL, lease_until = NULL, finished_at = {now}
    FROM {outcomes}
    WHERE webhooks_webhookevent.id = outcome.id AND lease_token = %s
"""
# One parameter for all rows: thousands of placeholders take the driver longer than the update.
_OUTCOMES_SQL = {
    "postgresql": "json_to_recordset(%s::json) AS outcome(id bigint, status text, reason text)",
    "sqlite": """(
        SELECT json_extract(value, '$.id') AS id, json_extract(value, '$.status') AS status,
            json_extract(value, '$.reason') AS reason
        FROM json_each(%s)) AS outcome""",
}
_REPLAY_SQL = """
    UPDATE webhooks_webhookevent
    SET status = 'pending', status_reason = '', tries = 0, finished_at = NULL, put_off_at = NULL,
        available_at = {now}, object_type = given.object_type, metric = given.metric,
        occurred_at = given.occurred_at, stated_time = given.stated_time,
        identifiers = given.identifiers, history = {history}
    FROM {given}
    WHERE webhooks_webhookevent.id = given.id
"""
_GIVEN_SQL = {
    "postgresql": """json_to_recordset(%s::json) AS given(
        id bigint, object_type text, metric text, occurred_at timestamptz, stated_time text,
        identifiers jsonb, past jsonb)""",
    "sqlite": """(
        SELECT json_extract(value, '$.id') AS id,
            json_extract(value, '$.object_type') AS object_type,
            json_extract(value, '$.metric') AS metric,
            json_extract(value, '$.occurred_at') AS occurred_at,
            json_extract(value, '$.stated_time') AS stated_time,
            json_extract(value, '$.identifiers') AS identifiers,
            json_extract(value, '$.past') AS past
        FROM json_each(%s)) AS given""",
}
_HISTORY_SQL = {
    "postgresql": "history || given.past",
    "sqlite": "json_insert(history, '$[#]', json(given.past))",
}
_ID = models.CharField(max_length=MAX_EVENT_ID)
_LAST = "\U0010ffff"  # sorts behind every sign
# Columns that processing does not need: they are not read when events are claimed.
_UNREAD = ("headers", "history", "last_received_at", "deliveries", "body_sha256")


class EventQuerySet(models.QuerySet["WebhookEvent"]):
    def record(self, rows: Sequence[DeliveryRow]) -> dict[str, int]:
        """Store deliveries durably in one statement; returns how often each event was delivered.

        1 means that the event is new; a known event only counts the delivery. 0 means that the
        row of this id is another event, and this one is not stored. No event may occur twice.
        """
        return deliveries.record(rows)

    def waiting(self) -> Self:
        """Pending, whether due, leased or put off."""
        return self.filter(status=WebhookEvent.Status.PENDING)

    def under_digest(self) -> Self:
        """Events whose id is the digest of their body."""
        return self.whose_id_begins(DIGEST)

    def whose_id_begins(self, beginning: str) -> Self:
        """Events whose id begins so, in this case. An index serves it on both databases."""
        found = self.filter(event_id__startswith=beginning)
        if connection.vendor == "sqlite":  # whose index does not serve LIKE, which folds case
            return found.filter(event_id__gte=beginning, event_id__lt=beginning + _LAST)
        return found

    def due(self) -> Self:
        """Pending and free to be claimed now, by the database's clock."""
        return self.waiting().filter(
            Q(available_at=None) | Q(available_at__lte=Now()),
            Q(lease_until=None) | Q(lease_until__lt=Now()),
        )

    def held_by(self, token: uuid.UUID) -> Self:
        """Rows whose lease has this token. A worker that was paused past its lease finds none."""
        return self.waiting().filter(lease_token=token)

    def claim_batch(self, size: int) -> "Claim":
        """Lease up to `size` events that were never tried. The claim may be empty."""
        fresh = Q(tries=0, body_size__lte=SMALL_BODY)
        return self._claim(self.due().filter(fresh).order_by("pk")[:size])

    def claim_one_alone(self) -> "Claim":
        """Lease one event that was tried before or is large, so that its failure stops no other."""
        alone = Q(tries__gt=0) | Q(body_size__gt=SMALL_BODY)
        return self._claim(self.due().filter(alone).order_by("tries", "pk")[:1])

    def _claim(self, candidates: Self) -> "Claim":
        token = uuid.uuid4()
        with transaction.atomic():
            events = list(candidates.defer(*_UNREAD).select_for_update(skip_locked=True))
            if events:
                self.model.objects.filter(pk__in=[event.pk for event in events]).update(
                    lease_token=token, lease_until=Now() + LEASE, tries=F("tries") + 1
                )
        for event in events:
            event.tries += 1
        return Claim(token, events)

    def finish(self, status: "WebhookEvent.Status", reason: str) -> int:
        """End these events: PROCESSED, IGNORED or DEAD. Call it on `held_by(token)`."""
        return self.update(
            status=status,
            status_reason=reason,
            lease_token=None,
            lease_until=None,
            finished_at=Now(),
        )

    def finish_each(self, token: uuid.UUID, outcomes: "list[tuple[int, str, str]]") -> None:
        """End events with a reason of their own each, as (key, status, reason), under one lease.

        One statement in raw SQL: on PostgreSQL executemany takes three times as long, and
        bulk_update with its CASE per row is slower still.
        """
        if not outcomes:
            return
        vendor = connection.vendor
        statement = _FINISH_SQL.format(outcomes=_OUTCOMES_SQL[vendor], now=NOW_SQL[vendor])
        rows = [{"id": key, "status": status, "reason": words} for key, status, words in outcomes]
        field = WebhookEvent._meta.get_field("lease_token")
        fence = field.get_db_prep_value(token, connection)
        with connection.cursor() as cursor:
            cursor.execute(statement, [json.dumps(rows), fence])

    def replay_each(self, events: "Sequence[WebhookEvent]") -> None:
        """Make ended events due again, as `WebhookEvent.replay` does with one, in one statement.

        Lock the rows before: nothing else may have changed them since they were read.
        """
        if not events:
            return
        vendor = connection.vendor
        statement = _REPLAY_SQL.format(
            given=_GIVEN_SQL[vendor], history=_HISTORY_SQL[vendor], now=NOW_SQL[vendor]
        )
        rows = [event.as_given_again for event in events]
        with connection.cursor() as cursor:
            cursor.execute(statement, [json.dumps(rows)])

    def of_person(self, identifiers: Mapping[str, Iterable[str]]) -> set[int]:
        """The keys of all events with one of these identifiers, by kind. Indexes find them."""
        found: set[int] = set()
        for named in naming.by_any(identifiers):
            found.update(self.filter(named).values_list("pk", flat=True))
        return found

    def empty(self) -> int:
        """Any state -> IGNORED, without anything that says whom it was about; returns how many.

        A worker that has them under its lease writes nothing any more. The row stays: it counts,
        and what is delivered once more finds it by the event's id. A digest of the body in its
        place goes as well.
        """
        of_digest = models.When(event_id__startswith=DIGEST, then=Concat(Value("erased:"), "id"))
        return self.update(
            status=WebhookEvent.Status.IGNORED,
            status_reason=ERASED,
            reason_code=WebhookEvent.Reason.ERASED,
            event_id=models.Case(of_digest, default=F("event_id"), output_field=_ID),
            identifiers={},
            body=b"",
            body_sha256="",
            headers={},
            occurred_at=None,
            stated_time=None,
            noted=None,
            history=[],
            available_at=None,
            put_off_at=None,
            lease_token=None,
            lease_until=None,
            finished_at=Coalesce("finished_at", Now()),
        )

    def put_back(self, delay: timedelta, reason: str) -> int:
        """Give up the lease; the events are due again after `delay`."""
        return self.update(
            status_reason=reason,
            lease_token=None,
            lease_until=None,
            available_at=Now() + delay,
        )

    def put_off(self, delay: timedelta, reason: str, noted: dict[str, Any]) -> int:
        """Give up the lease and do not count the try: the events wait, but nothing failed.

        noted: what this try saw, for the later try that decides.
        """
        return self.update(
            status_reason=reason,
            lease_token=None,
            lease_until=None,
            available_at=Now() + delay,
            tries=F("tries") - 1,
            put_off_at=Coalesce("put_off_at", Now()),
            noted=noted,
        )


class Claim:
    """Events leased together under one random token."""

    def __init__(self, token: uuid.UUID, events: "list[WebhookEvent]") -> None:
        self.token = token
        self.events = events

    def __bool__(self) -> bool:
        return bool(self.events)

    def halves(self) -> "tuple[Claim, Claim]":
        """Both halves, under the same lease."""
        middle = len(self.events) // 2
        return Claim(self.token, self.events[:middle]), Claim(self.token, self.events[middle:])

    def hold(self) -> "list[WebhookEvent]":
        """Lock and return the events that are still ours. Needs an open transaction."""
        held = set(
            WebhookEvent.objects.held_by(self.token)
            .filter(pk__in=[event.pk for event in self.events])
            .select_for_update()
            .values_list("pk", flat=True)
        )
        return [event for event in self.events if event.pk in held]


class WebhookEvent(models.Model):
    """One event of Customer.io, however often it was delivered."""

    class Status(models.TextChoices):
        PENDING = "pending", "Waiting"  # stored, to be processed
        PROCESSED = "processed", "Processed"  # it became a signal
        IGNORED = "ignored", "Ignored"  # it led to no signal, and the reason says why
        QUARANTINED = "quarantined", "Quarantined"  # signed, but unusable as an event
        DEAD = "dead", "Failed, can be retried"  # failed on every try

    class Reason(models.TextChoices):
        """Reasons that code depends on. All other reasons are only words in `status_reason`."""

        SIGNED_TEST = "signed_test", "Signed test"  # quarantined, but nothing is wrong
        LIST = "list", "Several events in one body"  # quarantined
        NO_EVENT_ID = "no_event_id", "Without an event id"  # worked on under its body's digest
        ERASED = "erased", "About an erased person"  # ignored, and empty

    event_id = models.CharField(
        max_length=200,
        unique=True,
        help_text="Customer.io's id of the event, or sha256: and the body's digest.",
    )
    object_type = models.CharField(max_length=100, blank=True)
    metric = models.CharField(max_length=100, blank=True)
    occurred_at = models.DateTimeField(null=True, blank=True, help_text="When it happened.")
    # Null, so that neither database rewrites a million rows for it.
    stated_time = models.CharField(
        max_length=40,
        null=True,
        blank=True,
        help_text="What the event said of its time, where that cannot be so.",
    )
    identifiers = models.JSONField(default=dict, help_text="Who it is about.")
    body = models.BinaryField(help_text="The request's body, byte for byte.")
    body_size = models.PositiveBigIntegerField(help_text="Bytes received.")
    body_sha256 = models.CharField(
        max_length=64, blank=True, help_text="Of the whole body, where only its start is kept."
    )
    # Null, so that neither database rewrites a million rows for it.
    body_ended_at = models.DateTimeField(
        null=True, blank=True, help_text="When its body was removed: see the retention policy."
    )
    headers = models.JSONField(default=dict)
    is_verified = models.BooleanField(help_text="Whether its signature was checked and right.")
    received_at = models.DateTimeField(db_default=Now())
    last_received_at = models.DateTimeField(db_default=Now())
    deliveries = models.PositiveIntegerField(default=1, help_text="How often it was delivered.")

    status = models.CharField(max_length=12, choices=Status.choices, default=Status.PENDING)
    status_reason = models.TextField(blank=True, help_text="Why it ended as it did, in words.")
    # Null, so that neither database rewrites a million rows for it.
    reason_code = models.CharField(max_length=20, choices=Reason.choices, null=True, blank=True)
    tries = models.PositiveIntegerField(default=0)
    available_at = models.DateTimeField(null=True, blank=True, help_text="Empty: at once.")
    put_off_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when it cannot be decided yet, if it could not be."
    )
    noted = models.JSONField(
        null=True, blank=True, help_text="What the first try saw, for the one that decides."
    )
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    history = models.JSONField(default=list, help_text="How earlier runs ended, before a replay.")

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = "event"
        permissions = [
            ("view_payload", "Can read raw payloads and headers"),
            ("view_health", "Can read the page “Webhook health”"),
            ("run_savedesk", "Is told of commands and settings of Savedesk's machine"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["pending", "processed", "ignored", "quarantined", "dead"]),
                name="event_status_known",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(status="pending"), name="event_pending"),
            # Rising, as time does: a falling index takes PostgreSQL twice the room for it.
            models.Index(fields=["received_at"], name="event_received_at"),
            models.Index(fields=["status", "received_at"], name="event_status_received_at"),
            models.Index(fields=["finished_at"], name="event_finished_at"),
            # For the nightly removal of bodies. No event is in it when it is stored. Without a
            # value in its condition, which SQLite would not recognise in a query.
            models.Index(
                fields=["received_at"],
                condition=Q(body_ended_at=None, finished_at__isnull=False),
                name="event_with_body",
            ),
            # Each batch with an unsubscribe asks whether a machine clicked of late: without it all
            # events of the last minutes are read, and a mailing has a hundred thousand of them.
            models.Index(
                fields=["received_at"],
                condition=Q(object_type="email", metric="clicked"),
                name="event_clicked",
            ),
            *naming.indexes,
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"

    @classmethod
    def about(cls, identifier: str) -> Q:
        """Events that carry this identifier of a person."""
        return (
            Q(identifiers__cio_id=identifier.removeprefix("cio_"))
            | Q(identifiers__cio_id=identifier)
            | Q(identifiers__id=identifier)
            | Q(identifiers__email__in=[identifier, folded(identifier)])
            | Q(identifiers__phone=identifier)
        )

    @property
    def kind(self) -> str:
        return f"{self.object_type} {self.metric}".strip() or "event of no kind"

    @property
    def key_note(self) -> str:
        """Why the event has its body's digest for an id; empty if it has Customer.io's."""
        if not self.event_id.startswith(DIGEST) or self.status == self.Status.QUARANTINED:
            return ""
        own = self.payload.get("event_id")
        if isinstance(own, str) and own.strip() and is_storable(own, MAX_EVENT_ID):
            return f"its own id, {own}, is that of an event with another person or metric"
        if self.body_ended_at and self.reason_code != self.Reason.NO_EVENT_ID:
            return "its own id was that of an event with another person or metric"
        return "it was sent without an event id"

    @property
    def payload(self) -> dict[str, Any]:
        """The body as a dict; empty where it is not a JSON object, or was removed."""
        try:
            return load_object(bytes(self.body))
        except Unusable:
            return {}

    @property
    def data(self) -> dict[str, Any]:
        """The payload's `data` object, fit to be stored; empty where there is none."""
        data = self.payload.get("data")
        return storable(data) if isinstance(data, dict) else {}

    @property
    def will_be_tried_again(self) -> bool:
        """Whether it waits for another try, after one that failed or could not decide."""
        return self.available_at is not None and bool(self.tries or self.put_off_at)

    @property
    def is_replayable(self) -> bool:
        """Without its body an event would be read as another one, so it is not read again."""
        has_ended = self.status not in (self.Status.PENDING, self.Status.QUARANTINED)
        is_erased = self.reason_code == self.Reason.ERASED
        return has_ended and self.body_ended_at is None and not is_erased

    def replay(self) -> bool:
        """Make an ended event due again, keeping how it ended; False if it cannot be.

        A waiting event runs anyway, a quarantined one needs `release`, one whose body was removed
        cannot be read.
        """
        if not self.is_replayable:
            return False
        return self._make_due(tries=0, finished_at=None, put_off_at=None, **self._as_read_today())

    def release(self, parsed: ParsedEvent) -> bool:
        """QUARANTINED -> PENDING, with the fields read from its body; False if it cannot be.

        Raises django.db.IntegrityError if another row has the event's id by now.
        """
        if self.status != self.Status.QUARANTINED:
            return False
        return self._make_due(
            event_id=parsed.event_id,
            reason_code=self.Reason.NO_EVENT_ID if parsed.has_no_id else None,
            **self._fields(parsed),
        )

    def _as_read_today(self) -> dict[str, Any]:
        """What today's parser reads from the body; at least the time is bounded by the receipt."""
        try:
            return self._fields(parse(bytes(self.body)))
        except Unusable:
            said = f"{self.occurred_at:%Y-%m-%dT%H:%M:%SZ}" if self.occurred_at else None
            at, words = bounded(self.occurred_at, self.stated_time or said, self.received_at)
            return {"occurred_at": at, "stated_time": words}

    @property
    def as_given_again(self) -> dict[str, Any]:
        """What a replay writes, for JSON."""
        fields = {
            "object_type": self.object_type,
            "metric": self.metric,
            "identifiers": self.identifiers,
            **self._as_read_today(),
        }
        at = fields["occurred_at"]
        # As the database writes it: SQLite compares moments as texts.
        fields["occurred_at"] = at and str(connection.ops.adapt_datetimefield_value(at))
        return {"id": self.pk, "past": self._past, **fields}

    def _fields(self, parsed: ParsedEvent) -> dict[str, Any]:
        at, words = bounded(parsed.occurred_at, parsed.stated_time, self.received_at)
        return {
            "object_type": parsed.object_type,
            "metric": parsed.metric,
            "occurred_at": at,
            "stated_time": words,
            "identifiers": parsed.identifiers,
        }

    @property
    def _past(self) -> dict[str, Any]:
        """How the run ended, for the history."""
        return {
            "status": self.status,
            "reason": self.status_reason,
            "tries": self.tries,
            "finished_at": self.finished_at.isoformat() if self.finished_at else None,
        }

    def _make_due(self, **fields: Any) -> bool:
        changed = WebhookEvent.objects.filter(
            pk=self.pk, status=self.status, body_ended_at=None
        ).update(
            status=self.Status.PENDING,
            status_reason="",
            available_at=Now(),  # due since now, however long ago it was received
            history=[*self.history, self._past],
            **fields,
        )
        return bool(changed)
