"""The segment in Customer.io in which every customer with an open brief is, and who is in it.

Who ought to be in it is not recorded: the open briefs say it. A row for each customer says what we
told Customer.io, and the difference of the two is what is to be told. So no arrow of a brief can
forget to tell it, and a merge or an erasure needs no step of its own.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce, Now

from briefs.models.briefs import Brief
from briefs.models.queryset import BriefQuerySet
from personas.models import Customer
from providers.customerio_track import IdType

LEASE = timedelta(seconds=90)  # longer than one request and the wait for its moment
WAKE_AGAIN_AFTER = timedelta(minutes=10)  # all workers of the cluster may be busy for minutes
MAX_TRIES = 4
BACKOFF = [timedelta(minutes=10), timedelta(hours=2), timedelta(days=1)]


class NotOurTurn(Exception):
    """Another worker has the lease, or the segment was turned on or off meanwhile."""


class SavingSegment(models.Model):
    """One row, shared by all workers. Without it, or while it is OFF, no request is made.

    | from     | arrow                        | to       |
    |---|---|---|
    | -, any   | `turn_on`, by the command    | ON       |
    | ON       | `turn_off`, by the command   | EMPTYING |
    | EMPTYING | `emptied`: nobody is in it   | OFF      |
    | any      | `stop`, by the command       | OFF      |

    The arrows of the command leave the lease with the run that has it, and that run ends before its
    next request: so the request that it waits for is over before another run begins.
    """

    class State(models.TextChoices):
        OFF = "off", "Off"  # nothing is told
        ON = "on", "On"  # customers with an open brief are told to be in it
        EMPTYING = "emptying", "Being emptied"  # everybody is taken out of it, then it is off

    class Fault(models.TextChoices):
        KEY = "key", "The key is refused"
        GONE = "gone", "The segment is gone"
        LIMIT = "limit", "Too many requests"
        AWAY = "away", "No answer"

    state = models.CharField(max_length=8, choices=State.choices, default=State.OFF)
    segment_id = models.PositiveBigIntegerField(help_text="Customer.io's number of it.")
    name = models.CharField(max_length=200)

    failures = models.PositiveIntegerField(default=0, help_text="In a row.")
    failing_since = models.DateTimeField(null=True, blank=True)
    fault = models.CharField(max_length=8, choices=Fault.choices, blank=True, default="")
    reason = models.CharField(max_length=300, blank=True, default="")
    retry_at = models.DateTimeField(null=True, blank=True, help_text="Nothing is told before.")

    woken_at = models.DateTimeField(null=True, blank=True, help_text="A wake-up is on its way.")
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    compare_at = models.DateTimeField(
        db_default=Now(), help_text="When to compare Customer.io's list of people with ours."
    )
    comparing_since = models.DateTimeField(null=True, blank=True)
    cursor = models.TextField(blank=True, default="", help_text="Where the next page begins.")
    compared_at = models.DateTimeField(null=True, blank=True)
    compare_reason = models.CharField(
        max_length=300, blank=True, default="", help_text="Why the last comparison failed."
    )

    class Meta:
        verbose_name = "segment of open briefs"
        verbose_name_plural = "segment of open briefs"
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="savingsegment_is_one_row")]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def current(cls) -> "SavingSegment | None":
        """The row, unless it is off."""
        return cls.objects.filter(pk=1).exclude(state=cls.State.OFF).first()

    @classmethod
    def due(cls) -> "SavingSegment | None":
        """The row, unless it is off, waits after a failure, or a worker is at it."""
        free = Q(lease_until=None) | Q(lease_until__lt=Now())
        ready = Q(retry_at=None) | Q(retry_at__lte=Now())
        rows = cls.objects.filter(free & ready, pk=1)
        return rows.exclude(state=cls.State.OFF).first()

    @classmethod
    def may_wake(cls) -> bool:
        """Note that a wake-up is sent; False if one is on its way already."""
        none = Q(woken_at=None) | Q(woken_at__lt=Now() - WAKE_AGAIN_AFTER)
        return bool(cls.objects.filter(none, pk=1).update(woken_at=Now()))

    @classmethod
    def claim(cls) -> "SavingSegment | None":
        """Take the row for one run; None if it is not due. One worker at a time tells."""
        row = cls.due()
        if row is None:
            return None
        token = uuid.uuid4()
        same = cls.objects.filter(pk=1, lease_token=row.lease_token)
        taken = same.update(lease_token=token, lease_until=Now() + LEASE)
        return cls.objects.filter(pk=1, lease_token=token).first() if taken else None

    def renew(self) -> None:
        """Keep the lease for one more request. Raises NotOurTurn."""
        if not self._still_ours().update(lease_until=Now() + LEASE):
            raise NotOurTurn

    def _still_ours(self) -> "models.QuerySet[SavingSegment]":
        """The row, if it is as this run took it."""
        return SavingSegment.objects.filter(
            pk=1, lease_token=self.lease_token, state=self.state, segment_id=self.segment_id
        )

    @property
    def is_emptying(self) -> bool:
        return self.state == self.State.EMPTYING

    # Arrows.

    @classmethod
    def turn_on(cls, segment_id: int, name: str) -> None:
        """Any state -> ON, with nothing known of what was before.

        In another segment nobody is yet, so who was told of the one before is told anew.
        """
        values = {"state": cls.State.ON, "segment_id": segment_id, "name": name, **_FRESH}
        with transaction.atomic():  # no run puts people into the one before in between
            before = cls.objects.select_for_update().filter(pk=1).first()
            cls.objects.update_or_create(pk=1, defaults=values)
            if before is None or before.segment_id != segment_id:
                SegmentMembership.objects.all().delete()

    def turn_off(self) -> None:
        """ON -> EMPTYING. The list is gone through as well: we may not know all who are in it."""
        SavingSegment.objects.filter(pk=1).update(state=self.State.EMPTYING, **_FRESH)

    @transaction.atomic
    def emptied(self) -> None:
        """EMPTYING -> OFF, unless somebody turned it on meanwhile."""
        if self._still_ours().update(state=self.State.OFF, **_FRESH):
            SegmentMembership.objects.all().delete()

    @classmethod
    @transaction.atomic
    def stop(cls) -> None:
        """Any state -> OFF: no key is left to empty it with."""
        cls.objects.filter(pk=1).update(state=cls.State.OFF, **_FRESH)
        SegmentMembership.objects.all().delete()

    # What a run notes. Each writes only while the row is as the run took it.

    def release(self) -> None:
        """Whatever the row became meanwhile: the next run need not wait."""
        ours = SavingSegment.objects.filter(pk=1, lease_token=self.lease_token)
        ours.update(lease_token=None, lease_until=None, woken_at=None)

    def failed(self, fault: str, reason: str, pause: timedelta) -> None:
        self._write(
            failures=F("failures") + 1,
            failing_since=Coalesce(F("failing_since"), Now()),
            fault=fault,
            reason=reason[:300],
            retry_at=Now() + pause,
        )

    def answered(self) -> None:
        if self.failures:
            self._write(failures=0, failing_since=None, fault="", reason="", retry_at=None)

    def begin_comparing(self) -> None:
        if self.comparing_since is None:
            self._write(comparing_since=Now(), cursor="")

    def page_compared(self, cursor: str) -> None:
        self._write(cursor=cursor)

    def compared(self, again_at: datetime) -> None:
        self._write(
            comparing_since=None,
            cursor="",
            compared_at=Now(),
            compare_at=again_at,
            compare_reason="",
        )

    def not_compared(self, reason: str, pause: timedelta) -> None:
        """The next try begins with the first page: the cursor may not be valid any more."""
        self._write(
            comparing_since=None,
            cursor="",
            compare_at=Now() + pause,
            compare_reason=reason[:300],
        )

    def _write(self, **fields: object) -> None:
        self._still_ours().update(**fields)
        self.refresh_from_db(fields=[*fields])


_FRESH: dict[str, Any] = {
    "failures": 0,
    "failing_since": None,
    "fault": "",
    "reason": "",
    "retry_at": None,
    "woken_at": None,
    "compare_at": Now(),
    "comparing_since": None,
    "cursor": "",
    "compared_at": None,
    "compare_reason": "",
}


class MembershipQuerySet(models.QuerySet["SegmentMembership"]):
    def wanted(self) -> Self:
        """Of customers with an open brief."""
        return self.filter(_has_open_brief())

    def unwanted(self) -> Self:
        return self.filter(~_has_open_brief())

    def to_tell(self) -> Self:
        """Whose turn it is; those that failed on every try are left alone."""
        return self.not_failed().filter(Q(due_at=None) | Q(due_at__lte=Now()))

    def to_add(self) -> Self:
        """Not known to be in, though they ought to be. Somebody who was deleted cannot be."""
        return self.to_tell().wanted().filter(is_member=False, customer__is_deleted=False)

    def to_remove(self) -> Self:
        """Perhaps in, though they ought not to be."""
        return self.to_tell().unwanted()

    def behind(self) -> Self:
        """Not as they ought to be: it is their turn now, or after a pause."""
        is_out = Q(is_member=False, customer__is_deleted=False)
        return self.filter(is_out | ~Q(_has_open_brief()), tries__lt=MAX_TRIES)

    def failed(self) -> Self:
        return self.filter(tries__gte=MAX_TRIES)

    def not_failed(self) -> Self:
        """Their turn is now or comes."""
        return self.filter(tries__lt=MAX_TRIES)

    def given_up(self) -> Self:
        """Could not be put in on any try, and need not be in any more."""
        return self.failed().filter(is_member=False).unwanted()

    # Arrows for many at once.

    def begin(self, most: int) -> int:
        """Insert a row for customers with an open brief who have none; returns how many.

        Before the first request about them: if its outcome stays unknown, the row is reason enough
        to take them out later.
        """
        briefs = missing().order_by("customer").values_list("customer", flat=True)[:most]
        # In the order of the customers, as a merge locks them: the two cannot deadlock.
        rows = [SegmentMembership(customer_id=customer) for customer in briefs]
        self.bulk_create(rows, ignore_conflicts=True)
        return len(rows)

    def added(self) -> int:
        return self.update(is_member=True, told_at=Now(), due_at=None)

    def seen(self) -> int:
        """Customer.io lists them: what failed before is forgotten."""
        return self.update(
            is_member=True, seen_at=Now(), tries=0, due_at=None, fault="", reason="", named=""
        )

    def not_listed(self) -> int:
        """Customer.io took them and does not list them: they are told again, a few nights long."""
        return self.update(
            is_member=False,
            tries=F("tries") + 1,
            due_at=None,
            fault=SegmentMembership.Fault.NOT_TAKEN,
            reason="Customer.io took the request and does not list them",
        )

    def postpone(self, pause: timedelta) -> int:
        """Not told this time, through no fault of these."""
        return self.update(due_at=Now() + pause)


class SegmentMembership(models.Model):
    """One customer who is in the segment, or may be, or ought to be.

    A customer without a row is not in it, as far as we know. A row is deleted once Customer.io was
    told that they are out.
    """

    class Fault(models.TextChoices):
        REFUSED = "refused", "Customer.io refuses the identifier"
        NOT_TAKEN = "not taken", "Customer.io does not list them"

    customer = models.OneToOneField(
        Customer, on_delete=models.CASCADE, related_name="segment_membership"
    )
    is_member = models.BooleanField(default=False, help_text="Customer.io took it that they are.")
    told_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(
        null=True, blank=True, help_text="When Customer.io last listed them."
    )
    tries = models.PositiveSmallIntegerField(default=0, help_text="That failed, in a row.")
    due_at = models.DateTimeField(null=True, blank=True, help_text="Empty: at once.")
    fault = models.CharField(max_length=10, choices=Fault.choices, blank=True, default="")
    reason = models.CharField(max_length=300, blank=True, default="")
    named = models.CharField(
        max_length=1010, blank=True, default="", help_text="By which identifier it failed."
    )

    objects = MembershipQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["id"], condition=Q(is_member=False), name="membership_not_in"),
            models.Index(fields=["id"], condition=Q(tries__gt=0), name="membership_failing"),
        ]

    def __str__(self) -> str:
        return f"{self.customer}: {'in' if self.is_member else 'not in'}"

    @property
    def identifier(self) -> tuple[IdType, str] | None:
        """The kind and the value by which Customer.io is told; a number is not among them."""
        if self.customer.cio_id:
            return "cio_id", self.customer.cio_id
        if self.customer.external_id:
            return "id", self.customer.external_id
        return ("email", self.customer.email) if self.customer.email else None

    @property
    def _name(self) -> str:
        return ":".join(self.identifier or ())

    # Arrows.

    def try_again(self, fault: str, reason: str) -> None:
        """Note a failure that is this customer's own. After the last try it is left alone."""
        delay = BACKOFF[min(self.tries, len(BACKOFF) - 1)]
        SegmentMembership.objects.filter(pk=self.pk).update(
            tries=F("tries") + 1,
            due_at=Now() + delay,
            fault=fault,
            reason=reason[:300],
            named=self._name,
        )

    def name_or_begin_anew(self) -> None:
        """Note by which identifier it failed on every try, and try again under another one."""
        rows = SegmentMembership.objects.filter(pk=self.pk)
        if not self.named:
            rows.update(named=self._name)
        elif self.named != self._name:
            rows.update(tries=0, due_at=None, fault="", reason="", named="")


def _has_open_brief() -> Exists:
    return Exists(Brief.objects.open().filter(customer=OuterRef("customer")))


def missing() -> BriefQuerySet:
    """Open briefs whose customer ought to be in and has no row."""
    known = SegmentMembership.objects.filter(customer=OuterRef("customer"))
    return to_be_in().filter(~Exists(known))


def to_be_in() -> BriefQuerySet:
    """Open briefs whose customer can be put in: not by a number alone, nor once deleted."""
    named = (
        Q(customer__cio_id__isnull=False)
        | Q(customer__external_id__isnull=False)
        | ~Q(customer__email="")
    )
    return Brief.objects.open().filter(named, customer__is_deleted=False)
