"""Finds briefs by words: who, which persona, which signal, and what brief and research say."""

from typing import TYPE_CHECKING

from django.db.models import Q

from briefs.models import Research
from personas.models import Customer, Persona, SignalKind

if TYPE_CHECKING:
    from briefs.models.briefs import BriefQuerySet

MOST_WORDS = 10
_NAMES = ("name", "first_name", "last_name")


def search(briefs: "BriefQuerySet", text: str) -> "BriefQuerySet":
    """Keep the briefs in which every word occurs somewhere; case does not matter.

    People and answers are searched in their own tables, so that each is read once rather than
    for every brief, and joined by key.
    """
    for word in text.split()[:MOST_WORDS]:
        briefs = briefs.filter(_anywhere(word))
    return briefs


def _anywhere(word: str) -> Q:
    """The word occurs in this brief, or in what it belongs to."""
    return (
        Q(customer__in=Customer.objects.filter(_who(word)).values("pk"))
        | Q(persona__in=_personas(word))
        | Q(kind__in=_kinds(word))
        | Q(persona_why__icontains=word)
        | Q(closing_note__icontains=word)
        | Q(research__in=Research.objects.filter(answer__icontains=word).values("pk"))
    )


def _who(word: str) -> Q:
    found = Q(email__icontains=word) | Q(external_id__icontains=word) | Q(cio_id__icontains=word)
    for name in _NAMES:
        found |= Q(**{f"attributes__{name}__icontains": word})
    return found


def _personas(word: str) -> list[int]:
    # A dozen rows: asked once here rather than for every brief.
    found = Persona.objects.filter(Q(name__icontains=word) | Q(playbook__icontains=word))
    return list(found.values_list("pk", flat=True))


def _kinds(word: str) -> list[str]:
    return [kind.value for kind in SignalKind if word.casefold() in kind.label.casefold()]
