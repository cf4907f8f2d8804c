"""Encrypts what others may keep and not read: the addresses of notification targets, which contain
passwords and tokens, and the cursors of the REST API, which contain what customers are called.

The key is derived from SECRET_KEY, so a copy of the database alone reveals no address. After
a change of SECRET_KEY the addresses must be entered again, unless the former key is kept in
SECRET_KEY_FALLBACKS until each is sealed anew: when it is next used, or by `seal_addresses`.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

ADDRESS = b"savedesk: address of a notification target, v1"
CURSOR = b"savedesk: cursor of the REST API, v1"


class Unreadable(Exception):
    """The address was encrypted with another SECRET_KEY."""

    def __init__(self) -> None:
        super().__init__(
            "its address cannot be read, because SECRET_KEY has changed since it was saved; "
            "enter the address again"
        )


def seal(text: str, purpose: bytes = ADDRESS) -> str:
    return _fernet(purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, purpose: bytes = ADDRESS) -> str:
    """The text that was encrypted for this purpose. Raises Unreadable."""
    try:
        return _fernet(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Unreadable from None


def is_by_present_key(sealed: str) -> bool:
    """Whether it can be read without SECRET_KEY_FALLBACKS."""
    try:
        Fernet(_key(settings.SECRET_KEY, ADDRESS)).decrypt(sealed.encode())
    except InvalidToken:
        return False
    return True


def _fernet(purpose: bytes) -> MultiFernet:
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_key(secret, purpose)) for secret in secrets])


def _key(secret: str, purpose: bytes) -> bytes:
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose)
    return base64.urlsafe_b64encode(derived.derive(secret.encode()))


def scheme_of(address: str) -> str:
    scheme, separator, _ = address.partition("://")
    return scheme.strip().lower() if separator else ""
