"""One act on many briefs in one request, as the list of the desk does it, and its undo."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema, extend_schema_field
from rest_framework import decorators, mixins, serializers, viewsets
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from briefs.api import doing, entries
from briefs.api.description import Description
from briefs.api.entries import Entry
from briefs.api.parameters import refuse_unknown
from briefs.api.parsing import Json
from briefs.api.permissions import Named
from briefs.api.problems import Invalid, Problem, TellsProblems
from briefs.api.repeating import once
from briefs.models import Brief, BulkAct, BulkPart
from briefs.triage import bulk, bulk_acting, bulk_undoing
from briefs.triage.bulk_undoing import Undoing

MOST = bulk.BATCH  # in one transaction, with the answer that is kept for its Idempotency-Key
Kind, Status = BulkAct.Kind, BulkPart.Status
_DETAILS: dict[str, type[Entry]] = {
    Kind.ASSIGN: entries.AssignTo, Kind.SNOOZE: entries.SnoozeUntil,
    Kind.CONTACT: entries.LogContact, Kind.CLOSE: entries.CloseWith,
}  # fmt: skip


class BriefAsSeen(Entry):
    id = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    revision = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, help_text="Of the brief as you saw it."
    )


@extend_schema_field(
    PolymorphicProxySerializer(
        "DetailsOfAct", list(_DETAILS.values()), resource_type_field_name=None
    )
)
class _Details(serializers.DictField):
    """What the act on one brief takes."""


@entries.for_example(act="snooze", briefs=[{"id": 7, "revision": 3}], details={"until": "monday"})
class ActOnMany(Entry):
    act = entries.choice(Kind.choices)
    briefs: Any = serializers.ListSerializer(
        child=BriefAsSeen(), allow_empty=False, max_length=MOST, help_text="At most 500."
    )
    details = _Details(required=False, help_text="What the act on one brief takes.")


class LeftAlone(serializers.Serializer[Any]):
    why = serializers.ChoiceField(
        [(one.value, one.label) for one in (*BulkPart.LEFT_OUT, *BulkPart.KEPT)]
    )
    words = serializers.CharField(help_text="Why, for people.")
    briefs = serializers.ListField(child=serializers.IntegerField())


class BulkActInFull(serializers.ModelSerializer[BulkAct]):
    act = serializers.ChoiceField(Kind.choices, source="kind")
    undo_until = serializers.DateTimeField(
        read_only=True,
        allow_null=True,
        help_text="Until then it can be undone; null if it cannot any more.",
    )
    done = serializers.SerializerMethodField(help_text="The briefs to which it was done.")
    undone = serializers.SerializerMethodField(help_text="Those that are as they were before.")
    left_alone = serializers.SerializerMethodField(
        help_text="Those to which nothing was done, or that the undo left as they were."
    )

    class Meta:
        model = BulkAct
        fields = ("id", "act", "done_at", "undo_until", "undone_at", "done", "undone", "left_alone")

    def get_done(self, act: BulkAct) -> list[int]:
        return _briefs(act, Status.DONE)

    def get_undone(self, act: BulkAct) -> list[int]:
        return _briefs(act, Status.UNDONE)

    @extend_schema_field(LeftAlone(many=True))
    def get_left_alone(self, act: BulkAct) -> list[dict[str, Any]]:
        found = ((one, _briefs(act, one)) for one in (*BulkPart.LEFT_OUT, *BulkPart.KEPT))
        return [
            {"why": one.value, "words": str(one.label), "briefs": keys}
            for one, keys in found
            if keys
        ]


def _briefs(act: BulkAct, status: str) -> list[int]:
    return list(act.parts.filter(status=status).order_by("brief").values_list("brief", flat=True))


class BulkActViewSet(TellsProblems, mixins.RetrieveModelMixin, viewsets.GenericViewSet[BulkAct]):
    """Acts on many briefs at once: your own, of the last day."""

    permission_classes = (Named,)
    required_permissions = (bulk.PERMISSION,)
    parser_classes = (Json,)
    serializer_class = BulkActInFull
    schema = Description()
    made_classes: ClassVar[dict[str, Any]] = {"create": BulkActInFull}
    writes = ("create", "undo")

    def get_queryset(self) -> QuerySet[BulkAct]:
        return BulkAct.objects.filter(actor=self.request.user.pk)

    @extend_schema(request=ActOnMany)
    def create(self, request: Request) -> Response:
        """Do to many briefs what an act does to one.

        Those that changed since you saw them, or to which it cannot be done, are left alone and
        named. Within a minute `undo` takes it back.
        """
        refuse_unknown(request, [])
        return once(request, None, lambda: self._done(_valid(ActOnMany, request.data)))

    def _done(self, entered: dict[str, Any]) -> Response:
        kind, actor = entered["act"], self.request.user
        details = _valid(_DETAILS[kind], entered.get("details", {}), under="details")
        if kind == Kind.ASSIGN:
            details = _person(details, actor)
        seen = {one["id"]: one["revision"] for one in entered["briefs"]}
        known = set(Brief.objects.filter(pk__in=seen).values_list("pk", flat=True))
        if unknown := sorted(set(seen) - known):
            raise Invalid({"briefs": [f"There is no brief {key}." for key in unknown]})
        act = bulk.choose(list(seen), actor, kind, seen=seen)
        try:
            bulk_acting.ACTS[kind](act, actor, details)
        except ValidationError as error:
            raise Invalid(
                {f"details.{name}": words for name, words in error.message_dict.items()}
            ) from None
        return Response(BulkActInFull(act).data, HTTPStatus.CREATED)

    @extend_schema(request=entries.Nothing)
    @decorators.action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: str) -> Response:
        """Take it back within its minute: each brief becomes what it was, as far as it can.

        Briefs that changed since are left as they are, and named.
        """
        refuse_unknown(request, [])
        act = get_object_or_404(self.get_queryset(), pk=pk)

        def do() -> Response:
            _valid(entries.Nothing, request.data)
            if bulk_undoing.undo(act, request.user) == Undoing.TOO_LATE:
                words = "The minute is over, so nothing was undone. Act on the briefs themselves."
                raise Problem(HTTPStatus.CONFLICT, "too_late", words, {"open_brief": None})
            return Response(BulkActInFull(act).data)

        return once(request, None, do)


def _valid(entry_class: type[Entry], data: Any, under: str = "") -> Any:
    """What the entry takes. `under`: the field whose errors these are."""
    entry = entry_class(data=data, context={"brief": None})
    if not entry.is_valid():
        raise Invalid(dict(by_path(entry.errors, under)))
    return entry.entered


def by_path(errors: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """What is wrong with a field of a field, as `briefs.0.id`."""
    if isinstance(errors, list) and all(isinstance(one, str) for one in errors):
        yield path, errors
        return
    parts = errors.items() if isinstance(errors, dict) else enumerate(errors)
    for name, below in parts:
        is_whole = path and name == "non_field_errors"
        yield from by_path(below, path if is_whole else f"{path}.{name}" if path else str(name))


def _person(name: str | None, actor: Any) -> Any:
    if name is None:
        raise Invalid({"details.to": ["Name a person: briefs are given back one by one."]})
    person = actor if name == entries.ME else doing.named(name)
    if person is None:
        raise Invalid({"details.to": ["Nobody has this user name."]})
    return person
