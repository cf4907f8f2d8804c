"""What the team settles about its desk: working time, holidays, reasons of closing, offers."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from briefs.models import ClosingReason, Holiday, Offer, WorkingTime
from briefs.models.working_time import Weekday
from personas.admin.history import ReadOnlyHistoryAdmin
from personas.admin.versions import ChecksVersion


class WorkingTimeForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the stubs only
    days = forms.TypedMultipleChoiceField(
        choices=Weekday.choices,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        label="Working days",
    )


@admin.register(WorkingTime)
class WorkingTimeAdmin(ChecksVersion, ReadOnlyHistoryAdmin):
    form = WorkingTimeForm
    object_history_list_template = "admin/rule_history_list.html"
    fieldsets = (
        (
            "Working time",
            {
                "description": "First steps are due within these hours. Briefs that are open "
                "already keep the time at which they are due.",
                "fields": ("time_zone", "days", "opens_at", "closes_at"),
            },
        ),
        (
            "How long a brief may lie still",
            {"fields": ("longest_snooze_days", "forgotten_after_days")},
        ),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # the one row is made when the page is first opened

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the one row instead of a list."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        WorkingTime.objects.get_or_create(pk=1)
        return redirect("admin:briefs_workingtime_change", 1)


@admin.register(Holiday)
class HolidayAdmin(ChecksVersion, ReadOnlyHistoryAdmin):
    object_history_list_template = "admin/rule_history_list.html"
    list_display = ("day", "name")
    date_hierarchy = "day"
    search_fields = ("name",)


@admin.register(ClosingReason)
class ClosingReasonAdmin(ChecksVersion, ReadOnlyHistoryAdmin):
    object_history_list_template = "admin/rule_history_list.html"
    list_display = ("name", "position", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name",)


@admin.register(Offer)
class OfferAdmin(ChecksVersion, ReadOnlyHistoryAdmin):
    object_history_list_template = "admin/rule_history_list.html"
    fields = ("code", "name", "asks", "position", "is_active")
    list_display = ("name", "code", "asks", "position", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "code")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("code", "asks") if obj else ()  # programs and closed briefs rely on them
