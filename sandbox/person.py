"""One person of the workspace, as the App API would describe them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Device:
    """A phone that takes push messages; `last_used` in epoch seconds."""

    id: str
    platform: str
    last_used: int


@dataclass(frozen=True, kw_only=True)
class Person:
    """A person. `attributes` leaves out the identifiers; `created_at` is in epoch seconds."""

    cio_id: str
    id: str | None = None
    email: str | None = None
    phone: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    devices: Sequence[Device] = ()
    is_unsubscribed: bool = False
    created_at: int = 1_700_000_000

    @property
    def identifiers(self) -> dict[str, str | None]:
        """All but the number, null where the person has none, as a workspace with several sends."""
        return {"id": self.id, "email": self.email, "cio_id": self.cio_id}


def cio_id_for(identifier: str) -> str:
    """The cio_id of a person made up here: their id in hexadecimal, so that it can be undone."""
    return identifier.encode().hex()


def identifier_for(cio_id: str) -> str | None:
    """What a cio_id was made from, or None if it was not made here."""
    try:
        return bytes.fromhex(cio_id).decode()
    except ValueError:
        return None


def attribute_text(value: object) -> str:
    """An attribute value as the App API sends it: always a string, nested values as JSON."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def preferences(*, email: bool = True, **topics: bool) -> str:
    """A value of `cio_subscription_preferences`: JSON inside a string."""
    return attribute_text({"topics": topics, "channels": {"email": email}})
