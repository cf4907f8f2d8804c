"""The persona's page, completed by how many different questions it can ask."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from briefs.question_count import count_at_present
from briefs.questions import Asker
from personas.admin import PersonaAdmin
from personas.models import Persona

admin.site.unregister(Persona)


@admin.register(Persona)
class CountedPersonaAdmin(PersonaAdmin):
    def get_readonly_fields(self, request: HttpRequest, obj: Persona | None = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "asks")

    def get_fieldsets(self, request: HttpRequest, obj: Persona | None = None) -> Any:
        return [
            (title, {**options, "fields": (*options["fields"], "asks")})
            if title == "Research"
            else (title, options)
            for title, options in super().get_fieldsets(request, obj)
        ]

    def trial_words(self, obj: Persona) -> str:
        return f"{super().trial_words(obj)} Different questions: {_words(obj)}"

    @admin.display(description="different questions")
    def asks(self, persona: Persona) -> str:
        return _words(persona) if persona.pk else "Save it, or try it, to see."


def _words(persona: Persona) -> str:
    counted = count_at_present(Asker.load().wording, only=persona.pk)
    if not counted.personas:
        return "none, because no research is bought for this persona."
    [row] = counted.personas
    return (
        f"at most {row.questions:,} ({row.signals} signals × {row.facts:,} combinations of facts), "
        f"for {counted.least_credits:,} to {counted.most_credits:,} credits in all."
    )
