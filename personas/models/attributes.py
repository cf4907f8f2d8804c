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
        self._attributes = attributes
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

    def is_there(self, field: str) -> bool:
        """Whether there is such an attribute, even an empty one; of a role, any of its names."""
        texts = {
            name.casefold(): str(value).strip()
            for name, value in self._attributes.items()
            if value is not None
        }
        return any(_is_there(name.casefold(), texts) for name in self._names(field))

    def _names(self, field: str) -> list[str]:
        return self._roles.get(field.strip().lower(), [field.strip()])

    def _find(self, field: str) -> Found:
        names = self._names(field)
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


def _is_there(name: str, texts: Mapping[str, str]) -> bool:
    steps = name.split(".")
    prefixes = ((".".join(steps[:end]), steps[end:]) for end in range(1, len(steps)))
    return name in texts or any(
        start in texts and shapes.has(texts[start], rest) for start, rest in prefixes
    )
