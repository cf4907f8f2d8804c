"""Which rows are dead letters, of every kind, and what is told of each.

Each kind is a table of its own. All of them are asked for the same: when it began, when it was
given up, for what reason, after how many tries.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import CharField, F, Max, Min, Q, QuerySet, TextChoices, Value
from django.db.models import Count as RowCount
from django.db.models.functions import Coalesce

from briefs.models import Notification, ReprocessingJob, Research
from personas.models.letters import has_part
from webhooks.models import WebhookEvent
from webhooks.replay import why_unreadable


class Kind(TextChoices):
    EVENT = "event", "Event"  # failed on every try
    QUARANTINED = "quarantined", "Quarantined"  # an event that could not be read
    RESEARCH = "research", "Research"
    MESSAGE = "notification", "Message"
    JOB = "job", "Job"  # reprocessing


@dataclass(frozen=True, slots=True)
class Letter:
    kind: Kind
    key: int
    about: str  # names nobody
    reason: str  # in words
    code: str  # for programs; empty where there are only words
    first_at: datetime
    last_at: datetime
    tries: int
    cannot: str = ""  # why it cannot be read now either, of what is quarantined

    @property
    def name(self) -> str:
        """`event-12`: by this it is asked for."""
        return f"{self.kind.value}-{self.key}"

    @property
    def page(self) -> str:
        """Its page in the admin."""
        return _SOURCES[self.kind].page

    @property
    def standing(self) -> str:
        """Of what is quarantined: whether a replay helps."""
        if self.kind != Kind.QUARANTINED:
            return ""
        return "cannot be read" if self.cannot else "can be read now"


@dataclass(frozen=True, slots=True)
class Group:
    """All dead letters of one kind with one reason."""

    kind: Kind
    code: str
    reason: str
    number: int
    first_at: datetime
    last_at: datetime

    @property
    def key(self) -> str:
        return group_key(self.kind, self.code, self.reason)


def group_key(kind: str, code: str, reason: str) -> str:
    """A group in an address: reasons may quote what no log should hold."""
    return hashlib.sha256("\n".join((kind, code, reason)).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class _Source:
    rows: Callable[[], QuerySet[Any]]
    code: Any
    reason: str  # the column
    begun: str
    ended: str
    about: Callable[[Any], str]
    tries: str
    page: str
    unread: tuple[str, ...] = ()  # columns that the list does not need

    def told(self) -> QuerySet[Any]:
        """The rows with what is told of each, the latest first."""
        code = Coalesce(self.code, Value(""), output_field=CharField())
        rows: QuerySet[Any] = (
            self.rows()
            .annotate(
                code=code,
                words=F(self.reason),
                first_at=F(self.begun),
                last_at=Coalesce(self.ended, self.begun),
            )
            .order_by("-last_at", "-pk")
        )
        return rows


def _events(status: WebhookEvent.Status) -> QuerySet[WebhookEvent]:
    """Without signed tests, which are kept and mean no trouble."""
    rows = WebhookEvent.objects.filter(status=status)
    return rows.exclude(reason_code=WebhookEvent.Reason.SIGNED_TEST)


def tests() -> QuerySet[WebhookEvent]:
    """Signed tests: kept, and no dead letters."""
    test = {"status": WebhookEvent.Status.QUARANTINED}
    return WebhookEvent.objects.filter(**test, reason_code=WebhookEvent.Reason.SIGNED_TEST)


def _about_event(event: WebhookEvent) -> str:
    return f"{event.kind}, event {event.pk}"


_HEAVY = ("body", "headers", "history", "identifiers")
_SOURCES = {
    Kind.EVENT: _Source(
        lambda: _events(WebhookEvent.Status.DEAD), F("reason_code"), "status_reason",
        "received_at", "finished_at", _about_event, "tries",
        "webhooks_webhookevent_change", _HEAVY,
    ),
    Kind.QUARANTINED: _Source(
        lambda: _events(WebhookEvent.Status.QUARANTINED), F("reason_code"), "status_reason",
        "received_at", "last_received_at", _about_event, "deliveries",
        "webhooks_webhookevent_change", ("headers", "history", "identifiers"),
    ),
    Kind.RESEARCH: _Source(
        lambda: Research.objects.filter(status=Research.Status.FAILED).select_related("persona"),
        Coalesce("reason_code", "mavera_code", output_field=CharField()), "status_reason",
        "created_at", "finished_at", lambda row: f"{row}, research {row.pk}", "tries",
        "briefs_research_change",
        ("question", "answer", "sources", "personas_used", "validation", "raw_reply"),
    ),
    Kind.MESSAGE: _Source(
        lambda: Notification.objects.filter(status=Notification.Status.FAILED).select_related(
            "target"
        ),
        Value(None, output_field=CharField()), "status_reason", "created_at", "finished_at",
        lambda row: f"{row.get_kind_display()} to {row.target}, message {row.pk}", "tries",
        "briefs_notification_change", ("body",),
    ),
    Kind.JOB: _Source(
        lambda: ReprocessingJob.objects.filter(state=ReprocessingJob.State.FAILED),
        Value(None, output_field=CharField()), "reason", "created_at", "ended_at", str, "tries",
        "briefs_reprocessingjob_change", ("found",),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    """Which dead letters are meant: what is said narrows each other down; else all of them."""

    kinds: tuple[Kind, ...] = ()
    words: str = ""  # occur in the reason, or are its code
    group: str = ""  # the key of a group
    names: tuple[str, ...] = ()  # such as event-12

    def rows(self, kind: Kind) -> QuerySet[Any]:
        """Those of this kind, with what is told of each, the latest first."""
        rows = _SOURCES[kind].told()
        if self.kinds and kind not in self.kinds:
            return rows.none()
        if self.words:
            rows = rows.filter(has_part("words", self.words) | Q(code__iexact=self.words))
        if self.names:
            start = f"{kind.value}-"
            keys = [name.removeprefix(start) for name in self.names if name.startswith(start)]
            rows = rows.filter(pk__in=[key for key in keys if key.isdecimal() and len(key) < 19])
        if self.group:
            reasons = rows.order_by().values_list("code", "words").distinct()
            found = [one for one in reasons if group_key(kind, *one) == self.group]
            rows = rows.filter(code=found[0][0], words=found[0][1]) if found else rows.none()
        return rows

    def count(self) -> int:
        return sum(self.rows(kind).count() for kind in Kind)

    def groups(self) -> list[Group]:
        """By kind and reason, the latest first."""
        found = []
        for kind in Kind:
            rows = self.rows(kind).order_by().values_list("code", "words")
            counted = rows.annotate(
                number=RowCount("pk"), begun=Min("first_at"), latest=Max("last_at")
            )
            found += [Group(kind, *row) for row in counted]
        return sorted(found, key=lambda group: (group.last_at, group.number), reverse=True)


def letters(kind: Kind, keys: Iterable[int]) -> dict[int, Letter]:
    """By their keys. Those that are no dead letters any more are left out."""
    source = _SOURCES[kind]
    rows = source.told().filter(pk__in=list(keys)).defer(*source.unread)
    return {row.pk: _letter(kind, source, row) for row in rows}


def _letter(kind: Kind, source: _Source, row: Any) -> Letter:
    return Letter(
        kind=kind,
        key=row.pk,
        about=source.about(row),
        reason=row.words,
        code=row.code,
        first_at=row.first_at,
        last_at=row.last_at,
        tries=getattr(row, source.tries),
        cannot=why_unreadable(row) if kind == Kind.QUARANTINED else "",
    )
