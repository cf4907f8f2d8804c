"""The people of the workspace, and how each is found by id, e-mail address, number or cio_id."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sandbox import profiles
from sandbox.person import Device, Person, attribute_text, cio_id_for, identifier_for

ID_TYPES = ("id", "email", "phone", "cio_id")
DELETED_PREFIX = "deleted-"


class People:
    """Everyone the workspace knows: those added, and those whose id spells their profile."""

    def __init__(self, seeded: Iterable[Person] = ()) -> None:
        self._by_cio_id: dict[str, Person] = {}
        self._by_id: dict[str, Person] = {}
        self._removed: set[str] = set()
        self._lock = threading.Lock()
        for person in seeded:
            self._put(person)

    def add(
        self,
        id: str | None = None,
        *,
        email: str | None = None,
        phone: str | None = None,
        cio_id: str | None = None,
        attributes: Mapping[str, object] | None = None,
        unsubscribed: bool = False,
        devices: Sequence[Device] = (),
    ) -> Person:
        """Add a person, or replace the one with this id or cio_id, and return them.

        Values that are not strings become strings. Raises ValueError without any identifier, and
        for an id that begins with `deleted-`, because such ids are never found.
        """
        named_by = cio_id or id or email or phone
        if not named_by:
            raise ValueError("A person needs an 'id', an 'email', a 'phone' or a 'cio_id'.")
        if id and id.startswith(DELETED_PREFIX):
            raise ValueError(f"An id that begins with {DELETED_PREFIX!r} is never known.")
        person = Person(
            cio_id=cio_id or cio_id_for(named_by),
            id=id,
            email=email,
            phone=phone,
            attributes={k: attribute_text(v) for k, v in (attributes or {}).items()},
            devices=tuple(devices),
            is_unsubscribed=unsubscribed,
        )
        with self._lock:
            self._put(person)
        return person

    def remove(self, person_id: str) -> None:
        """Delete the person with this id: from now on nobody finds them, as after an erasure."""
        with self._lock:
            self._removed.add(person_id)
            person = self._by_id.pop(person_id, None)
            if person:
                del self._by_cio_id[person.cio_id]

    def find(self, id_type: str, value: str) -> Person | None:
        """The person with this `id`, `email`, `phone` or `cio_id`; of several, the first.

        A cio_id is taken as it is: with the prefix `cio_` it finds nobody, as live batches do.
        """
        if id_type == "email":
            return next(iter(self.with_email(value)), None)
        with self._lock:
            if id_type == "phone":
                return next((p for p in self._by_cio_id.values() if p.phone == value), None)
            if id_type == "cio_id":
                return self._by_cio_id.get(value) or self._spelled(identifier_for(value))
            return self._by_id.get(value) or self._spelled(value)

    def with_email(self, email: str) -> list[Person]:
        """Everyone with this address; several people may share one. Case does not matter."""
        wanted = email.strip().lower()
        with self._lock:
            found = [p for p in self._by_cio_id.values() if (p.email or "").lower() == wanted]
            spelled = self._spelled(profiles.person_id_in(wanted))
        if spelled and spelled.email == wanted:
            found.append(spelled)
        return found

    def listing(self) -> list[dict[str, Any]]:
        """The people added or seeded, for `GET /sandbox/people`."""
        with self._lock:
            people = list(self._by_cio_id.values())
        return [
            {**p.identifiers, "unsubscribed": p.is_unsubscribed, "attributes": dict(p.attributes)}
            for p in people
        ]

    def _put(self, person: Person) -> None:
        same_id = self._by_id.get(person.id or "")
        same_cio_id = self._by_cio_id.get(person.cio_id)
        for old in filter(None, (same_id, same_cio_id)):
            self._by_cio_id.pop(old.cio_id, None)
            self._by_id.pop(old.id or "", None)
        self._by_cio_id[person.cio_id] = person
        if person.id:
            self._by_id[person.id] = person
            self._removed.discard(person.id)

    def _spelled(self, person_id: str | None) -> Person | None:
        """The person whose id spells the profile, unless removed or replaced by one added."""
        if person_id is None or person_id in self._removed or person_id in self._by_id:
            return None
        return profiles.person(person_id)
