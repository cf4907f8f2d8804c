"""The person behind an event, and what we know of them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import connection, models
from django.db.models import Q
from django.db.models.functions import Lower, Now

from personas.models import names
from personas.models.value import Valued

FRESH_FOR = timedelta(hours=1)

# One parameter for all rows: thousands of placeholders take the driver longer than the update.
_SUBSCRIPTIONS_SQL = {
    "postgresql": """
        UPDATE personas_customer
        SET is_unsubscribed = learned.is_off, subscription_changed_at = learned.at
        FROM json_to_recordset(%s::json) AS learned(id bigint, is_off boolean, at timestamptz)
        WHERE personas_customer.id = learned.id
    """,
    "sqlite": """
        UPDATE personas_customer
        SET is_unsubscribed = json_extract(learned.value, '$.is_off'),
            subscription_changed_at = json_extract(learned.value, '$.at')
        FROM json_each(%s) AS learned
        WHERE personas_customer.id = json_extract(learned.value, '$.id')
    """,
}
# One parameter here too: a batch asks about its hundreds of people.
_SHARED_SQL = {
    "postgresql": "WHERE {0} = ANY(%s)",
    "sqlite": "WHERE {0} IN (SELECT value FROM json_each(%s))",
}


class CustomerQuerySet(models.QuerySet["Customer"]):
    def stale(self) -> Self:
        """Customers that were never looked up, or more than an hour ago."""
        return self.filter(Q(fetched_at=None) | Q(fetched_at__lt=Now() - FRESH_FOR))

    def shared(self, column: str, values: list[str]) -> list[str]:
        """Of these addresses or numbers those that several customers have."""
        where = _SHARED_SQL[connection.vendor].format(column)
        given = values if connection.vendor == "postgresql" else json.dumps(values)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {column} FROM personas_customer {where} "  # noqa: S608 - our own names
                f"GROUP BY {column} HAVING count(*) > 1",
                [given],
            )
            return [value for (value,) in cursor.fetchall()]

    def save_subscriptions(self, customers: "Iterable[Customer]") -> None:
        """Write the fields that `learn_subscription` changed.

        One statement in raw SQL: on PostgreSQL executemany takes three times as long, and
        bulk_update with its CASE per row is slower still.
        """
        rows = [
            {
                "id": row.pk,
                "is_off": row.is_unsubscribed,
                "at": _written(row.subscription_changed_at),
            }
            for row in customers
        ]
        if rows:
            with connection.cursor() as cursor:
                cursor.execute(_SUBSCRIPTIONS_SQL[connection.vendor], [json.dumps(rows)])


def _written(moment: datetime | None) -> str | None:
    """As the database itself writes a moment."""
    return str(connection.ops.adapt_datetimefield_value(moment)) if moment else None


@dataclass(frozen=True, slots=True)
class Twin:
    """Another row that a look-up showed to be the same person, and which ids are theirs now."""

    pk: int
    cio_id: str
    external_id: str = ""
    gone: str = ""  # the cio_id of a person who was merged into this one in Customer.io


class Customer(Valued):
    """One person of the workspace. Attributes are strings, as Customer.io sends them."""

    cio_id = models.CharField(
        max_length=200, unique=True, null=True, blank=True, help_text="Customer.io's own id."
    )
    external_id = models.CharField(
        "id",
        max_length=1000,
        unique=True,
        null=True,
        blank=True,
        help_text="The id that your product gave them.",
    )
    email = models.CharField(max_length=1000, blank=True, db_index=True)
    phone = models.CharField(
        max_length=1000,
        blank=True,
        default="",
        db_default="",
        db_index=True,
        help_text="Where the workspace identifies people by their number.",
    )
    attributes = models.JSONField(default=dict, blank=True)
    devices = models.JSONField(default=list, blank=True)
    preferences = models.JSONField(default=dict, blank=True)
    is_unsubscribed = models.BooleanField(null=True, blank=True)
    subscription_changed_at = models.DateTimeField(null=True, blank=True)
    fetched_at = models.DateTimeField(
        null=True, blank=True, help_text="When the attributes were looked up."
    )
    is_deleted = models.BooleanField(
        default=False, help_text="Customer.io no longer knows this person."
    )
    is_erased = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="The one row to which what is left of all erased people belongs.",
    )
    created_at = models.DateTimeField(db_default=Now())
    sort_name = models.CharField(
        max_length=200,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="The name in lower case, by which lists are sorted.",
    )

    # No column: a look-up notes here which other row turned out to be the same person.
    twin: Twin | None = None
    is_of_erased = False  # nor this: a look-up notes here that it is somebody who was erased

    objects = CustomerQuerySet.as_manager()

    class Meta:
        permissions = [
            ("view_personal_data", "Can read names, addresses and attributes"),
            ("erase_customer", "Can erase all that is kept about a person, for ever"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["is_erased"], condition=Q(is_erased=True), name="customer_one_erased"
            )
        ]
        indexes = [
            models.Index(fields=["-fetched_at"], name="customer_fetched"),
            models.Index(Lower("company"), name="customer_company"),
            models.Index(names.shown(), name="customer_shown"),
        ]

    def __str__(self) -> str:
        if self.is_erased:
            return "erased person"
        named = self.external_id or self.email or self.phone or self.cio_id
        return named or f"customer {self.pk}"

    @classmethod
    def erased(cls) -> "Customer":
        """The row of all erased people, to which their emptied briefs belong."""
        return cls.objects.get_or_create(is_erased=True)[0]

    @property
    def name(self) -> str:
        """The customer's name, or first and last name together; empty if no attribute has one."""
        return names.called(self.attributes)

    def learn_subscription(self, is_unsubscribed: bool, at: Any) -> bool:
        """Set the subscription from a person-level event, unless a newer change is known."""
        newer_known = self.subscription_changed_at and (
            at is None or at < self.subscription_changed_at
        )
        if newer_known:
            return False
        self.is_unsubscribed, self.subscription_changed_at = is_unsubscribed, at
        return True


class AppApiHealth(models.Model):
    """One row, shared by all workers: whether the App API may be asked at present."""

    failures = models.PositiveIntegerField(default=0, help_text="In a row.")
    failing_since = models.DateTimeField(null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True, help_text="Not asked before this.")
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "App API health"
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="appapihealth_is_one_row")]

    def __str__(self) -> str:
        return self.reason or "answers"

    @classmethod
    def current(cls) -> "AppApiHealth":
        return cls.objects.get_or_create(pk=1)[0]

    @classmethod
    def is_closed(cls) -> bool:
        """True while the App API must not be asked, after a failure."""
        return cls.objects.filter(pk=1, retry_at__gt=Now()).exists()

    def failed(self, reason: str, pause: timedelta) -> None:
        AppApiHealth.objects.filter(pk=1, failing_since=None).update(failing_since=Now())
        AppApiHealth.objects.filter(pk=1).update(
            failures=models.F("failures") + 1, retry_at=Now() + pause, reason=reason[:300]
        )

    def answered(self) -> None:
        AppApiHealth.objects.filter(pk=1).exclude(failures=0).update(
            failures=0, failing_since=None, retry_at=None, reason=""
        )
