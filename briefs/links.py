"""Links and names that pages, messages and troubles share."""

from typing import Any

from django.urls import NoReverseMatch, reverse


def admin_url(name: str, *args: Any) -> str:
    """The address of an admin page; empty where the admin does not show such rows."""
    try:
        return reverse(f"admin:{name}", args=args)
    except NoReverseMatch:
        return ""


def person(user: Any) -> str:
    """What colleagues call a user."""
    return str(user.get_full_name() or user.get_username())
