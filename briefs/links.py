"""Links and names that pages, messages and troubles share."""

from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.urls import NoReverseMatch, reverse

from personas.models import Customer


def admin_url(name: str, *args: Any) -> str:
    """The address of an admin page; empty where the admin does not show such rows."""
    try:
        return reverse(f"admin:{name}", args=args)
    except NoReverseMatch:
        return ""


def person(user: Any) -> str:
    """What colleagues call a user."""
    return str(user.get_full_name() or user.get_username())


def person_url(customer: Customer) -> str:
    """Where Customer.io shows this person; empty if nobody said, or an id for it is missing."""
    url: str = settings.CIO_PERSON_URL
    for key, value in (
        ("{cio_id}", customer.cio_id),
        ("{id}", customer.external_id),
        ("{email}", customer.email),
    ):
        if key in url:
            if not value:
                return ""
            url = url.replace(key, quote(value, safe=""))
    return url
