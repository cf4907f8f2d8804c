"""An ID token is believed only if the provider made it, for us, for this sign-in, and just now."""

import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.cache import cache
from django.core.exceptions import SuspiciousOperation

from accounts.signing_in.provider import cache_key
from accounts.signing_in.single_sign_on import SingleSignOn

ISSUER = "https://id.example"
KEY, OTHER_KEY = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in "12")


@pytest.fixture
def backend(settings, monkeypatch):
    settings.OIDC_ISSUER = ISSUER
    settings.OIDC_RP_CLIENT_ID = "savedesk"
    cache.set(cache_key(ISSUER), {"issuer": ISSUER})
    public = KEY.public_key()
    monkeypatch.setattr(SingleSignOn, "retrieve_matching_jwk", lambda self, token: public)
    yield SingleSignOn()
    cache.clear()


def token(key=KEY, algorithm="RS256", **claims):
    good = {
        "iss": ISSUER,
        "aud": "savedesk",
        "sub": "kim",
        "nonce": "n",
        "exp": time.time() + 60,
    }
    given = {name: value for name, value in {**good, **claims}.items() if value is not None}
    return jwt.encode(given, key, algorithm)


@pytest.mark.parametrize("audience", ["savedesk", ["other", "savedesk"]])
def test_token_for_us_is_believed(backend, audience):
    assert backend.verify_token(token(aud=audience), nonce="n")["sub"] == "kim"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "other"},
        {"aud": []},
        {"aud": None},
        {"aud": ["savedesk", "other"], "azp": "other"},
        {"iss": "https://other.example"},
        {"iss": None},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": ""},
        {"sub": "k" * 256},
        {"sub": None},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"key": OTHER_KEY},
        {"key": "savedesk" * 8, "algorithm": "HS256"},
        {"key": None, "algorithm": "none"},
    ],
)
def test_any_other_is_not(backend, claims):
    with pytest.raises((SuspiciousOperation, jwt.PyJWTError)):
        backend.verify_token(token(**claims), nonce="n")
