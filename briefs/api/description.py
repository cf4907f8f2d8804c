"""How the OpenAPI schema describes what every address answers, refusals included."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from briefs.api import answers
from briefs.api.permissions import asked
from briefs.api.problems import MEDIA_TYPE
from briefs.api.texts import Yaml

_WRONG = {
    "type": "object",
    "description": "In errors: what is wrong or missing, by the field or the parameter. That of a "
    "parameter stands beside it as well, by its name.",
    "properties": {
        "code": {"type": "string", "description": "Of an act: `invalid`."},
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
    "required": ["type", "title", "status", "detail"],
    "additionalProperties": {"type": "array", "items": {"type": "string"}},
}
_PROBLEM = answers.ProblemDetails
_REFUSALS: dict[int, tuple[Any, str]] = {
    400: (_WRONG, "Something is wrong or missing: a field, a parameter, a header or the JSON."),
    401: (_PROBLEM, "There is no token, or it is not valid."),
    403: (_PROBLEM, "A permission is missing, of the person or of the token: it is named."),
    404: (_PROBLEM, "There is no such row."),
    429: (_PROBLEM, "Too many requests: Retry-After says when to come back."),
}
_REFUSED_WRITES: dict[int, tuple[Any, str]] = {
    409: (answers.ConflictProblem, "The brief's state does not allow it; nothing was done."),
    413: (_PROBLEM, "The body is too large."),
    415: (_PROBLEM, "The body is not JSON."),
    422: (answers.CodedProblem, "The Idempotency-Key was used for another request."),
    503: (answers.CodedProblem, "The database did not answer in time: Retry-After says when."),
}
_REFUSED_SEARCHES: dict[int, tuple[Any, str]] = {503: _REFUSED_WRITES[503]}
_REFUSED_ACTS: dict[int, tuple[Any, str]] = {
    **_REFUSED_WRITES,
    412: (answers.StaleProblem, "The brief has changed since this ETag; nothing was done."),
    428: (answers.CodedProblem, "There is no If-Match."),
}
_IF_MATCH = OpenApiParameter(
    "If-Match",
    location=OpenApiParameter.HEADER,
    required=True,
    description="The ETag of the brief that the act is based on. Of it the revision counts: "
    "428 without it, 412 if the brief has changed since. `*`: whatever it is now.",
)
_KEY = OpenApiParameter(
    "Idempotency-Key",
    location=OpenApiParameter.HEADER,
    description="A name for this request, 1 to 255 printable ASCII characters. If it is sent "
    "again within 24 hours it gets the first one's answer, with `Idempotent-Replayed: true`, "
    "and nothing is done twice. Refusals are not kept.",
)
_ETAG = OpenApiParameter(
    "ETag", location=OpenApiParameter.HEADER, response=[200, 412], description="Of the brief now."
)


class Description(AutoSchema):
    view: Any

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular's own
        """What the view says of itself, and which permissions it asks for."""
        needed = " and ".join(f"`{name}`" for name in asked(self.view))
        return f"{super().get_description()}\n\nNeeds {needed}."

    def get_override_parameters(self) -> Any:
        if self._is_act:
            return [_IF_MATCH, _KEY, _ETAG]
        return [_KEY] if self._is_write else super().get_override_parameters()

    def get_response_serializers(self) -> Any:
        """The answer itself, and the refusals."""
        further = _REFUSED_ACTS if self._is_act else _REFUSED_WRITES if self._is_write else {}
        refusals = {**_REFUSALS, **further, **(_REFUSED_SEARCHES if self._is_search else {})}
        if self._is_write and hasattr(self.view, "conflict"):
            refusals[409] = self.view.conflict
        told = {
            (status, MEDIA_TYPE): OpenApiResponse(*refusal) for status, refusal in refusals.items()
        }
        text = getattr(self.view, "text_answers", {}).get(self.view.action)
        if text:
            # YAML is read as what it holds, by programs that check answers too.
            return {(200, text): self._answer if text == Yaml.media_type else str, **told}
        return {(self._status, "application/json"): self._answer, **told}

    @property
    def _is_act(self) -> bool:
        is_further = self.view.action in getattr(self.view, "further_permissions", ())
        return is_further and self.method == "POST" and not self._is_write

    @property
    def _is_search(self) -> bool:
        filters = getattr(self.view, "filterset_class", None)
        is_list = self.view.action in ("list", "as_csv")
        return is_list and "q" in getattr(filters, "base_filters", ())

    @property
    def _is_write(self) -> bool:
        """Of many briefs or of none, so there is no ETag to send."""
        return self.view.action in getattr(self.view, "writes", ())

    @property
    def _made(self) -> Any:
        return getattr(self.view, "made_classes", {}).get(self.view.action)

    @property
    def _status(self) -> int:
        return 201 if self._made else 200

    @property
    def _answer(self) -> Any:
        told = getattr(self.view, "told_classes", {}).get(self.view.action)
        if self._made or told:
            return self._made or told
        is_list_of_brief = self.view.action in getattr(self.view, "lists_of_brief", ())
        return (
            self.view.serializer_class(many=True)
            if is_list_of_brief
            else super().get_response_serializers()
        )


def require_all(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Say that every property of what is answered is always there; what is sent says it itself."""
    for name, component in result["components"]["schemas"].items():
        if "properties" in component and not name.endswith("Request"):
            component["required"] = sorted(component["properties"])
    return result
