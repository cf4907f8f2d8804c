"""What tests of tokens share."""

from typing import Any

from accounts.models import ApiToken, Role

API = "/api/v1/personas/"


def make_token(user: Any, role: Role = Role.AGENT, **kw: Any) -> tuple[ApiToken, str]:
    """The row and the token itself."""
    return ApiToken.make(user, **{"name": "weekly report", "role": role, "months": 12, **kw})


def ask(client: Any, header: str, path: str = API) -> Any:
    """GET with this Authorization header, as it came over the wire or worse."""
    return client.get(path, HTTP_AUTHORIZATION=header)
