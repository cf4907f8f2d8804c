"""The segments of the workspace, in memory: who is in which, as both APIs see them.

Documentation: https://docs.customer.io/integrations/api/app/ under "Segments". What the vendor does
not say: the form of the cursor of a page, and that a name may be used twice.
"""

import threading
from typing import Any

from sandbox.people import People
from sandbox.person import Person

_CREATED_AT = 1_760_000_000


class Segments:
    """Segments by id. People are kept by their cio_id, so another address changes nothing."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._segments: dict[int, dict[str, Any]] = {}
        self._members: dict[int, dict[str, None]] = {}  # in the order in which they came
        self._last_id = 0
        self._lock = threading.Lock()
        self.create("Everybody", "Made of conditions, so no request can fill it.", kind="dynamic")

    def create(self, name: str, description: str = "", kind: str = "manual") -> dict[str, Any]:
        """Make an empty segment and return it."""
        with self._lock:
            self._last_id += 1
            segment = {
                "id": self._last_id,
                "deduplicate_id": f"{self._last_id}:{_CREATED_AT}",
                "name": name,
                "description": description,
                "type": kind,
                "state": "finished",
                "progress": None,
                "tags": None,
                "created_at": _CREATED_AT,
                "updated_at": _CREATED_AT,
            }
            self._segments[self._last_id] = segment
            self._members[self._last_id] = {}
            return segment

    def delete(self, number: int) -> bool:
        """Delete a segment; False if there is none."""
        with self._lock:
            self._members.pop(number, None)
            return self._segments.pop(number, None) is not None

    def get(self, number: int) -> dict[str, Any] | None:
        """The segment with this id, or None."""
        with self._lock:
            return self._segments.get(number)

    def listing(self) -> list[dict[str, Any]]:
        """All of them, oldest first."""
        with self._lock:
            return list(self._segments.values())

    def build(self, number: int, *, is_finished: bool) -> None:
        """Let a segment be built anew, which makes its list of people partial, or be finished."""
        with self._lock:
            self._segments[number]["state"] = "finished" if is_finished else "build"

    def rename(self, number: int, name: str) -> None:
        """Give it another name; its id stays."""
        with self._lock:
            self._segments[number]["name"] = name

    def change(self, number: int, id_type: str, ids: list[str], *, is_member: bool) -> None:
        """Put these people in or take them out. Unknown ids are passed over."""
        found = [person for one in ids if (person := self._people.find(id_type, one))]
        with self._lock:
            members = self._members[number]
            for person in found:
                if is_member:
                    members[person.cio_id] = None
                else:
                    members.pop(person.cio_id, None)

    def members(self, number: int) -> list[Person]:
        """Those in the segment, or half of them while it is built; deleted people are in none."""
        with self._lock:
            cio_ids = list(self._members.get(number, ()))
            if self._segments.get(number, {}).get("state") != "finished":
                cio_ids = cio_ids[: len(cio_ids) // 2]
        found = (self._people.find("cio_id", cio_id) for cio_id in cio_ids)
        return [person for person in found if person]
