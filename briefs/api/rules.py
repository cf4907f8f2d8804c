"""All rules over the REST API: taken along as one document, and put in place of the present ones.

An import does what that of the admin does: it says what differs first, asks for what must be
accepted, and is done as a whole or not at all.
"""

from http import HTTPStatus
from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, viewsets
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from briefs.api import answers, entries, texts
from briefs.api.bulk import by_path
from briefs.api.description import Description
from briefs.api.entries import Entry
from briefs.api.parameters import refuse_unknown
from briefs.api.parsing import Json
from briefs.api.permissions import Named
from briefs.api.problems import Invalid, Problem, TellsProblems
from briefs.api.repeating import once
from personas.models import RuleVersion
from personas.rules import documents, restoring
from personas.rules.applying import Refused
from personas.rules.documents import Document
from personas.rules.parts import PARTS, Unreadable
from personas.rules.restoring import Preview
from personas.rules.versions import NotAccepted


class RulesDocument(serializers.Serializer[Document]):
    """A list for each part of the rules."""

    def get_fields(self) -> dict[str, Any]:
        rows = {part.key: serializers.ListField(child=serializers.DictField()) for part in PARTS}
        return {documents.FORMAT_KEY: serializers.IntegerField(), **rows}


@extend_schema_field({"oneOf": [{"type": "object"}, {"type": "string"}]})
class _Document(serializers.Field[Document, Any, Any, Any]):
    def to_internal_value(self, data: Any) -> Document:
        try:
            return documents.read(data) if isinstance(data, str) else documents.checked(data)
        except Unreadable as error:
            raise serializers.ValidationError([str(error)]) from error


@entries.for_example(document={documents.FORMAT_KEY: 1}, dry_run=True)
class ImportRules(Entry):
    document = _Document(help_text="All rules, as they are exported; or a text: the file in YAML.")
    dry_run = serializers.BooleanField(
        default=True, help_text="Only say what would change and what must be accepted."
    )
    based_on = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=2**31 - 1,
        help_text="The version in which you saw the rules: if there is a newer one, nothing is "
        "done.",
    )
    accepted = serializers.CharField(
        default="", allow_blank=True, max_length=64, help_text="The `fingerprint` of a refusal."
    )
    why = serializers.CharField(
        default="", allow_blank=True, max_length=500, help_text="Kept with the version."
    )


class ImportedRules(serializers.Serializer[Any]):
    differences = serializers.ListField(child=serializers.CharField(), help_text="In sentences.")
    notes = serializers.ListField(
        child=serializers.CharField(), help_text="What is not known here, and is left out."
    )
    sentences = serializers.ListField(
        child=serializers.CharField(), help_text="What it does that must be accepted."
    )
    fingerprint = serializers.CharField(
        help_text="Of these sentences: to be sent as `accepted`. Empty if there are none."
    )
    based_on = serializers.IntegerField(help_text="The version that it was compared with.")
    version = serializers.IntegerField(
        allow_null=True, help_text="That it made. Null after a dry run, or if nothing differs."
    )


class RulesViewSet(TellsProblems, viewsets.GenericViewSet[RuleVersion]):
    permission_classes = (Named,)
    required_permissions = ("personas.view_ruleversion",)
    further_permissions: ClassVar[dict[str, tuple[str, ...]]] = {
        "put_in_place": ("personas.change_persona",)
    }
    parser_classes = (Json,)
    queryset = RuleVersion.objects.none()
    schema = Description()
    text_answers: ClassVar[dict[str, str]] = {"as_yaml": texts.Yaml.media_type}
    writes = ("put_in_place",)
    conflict = (answers.RulesConflict, "It must be accepted first, or there is a newer version.")

    def get_serializer_class(self) -> Any:
        return ImportedRules if self.action == "put_in_place" else RulesDocument

    def export(self, request: Request) -> Response:
        """All rules as they are now, as one document that can be imported."""
        refuse_unknown(request, [])
        return Response(documents.take())

    @extend_schema(parameters=[OpenApiParameter("format", exclude=True)])
    def as_yaml(self, request: Request) -> HttpResponse:
        """The same as the file that `export_rules` writes."""
        refuse_unknown(request, [])
        return HttpResponse(
            documents.written(documents.take()),
            content_type=f"{texts.Yaml.media_type}; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="rules.yaml"'},
        )

    @extend_schema(request=ImportRules)
    def put_in_place(self, request: Request) -> Response:
        """Replace all rules by those of a document. A dry run, unless `dry_run` is false.

        It is done as a whole or not at all. What of it you may change is asked for each kind of
        rule. Where it would do more than its author may have meant, the answer is 409 with
        `sentences`: send it again with their `fingerprint` as `accepted`.
        """
        refuse_unknown(request, [])
        entry = ImportRules(data=request.data)
        if not entry.is_valid():
            raise Invalid(dict(by_path(entry.errors)))
        try:
            return once(request, None, lambda: self._put_in_place(entry.entered))
        except Refused as error:
            raise Invalid({"document": error.errors}) from error
        except NotAccepted as error:
            raise self._conflict("not_accepted", str(error), error) from error

    def _put_in_place(self, entered: dict[str, Any]) -> Response:
        document, user = entered["document"], self.request.user
        seen = restoring.preview(document)
        if lacking := seen.lacking(user):
            raise PermissionDenied(f"You may not change every: {', '.join(lacking)}. Ask a lead.")
        if entered.get("based_on") not in (None, seen.head):
            raise self._conflict("stale", f"The rules changed: version {seen.head} is the newest.")
        version = None
        if not entered["dry_run"]:
            version = restoring.put_in_place(
                document, user, "Imported over the API",
                why=entered["why"], accepted=entered["accepted"],
            )  # fmt: skip
        return Response(_told(seen, version))

    def _conflict(self, code: str, words: str, refusal: NotAccepted | None = None) -> Problem:
        further = {
            "sentences": refusal.sentences if refusal else [],
            "fingerprint": refusal.fingerprint if refusal else "",
        }
        return Problem(HTTPStatus.CONFLICT, code, f"Nothing was done: {words}", further)


def _told(seen: Preview, version: RuleVersion | None) -> dict[str, Any]:
    return {
        "differences": [one.in_full for one in seen.differences],
        "notes": seen.notes,
        "sentences": seen.refusal.sentences if seen.refusal else [],
        "fingerprint": seen.refusal.fingerprint if seen.refusal else "",
        "based_on": seen.head,
        "version": version.number if version else None,
    }
