"""Customer.io's segments: groups of people. Only a manual one has its people by request."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Segment:
    """`is_ready`: its list of people is whole. Of one that is being built it is partial."""

    id: int
    name: str
    is_manual: bool
    is_ready: bool


@dataclass(frozen=True, slots=True)
class Member:
    """One person in a segment; an identifier that the person does not have is empty."""

    cio_id: str
    id: str
    email: str


@dataclass(frozen=True, slots=True)
class Members:
    """One page of a segment's people; `next` is where the next page begins, empty on the last."""

    people: list[Member]
    next: str


def read_segment(item: Any) -> Segment | None:
    """None if it has no id."""
    if not isinstance(item, dict) or not isinstance(item.get("id"), int):
        return None
    return Segment(
        id=item["id"],
        name=str(item.get("name") or ""),
        is_manual=item.get("type") == "manual",
        is_ready=item.get("state") in (None, "finished"),
    )


def read_members(reply: dict[str, Any]) -> Members:
    """`ids` is not read: it has empty texts for people without an `id`. An empty page has null."""
    items = reply.get("identifiers") or []
    return Members(
        [
            Member(
                cio_id=str(item.get("cio_id") or "").removeprefix("cio_"),
                id=str(item.get("id") or ""),
                email=str(item.get("email") or ""),
            )
            for item in items
            if isinstance(item, dict)
        ],
        str(reply.get("next") or ""),
    )
