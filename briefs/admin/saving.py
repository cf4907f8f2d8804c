"""The segment in Customer.io and who is in it, read-only: a command turns it on and off."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from briefs.admin.readonly import CUSTOMER_DETAILS, ReadOnlyAdmin, link, moment
from briefs.models import SegmentMembership
from briefs.models.saving import MAX_TRIES


class StandingFilter(admin.SimpleListFilter):
    title = "standing"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("in", "In it"), ("waiting", "Waiting"), ("failed", "Failed")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        chosen = {
            "in": lambda: queryset.filter(is_member=True),
            "waiting": lambda: queryset.behind(),
            "failed": lambda: queryset.failed(),
        }.get(self.value() or "")
        return chosen() if chosen else queryset


@admin.register(SegmentMembership)
class SegmentMembershipAdmin(ReadOnlyAdmin):
    names_people = True
    list_display = ("customer_link", "standing", "told", "seen", "tries", "reason", "named")
    list_filter = (StandingFilter,)
    list_select_related = ("customer",)
    search_fields = (
        "customer__cio_id__exact", "customer__external_id__exact", "customer__email__exact",
    )  # fmt: skip
    ordering = ("-pk",)
    fields = ("customer_link", "standing", "told", "seen", "tries", "due", "reason", "named")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer(*CUSTOMER_DETAILS)

    @admin.display(description="customer")
    def customer_link(self, row: SegmentMembership) -> SafeString | str:
        return link(row.customer)

    @admin.display(description="standing")
    def standing(self, row: SegmentMembership) -> str:
        if row.tries >= MAX_TRIES:
            return "failed"
        return "in it" if row.is_member else "waiting"

    @admin.display(description="told (UTC)", ordering="told_at")
    def told(self, row: SegmentMembership) -> str:
        return moment(row.told_at)

    @admin.display(description="listed (UTC)", ordering="seen_at")
    def seen(self, row: SegmentMembership) -> str:
        return moment(row.seen_at)

    @admin.display(description="next try (UTC)")
    def due(self, row: SegmentMembership) -> str:
        return moment(row.due_at)
