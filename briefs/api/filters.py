"""The filters of the REST API's own lists; those of briefs are the inbox's."""

from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import django_filters
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django_filters.fields import IsoDateTimeField

from briefs.finding.filters import in_words
from briefs.finding.search import Search
from briefs.finding.words.matching import among
from personas.models import Customer, CustomerAlias
from personas.people.identity import normalise, plain_number
from providers.addresses import folded
from webhooks.models import WebhookEvent

_MOMENT = {"invalid": "This is no moment: write it like 2026-11-01T12:00:00Z."}


class MomentField(IsoDateTimeField):  # type: ignore[misc]  # the package is not typed
    def to_python(self, value: Any) -> datetime | None:
        at: datetime | None = super().to_python(value)
        try:  # as the database's driver does
            return at.astimezone(UTC) if at else None
        except OverflowError:  # in UTC it is before the year 1 or after 9999
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None


class MomentFilter(django_filters.IsoDateTimeFilter):  # type: ignore[misc]  # as above
    field_class = MomentField


class EventFilter(django_filters.FilterSet):  # type: ignore[misc]  # the package is not typed
    status = django_filters.ChoiceFilter(
        choices=WebhookEvent.Status.choices, error_messages=in_words(WebhookEvent.Status.choices)
    )
    metric = django_filters.CharFilter(
        method="by_name", help_text="As Customer.io names it, in any case: unsubscribed, bounced."
    )
    object_type = django_filters.CharFilter(
        method="by_name", help_text="As Customer.io names it, in any case: customer, email."
    )
    event_id = django_filters.CharFilter(label="Customer.io's id")
    received_after = MomentFilter(
        "received_at", "gte", help_text="At this moment or after it.", error_messages=_MOMENT
    )
    received_before = MomentFilter(
        "received_at", "lt", help_text="Before this moment.", error_messages=_MOMENT
    )

    class Meta:
        model = WebhookEvent
        fields: list[str] = []

    def by_name(
        self, events: QuerySet[WebhookEvent], name: str, value: str
    ) -> QuerySet[WebhookEvent]:
        return events.filter(**{name: value.lower()})  # as the receiver stores it


class CustomerFilter(django_filters.FilterSet):  # type: ignore[misc]  # as above
    """By an identifier that the customer has, or had before Customer.io replaced it."""

    external_id = django_filters.CharFilter(
        method="by_external_id", label="The id that your product gave them"
    )
    cio_id = django_filters.CharFilter(
        method="by_cio_id", label="Customer.io's own id, with or without cio_ in front"
    )
    email = django_filters.CharFilter(method="by_email", label="In any case")
    phone = django_filters.CharFilter(
        method="by_phone", label="With or without blanks and dashes; write + as %2B"
    )

    q = django_filters.CharFilter(
        method="by_words",
        max_length=200,
        help_text="All of this occurs in identifiers of now and before, names, company and mapped "
        "attributes: words from their start, “phrases”, -not. Of more than 2,000 some are found.",
    )

    class Meta:
        model = Customer
        fields: list[str] = []

    def by_words(self, customers: QuerySet[Customer], name: str, value: str) -> QuerySet[Customer]:
        found: QuerySet[Customer] = among(customers, self.words.customer_keys)
        return found

    @cached_property
    def words(self) -> Search:
        return Search(self.form.cleaned_data.get("q", ""))

    def by_external_id(
        self, customers: QuerySet[Customer], name: str, value: str
    ) -> QuerySet[Customer]:
        return _known_as(customers, "external_id", CustomerAlias.Kind.ID, value)

    def by_cio_id(self, customers: QuerySet[Customer], name: str, value: str) -> QuerySet[Customer]:
        cio_id = normalise({"cio_id": value}).get("cio_id", "")
        return _known_as(customers, "cio_id", CustomerAlias.Kind.CIO_ID, cio_id)

    def by_email(self, customers: QuerySet[Customer], name: str, value: str) -> QuerySet[Customer]:
        return _known_as(customers, "email", CustomerAlias.Kind.EMAIL, folded(value))

    def by_phone(self, customers: QuerySet[Customer], name: str, value: str) -> QuerySet[Customer]:
        number = plain_number(value)
        if not number:  # most customers have none, and nobody asks for them
            return customers.none()
        return _known_as(customers, "phone", CustomerAlias.Kind.PHONE, number)


def _known_as(
    customers: QuerySet[Customer], column: str, kind: str, value: str
) -> QuerySet[Customer]:
    # Read first: with a subquery beside the column PostgreSQL would read all customers.
    former = list(
        CustomerAlias.objects.filter(kind=kind, value=value).values_list("customer", flat=True)
    )
    return customers.filter(Q(**{column: value}) | Q(pk__in=former))
