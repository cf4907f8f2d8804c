"""Finds a customer's attribute by its role, by its own name, or inside an object."""

from collections.abc import Mapping
from dataclasses import dataclass

from personas.models import shapes


@dataclass(frozen=True, slots=True)
class Found:
    """A field's value and the attribute it came from; an empty value means that it is missing."""

    name: str
    value: str

    def shown(self, most: int = 100) -> str:
        """The value for people: never JSON."""
        return shapes.shown(self.value, most)


class CustomerFacts:
    """A customer's attributes, reached by role (`plan`), by their own name, or inside an object.

    Case does not matter in names either: `Plan` and `plan` are one attribute to a person.
    `company.plan` is the attribute of that name or, if there is none, what the object in the
    attribute `company` holds as `plan`.
    """

    def __init__(self, attributes: Mapping[str, object], roles: Mapping[str, list[str]]) -> None:
        self._roles = roles
        self._values = {
            name.casefold(): (name, text)
            for name, value in attributes.items()
            if value is not None and (text := str(value).strip()) not in shapes.NOTHING
        }
        self._found: dict[str, Found] = {}  # a cache: many personas ask for the same few fields

    def find(self, field: str) -> Found:
        if field not in self._found:
            self._found[field] = self._find(field)
        return self._found[field]

    def _find(self, field: str) -> Found:
        names = self._roles.get(field.strip().lower(), [field.strip()])
        for name in names:
            found = self._values.get(name.casefold())
            if found and not shapes.is_missing(found[1]):
                return Found(*found)
            if "." in name and (nested := self._nested(name)):
                return nested
        return Found(names[0], "")

    def _nested(self, name: str) -> Found | None:
        """Look inside the attribute with the longest name that the path begins with."""
        steps = name.split(".")
        for end in range(len(steps) - 1, 0, -1):
            found = self._values.get(".".join(steps[:end]).casefold())
            if found and (value := shapes.inside(found[1], steps[end:])):
                return Found(".".join([found[0], *steps[end:]]), value)
        return None
