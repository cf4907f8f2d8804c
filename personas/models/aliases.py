"""Identifiers that a person had before: they still find the person."""

from collections.abc import Mapping
from datetime import datetime

from django.db import models
from django.db.models.functions import Now

from personas.models.customers import Customer


class CustomerAliasQuerySet(models.QuerySet["CustomerAlias"]):
    def remember(
        self, customer_pk: int, former: Mapping[str, str], at: datetime | None = None
    ) -> None:
        """Keep values by kind that are no longer the person's present ones; without `at`, now."""
        when = {} if at is None else {"replaced_at": at}
        self.bulk_create(
            [
                CustomerAlias(customer_id=customer_pk, kind=kind, value=value, **when)
                for kind, value in former.items()
                if value
            ],
            update_conflicts=True,
            unique_fields=["customer", "kind", "value"],
            update_fields=["replaced_at"],
        )


class CustomerAlias(models.Model):
    """An identifier that Customer.io has replaced, or that came from a row merged into this one.

    An id or a cio_id names one person at a time, an address may be shared: so a value is unique
    only within a person.
    """

    class Kind(models.TextChoices):
        CIO_ID = "cio_id", "Customer.io's id"
        ID = "id", "id"
        EMAIL = "email", "address"
        PHONE = "phone", "number"

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="aliases")
    kind = models.CharField(max_length=6, choices=Kind.choices)
    value = models.CharField(max_length=1000)
    replaced_at = models.DateTimeField(db_default=Now())

    objects = CustomerAliasQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "kind", "value"], name="alias_once")
        ]
        indexes = [models.Index(fields=["value"], name="alias_value")]
        verbose_name_plural = "customer aliases"

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.value}"


# The column of a customer that holds the present identifier of each kind.
COLUMNS = {
    CustomerAlias.Kind.CIO_ID.value: "cio_id",
    CustomerAlias.Kind.ID.value: "external_id",
    CustomerAlias.Kind.EMAIL.value: "email",
    CustomerAlias.Kind.PHONE.value: "phone",
}
