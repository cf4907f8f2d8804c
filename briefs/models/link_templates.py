"""Links from a brief into the team's other tools: the customer in the CRM, in billing, in support.

An address is a template whose words in braces are filled in for each customer.
"""

import re
from typing import Any
from urllib.parse import quote, urlsplit

from django.core.exceptions import ValidationError
from django.db import models
from simple_history.models import HistoricalRecords

from personas.models import Customer

_BRACES = re.compile(r"\{([^{}]*)\}")
# What a customer has besides attributes.
_OWN = {"email": "email", "phone": "phone", "id": "external_id", "cio_id": "cio_id"}


# People sort by it; code decides nothing by it.
_KINDS = [("crm", "CRM"), ("billing", "Billing"), ("support", "Support"), ("other", "Other")]


class LinkTemplate(models.Model):
    class Readers(models.TextChoices):
        """By the permission that is asked for."""

        ALL = "personas.view_personal_data", "Agents and above"
        EDITORS = "personas.change_persona", "Editors and above"
        LEADS = "accounts.manage_people", "Leads"

    position = models.PositiveSmallIntegerField(
        default=100, db_default=100, help_text="Links are shown in this order."
    )
    kind = models.CharField(max_length=8, choices=_KINDS, default="crm")
    label = models.CharField(max_length=60, help_text="What people see: “Open in our CRM”.")
    url = models.CharField(
        "address",
        max_length=1000,
        help_text="It begins with https://. {email}, {id}, {cio_id}, {phone} and the name of any "
        "attribute in braces are filled in: https://crm.example/search?q={email}. Where the "
        "customer has no such value, the link is not shown.",
    )
    readers = models.CharField(
        "shown to", max_length=40, choices=Readers.choices, default=Readers.ALL
    )
    history = HistoricalRecords()

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = "link into another tool"
        verbose_name_plural = "links into other tools"

    def __str__(self) -> str:
        return self.label

    def clean(self) -> None:
        fault = _fault(self.url)
        if fault:
            raise ValidationError({"url": fault})

    def address_of(self, customer: Customer) -> str:
        """The address with this customer's values; empty if one of them is missing."""
        filled = self.url
        for name in set(_BRACES.findall(self.url)):
            value = _value(customer, name.strip())
            if not value:
                return ""
            filled = filled.replace(f"{{{name}}}", quote(value, safe=""))
        return "" if _fault(filled) else filled


def _value(customer: Customer, name: str) -> str:
    if name in _OWN:
        return str(getattr(customer, _OWN[name]) or "")
    value: Any = customer.attributes.get(name)
    return "" if value is None else str(value).strip()


def _fault(url: str) -> str:
    """What is wrong with the address, in words; empty if nothing is."""
    if any(sign.isspace() or not sign.isprintable() for sign in url):
        return "It holds a space or a sign that no address has."
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return "This is no address."
    if parts.scheme != "https" or not host:
        return "It must begin with https:// and a host."
    if "{" in parts.netloc or "}" in parts.netloc or "@" in parts.netloc or "\\" in url:
        return "The host must be written out, and holds no value and no password."
    if re.search(r"[{}]", _BRACES.sub("", url)) or "" in map(str.strip, _BRACES.findall(url)):
        return "A name stands in braces, one pair for each: {email}."
    return ""
