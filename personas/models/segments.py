"""Segments of Customer.io: which there are, and who is in those that conditions name.

Who is in a segment is read page by page. The rows of a reading carry its number, and count only
once all pages are there: until then, and while a reading fails, the rows of the last complete one
serve, with their age.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any, Self

from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.timesince import timesince

from personas.models.conditions import SEGMENTS, fold

LEASE = timedelta(seconds=90)  # longer than a run and its last request
WAKE_AGAIN_AFTER = timedelta(minutes=10)  # all workers of the cluster may be busy for minutes
LIST_EVERY = timedelta(days=1)
LIST_AGAIN_AFTER = timedelta(minutes=10)  # while a condition names a segment that is not in it


@dataclass(frozen=True, slots=True)
class Membership:
    """Whether a customer is in a segment. `is_in` is None while nobody knows."""

    name: str
    is_in: bool | None
    read_at: datetime | None = None

    def words(self, now: datetime) -> str:
        """`in segment “Trials” (read 3 hours ago)`."""
        age = timesince(self.read_at, now, depth=1).replace("\xa0", " ") if self.read_at else ""
        return f"{'' if self.is_in else 'not '}in segment “{self.name}” (read {age} ago)"


NEVER_READ = Membership("", None)


class Overtaken(Exception):
    """Another worker reads this segment: ours was frozen for longer than its lease."""


class CustomerSegmentQuerySet(models.QuerySet["CustomerSegment"]):
    def to_read(self) -> Self:
        """Those that are named, in Customer.io, and due; the one read longest ago comes first."""
        due = self.filter(is_named=True, is_listed=True, due_at__lte=Now())
        return due.order_by(F("read_at").asc(nulls_first=True), "pk")

    def to_forget(self) -> Self:
        """Those that no condition names any more, and whose people are still here."""
        return self.filter(is_named=False).exclude(read_at=None, begun_at=None)


class CustomerSegment(models.Model):
    """One segment of Customer.io's list, and how far its people were read."""

    number = models.PositiveBigIntegerField(unique=True, help_text="Customer.io's id of it.")
    name = models.CharField(max_length=300)
    former_name = models.CharField(
        max_length=300, blank=True, default="", help_text="Before it was renamed in Customer.io."
    )
    is_listed = models.BooleanField(default=True, help_text="It is in Customer.io's last list.")
    is_named = models.BooleanField(default=False, help_text="A condition names it.")

    reading = models.PositiveIntegerField(default=0, help_text="The last complete reading.")
    read_at = models.DateTimeField(null=True, blank=True, help_text="When that one began.")
    begun_at = models.DateTimeField(null=True, blank=True, help_text="A reading is under way.")
    cursor = models.TextField(blank=True, default="", help_text="Where its next page begins.")
    steps = models.PositiveBigIntegerField(default=0, help_text="Raised by every page.")
    due_at = models.DateTimeField(db_default=Now(), help_text="Not read before.")
    trouble = models.CharField(
        max_length=300, blank=True, default="", help_text="Why the last reading failed."
    )

    objects = CustomerSegmentQuerySet.as_manager()

    class Meta:
        ordering = ["name", "number"]
        verbose_name = "segment of Customer.io"
        verbose_name_plural = "segments of Customer.io"

    def __str__(self) -> str:
        return self.name

    def is_called(self, typed: str) -> bool:
        """Whether this is its name or its id; not the name that it had before."""
        return fold(typed) in (fold(self.name), str(self.number))

    # Arrows of a reading: begin, page_read for each page but the last, complete.

    def begin(self) -> None:
        self._go_on(begun_at=Now(), cursor="")

    def page_read(self, cio_ids: Iterable[str], cursor: str) -> None:
        """Keep the people of one page, and where the next one begins. Raises Overtaken."""
        with transaction.atomic():
            self._keep(cio_ids, cursor=cursor)

    def complete(self, cio_ids: Iterable[str], next_due: datetime) -> None:
        """Keep those of the last page: from now on this reading decides. Raises Overtaken.

        The rows of the one before are `superfluous`.
        """
        with transaction.atomic():
            self._keep(
                cio_ids, reading=F("reading") + 1, read_at=F("begun_at"), begun_at=None, cursor="",
                due_at=next_due, trouble="",
            )  # fmt: skip

    def _keep(self, cio_ids: Iterable[str], **values: Any) -> None:
        number = self.reading + 1
        self._go_on(**values)
        SegmentMember.objects.bulk_create(
            [SegmentMember(segment=self, reading=number, cio_id=one) for one in cio_ids],
            ignore_conflicts=True,  # whoever moved to the next page meanwhile
            batch_size=1000,
        )

    def _go_on(self, **values: Any) -> None:
        """Write unless another worker did: one that was frozen must not leave pages out."""
        same = CustomerSegment.objects.filter(pk=self.pk, steps=self.steps)
        if not same.update(steps=F("steps") + 1, **values):
            raise Overtaken
        self.refresh_from_db()

    def failed(self, why: str, pause: timedelta, *, begin_anew: bool = False) -> None:
        """The reading goes on after the pause, from the same page unless it is to begin anew."""
        again: dict[str, Any] = {"begun_at": None, "cursor": ""} if begin_anew else {}
        self._go_on(trouble=why[:300], due_at=Now() + pause, **again)

    def is_gone(self) -> None:
        """Customer.io has it no more. Its people are kept: the doctor tells the team."""
        self._go_on(is_listed=False, begun_at=None, cursor="")

    def is_older(self, than: timedelta) -> bool:
        """Whether the reading under way began longer ago."""
        begun = CustomerSegment.objects.filter(pk=self.pk, begun_at__lt=Now() - than)
        return begun.exists()

    def forget(self) -> None:
        """No condition names it: as if it had never been read."""
        self._go_on(read_at=None, begun_at=None, cursor="", trouble="", due_at=Now())

    def superfluous(self) -> models.QuerySet["SegmentMember"]:
        """Rows of readings that neither serve nor are under way."""
        kept = [self.reading] if self.read_at else []
        kept += [self.reading + 1] if self.begun_at else []
        return self.members.exclude(reading__in=kept)


