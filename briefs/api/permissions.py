"""What the REST API asks of whoever reads it: named permissions, of the person and of the token.

Personal data is more than the page of a brief: a program reads thousands of people at once. So a
Viewer, who reads briefs with their names on the desk, gets them here without what says who somebody
is; an Agent, who works them, has `personas.view_personal_data`.
"""

from typing import Any

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

PAYLOAD = "webhooks.view_payload"


class Named(IsAuthenticated):
    """All permissions that the view's action asks for."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        missing = [name for name in asked(view) if not request.user.has_perm(name)]
        self.message = lacks(*missing)
        return not missing


def asked(view: Any) -> tuple[str, ...]:
    """The view's `required_permissions`, and the `further_permissions` of its action."""
    further = getattr(view, "further_permissions", {})
    return (*view.required_permissions, *further.get(getattr(view, "action", None), ()))


def lacks(*names: str) -> str:
    """The sentence that a refusal carries."""
    words = " and ".join(names)
    return f"This needs {words}: ask a lead for a role, or for a token, that has it."
