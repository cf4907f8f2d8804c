"""The REST API, for reading briefs and what led to them. Work is done on the desk."""

from functools import cached_property
from typing import Any

import django_filters
from django.contrib.auth.views import redirect_to_login
from django.db.models import Prefetch, QuerySet
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework import viewsets
from rest_framework.exceptions import NotAuthenticated
from rest_framework.pagination import PageNumberPagination
from rest_framework.permissions import IsAuthenticated

from briefs.api import serializers
from briefs.dossier.dossier import Dossier, Situation, in_full, listed
from briefs.finding.filters import BriefFilter
from briefs.models import Brief, Signal
from personas.models import Customer, Persona
from webhooks.models import WebhookEvent


class Pages(PageNumberPagination):
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


class ReadOnly(viewsets.ReadOnlyModelViewSet[Any]):
    """A list and its rows, for clients with a token and for people who are signed in."""

    permission_classes = (IsAuthenticated,)
    pagination_class = Pages
    item_class: Any  # the serializer for a list; if not set, serializer_class

    def get_serializer_class(self) -> Any:
        in_list = self.action == "list" and hasattr(self, "item_class")
        return self.item_class if in_list else self.serializer_class


class BriefViewSet(ReadOnly):
    """Briefs, newest first. Without `state` all of them: open, snoozed, closed."""

    queryset = Brief.objects.order_by("-created_at", "-pk")
    serializer_class = serializers.BriefInFull
    item_class = serializers.BriefItem
    filterset_class = BriefFilter

    @cached_property
    def situation(self) -> Situation:
        """Shared by all briefs of a list, so that each part is read once."""
        return Situation(self.request.user)

    def get_queryset(self) -> QuerySet[Brief]:
        briefs = super().get_queryset()
        if self.action == "list":
            return listed(briefs).defer("customer__attributes")
        signals = Signal.objects.select_related("event")
        return in_full(briefs).prefetch_related(
            Prefetch("signals", signals.defer("event__body", "event__headers", "event__history")),
            "activities__actor",
        )

    def paginate_queryset(self, queryset: Any) -> list[Any]:
        page = super().paginate_queryset(queryset) or []
        return [Dossier(brief, self.situation) for brief in page]

    def get_object(self) -> Dossier:
        return Dossier(super().get_object(), self.situation)


class EventFilter(django_filters.FilterSet):  # type: ignore[misc]  # the package is not typed
    status = django_filters.ChoiceFilter(choices=WebhookEvent.Status.choices)
    metric = django_filters.CharFilter()
    object_type = django_filters.CharFilter()
    event_id = django_filters.CharFilter(label="Customer.io's id")
    received_after = django_filters.IsoDateTimeFilter("received_at", "gte")
    received_before = django_filters.IsoDateTimeFilter("received_at", "lt")

    class Meta:
        model = WebhookEvent
        fields: list[str] = []


class EventViewSet(ReadOnly):
    """Everything that Customer.io sent, newest first, and what became of it."""

    queryset = WebhookEvent.objects.order_by("-received_at", "-pk")
    serializer_class = serializers.EventInFull
    item_class = serializers.EventItem
    filterset_class = EventFilter

    def get_queryset(self) -> QuerySet[WebhookEvent]:
        events = super().get_queryset().select_related("signal").defer("headers", "history")
        return events.defer("body", "headers", "history") if self.action == "list" else events


class PersonaViewSet(ReadOnly):
    """The personas, in the order they are tried."""

    queryset = Persona.objects.prefetch_related("conditions")
    serializer_class = serializers.PersonaInFull


class CustomerFilter(django_filters.FilterSet):  # type: ignore[misc]  # as above
    external_id = django_filters.CharFilter(label="The id that your product gave them")
    cio_id = django_filters.CharFilter(label="Customer.io's own id")
    email = django_filters.CharFilter(lookup_expr="exact", method="by_email")

    class Meta:
        model = Customer
        fields: list[str] = []

    def by_email(self, customers: QuerySet[Customer], name: str, value: str) -> QuerySet[Customer]:
        return customers.filter(email=value.lower())


class CustomerViewSet(ReadOnly):
    """Customers that an event named, with their attributes as last looked up."""

    queryset = Customer.objects.order_by("-pk").defer("devices", "preferences")
    serializer_class = serializers.CustomerInFull
    item_class = serializers.CustomerBriefly
    filterset_class = CustomerFilter


class Schema(SpectacularAPIView):
    permission_classes = (IsAuthenticated,)


class Docs(SpectacularSwaggerSplitView):
    """The API's pages for people. The split view, because the CSP forbids inline scripts."""

    permission_classes = (IsAuthenticated,)
    template_name = "api/docs.html"
    url_name = "api:schema"

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, NotAuthenticated):  # a person with a browser: to the login
            return redirect_to_login(self.request.get_full_path())
        return super().handle_exception(exc)
