"""How a program says who it is: with a token, or with the cookie of somebody who is signed in."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import TokenAuthentication, get_authorization_header
from rest_framework.request import Request


class TokenOrBearer(TokenAuthentication):
    """`Authorization: Token …` or `Authorization: Bearer …`, with the same token."""

    def authenticate(self, request: Request) -> Any:
        if get_authorization_header(request).lower().startswith(b"bearer"):
            # Of this request alone: each has an authenticator of its own.
            self.keyword = "Bearer"
        return super().authenticate(request)

    def authenticate_header(self, request: Request) -> str:
        return "Token, Bearer"


class Scheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "briefs.api.authentication.TokenOrBearer"
    name = ["tokenAuth", "bearerAuth"]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        return [{name: []} for name in self.name]  # a list: one of them is enough

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        token = {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "The word Token, a space and the token.",
        }
        return [token, {"type": "http", "scheme": "bearer"}]
