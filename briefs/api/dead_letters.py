"""Dead letters over the API: what was given up, and tried again."""

from http import HTTPStatus
from typing import Any, ClassVar

from django.core import exceptions
from drf_spectacular.utils import extend_schema
from rest_framework import decorators, serializers, viewsets
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from briefs.api import entries
from briefs.api.bulk import by_path
from briefs.api.cursors import CURSOR, NOT_OURS, SIZE, Cursor, Pages, size_of
from briefs.api.description import Description
from briefs.api.entries import Entry
from briefs.api.parameters import refuse_unknown
from briefs.api.parsing import Json
from briefs.api.permissions import Named, lacks
from briefs.api.problems import Invalid, TellsProblems
from briefs.api.repeating import once
from briefs.dead_letters import listing, replaying
from briefs.dead_letters.letters import Choice, Kind, Letter, group_key
from briefs.dead_letters.replaying import Outcome
from briefs.links import absolute, admin_url

KIND, REASON, GROUP = "kind", "reason", "group"
NAME = rf"({'|'.join(Kind.values)})-[0-9]{{1,18}}"


_AS_LISTED = "Write it as the list does: event-12."


class DeadLetter(serializers.Serializer[Letter]):
    id = serializers.CharField(source="name", help_text="Its kind and its number: `event-12`.")
    kind = serializers.ChoiceField(Kind.choices)
    about = serializers.CharField(help_text="What it is about. It names nobody.")
    url = serializers.SerializerMethodField(help_text="Its page in the admin.")
    code = serializers.CharField(help_text="Of the reason, for programs; empty if it has none.")
    reason = serializers.CharField()
    group = serializers.SerializerMethodField(
        help_text="The same for all of this kind and reason: filter and replay by it."
    )
    first_at = serializers.DateTimeField(help_text="When it came in, or was asked for.")
    last_at = serializers.DateTimeField(help_text="When it was given up.")
    tries = serializers.IntegerField(help_text="Of what is quarantined: how often it came.")
    can_be_read = serializers.SerializerMethodField(
        help_text="Of what is quarantined, whether a replay helps; of all others null."
    )

    def get_url(self, letter: Letter) -> str:
        return absolute(admin_url(letter.page, letter.key), self.context["request"])

    def get_group(self, letter: Letter) -> str:
        return group_key(letter.kind, letter.code, letter.reason)

    def get_can_be_read(self, letter: Letter) -> bool | None:
        return not letter.cannot if letter.kind == Kind.QUARANTINED else None


