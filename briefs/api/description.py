"""How the OpenAPI schema describes what every address answers, refusals included."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse

_REFUSAL = {
    "type": "object",
    "properties": {"detail": {"type": "string"}},
    "required": ["detail"],
}
_PARAMETERS = {
    "type": "object",
    "description": "By the parameter's name: what is wrong with it.",
    "additionalProperties": {"type": "array", "items": {"type": "string"}},
}


class Description(AutoSchema):
    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular's own
        """What the view says of itself, and which permissions it asks for."""
        asked = " and ".join(f"`{name}`" for name in getattr(self.view, "required_permissions", ()))
        return f"{super().get_description()}\n\nNeeds {asked}."

    def get_response_serializers(self) -> Any:
        """The answer itself, and the refusals that Django REST framework's views give."""
        return {
            200: super().get_response_serializers(),
            400: OpenApiResponse(_PARAMETERS, "A parameter is not known, or its value is not."),
            401: OpenApiResponse(_REFUSAL, "There is no token, or it is not valid."),
            403: OpenApiResponse(
                _REFUSAL, "A permission is missing, of the person or of the token: it is named."
            ),
            404: OpenApiResponse(_REFUSAL, "There is no such row, or no such page."),
            429: OpenApiResponse(
                _REFUSAL, "Too many requests: Retry-After says when to come back."
            ),
        }


def require_all(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Say that every property is always there: rows are only read here, never sent."""
    for component in result["components"]["schemas"].values():
        if "properties" in component:
            component["required"] = sorted(component["properties"])
    return result
