"""The thresholds of priority: amounts that a lead sets, with what the data suggest beside them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from briefs.finding.known_values import NEEDED, Suggestion, suggestions
from briefs.models import PriorityThreshold
from briefs.pipeline import reprioritizing
from personas.admin.history import ReadOnlyHistoryAdmin
from personas.admin.recording import MakesVersions
from personas.admin.versions import ChecksVersion
from personas.models.value import money


class ThresholdForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the stubs only
    class Meta:
        model = PriorityThreshold
        fields: tuple[str, ...] = ("currency", "top_from", "low_below")

    def clean_currency(self) -> str:
        currency = str(self.cleaned_data["currency"]).strip().upper()
        known = {one.currency: one.known for one in suggestions()}.get(currency, 0)
        if known < NEEDED:
            raise forms.ValidationError(
                f"{known} values in {currency} are known. Thresholds can be set from {NEEDED} on: "
                "until then severity and persona decide alone."
            )
        return currency


@admin.register(PriorityThreshold)
class PriorityThresholdAdmin(MakesVersions, ChecksVersion, ReadOnlyHistoryAdmin):
    form = ThresholdForm
    object_history_list_template = "admin/rule_history_list.html"
    list_display = ("currency", "top_from", "low_below")
    readonly_fields = ("suggested",)
    fieldsets = (
        (
            None,
            {
                "description": "A value in the top tenth raises a brief by one step, one in the "
                "bottom half lowers it. With a severe signal the top tenth makes it Urgent. These "
                "amounts stay as they are until somebody changes them, whatever values do, and "
                "briefs that are open by then stay as they are until an engineer applies the new "
                "amounts to them.",
                "fields": ("currency", "top_from", "low_below", "suggested"),
            },
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("currency", *self.readonly_fields) if obj else self.readonly_fields

    def get_changeform_initial_data(self, request: HttpRequest) -> Any:
        """Begin with what the data suggest for a currency that has no thresholds yet."""
        there = set(PriorityThreshold.objects.values_list("currency", flat=True))
        free = [one for one in suggestions() if one.is_enough and one.currency not in there]
        initial = super().get_changeform_initial_data(request)
        if not free:
            return initial
        first = free[0]
        suggested = {"currency": first.currency, "top_from": first.top_from,
                     "low_below": first.low_below}  # fmt: skip
        return {**suggested, **initial}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        self._tell_consequences(request)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        self._tell_consequences(request)

    def _tell_consequences(self, request: HttpRequest) -> None:
        """Say what judging the open briefs anew would change; nothing is changed here."""
        report = reprioritizing.preview()
        counts = ", ".join(f"{label} {after:,} (now {before:,})" for label, before, after
                           in report.rows())  # fmt: skip
        words = (
            f"New briefs are judged by this from now on. Judged anew, {report.changed:,} of "
            f"{report.before.total():,} open briefs would change: {counts}. They stay as they are "
            "until an engineer applies the new thresholds to them; ask for it if you want it."
        )
        self.message_user(request, words, messages.WARNING if report.changed else messages.INFO)

    @admin.display(description="suggested by the known values")
    def suggested(self, row: PriorityThreshold) -> SafeString | str:
        lines = [(_in_words(one),) for one in suggestions()]
        return format_html_join("", "<p>{}</p>", lines) or "No value is known yet."


def _in_words(one: Suggestion) -> str:
    known = f"{one.currency}: {one.known:,} customers with a known value"
    if not one.is_enough:
        return f"{known}; it takes {NEEDED} to set thresholds"
    if one.top_from is None or one.low_below is None:
        return f"{known}, and none above 0"
    top, low = money(one.currency, one.top_from), money(one.currency, one.low_below)
    return f"{known}: top tenth from {top} a month, bottom half below {low}"
