"""Whom a name on the sign-in page means; under which name and address wrong passwords count."""

import unicodedata
from ipaddress import ip_address, ip_network
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts.signing_in import standing
from accounts.signing_in.permissions import InOneStatement

LONGEST = 150  # characters of a user name
NOWHERE = "0.0.0.0"  # noqa: S104 - no machine has it, nothing listens there


def named(text: str) -> Any | None:
    """The user of this name, or else the only active one with this mail address."""
    people = get_user_model()._default_manager
    by_name = people.filter(username=text).first()
    if by_name or "@" not in text:
        return by_name
    by_mail = list(people.filter(email__iexact=text, is_active=True)[:2])
    return by_mail[0] if len(by_mail) == 1 else None  # of several, none is meant


def counted_name(request: HttpRequest, credentials: dict[str, Any] | None) -> str | None:
    """The name under which wrong passwords are counted; None where no name was given.

    Small letters and other spaces are no other name, and neither is the person's mail address.
    """
    text = (credentials or {}).get("username") or request.POST.get("username")
    if not text:
        return None
    user = named(text.strip())
    return plain(user.get_username() if user else text)


def counted_address(request: HttpRequest) -> str:
    """The address from which wrong passwords are counted.

    Whoever has one IPv6 address has the 2^64 of its network, and could try from each.
    """
    address = ip_address(request.META.get("REMOTE_ADDR") or NOWHERE)
    if address.version == 4:
        return str(address)
    return str(ip_network((int(address), 64), strict=False).network_address)


def plain(name: str) -> str:
    """The same for all spellings of a name."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())[:LONGEST]


class NameOrMail(InOneStatement):
    """Tries the password of whoever is meant, and no backend after this one tries it again.

    An unknown name takes as long as a wrong password: Django's form says the same of both, and the
    time must not say more.
    """

    def authenticate(  # type: ignore[override]  # always with a request, as the lock-out needs it
        self,
        request: HttpRequest,
        username: str | None = None,
        password: str | None = None,
        **others: Any,
    ) -> Any:
        if username is None or password is None:
            return None
        user = named(username.strip())
        meant = user.get_username() if user else username
        found = super().authenticate(request, username=meant, password=password)
        if found is None:
            raise PermissionDenied
        return found

    def get_user(self, user_id: int) -> Any:
        """The person of a session, with what the second factor asks on every request."""
        user = standing.people().filter(pk=user_id).first()
        return user if user and self.user_can_authenticate(user) else None
