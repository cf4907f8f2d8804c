"""How a program says who it is: with a token, in a header of each request."""

import logging
from hmac import compare_digest
from typing import Any

from django.db import DatabaseError
from django.db.models.functions import Now
from django.urls import reverse
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.crypto import hash_token
from knox.settings import CONSTANTS
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import ApiToken, Role
from accounts.models.tokens import LAST_USE_EVERY
from accounts.tokens.rights import UserOfToken
from briefs import times

logger = logging.getLogger(__name__)

SCHEMES = ("token", "bearer")
LONGEST = 128  # ours have 64 characters, those from before 40
NOT_VALID = "This token is not valid: it is mistyped, or it was revoked."


class TokenOrBearer(BaseAuthentication):
    """`Authorization: Token …` or `Authorization: Bearer …`, with the same token.

    Nothing is deleted here: who uses an expired token is told that it expired. knox's own class
    deletes it, and all other expired ones of the person.
    """

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        words = request.META.get("HTTP_AUTHORIZATION", "").split()
        if not words or words[0].lower() not in SCHEMES:
            return None
        token = _find(words[1]) if len(words) == 2 else None
        if token is None:
            raise AuthenticationFailed(NOT_VALID)
        if not token.user.is_active:
            raise AuthenticationFailed("The account of this token is closed.")
        if token.is_expired(token.asked_at):
            page = request.build_absolute_uri(reverse("accounts:tokens"))
            day = times.day(token.expiry)
            raise AuthenticationFailed(f"This token expired on {day}. Make a new one at {page}")
        _note_use(token)
        return (UserOfToken(token.user, Role(token.role)) if token.role else token.user), token

    def authenticate_header(self, request: Request) -> str:
        return "Token, Bearer"


def _find(text: str) -> Any:
    """The row of this token, with the database's time as `asked_at`; None if there is none."""
    if not (text.isascii() and text.isalnum() and len(text) <= LONGEST):
        return None  # a database refuses some characters
    digest = hash_token(text)
    rows = ApiToken.objects.filter(token_key=text[: CONSTANTS.TOKEN_KEY_LENGTH])
    for row in rows.select_related("user").annotate(asked_at=Now()):
        if compare_digest(digest, row.digest):
            return row
    return None


def _note_use(token: Any) -> None:
    last = token.last_used_at
    if last and last > token.asked_at - LAST_USE_EVERY:
        return
    try:
        ApiToken.objects.filter(pk=token.pk).note_use()
    except DatabaseError as error:  # busy or read-only: reading goes on
        logger.warning("the last use of a token was not written (%s)", type(error).__name__)


class Scheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its metaclass
    target_class = "accounts.tokens.authentication.TokenOrBearer"
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