class SegmentMember(models.Model):
    """Somebody who was in the segment when it was read; not necessarily a customer we know."""

    segment = models.ForeignKey(CustomerSegment, on_delete=models.CASCADE, related_name="members")
    reading = models.PositiveIntegerField()
    cio_id = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cio_id", "segment", "reading"], name="segmentmember_once_a_reading"
            )
        ]

    def __str__(self) -> str:
        return f"{self.cio_id} in segment {self.segment_id}"


class SegmentList(models.Model):
    """One row, shared by all workers: when the list was fetched, and who reads at present."""

    listed_at = models.DateTimeField(null=True, blank=True, help_text="The last complete list.")
    due_at = models.DateTimeField(db_default=Now(), help_text="Not asked for before.")
    trouble = models.CharField(max_length=300, blank=True, default="")
    woken_at = models.DateTimeField(null=True, blank=True, help_text="A wake-up is on its way.")
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "list of segments"
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="segmentlist_is_one_row")]

    def __str__(self) -> str:
        return f"fetched {self.listed_at}" if self.listed_at else "never fetched"

    @classmethod
    def known(cls) -> "SegmentList":
        """The row, or one that says that the list was never fetched."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)

    @classmethod
    def is_due(cls) -> bool:
        """Whether the list is to be fetched."""
        row = cls.objects.filter(pk=1)
        return not row.exists() or row.filter(due_at__lte=Now()).exists()

    @classmethod
    def may_wake(cls) -> bool:
        """Note that a wake-up is sent; False if one is on its way, or a worker reads."""
        cls._create()
        none = Q(woken_at=None) | Q(woken_at__lt=Now() - WAKE_AGAIN_AFTER)
        return bool(cls._free().filter(none).update(woken_at=Now()))

    @classmethod
    def claim(cls) -> "SegmentList | None":
        """Take the row for one run; None while another worker has it."""
        cls._create()
        token = uuid.uuid4()
        taken = cls._free().update(lease_token=token, lease_until=Now() + LEASE)
        return cls.objects.get(pk=1) if taken else None

    def release(self) -> None:
        self._mine().update(lease_token=None, lease_until=None, woken_at=None)

    def learn(self, segments: Iterable[tuple[int, str]]) -> None:
        """Keep the list: number and name of each. What is in it no more keeps its people."""
        told = {number: name[:300] for number, name in segments}
        for row in CustomerSegment.objects.all():
            is_listed = row.number in told
            name = told.pop(row.number, row.name)
            if (name, is_listed) != (row.name, row.is_listed):
                former = row.former_name if name == row.name else row.name
                same = CustomerSegment.objects.filter(pk=row.pk)
                same.update(name=name, is_listed=is_listed, former_name=former)
        CustomerSegment.objects.bulk_create(
            [CustomerSegment(number=number, name=name) for number, name in told.items()],
            ignore_conflicts=True,
        )
        self._mine().update(listed_at=Now(), due_at=Now() + LIST_EVERY, trouble="")

    def failed(self, why: str, pause: timedelta) -> None:
        self._mine().update(trouble=why[:300], due_at=Now() + pause)

    @classmethod
    def lacks_one(cls) -> None:
        """A condition names a segment that is not in the list: it may be a new one."""
        late = cls.objects.filter(pk=1, trouble="", listed_at__lt=Now() - LIST_AGAIN_AFTER)
        late.update(due_at=Now())

    @staticmethod
    def _create() -> None:
        SegmentList.objects.bulk_create([SegmentList(pk=1)], ignore_conflicts=True)

    @classmethod
    def _free(cls) -> models.QuerySet["SegmentList"]:
        return cls.objects.filter(Q(lease_until=None) | Q(lease_until__lt=Now()), pk=1)

    def _mine(self) -> models.QuerySet["SegmentList"]:
        return SegmentList.objects.filter(pk=1, lease_token=self.lease_token)


def named(segments: Iterable[CustomerSegment], typed: str) -> CustomerSegment | None:
    """The segment that a condition means: by its name, its id, or the name that it had before.

    One that is in Customer.io comes before one that was deleted there; of several, the oldest.
    """
    wanted = fold(typed)

    def rank(one: CustomerSegment) -> int:
        known_by = [fold(one.name), str(one.number), fold(one.former_name)]
        return known_by.index(wanted) if wanted in known_by else len(known_by)

    found = [one for one in segments if rank(one) < 3]
    return min(found, key=lambda one: (not one.is_listed, rank(one), one.number), default=None)


def names_in(conditions: Iterable[Any]) -> list[str]:
    """The segments that these conditions name, as they were typed, each once."""
    return list(dict.fromkeys(c.single for c in conditions if c.operator in SEGMENTS))


def unheard_of(conditions: Iterable[Any]) -> list[tuple[str, str]]:
    """Names in these conditions that Customer.io's list lacks, with the nearest that it has."""
    rows = list(CustomerSegment.objects.all())
    known = [row.name for row in rows if row.is_listed]
    strange = []
    for name in names_in(conditions):
        row = named(rows, name)
        if row is None or not row.is_listed:
            strange.append((name, next(iter(get_close_matches(name, known, 1)), "")))
        elif not row.is_called(name):
            strange.append((name, row.name))  # it was renamed
    return strange
