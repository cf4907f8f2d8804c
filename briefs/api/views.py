"""The REST API: briefs and what led to them. What is done with a brief is in `acts`."""

from functools import cached_property
from http import HTTPStatus
from typing import Any, ClassVar

from django.contrib.auth.views import redirect_to_login
from django.core import exceptions
from django.db.models import Prefetch, QuerySet
from django.utils.cache import get_conditional_response
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiParameter, extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework import decorators, viewsets
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from briefs.api import serializers, texts
from briefs.api.acts import Acts
from briefs.api.cursors import CURSOR, ORDERING, SIZE, Cursor, Pages
from briefs.api.description import Description
from briefs.api.erasing import Erases, ErasureInFull
from briefs.api.etags import etag
from briefs.api.filters import CustomerFilter, EventFilter
from briefs.api.parameters import Ordering, ordered, refuse_unknown
from briefs.api.parsing import Json
from briefs.api.permissions import PAYLOAD, Named, lacks
from briefs.api.problems import Problem, TellsProblems
from briefs.dossier.dossier import Dossier, Situation, dossiers
from briefs.dossier.loading import in_full, listed
from briefs.downloads import brief as downloads
from briefs.downloads import lists
from briefs.finding import ordering
from briefs.finding.filters import BriefFilter
from briefs.finding.tabs import ARCHIVE
from briefs.forgetting import ordering as erasing
from briefs.models import Brief, ClosingReason, Erasure, Offer, Signal
from briefs.permissions import PERSONAL_DATA
from personas.models import Customer, Persona
from webhooks.models import WebhookEvent

# These addresses have one form; a refusal is JSON in any case.
_NO_FORMAT = OpenApiParameter("format", exclude=True)


class Filters(DjangoFilterBackend):  # type: ignore[misc]  # ships no types
    """The view's filterset, of which the view is told: it knows what a search left out.

    A program would take what a search found before the database gave it up for all there is.
    """

    def get_filterset(self, request: Request, queryset: Any, view: Any) -> Any:
        view.filterset = super().get_filterset(request, queryset, view)
        return view.filterset

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        found = super().filter_queryset(request, queryset, view)
        words = getattr(view.filterset, "words", None)
        if words and words.is_slow:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "busy",
                "The search took too long and was ended. Longer words, or fewer, are faster.",
                headers={"Retry-After": "5"},
            )
        return found


class ReadOnly(TellsProblems, viewsets.ReadOnlyModelViewSet[Any]):
    """A list and its rows, for clients with a token and for people who are signed in."""

    permission_classes = (Named,)
    required_permissions: tuple[str, ...]
    pagination_class = Pages
    filter_backends = (Filters, Ordering)
    filterset_class: Any = None
    filterset: Any = None  # made of it for this request
    ordering_fields: tuple[str, ...] = ()
    personal_orderings: tuple[str, ...] = ()  # of these: for who may read personal data
    ordered: Any = staticmethod(ordered)
    schema = Description()
    item_class: Any  # the serializer for a list; if not set, serializer_class

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action == "list":
            refuse_unknown(request, self._known)
        elif self.action == "retrieve":
            refuse_unknown(request, [])

    @property
    def _known(self) -> list[str]:
        """The parameters of the list."""
        filters = list(self.filterset_class.base_filters) if self.filterset_class else []
        return [*filters, ORDERING, CURSOR, SIZE]

    @cached_property
    def cursor(self) -> Cursor:
        return Cursor.of(self.request)

    def get_serializer_context(self) -> dict[str, Any]:
        user = self.request.user
        return {
            **super().get_serializer_context(),
            "may_read_personal_data": user.has_perm(PERSONAL_DATA),
            "may_read_payload": user.has_perm(PAYLOAD),
        }

    def get_serializer_class(self) -> Any:
        in_list = self.action == "list" and hasattr(self, "item_class")
        return self.item_class if in_list else self.serializer_class


