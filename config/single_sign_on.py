"""Reads the variables of single sign-on, and refuses those that cannot work."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

ROLES = ("Viewer", "Agent", "Editor", "Lead")  # accounts cannot be imported before the apps are
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def check_provider(issuer: str, client_id: str, client_secret: str) -> None:
    """Raises ImproperlyConfigured if only some are set, or if secrets would travel unencrypted."""
    named = {
        "OIDC_ISSUER": issuer,
        "OIDC_CLIENT_ID": client_id,
        "OIDC_CLIENT_SECRET": client_secret,
    }
    missing = [name for name, value in named.items() if not value]
    if len(missing) == len(named):
        return
    if missing:
        raise ImproperlyConfigured(
            f"{' and '.join(missing)} must be set too: single sign-on needs {', '.join(named)}."
        )
    address = urlsplit(issuer)
    is_safe = address.scheme == "https" or (
        address.scheme == "http" and address.hostname in LOOPBACK
    )
    if not is_safe:
        raise ImproperlyConfigured("OIDC_ISSUER must be an address that begins with https://.")
    if "/.well-known/" in address.path:
        raise ImproperlyConfigured(
            "OIDC_ISSUER must end before /.well-known/: that part is added when it is asked."
        )


def roles_of_groups(pairs: Sequence[str]) -> dict[str, str]:
    """Which group of the provider has which role, from pairs such as `retention-leads=Lead`."""
    found: dict[str, str] = {}
    for pair in pairs:
        group, _, role = (part.strip() for part in pair.rpartition("="))
        if not group or role not in ROLES:
            raise ImproperlyConfigured(
                f"OIDC_ROLES: {pair!r} is not a group and a role, such as retention-leads=Lead. "
                f"The roles are {', '.join(ROLES)}."
            )
        if found.setdefault(group, role) != role:
            raise ImproperlyConfigured(
                f"OIDC_ROLES gives the group {group!r} two roles. Leave one of them."
            )
    return found
