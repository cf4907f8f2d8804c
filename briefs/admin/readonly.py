"""Read-only admin pages: no row can be added, changed or deleted there."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from briefs.admin.long_lists import LongList

# Wide columns of related rows that no list shows.
CUSTOMER_DETAILS = ("customer__attributes", "customer__devices", "customer__preferences")
PERSONA_DETAILS = ("persona__description", "persona__research_focus", "persona__playbook")


class ReadOnlyAdmin(LongList):
    names_people = False  # such pages ask for the permission to read personal data as well

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may_read = not self.names_people or request.user.has_perm("personas.view_personal_data")
        return may_read and super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyInline(admin.TabularInline):  # type: ignore[type-arg]  # generic for the stubs only
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def link(obj: Model | None, words: str = "") -> SafeString | str:
    """A link to the row's page in the admin, or a dash."""
    if obj is None:
        return "—"
    name = f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change"
    return format_html('<a href="{}">{}</a>', reverse(name, args=[obj.pk]), words or str(obj))


def moment(at: datetime | None) -> str:
    """A time to the second, in UTC and 24 hours, so that rows can be compared with a log."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if at else "—"
