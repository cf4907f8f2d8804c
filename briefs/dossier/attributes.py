"""A customer's attributes, those first for which the team named a role."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from django.contrib.humanize.templatetags.humanize import intcomma

from personas.models import AttributeName, Customer, shapes
from personas.models.attributes import CustomerFacts, Found


@dataclass(frozen=True, slots=True)
class Attribute:
    label: str
    name: str
    value: str


class Attributes:
    def __init__(
        self,
        customer: Customer,
        roles: Collection[AttributeName],
        names: Mapping[str, list[str]] | None = None,
    ) -> None:
        """`names`: those of the roles, where a list has read them."""
        self._customer, self._roles = customer, roles
        names = {role.role: role.name_list for role in roles} if names is None else names
        self._facts = CustomerFacts(customer.attributes, names)

    @property
    def plan(self) -> str:
        return self._facts.find("plan").shown(60)

    @cached_property
    def mapped(self) -> list[Attribute]:
        """The attributes that have a role and a value."""
        return [Attribute(role.label, at.name, _amount(at)) for role, at in self._by_role
                if at.value]  # fmt: skip

    @property
    def missing(self) -> list[str]:
        """The labels of roles for which this customer has no value."""
        return [role.label for role, at in self._by_role if not at.value]

    @cached_property
    def others(self) -> list[Attribute]:
        """Every attribute without a role."""
        used = {attribute.name for attribute in self.mapped}
        return [
            Attribute(name, name, words)
            for name, value in sorted(self._customer.attributes.items())
            if name not in used and (words := shapes.shown(str(value), 1000))
        ]

    @cached_property
    def _by_role(self) -> list[tuple[AttributeName, Found]]:
        return [(role, self._facts.find(role.role)) for role in self._roles]


def _amount(found: Found) -> str:
    """A number with commas between its thousands; other values in words, cut at 60 characters."""
    value = found.value
    if value.isascii() and value.lstrip("-").replace(".", "", 1).isdigit():
        return str(intcomma(value))
    return found.shown(60)
