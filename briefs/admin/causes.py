"""The admin's page of incidents; they are worked on from the desk."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from briefs.admin.readonly import ReadOnlyAdmin, ReadOnlyInline
from briefs.links import user_name
from briefs.models import Cause, CauseEntry


class EntryInline(ReadOnlyInline):
    model = CauseEntry
    fields = ("at", "actor", "text")
    readonly_fields = fields
    verbose_name_plural = "Log"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True  # whoever may see the incident


@admin.register(Cause)
class CauseAdmin(ReadOnlyAdmin):
    list_display = ("name", "kind", "owner", "first_at", "incident_at", "ended_at")
    list_filter = ("kind", ("incident_at", admin.DateFieldListFilter))
    fields = (
        "desk_link", "name", "message", "kind", "described", "first_at", "usual", "most",
        "incident_at", "owner", "ended_at", "closing_note",
    )  # fmt: skip
    search_fields = ("message",)
    ordering = ("-incident_at", "-pk")
    inlines = (EntryInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Cause]:
        """Incidents alone: of the others there is one for each message and day."""
        rows: Any = super().get_queryset(request)
        found: QuerySet[Cause] = rows.incidents().select_related("assignee")
        return found

    @admin.display(description="owner")
    def owner(self, cause: Cause) -> str:
        return user_name(cause.assignee) if cause.assignee else "—"

    @admin.display(description="on the desk")
    def desk_link(self, cause: Cause) -> SafeString:
        url = cause.get_absolute_url()
        return format_html('<a href="{}">Work on this incident on the desk</a>', url)
