"""First steps: what a brief says is to be done first, by signal and, where wanted, by persona."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected as delete_with_confirmation
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from personas.admin.conditions import RowForm
from personas.admin.history import ReadOnlyHistoryAdmin
from personas.admin.ordering import OrderedAdmin
from personas.admin.recording import MakesVersions
from personas.admin.step_inline import StepFields
from personas.admin.versions import ChecksVersion
from personas.models import FirstStep, Persona
from personas.models.steps import last_words


@admin.register(FirstStep)
class FirstStepAdmin(StepFields, OrderedAdmin, MakesVersions, ChecksVersion, ReadOnlyHistoryAdmin):
    order_words = (
        "Of several steps for the same signal and persona the first one is shown whose channels "
        "are open for the customer."
    )
    order_filters = frozenset({"kind__exact", "persona__id__exact"})
    object_history_list_template = "admin/rule_history_list.html"
    list_display = ("text", "kind", "for_whom", "position", "channels_shown", "time_words")
    list_editable = ("position",)
    list_per_page = list_max_show_all = 500
    ordering = ("kind", "persona__position", "persona", "position", "pk")
    list_filter = ("kind", "persona", "is_wait")
    list_select_related = ("persona",)
    search_fields = ("text", "persona__name")
    actions = ("delete_selected",)
    fieldsets = (
        (
            "For which case",
            {
                "description": "A brief shows the step of its persona and signal, else the "
                "signal's own. A step that uses a channel which is closed for the customer is "
                "passed over; if none is left, the brief says “No contact” and why.",
                "fields": ("kind", "persona", "position"),
            },
        ),
        ("What to do", {"fields": ("text", "channels", "is_wait", "within_hours")}),
    )

    def order_of(self, row: FirstStep) -> str:
        """Those of one signal and one persona, or of one signal for everybody."""
        return f"{row.kind} {row.persona_id or ''}"

    def get_changeform_initial_data(self, request: HttpRequest) -> Any:
        """Not after all others: the place is one among the few steps of its case."""
        return super(OrderedAdmin, self).get_changeform_initial_data(request)

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> type[Any]:
        return super().get_changelist_form(request, **{"form": RowForm, **kwargs})

    def get_queryset(self, request: HttpRequest) -> QuerySet[FirstStep]:
        steps: QuerySet[FirstStep] = super().get_queryset(request)
        return steps.filter(persona__retired_at=None)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "persona":
            kwargs["queryset"] = Persona.objects.in_use()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: FirstStep | None = None) -> bool:
        if obj is not None and FirstStep.objects.filter(pk=obj.pk).kinds_left_without():
            return False
        return bool(super().has_delete_permission(request, obj))

    @admin.action(description="Delete selected first steps", permissions=["delete"])
    def delete_selected(
        self, request: HttpRequest, queryset: QuerySet[FirstStep]
    ) -> HttpResponse | None:
        """Refuse if a signal in use would be left without a step."""
        chosen = FirstStep.objects.filter(pk__in=queryset.values("pk"))
        if labels := chosen.kinds_left_without():
            words = f"Nothing was deleted. {last_words(labels)}"
            self.message_user(request, words, messages.ERROR)
            return None
        return delete_with_confirmation(self, request, queryset)

    @admin.display(description="for whom", ordering="persona__position")
    def for_whom(self, step: FirstStep) -> str:
        return str(step.persona) if step.persona else "everybody"

    @admin.display(description="channels")
    def channels_shown(self, step: FirstStep) -> str:
        return step.get_channels_display()
