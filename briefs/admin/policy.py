"""The limits of research: one row, with what is spent and a way to pause everything."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from simple_history.template_utils import HistoricalRecordContextHelper

from briefs.admin import budgets
from briefs.admin.budgets import PolicyForm
from briefs.admin.readonly import link
from briefs.models import MaveHealth, Research, ResearchPolicy
from briefs.research import balance, pacing, spending, switching
from briefs.research.accounts import RESERVED_CREDITS
from briefs.research.waiting import count_waiting, why_not_asked
from briefs.times import clock, exact
from personas.admin.history import ReadOnlyHistoryAdmin
from personas.admin.versions import ChecksVersion
from providers.mavera import Mave
from webhooks.clock import database_now

AT_PRESENT = ("at_present", "mave", "in_flight", "spent_today", "spent_this_month",
              "budgets_reached", "personas_spent", "mavera_says")  # fmt: skip


@admin.register(ResearchPolicy)
class ResearchPolicyAdmin(ChecksVersion, ReadOnlyHistoryAdmin):
    form = PolicyForm
    object_history_list_template = "admin/rule_history_list.html"
    readonly_fields = AT_PRESENT
    fieldsets = (
        ("At present", {"fields": AT_PRESENT}),
        (
            "Budget",
            {
                "description": "Each answer of Mave costs credits. Once a budget is used up, "
                "briefs go without research, which waits. One answer may cost "
                f"{RESERVED_CREDITS}, so a smaller budget could buy nothing; 0 says that "
                "nothing is to be bought. A persona may have a budget of its own: it is on the "
                "persona's page.",
                "fields": ("day_budget", "month_budget", "urgent_reserve"),
            },
        ),
        (
            "Fresh answers",
            {
                "description": "People may ask for a fresh answer to a question that was answered. "
                "What is younger than this is shown to them instead of being bought again.",
                "fields": ("fresh_after_minutes",),
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

    def histories(self, keys: list[Any]) -> list[tuple[str, QuerySet[Any]]]:
        """Without what the buttons did, because no field of the form holds that."""
        [(name, past)] = super().histories(keys)
        return [(name, past.exclude(history_change_reason__in=ResearchPolicy.Change.values))]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # the one row is made when it is first read

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("pause/", view(self.pause), name="briefs_researchpolicy_pause"),
            path("resume/", view(self.resume), name="briefs_researchpolicy_resume"),
            path("close-breaker/", view(self.close_breaker), name="briefs_researchpolicy_close"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the one row instead of a list."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return redirect("admin:briefs_researchpolicy_change", ResearchPolicy.current().pk)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {  # both are called by the template
            "health": MaveHealth.current,
            "paused_by": _paused_by,
            **(extra_context or {}),
        }
        response: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        return response

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write the changed fields to the row as it is now: it may have been paused meanwhile."""
        policy = ResearchPolicy.locked()
        for name in form.changed_data:
            setattr(policy, name, form.cleaned_data[name])
        super().save_model(request, policy, form, change)
        obj.refresh_from_db()
        for sentence in budgets.consequences(obj):
            self.message_user(request, sentence, messages.WARNING)

    def get_historical_record_context_helper(
        self, request: HttpRequest, historical_record: Any
    ) -> "_Changes":
        return _Changes(self.model, historical_record)

    # What the buttons do.

    def pause(self, request: HttpRequest) -> HttpResponse:
        """POST: stop all research, for the reason that was typed."""
        reason = request.POST.get("reason", "")
        return self._switch(request, lambda user: switching.pause(user, reason))

    def resume(self, request: HttpRequest) -> HttpResponse:
        """POST: resume research, whether a person or Mavera paused it."""
        return self._switch(request, switching.resume)

    def close_breaker(self, request: HttpRequest) -> HttpResponse:
        """POST: ask Mave again at once, with all workers."""
        return self._switch(request, switching.close_breaker)

    def _switch(
        self, request: HttpRequest, switch: Callable[[Any], switching.Said]
    ) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        messages.add_message(request, *switch(request.user))
        return redirect("admin:briefs_researchpolicy_change", 1)

    # How it is at present.

    @admin.display(description="research")
    def at_present(self, policy: ResearchPolicy) -> str:
        waiting = count_waiting()
        trouble = pacing.why_waiting(policy, waiting.least)
        why = why_not_asked(policy, waiting, "", database_now())
        queue = f"{waiting.questions:,} questions wait"
        if waiting.questions < 2:
            queue = "1 question waits" if waiting.questions else "nothing waits"
        if trouble:
            return f"Held back, because {trouble} ({queue})."
        return f"Running ({queue}: {why})." if waiting.questions else f"Running ({queue})."

    @admin.display(description="Mave")
    def mave(self, policy: ResearchPolicy) -> str:
        health = MaveHealth.current()
        if not Mave().is_configured:
            return "Not connected."
        if policy.is_paused_by_mavera:
            return f"Refuses: the last answer was {policy.paused_status}."
        if health.opened_at is not None:
            return (
                f"Fails since {clock(health.opened_at)}. One question tries at "
                f"{clock(health.next_trial_at)}, and its answer lets all be asked again."
            )
        if health.is_held:
            return f"Nobody asks until {health.held_until:%H:%M:%S} UTC: {health.held_in_full}."
        return "Answers, as far as is known."

    @admin.display(description="calls under way")
    def in_flight(self, policy: ResearchPolicy) -> str:
        return f"{Research.objects.in_flight().count()} of {policy.concurrency}"

    @admin.display(description="spent today (UTC)")
    def spent_today(self, policy: ResearchPolicy) -> str:
        return spending.account(policy, database_now()).day.figures

    @admin.display(description="spent this month (UTC)")
    def spent_this_month(self, policy: ResearchPolicy) -> str:
        return spending.account(policy, database_now()).month.figures

    @admin.display(description="budgets")
    def budgets_reached(self, policy: ResearchPolicy) -> SafeString | str:
        account = spending.account(policy, database_now())
        told = [one for one in account if one.level or one.buys_nothing or one.limit is None]
        return _paragraphs([one.words for one in told]) or "Less than half is used."

    @admin.display(description="budgets of personas")
    def personas_spent(self, policy: ResearchPolicy) -> SafeString | str:
        spent = spending.of_limited_personas(database_now())
        rows = [(link(persona), month.figures) for persona, month in spent.items()]
        lines = format_html_join("", "<p>{}: {} this month</p>", rows)
        return lines or "None has one of its own."

    @admin.display(description="Mavera's own count")
    def mavera_says(self, policy: ResearchPolicy) -> SafeString | str:
        reading = balance.latest()
        if reading is None:
            return "Not read yet. It is read once an hour while research is in use."
        now = database_now()
        wrong = balance.present_trouble(spending.account(policy, now), now)
        said = [balance.words(reading)]
        if wrong:
            trouble, cure = wrong
            said.append(f"{trouble}. To do: {cure}.")
        return _paragraphs(said)


class _Changes(HistoricalRecordContextHelper):  # type: ignore[misc]  # the package is not typed
    """The changes of a version, with times as people read them."""

    def prepare_delta_change_value(self, change: Any, value: Any) -> Any:
        if isinstance(value, datetime):
            return exact(value)
        return "" if value is None else value


def _paused_by() -> str:
    """Who paused research, by the history; “Savedesk” after a refusal of Mavera."""
    last = ResearchPolicy.history.filter(history_change_reason=ResearchPolicy.Change.PAUSED).first()
    return str(last.history_user or "Savedesk") if last else ""


def _paragraphs(lines: list[str]) -> SafeString:
    return format_html_join("", "<p>{}</p>", [(line,) for line in lines])