class LeftBecause(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    why = serializers.CharField()


class ReplayedOfKind(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(Kind.choices)
    number = serializers.IntegerField()


class Replayed(serializers.Serializer[Any]):
    dry_run = serializers.BooleanField()
    replayed = ReplayedOfKind(many=True, help_text="Or, in a dry run, what would be.")
    left = LeftBecause(many=True, help_text="Those that stay, and why.")
    beyond = serializers.IntegerField(
        help_text=f"Further ones that were chosen: one request takes {replaying.MOST:,}."
    )
    most_credits = serializers.IntegerField(
        allow_null=True, help_text="That it may cost at most; null unless it is a dry run."
    )


@entries.for_example(kinds=["research"], dry_run=True)
class ReplayThese(Entry):
    kinds: Any = serializers.ListField(
        child=entries.choice(Kind.choices), required=False, max_length=len(Kind)
    )
    ids: Any = serializers.ListField(
        child=serializers.RegexField(f"^{NAME}$", error_messages={"invalid": _AS_LISTED}),
        required=False,
        max_length=replaying.MOST,
        help_text="As the list names them.",
    )
    reason = serializers.CharField(
        required=False, max_length=200, help_text="These words occur in the reason."
    )
    group = serializers.CharField(
        required=False, max_length=16, help_text="Those of one kind and reason, as the list says."
    )
    dry_run = serializers.BooleanField(
        default=True, help_text="Only say what would happen and what it may cost."
    )


class Choosing(BaseFilterBackend):
    """The filters of the list, for the schema. The view applies them."""

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        text = {"type": "string"}
        return [
            _parameter(KIND, "Of this kind.", {**text, "enum": Kind.values}),
            _parameter(REASON, "These words occur in the reason, or are its code.", text),
            _parameter(GROUP, "Those of one kind and reason, as `group` of a row says.", text),
        ]


def _parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name, "in": "query", "required": False, "description": description,
        "schema": schema,
    }  # fmt: skip


class DeadLetterViewSet(TellsProblems, viewsets.GenericViewSet[Any]):
    """What was given up and waits for a person, of every kind, the latest first.

    Events that failed on every try or could not be read, questions to Mave that failed, messages
    that could not be sent, and reprocessing jobs. What was replayed is in this list no more.
    """

    permission_classes = (Named,)
    required_permissions = (replaying.PERMISSION,)
    parser_classes = (Json,)
    pagination_class = Pages
    filter_backends = (Choosing,)
    serializer_class = DeadLetter
    schema = Description()
    writes = ("replay",)
    told_classes: ClassVar = {"replay": Replayed}

    def list(self, request: Request) -> Response:
        refuse_unknown(request, [KIND, REASON, GROUP, CURSOR, SIZE])
        size, cursor = size_of(request), Cursor.of(request)
        behind: Any = cursor.behind
        try:
            found, places = listing.page(_asked(request), size, behind)
        except (exceptions.ValidationError, ValueError, AttributeError, TypeError):
            raise ValidationError({CURSOR: [NOT_OURS]}) from None
        following = None
        if places is not None:
            here = request.build_absolute_uri()
            following = replace_query_param(here, CURSOR, cursor.moved(request, places))
        serializer: Any = DeadLetter
        results = serializer(found, many=True, context={"request": request}).data
        return Response({"next": following, "results": results})

    @extend_schema(request=ReplayThese, filters=False)
    @decorators.action(detail=False, methods=["post"], pagination_class=None, filter_backends=())
    def replay(self, request: Request) -> Response:
        """Try dead letters again. What is sent narrows each other down.

        Order a dry run first: it says what would happen, and at most how many credits it costs. To
        ask failed questions again needs `briefs.buy_research` as well.
        """
        refuse_unknown(request, [])
        return once(request, None, lambda: self._replayed(request))

    def _replayed(self, request: Request) -> Response:
        entry = ReplayThese(data=request.data)
        if not entry.is_valid():
            raise Invalid(dict(by_path(entry.errors)))
        sent = entry.entered
        choice = Choice(
            kinds=tuple(Kind(kind) for kind in sent.get("kinds", ())),
            words=sent.get("reason", ""),
            group=sent.get("group", ""),
            names=tuple(sent.get("ids", ())),
        )
        if choice == Choice():
            raise Invalid({"kinds": ["Say which: kinds, ids, reason or group."]})
        do = replaying.look if sent["dry_run"] else replaying.replay_letters
        try:
            outcome = do(choice, request.user)
        except exceptions.PermissionDenied as error:
            raise PermissionDenied(lacks(str(error))) from None
        return Response(_told(outcome, is_dry_run=sent["dry_run"]), HTTPStatus.OK)


def _asked(request: Request) -> Choice:
    """The filters of the list. Raises ValidationError."""
    given = request.query_params
    kind = given.get(KIND, "")
    if kind and kind not in Kind.values:
        raise ValidationError({KIND: [f"“{kind}” is none of: {', '.join(Kind.values)}."]})
    kinds = (Kind(kind),) if kind else ()
    return Choice(kinds=kinds, words=given.get(REASON, ""), group=given.get(GROUP, ""))


def _told(outcome: Outcome, *, is_dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": is_dry_run,
        "replayed": [
            {"kind": kind.value, "number": outcome.done[kind]}
            for kind in Kind
            if outcome.done[kind]
        ],
        "left": [{"number": number, "why": why} for why, number in outcome.left.most_common()],
        "beyond": outcome.beyond,
        "most_credits": outcome.most_credits if is_dry_run else None,
    }