class BriefViewSet(Acts, ReadOnly):
    """Briefs, newest first. Without `state` all of them: open, snoozed, closed.

    What says or quotes who the customer is, is null without `personas.view_personal_data`; to
    search with `q` or `company`, or to sort by `customer`, needs it too, and without it `signal`
    sorts by the kind alone. Equal rows come newest first in a list of all, else by urgency.
    """

    required_permissions = ("briefs.view_brief",)
    parser_classes = (Json,)
    queryset = Brief.objects.order_by("-created_at", "-pk")
    serializer_class = serializers.BriefInFull
    item_class = serializers.BriefItem
    filterset_class = BriefFilter
    ordering_fields = tuple(ordering.ORDERINGS)
    personal_orderings = tuple(filter(ordering.tells_who, ordering.ORDERINGS))
    further_permissions: ClassVar[dict[str, tuple[str, ...]]] = {
        **Acts.further_permissions,
        "markdown": (PERSONAL_DATA,),  # it is full of who the customer is
    }
    text_answers: ClassVar[dict[str, str]] = {"as_csv": "text/csv", "markdown": "text/markdown"}

    def ordered(self, briefs: Any, *words: str) -> Any:
        state = self.request.query_params.get("state") or ARCHIVE  # as the inbox has it
        may_read = self.request.user.has_perm(PERSONAL_DATA)
        at = self.cursor.at
        return ordering.ordered(briefs, *words, state=state, at=at, is_personal=may_read)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # Whether a search finds somebody's address is an answer too.
        for name in ("q", "company"):
            if name in request.query_params and not request.user.has_perm(PERSONAL_DATA):
                raise PermissionDenied(
                    f"The parameter {name} searches personal data. " + lacks(PERSONAL_DATA)
                )

    @cached_property
    def situation(self) -> Situation:
        """Shared by all briefs of a list, so that each part is read once."""
        return Situation(self.request.user)

    @extend_schema(filters=True, parameters=[_NO_FORMAT])
    @decorators.action(detail=False, url_path="csv", renderer_classes=(JSONRenderer, texts.Csv))
    def as_csv(self, request: Request) -> Any:
        """The whole list as CSV for a spreadsheet, with the filters and orders of the list.

        It begins with a byte order mark and a line of column names; moments are in UTC. A text
        that a spreadsheet would take for a formula has an apostrophe before it, also behind a
        semicolon, tab or line end within the text. Where a search finds more than it knows, the
        file's name ends in “some-of-the-newest”. If reading fails, the last line says so and
        the connection is broken off.
        """
        refuse_unknown(request, [*self.filterset_class.base_filters, ORDERING])
        briefs: Any = self.filter_queryset(self.get_queryset())
        return lists.response(briefs, request, are_all=self.filterset.words.is_complete)

    @extend_schema(parameters=[_NO_FORMAT])
    @decorators.action(detail=True, renderer_classes=(JSONRenderer, texts.Markdown))
    def markdown(self, request: Request, pk: str) -> Any:
        """What the page of the brief shows, as Markdown."""
        refuse_unknown(request, [])
        return downloads.response(self.get_object(), request)

    def get_queryset(self) -> QuerySet[Brief]:
        briefs = super().get_queryset()
        if self.action == "as_csv":
            return briefs
        if self.action == "list":
            return listed(briefs).select_related("closing_reason")
        signals = Signal.objects.select_related("event")
        return in_full(briefs).prefetch_related(
            Prefetch("signals", signals.defer("event__body", "event__headers", "event__history")),
            "activities__actor",
            "contacts__actor",
            "comments__actor",
            "comments__mentioned",
        )

    def paginate_queryset(self, queryset: Any) -> list[Any]:
        page = super().paginate_queryset(queryset) or []
        return dossiers(page, self.situation)

    def get_object(self) -> Dossier:
        return Dossier(super().get_object(), self.situation)

    def shown(self) -> tuple[dict[str, Any], str]:
        """The brief in full as it is now, and its ETag."""
        dossier = self.get_object()
        serializer: Any = serializers.BriefInFull
        data = serializer(dossier, context=self.get_serializer_context()).data
        return data, etag(dossier.brief, data)

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "If-None-Match",
                location=OpenApiParameter.HEADER,
                description="The ETag of an earlier answer: 304 without a body if it still holds.",
            ),
            OpenApiParameter(
                "ETag",
                location=OpenApiParameter.HEADER,
                response=[200],
                description="Changes whenever the answer does; age_seconds, which counts on by "
                "itself, is left out.",
            ),
        ]
    )
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        shown, tag = self.shown()
        response = Response(shown, headers={"ETag": tag})
        return get_conditional_response(request._request, etag=tag, response=response)


