"""Addresses and numbers that people may use at once, because the channel is open."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from briefs.reading.channels import YES, Route
from briefs.reading.contact import phone_of
from personas.models import Customer
from personas.people.identity import plain_number


@dataclass(frozen=True, slots=True)
class Way:
    name: str  # of what it is
    value: str
    href: str
    note: str = ""


def open_ways(customer: Customer, routes: Iterable[Route]) -> list[Way]:
    """A mail only where marketing may be sent: to win somebody back is marketing.

    Nothing tells whether a customer agreed to calls, so a number comes with a reminder.
    """
    if customer.is_deleted:
        return []
    found = []
    mail = next((one for one in routes if one.channel == "E-mail, marketing"), None)
    if customer.email and mail and mail.answer == YES:
        found.append(Way("E-mail address", customer.email, f"mailto:{quote(customer.email)}"))
    if phone := phone_of(customer):
        number = quote(plain_number(phone), safe="+")
        if any(sign.isdigit() for sign in number):
            found.append(Way("Phone number", phone, f"tel:{number}", "check consent first"))
    return found
