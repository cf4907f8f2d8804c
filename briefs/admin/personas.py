"""The persona's page, with how many questions it may ask and what they cost this month."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest

from briefs.admin.budgets import PersonaForm, persona_consequence
from briefs.admin.previewing import PreviewedPersonaAdmin
from briefs.admin.trying import TryAdmin
from briefs.research import spending
from briefs.research.accounts import RESERVED_CREDITS
from briefs.research.counting import count_at_present, too_long_for
from briefs.research.questions import Asker
from personas.admin import PersonaAdmin
from personas.models import Persona, privacy
from personas.models.conditions import WITHOUT_VALUE
from webhooks.clock import database_now

admin.site.unregister(Persona)


@admin.register(Persona)
class ResearchedPersonaAdmin(TryAdmin, PreviewedPersonaAdmin, PersonaAdmin):
    readonly_fields = (*PersonaAdmin.readonly_fields, "spent_this_month", "asks")
    form = PersonaForm
    research_fields = (*PersonaAdmin.research_fields, "spent_this_month", "asks")

    def save_model(self, request: HttpRequest, obj: Persona, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if words := persona_consequence(obj):
            self.message_user(request, words, messages.WARNING)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        for words in _warnings(Persona.objects.get(pk=form.instance.pk)):  # as saved
            self.message_user(request, words, messages.WARNING)

    def trial_words(self, obj: Persona) -> str:
        return f"{super().trial_words(obj)} Different questions: {_words(obj)}"

    @admin.display(description="different questions")
    def asks(self, persona: Persona) -> str:
        return _words(persona) if persona.pk else "Save it, or try it, to see."

    @admin.display(description="spent this month (UTC)")
    def spent_this_month(self, persona: Persona) -> str:
        if not persona.pk:
            return "0 credits"
        spent = spending.of_persona(persona, database_now())
        if spent.fits():
            return spent.figures
        return (
            f"{spent.figures}: used up, because one answer may cost {RESERVED_CREDITS}. "
            "Briefs of this persona go without research until the next month begins."
        )


def _warnings(persona: Persona) -> Iterator[str]:
    """What the conditions mean for the question. Conditions are saved after the persona itself."""
    if not persona.buys_research:
        return
    compared = [c for c in persona.conditions.all() if c.operator not in WITHOUT_VALUE]
    private = dict.fromkeys(c.field for c in compared if privacy.identifies(c.field))
    if private:
        fields = " and ".join(f"“{field}”" for field in private)
        yield f"Mave is not told of {fields}: that may say who the customer is."
    if words := too_long_for(persona):
        yield words


def _words(persona: Persona) -> str:
    counted = count_at_present(Asker.load().wording, only=persona.pk)
    if not counted.personas:
        return "none, because no research is bought for this persona."
    [row] = counted.personas
    return (
        f"at most {row.questions:,} ({row.signals} signals × {row.facts:,} combinations of facts), "
        f"for {counted.least_credits:,} to {counted.most_credits:,} credits in all."
    )
