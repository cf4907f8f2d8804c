"""Incidents: one message that made more people leave than it usually does, and what is done."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, ClassVar

import django_filters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import decorators, serializers
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from briefs.api import doing, entries
from briefs.api.entries import Entry
from briefs.api.parameters import refuse_unknown
from briefs.api.parsing import Json
from briefs.api.problems import Invalid, Problem
from briefs.api.repeating import once
from briefs.api.views import ReadOnly
from briefs.finding.filters import in_words
from briefs.finding.known_values import value_by_cause
from briefs.links import message_url
from briefs.models import Brief, Cause
from briefs.reading import incidents as reading
from briefs.reading.incidents import Extent
from briefs.triage import incidents
from briefs.triage.incidents import Closing

STATES = [("open", "Open"), ("closed", "Closed")]


class IncidentFilter(django_filters.FilterSet):  # type: ignore[misc]  # ships no types
    state = django_filters.ChoiceFilter(
        choices=STATES, method="by_state", error_messages=in_words(STATES)
    )

    class Meta:
        model = Cause
        fields: list[str] = []

    def by_state(self, causes: QuerySet[Cause], name: str, value: str) -> QuerySet[Cause]:
        return causes.filter(ended_at__isnull=value == "open")


class ValueBehind(serializers.Serializer[Any]):
    currency = serializers.CharField()
    month = serializers.DecimalField(max_digits=20, decimal_places=2)


class IncidentEntry(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    actor = serializers.CharField(source="actor.username", allow_null=True, default=None)
    text = serializers.CharField()


class IncidentItem(serializers.ModelSerializer[Cause]):
    name = serializers.CharField(read_only=True, help_text="The message, as people know it.")
    message = serializers.CharField(
        read_only=True, help_text="By its ids in Customer.io, such as `campaign:7/12`."
    )
    state = serializers.SerializerMethodField()
    assignee = serializers.CharField(
        source="assignee.username", read_only=True, allow_null=True, default=None
    )
    briefs = serializers.SerializerMethodField(help_text="How many it caused.")
    open_briefs = serializers.SerializerMethodField()
    first_happened_at = serializers.SerializerMethodField()
    last_happened_at = serializers.SerializerMethodField()
    value = serializers.SerializerMethodField(
        "value_behind",
        help_text="The value behind its signals for a month, by currency; a company counts once.",
    )

    class Meta:
        model = Cause
        fields: tuple[str, ...] = (
            "id", "name", "message", "kind", "state", "assignee", "briefs", "open_briefs",
            "first_happened_at", "last_happened_at", "value", "usual", "incident_at", "ended_at",
            "closing_note",
        )  # fmt: skip

    def get_state(self, cause: Cause) -> str:
        return "open" if cause.is_open else "closed"

    def get_briefs(self, cause: Cause) -> int:
        return self._extent(cause).briefs

    def get_open_briefs(self, cause: Cause) -> int:
        return self._extent(cause).open

    @extend_schema(responses=serializers.DateTimeField(allow_null=True))
    def get_first_happened_at(self, cause: Cause) -> Any:
        return self._extent(cause).first

    @extend_schema(responses=serializers.DateTimeField(allow_null=True))
    def get_last_happened_at(self, cause: Cause) -> Any:
        return self._extent(cause).last

    @extend_schema(responses=ValueBehind(many=True))
    def value_behind(self, cause: Cause) -> Any:
        sums = self.context["values"].get(cause.pk)
        return ValueBehind(sums.sums if sums else [], many=True).data

    def _extent(self, cause: Cause) -> Extent:
        found: Extent = self.context["extents"][cause.pk]
        return found


class IncidentInFull(IncidentItem):
    first_step = serializers.SerializerMethodField()
    message_url = serializers.SerializerMethodField(
        help_text="Its page in Customer.io; empty if it is not known."
    )
    log = IncidentEntry(source="entries", many=True, read_only=True)

    class Meta(IncidentItem.Meta):
        fields = (*IncidentItem.Meta.fields, "first_step", "message_url", "log")

    def get_first_step(self, cause: Cause) -> str:
        return reading.first_step(cause.kind)

    def get_message_url(self, cause: Cause) -> str:
        return message_url(cause.message)


@entries.for_example(text="Sent twice by mistake. The second one is stopped.")
class NoteWhatWasDone(Entry):
    text = serializers.CharField(max_length=incidents.LONGEST, help_text="What was done.")

    @property
    def entered(self) -> str:
        return str(self.validated_data["text"])


class IncidentViewSet(ReadOnly):
    """Incidents, the latest first. Their briefs: `/api/v1/briefs/?cause=` with the incident's id.

    To act on one changes none of its briefs.
    """

    required_permissions = ("briefs.view_brief",)
    parser_classes = (Json,)
    queryset = Cause.objects.incidents().select_related("assignee").order_by("-incident_at", "-pk")
    serializer_class = IncidentInFull
    item_class = IncidentItem
    filterset_class = IncidentFilter
    ordering_fields = ("incident_at", "id")
    writes = ("assign", "note", "close", "reopen")
    further_permissions: ClassVar[dict[str, tuple[str, ...]]] = dict.fromkeys(
        writes, (incidents.PERMISSION,)
    )

    def get_queryset(self) -> QuerySet[Cause]:
        rows: QuerySet[Cause] = super().get_queryset()
        return rows if self.action == "list" else rows.prefetch_related("entries__actor")

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        if args:
            kwargs["context"] = self._context(args[0] if kwargs.get("many") else [args[0]])
        return super().get_serializer(*args, **kwargs)

    def _context(self, causes: Any) -> dict[str, Any]:
        briefs = Brief.objects.filter(cause__in=causes)
        read = {"extents": Extent.of_all(causes), "values": value_by_cause(briefs)}
        return {**self.get_serializer_context(), **read}

    @extend_schema(request=entries.AssignTo)
    @decorators.action(detail=True, methods=["post"])
    def assign(self, request: Request, pk: str) -> Response:
        """Let a colleague or yourself own the incident, or nobody."""

        def give(cause: Cause, entered: str | None) -> None:
            person = request.user if entered == entries.ME else entered and doing.named(entered)
            if entered is not None and person is None:
                raise Invalid({"to": ["Nobody has this user name."]})
            incidents.give(cause, request.user, None, person or None)

        return self._act(pk, entries.AssignTo, give)

    @extend_schema(request=NoteWhatWasDone)
    @decorators.action(detail=True, methods=["post"])
    def note(self, request: Request, pk: str) -> Response:
        """Write down what was found or done, also after the closing."""
        return self._act(
            pk, NoteWhatWasDone, lambda cause, text: incidents.note(cause, request.user, None, text)
        )

    @extend_schema(request=NoteWhatWasDone)
    @decorators.action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str) -> Response:
        """Close it with what was done; its briefs stay as they are.

        If it is closed already with other words, the answer is 409: note what was done instead.
        """

        def end(cause: Cause, text: str) -> None:
            if incidents.close(cause, request.user, None, text) == Closing.TOO_LATE:
                raise ValidationError("This incident is closed. Note what was done instead.")

        return self._act(pk, NoteWhatWasDone, end)

    @extend_schema(request=entries.Nothing)
    @decorators.action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        """Open a closed incident again."""
        return self._act(
            pk, entries.Nothing, lambda cause, _: incidents.reopen(cause, request.user, None)
        )

    def _act(self, pk: str, entry_class: type[Entry], do: Callable[[Cause, Any], Any]) -> Response:
        request = self.request
        refuse_unknown(request, [])
        cause = get_object_or_404(self.get_queryset(), pk=pk)

        def act() -> Response:
            entry = entry_class(data=request.data, context={"brief": None})
            if not entry.is_valid():
                raise Invalid(dict(entry.errors))
            try:
                do(cause, entry.entered)
            except ValidationError as error:
                if hasattr(error, "error_dict"):
                    raise Invalid(error.message_dict) from None
                words = " ".join(error.messages)
                raise Problem(HTTPStatus.CONFLICT, "closed", words, {"open_brief": None}) from None
            return Response(self.get_serializer(self.get_object()).data)

        return once(request, None, act)
