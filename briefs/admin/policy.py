"""The limits of research: one row, with what is spent and a way to pause everything."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path
from simple_history.admin import SimpleHistoryAdmin

from briefs import budget, pacing
from briefs.admin.research import wake
from briefs.models import Research, ResearchPolicy


@admin.register(ResearchPolicy)
class ResearchPolicyAdmin(SimpleHistoryAdmin):  # type: ignore[misc]  # the package is not typed
    object_history_list_template = "admin/rule_history_list.html"
    readonly_fields = ("spent_today", "spent_this_month", "in_flight", "at_present")
    fieldsets = (
        ("At present", {"fields": ("at_present", "in_flight", "spent_today", "spent_this_month")}),
        (
            "Budget",
            {
                "description": "Each answer of Mave costs credits. Once a budget is used up, "
                "briefs stand on their playbook and their research waits.",
                "fields": ("day_budget", "month_budget", "urgent_reserve"),
            },
        ),
        (
            "Pace",
            {
                "description": "Held over all machines together.",
                "fields": ("concurrency", "requests_per_minute"),
            },
        ),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # the one row comes by itself

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("pause/", view(self.pause), name="briefs_researchpolicy_pause"),
            path("resume/", view(self.resume), name="briefs_researchpolicy_resume"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """There is one row: show it at once."""
        return redirect("admin:briefs_researchpolicy_change", ResearchPolicy.current().pk)

    def pause(self, request: HttpRequest) -> HttpResponse:
        """POST: stop all research, for the reason that was typed."""
        reason = request.POST.get("reason", "").strip()
        if request.method == "POST" and not reason:
            self.message_user(request, "Say why, so that others understand it.", messages.ERROR)
            return self._back()
        return self._switch(request, reason)

    def resume(self, request: HttpRequest) -> HttpResponse:
        """POST: let research go on."""
        return self._switch(request, "")

    def _switch(self, request: HttpRequest, reason: str) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_change_permission(request):
            raise PermissionDenied
        with transaction.atomic():
            policy = ResearchPolicy.locked()
            if reason:
                policy.pause(reason)
            else:
                policy.resume()
            policy.refresh_from_db()
            # The model's arrows are plain updates, which leave nothing in the history.
            policy.save(update_fields=["paused_at", "paused_reason"])
        if not reason:
            wake()
        self.message_user(request, "Research is paused." if reason else "Research goes on.")
        return self._back()

    def _back(self) -> HttpResponse:
        return redirect("admin:briefs_researchpolicy_change", 1)

    @admin.display(description="research")
    def at_present(self, policy: ResearchPolicy) -> str:
        waiting = Research.objects.due().count()
        queue = f"{waiting:,} waiting" if waiting else "nothing waits"
        trouble = pacing.why_waiting(policy)
        return f"Held back, because {trouble} ({queue})." if trouble else f"Running ({queue})."

    @admin.display(description="calls under way")
    def in_flight(self, policy: ResearchPolicy) -> str:
        return f"{Research.objects.in_flight().count()} of {policy.concurrency}"

    @admin.display(description="spent today (UTC)")
    def spent_today(self, policy: ResearchPolicy) -> str:
        return _of(budget.spent()[0], policy.day_budget)

    @admin.display(description="spent this month (UTC)")
    def spent_this_month(self, policy: ResearchPolicy) -> str:
        return _of(budget.spent()[1], policy.month_budget)


def _of(spent: int, budget: int | None) -> str:
    return f"{spent:,} credits, no limit" if budget is None else f"{spent:,} of {budget:,} credits"
