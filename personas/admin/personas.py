"""Personas: which customers they serve, what their briefs say; two of them cannot be deleted."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected as delete_with_confirmation
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.text import Truncator

from personas.admin import step_inline
from personas.admin.conditions import ConditionInline, RuleAdmin, words
from personas.admin.duplicating import DuplicatingAdmin
from personas.admin.step_inline import FirstStepInline
from personas.admin.versions import Difference
from personas.models import (
    AttributeName,
    CustomerSegment,
    FirstStep,
    Persona,
    PersonaCondition,
    SegmentList,
)
from personas.models.segments import unheard_of
from personas.rules import noting
from personas.rules.serving import ValuesSeen, names_seen, reach_words, values_seen

SEGMENTS_SHOWN = 500

FIXED_WORDS = {
    True: "This persona serves customers that no other persona fits. It has no conditions and "
    "no place in the order, and it cannot be deleted: everybody needs a persona.",
    False: "This persona serves customers whose attributes could not be looked up or say nothing. "
    "It has no conditions and no place in the order, and it cannot be deleted. It buys no "
    "research, because there is nothing to ask about somebody unknown.",
}


class PersonaConditionInline(ConditionInline):
    model = PersonaCondition


@admin.register(Persona)
class PersonaAdmin(DuplicatingAdmin, RuleAdmin):
    can_be_tried = True
    order_words = (
        "Tried from top to bottom: the first persona whose conditions hold is the customer’s. The "
        "last two serve everybody who is left."
    )
    copied = ("conditions", "first_steps")
    list_display = ("name", "position", "conditions_shown", "value", "opens_brief")
    list_editable = ("position", "value", "opens_brief")
    list_filter = ("value", "opens_brief")
    search_fields = ("name", "description", "conditions__field", "conditions__value")
    ordering = ("is_unknown", "is_default", "position", "pk")
    readonly_fields: tuple[str, ...] = ("matches",)
    inlines = (FirstStepInline, PersonaConditionInline)
    change_form_template = "admin/personas/persona/change_form.html"
    condition, rule_key = PersonaCondition, "persona_id"
    actions = ("delete_selected",)
    research_fields: tuple[str, ...] = ("research_focus", "reuse_hours", "month_budget")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Persona]:
        personas: QuerySet[Persona] = super().get_queryset(request)
        return personas.filter(retired_at=None).prefetch_related("conditions")

    def placed(self) -> QuerySet[Persona]:
        return Persona.objects.in_use().filter(is_default=False, is_unknown=False)

    def order_of(self, row: Persona) -> str | None:
        return None if row.is_fixed else ""

    def can_be_duplicated(self, row: Persona) -> bool:
        return not row.is_fixed

    def get_fieldsets(self, request: HttpRequest, obj: Persona | None = None) -> Any:
        """Its conditions stand behind the first one. Those of a stored persona are folded.

        Django opens one that has an error.
        """
        is_fixed = obj is not None and obj.is_fixed
        about_fits = (
            FIXED_WORDS[obj.is_default]
            if obj is not None and is_fixed
            else "Personas are tried in order of their position, and the first one whose "
            "conditions hold is the customer's. Without conditions the persona takes everybody it "
            "is asked about."
        )
        names = ("name",) if is_fixed else ("name", "position", "match")
        to_fill_in = () if obj is None else ("collapse",)
        research = (
            ()
            if obj is not None and obj.is_unknown
            else (
                (
                    "Research",
                    {
                        "description": "What Mave is asked on top of the signal, how long an "
                        "answer is good enough to share with the next brief of this persona, and "
                        "what all of them may cost.",
                        "classes": ("collapse",),
                        "fields": self.research_fields,
                    },
                ),
            )
        )
        return (
            (None, {"fields": names}),
            (
                "Who it serves",
                {
                    "description": about_fits,
                    "classes": () if is_fixed else to_fill_in,
                    "fields": ("description", "matches"),
                },
            ),
            (
                "What it is worth",
                {
                    "description": "The value decides how urgent a brief is. Without a brief, the "
                    "signal stays on the customer's timeline.",
                    "classes": to_fill_in,
                    "fields": ("value", "opens_brief"),
                },
            ),
            (
                "Who gets it",
                {
                    "description": "Whom the new briefs of this persona are assigned to.",
                    "classes": ("collapse",),
                    "fields": ("assigns", "assign_person", "assign_group", "assign_attribute"),
                },
            ),
            *research,
            (
                "Playbook",
                {
                    "description": "Every brief shows this at once, before any research is there. "
                    "How it looks is shown below.",
                    "classes": to_fill_in,
                    "fields": ("playbook",),
                },
            ),
        )

    def histories(self, keys: list[Any]) -> list[tuple[str, QuerySet[Any]]]:
        """Its first steps are edited with it, and are of its version too."""
        past: Any = FirstStep.history
        return [*super().histories(keys), ("persona_id", past.filter(persona_id__in=keys))]

    def related_differences(self, request: HttpRequest, row: Persona) -> Iterator[Difference]:
        yield from super().related_differences(request, row)
        yield from step_inline.differences(request, row)

    def get_inlines(self, request: HttpRequest, obj: Persona | None) -> Any:
        return (FirstStepInline,) if obj is not None and obj.is_fixed else self.inlines

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """People and groups are chosen here, and neither added nor deleted."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name in ("assign_person", "assign_group") and field:
            field.widget = field.widget.widget
        return field

    def has_delete_permission(self, request: HttpRequest, obj: Persona | None = None) -> bool:
        if obj is not None and obj.is_fixed:
            return False
        return bool(super().has_delete_permission(request, obj))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """A persona with briefs is retired, so nothing protects it and nothing of it is deleted."""
        listed, counts, lacking, protected = super().get_deleted_objects(objs, request)
        if not protected:
            return listed, counts, lacking, protected
        words = "Where a persona has briefs, they keep it; it gets no new ones."
        return [*map(str, objs), words], {}, set(), []

    def delete_model(self, request: HttpRequest, obj: Persona) -> None:
        obj.remove()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Persona]) -> None:
        for persona in queryset:
            persona.remove()

    @admin.action(description="Delete selected personas", permissions=["delete"])
    def delete_selected(
        self, request: HttpRequest, queryset: QuerySet[Persona]
    ) -> HttpResponse | None:
        """Refuse if a fixed persona is selected: a bulk delete does not call Persona.delete."""
        fixed = [persona.name for persona in queryset if persona.is_fixed]
        if fixed:
            names = " and ".join(f"“{name}”" for name in fixed)
            self.message_user(
                request,
                f"Nothing was deleted: {names} must stay, because every customer needs a persona.",
                messages.ERROR,
            )
            return None
        return delete_with_confirmation(self, request, queryset)

    @admin.display(description="conditions")
    def conditions_shown(self, persona: Persona) -> str:
        if persona.is_default:
            return "customers that no other persona fits"
        if persona.is_unknown:
            return "customers we know nothing about"
        shown = words(persona.conditions.all(), persona.match)
        return Truncator(shown or "none: takes everybody").chars(160)

    @admin.display(description="at present")
    def matches(self, persona: Persona) -> str:
        return reach_words(persona) if persona.pk else "Save it, or try it, to see."

    def notes(self, rule: Persona) -> Iterable[str]:
        return noting.of_persona(rule)

    def trial_words(self, obj: Persona) -> str:
        return reach_words(obj)

    def values_seen(self, fields: list[str]) -> ValuesSeen:
        return values_seen(fields)

    def segments_seen(self) -> list[str]:
        listed = CustomerSegment.objects.filter(is_listed=True)
        return list(listed.values_list("name", flat=True)[:SEGMENTS_SHOWN])

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Also say which segments nobody has heard of; in a trial too."""
        super().save_related(request, form, formsets, change)
        if SegmentList.known().listed_at:
            for name, near in unheard_of(form.instance.conditions.order_by("pk")):
                words = f"No segment of Customer.io is called “{name}”"
                meant = f": did you mean “{near}”?" if near else "."
                self.message_user(request, words + meant, messages.WARNING)

    def suggestions(self) -> list[tuple[str, str]]:
        roles = list(AttributeName.objects.values_list("role", "label"))
        known = {role for role, _ in roles}
        seen, _ = names_seen()
        return roles + [
            (name, f"attribute of {number} customers")
            for name, number in seen.most_common()
            if name not in known
        ]
