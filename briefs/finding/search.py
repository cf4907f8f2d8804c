"""Finds briefs by words of the customer, persona, signal, first step, brief and research."""

from collections import defaultdict
from typing import TYPE_CHECKING

from django.db.models import Q

from briefs.models import Research
from personas.models import Customer, CustomerAlias, FirstStep, Persona, SignalKind
from personas.people.identity import plain_number

if TYPE_CHECKING:
    from briefs.models.queryset import BriefQuerySet

MOST_WORDS = 10
_NAMES = ("name", "first_name", "last_name")


def search(briefs: "BriefQuerySet", text: str) -> "BriefQuerySet":
    """Keep the briefs in which every word occurs somewhere; case does not matter.

    Customers and answers are searched in their own tables first, so that each is read once and not
    once for every brief.
    """
    for word in text.split()[:MOST_WORDS]:
        briefs = briefs.filter(_anywhere(word))
    return briefs


def _anywhere(word: str) -> Q:
    """The word occurs in the brief, its customer, persona, signal or research."""
    return (
        Q(customer__in=Customer.objects.filter(_who(word)).values("pk"))
        | Q(persona__in=_personas(word))
        | Q(kind__in=_kinds(word))
        | _steps(word)
        | Q(persona_why__icontains=word)
        | Q(closing_note__icontains=word)
        | Q(research__in=Research.objects.filter(answer__icontains=word).values("pk"))
    )


def _who(word: str) -> Q:
    cio_id = word.removeprefix("cio_")  # Customer.io's own pages show it with this prefix
    found = Q(email__icontains=word) | Q(external_id__icontains=word)
    if cio_id:
        found |= Q(cio_id__icontains=cio_id)
    if (number := plain_number(word)) and any(c.isdigit() for c in number):
        found |= Q(phone__icontains=number)
    former = CustomerAlias.objects.filter(Q(value__icontains=word) | Q(value=cio_id))
    found |= Q(pk__in=former.values("customer"))
    for name in _NAMES:
        found |= Q(**{f"attributes__{name}__icontains": word})
    return found


def _personas(word: str) -> list[int]:
    # A dozen rows: one query here is cheaper than a subquery for every brief.
    found = Persona.objects.filter(Q(name__icontains=word) | Q(playbook__icontains=word))
    return list(found.values_list("pk", flat=True))


def _steps(word: str) -> Q:
    """Briefs whose case has a first step with this word; it may not be the one that is shown."""
    kinds: dict[int | None, list[str]] = defaultdict(list)
    for step in FirstStep.objects.filter(text__icontains=word):
        kinds[step.persona_id].append(step.kind)
    found = Q(kind__in=kinds.pop(None, []))
    for persona, of_persona in kinds.items():
        found |= Q(persona=persona, kind__in=of_persona)
    return found


def _kinds(word: str) -> list[str]:
    return [kind.value for kind in SignalKind if word.casefold() in kind.label.casefold()]