class EventViewSet(ReadOnly):
    """Everything that Customer.io sent, newest first, and what became of it.

    The payload of one event is null without `webhooks.view_payload`.
    """

    required_permissions = ("webhooks.view_webhookevent", PERSONAL_DATA)
    queryset = WebhookEvent.objects.order_by("-received_at", "-pk")
    serializer_class = serializers.EventInFull
    item_class = serializers.EventItem
    filterset_class = EventFilter
    ordering_fields = ("received_at", "occurred_at", "id")

    def get_queryset(self) -> QuerySet[WebhookEvent]:
        events = super().get_queryset().select_related("signal").defer("headers", "history")
        return events.defer("body", "headers", "history") if self.action == "list" else events


class PersonaViewSet(ReadOnly):
    """The personas, in the order they are tried."""

    required_permissions = ("personas.view_persona",)
    queryset = Persona.objects.prefetch_related("conditions")
    serializer_class = serializers.PersonaInFull
    ordering_fields = ("position", "name", "id")

    def get_queryset(self) -> QuerySet[Persona]:
        """Those in use; one that was retired can still be read, because its briefs name it."""
        personas: QuerySet[Persona] = super().get_queryset()
        return personas.filter(retired_at=None) if self.action == "list" else personas


class ClosingReasonViewSet(ReadOnly):
    """Why customers stayed or left, in the team's own words, in the order they are offered.

    Those that are not active are no longer offered; briefs that were closed with one keep it.
    """

    required_permissions = ("briefs.view_brief",)
    queryset = ClosingReason.objects.all()
    serializer_class = serializers.ClosingReasonInFull
    ordering_fields = ("position", "name", "id")


class OfferViewSet(ReadOnly):
    """What customers may be offered, in the order it is shown. `code` is what an act takes.

    Those that are not active are no longer chosen; briefs that were closed with one keep it.
    """

    required_permissions = ("briefs.view_brief",)
    queryset = Offer.objects.all()
    serializer_class = serializers.OfferInFull
    ordering_fields = ("position", "name", "code")


class CustomerViewSet(Erases, ReadOnly):
    """Customers that an event named, with their attributes as last looked up."""

    required_permissions = ("personas.view_customer", PERSONAL_DATA)
    further_permissions: ClassVar[dict[str, tuple[str, ...]]] = {"erase": (erasing.PERMISSION,)}
    parser_classes = (Json,)
    writes = ("erase",)
    told_classes: ClassVar[dict[str, Any]] = {"erase": ErasureInFull}
    queryset = (
        Customer.objects.filter(is_erased=False).order_by("-pk").defer("devices", "preferences")
    )
    serializer_class = serializers.CustomerInFull
    item_class = serializers.CustomerBriefly
    filterset_class = CustomerFilter
    ordering_fields = ("id", "fetched_at")


class ErasureViewSet(ReadOnly):
    """Who had somebody erased, when, and how much went: without a word about whom."""

    required_permissions = ("briefs.view_erasure",)
    queryset = Erasure.objects.select_related("made_by").order_by("-pk")
    serializer_class = ErasureInFull
    ordering_fields = ("id",)


class Schema(TellsProblems, SpectacularAPIView):
    permission_classes = (Named,)
    required_permissions = ("briefs.view_brief",)


class Docs(TellsProblems, SpectacularSwaggerSplitView):
    """The API's pages for people. The split view, because the CSP forbids inline scripts."""

    permission_classes = (Named,)
    required_permissions = ("briefs.view_brief",)
    template_name = "api/docs.html"
    url_name = "api:schema"

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, NotAuthenticated):  # a person with a browser: to the login
            return redirect_to_login(self.request.get_full_path())
        if isinstance(exc, PermissionDenied):
            raise exceptions.PermissionDenied from exc  # the page that people get
        return super().handle_exception(exc)
