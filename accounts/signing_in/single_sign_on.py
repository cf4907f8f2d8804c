"""Signing in by OpenID Connect: the person shows the provider who they are, and it tells us.

https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth, with PKCE, state and nonce.
"""

from typing import Any

import jwt
import requests
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from accounts.signing_in import linking, names
from accounts.signing_in.provider import ProviderFailed, callback_address, metadata

LONGEST_SUBJECT = 255  # as OpenID Connect has it


class SingleSignOn(OIDCAuthenticationBackend):  # type: ignore[misc]  # the package is not typed
    """Exchanges the code for an ID token, checks it, and finds the person."""

    def __init__(self) -> None:
        # Made on every request: the addresses are asked for when somebody signs in, below.
        self.OIDC_RP_CLIENT_ID = settings.OIDC_RP_CLIENT_ID
        self.OIDC_RP_CLIENT_SECRET = settings.OIDC_RP_CLIENT_SECRET
        self.OIDC_RP_SIGN_ALGO = settings.OIDC_RP_SIGN_ALGO
        self.OIDC_RP_IDP_SIGN_KEY = None

    @property
    def OIDC_OP_TOKEN_ENDPOINT(self) -> str:
        return str(metadata()["token_endpoint"])

    @property
    def OIDC_OP_USER_ENDPOINT(self) -> str:
        return str(metadata()["userinfo_endpoint"])

    @property
    def OIDC_OP_JWKS_ENDPOINT(self) -> str:
        return str(metadata()["jwks_uri"])

    def get_settings(self, attr: str, *default: Any) -> Any:
        if attr == "OIDC_TOKEN_USE_BASIC_AUTH":
            ways = metadata().get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
            return "client_secret_post" not in ways
        return super().get_settings(attr, *default)

    def authenticate(self, request: Any, **kwargs: Any) -> Any:
        return super().authenticate(request, **kwargs) if settings.OIDC_ISSUER else None

    def get_token(self, payload: dict[str, Any]) -> Any:
        """Exchange the code. The address must be the one that the person was sent with."""
        return super().get_token(payload | {"redirect_uri": callback_address(self.request)})

    def verify_token(self, token: str, **kwargs: Any) -> dict[str, Any]:
        """The claims of the token. The package checks signature and nonce; this, for whom it is."""
        claims: dict[str, Any] = super().verify_token(token, **kwargs)
        audience = claims.get("aud")
        audiences = [audience] if isinstance(audience, str) else audience or []
        if claims.get("iss") != metadata()["issuer"]:
            raise SuspiciousOperation("the token is of another provider")
        if self.OIDC_RP_CLIENT_ID not in audiences:
            raise SuspiciousOperation("the token is for another client")
        if claims.get("azp", self.OIDC_RP_CLIENT_ID) != self.OIDC_RP_CLIENT_ID:
            raise SuspiciousOperation("the token was made for another client")
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
            raise SuspiciousOperation("the token has no subject")
        if not claims.get("exp"):
            raise SuspiciousOperation("the token has no end")
        return claims

    def retrieve_matching_jwk(self, token: str) -> jwt.PyJWK:
        """The provider's key that the token names; its only one, if the token names none."""
        response = requests.get(self.OIDC_OP_JWKS_ENDPOINT, timeout=settings.OIDC_TIMEOUT)
        response.raise_for_status()
        kid = jwt.get_unverified_header(token).get("kid")
        keys = [
            key
            for key in response.json()["keys"]
            if key.get("kty") == "RSA" and key.get("use", "sig") == "sig"
            if kid is None or key.get("kid") == kid
        ]
        if len(keys) != 1:
            raise SuspiciousOperation("the token is signed with a key that is not the provider's")
        return jwt.PyJWK(keys[0], algorithm=self.OIDC_RP_SIGN_ALGO)

    def get_or_create_user(self, access_token: str, id_token: str, payload: dict[str, Any]) -> Any:
        """The user of the token's claims and of what the provider tells about the person."""
        more: dict[str, Any] = {}
        if "userinfo_endpoint" in metadata():
            more = self.get_userinfo(access_token, id_token, payload)
            if more.get("sub") != payload["sub"]:
                raise ProviderFailed("it told about another person than the token")
        return linking.person(metadata()["issuer"], {**more, **payload})

    def get_user(self, user_id: int) -> Any:
        """The person of a session, unless they were deactivated since."""
        return names.NameOrMail().get_user(user_id)
