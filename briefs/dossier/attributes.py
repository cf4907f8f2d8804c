"""A customer's attributes, those first for which the team named a role."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from django.contrib.humanize.templatetags.humanize import intcomma

from personas.models import AttributeName, Customer
from personas.rules.matching import CustomerFacts, Found


@dataclass(frozen=True, slots=True)
class Attribute:
    label: str
    name: str
    value: str


class Attributes:
    def __init__(self, customer: Customer, roles: Collection[AttributeName]) -> None:
        self._customer, self._roles = customer, roles
        self._facts = CustomerFacts(customer.attributes, {r.role: r.name_list for r in roles})

    @property
    def plan(self) -> str:
        return self._facts.find("plan").value[:60]

    @property
    def value(self) -> str:
        return _amount(self._facts.find("value").value)

    @property
    def value_name(self) -> str:
        """The attribute in which the value was found."""
        return self._facts.find("value").name

    @cached_property
    def mapped(self) -> list[Attribute]:
        """The attributes that have a role and a value."""
        return [Attribute(role.label, at.name, _amount(at.value)) for role, at in self._by_role
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
            Attribute(name, name, str(value)[:1000])
            for name, value in sorted(self._customer.attributes.items())
            if name not in used and str(value).strip()
        ]

    @cached_property
    def _by_role(self) -> list[tuple[AttributeName, Found]]:
        return [(role, self._facts.find(role.role)) for role in self._roles]


def _amount(value: str) -> str:
    """A number with commas between its thousands; other text as it is, cut at 60 characters."""
    if value.isascii() and value.lstrip("-").replace(".", "", 1).isdigit():
        return str(intcomma(value))
    return value[:60]
