"""Who gets a new brief: the person, the group in turn, or the account owner that its persona names.

Read in a few queries for many briefs at once. Nothing here asks for a permission of the person who
acts, because nobody does: a persona was edited by somebody who may.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models

from briefs.links import user_name
from briefs.models.activities import Activity
from briefs.models.briefs import Brief
from briefs.permissions import people_who
from personas.models import Assigns, AttributeName, Persona
from personas.models.attributes import CustomerFacts

PERMISSION = "briefs.work_brief"


class Turn(models.Model):
    """Whose turn it was last, for a persona that assigns to a group in turn."""

    persona = models.OneToOneField(Persona, on_delete=models.CASCADE, related_name="+")
    last = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"{self.persona}: {self.last}"


def able_people() -> "models.QuerySet[Any]":
    """The active people who may work on briefs, by name."""
    return people_who(PERMISSION).order_by("first_name", "last_name", "username")


def assign_by_persona(briefs: Iterable[Brief]) -> list[Activity]:
    """Set the assignees that the personas name; returns entries for the log, which are not saved.

    Leaves out briefs that have an assignee, and those that wait for their profile. Saves no brief.
    A group's turn is locked until the transaction ends: call this before research is locked, and
    after customers and briefs, as everybody does.
    """
    asked = [
        brief
        for brief in briefs
        if brief.persona.assigns != Assigns.NOBODY
        and brief.assignee_id is None
        and not brief.is_waiting_for_profile
    ]
    if not asked:
        return []
    able = list(able_people().order_by("pk"))
    chosen: dict[int, tuple[Any, str]] = {}
    by_way: dict[str, list[Brief]] = defaultdict(list)
    for brief in asked:
        by_way[brief.persona.assigns].append(brief)
    chosen |= {id(brief): _named(brief, able) for brief in by_way[Assigns.PERSON]}
    chosen |= _in_turn(by_way[Assigns.GROUP], able)
    chosen |= _owners(by_way[Assigns.OWNER], able)
    for brief in asked:
        brief.assignee = chosen[id(brief)][0]
    return [Activity(brief=brief, text=chosen[id(brief)][1]) for brief in asked]


def _named(brief: Brief, able: Sequence[Any]) -> tuple[Any, str]:
    wanted = brief.persona.assign_person_id
    person = next((one for one in able if one.pk == wanted), None)
    if person is None:
        return None, f"left unassigned: {brief.persona.named} no longer works on briefs"
    return person, f"assigned to {user_name(person)}, whom the persona names"


def _in_turn(briefs: Sequence[Brief], able: Sequence[Any]) -> dict[int, tuple[Any, str]]:
    """The next member each; two workers cannot give the same turn twice: the row is locked."""
    if not briefs:
        return {}
    personas = {brief.persona_id: brief.persona for brief in briefs}
    Turn.objects.bulk_create(
        [Turn(persona_id=key) for key in sorted(personas)], ignore_conflicts=True
    )
    locked = Turn.objects.filter(persona__in=personas).order_by("persona_id").select_for_update()
    turns = {turn.persona_id: turn for turn in locked}
    members: dict[int | None, set[int]] = defaultdict(set)
    groups = [persona.assign_group_id for persona in personas.values()]
    links = get_user_model().groups.through._default_manager.filter(group__in=groups)
    for key, user in links.values_list("group_id", "user_id"):
        members[key].add(user)
    chosen: dict[int, tuple[Any, str]] = {}
    for brief in briefs:
        turn, group = turns[brief.persona_id], brief.persona.assign_group_id
        people = [one for one in able if one.pk in members[group]]
        if not people:
            why = f"nobody of {brief.persona.named} works on briefs"
            chosen[id(brief)] = None, f"left unassigned: {why}"
            continue
        person = next((one for one in people if one.pk > (turn.last_id or 0)), people[0])
        turn.last_id = person.pk
        words = f"assigned to {user_name(person)}, whose turn it was in {brief.persona.named}"
        chosen[id(brief)] = person, words
    Turn.objects.bulk_update(turns.values(), ["last"])
    return chosen


def _owners(briefs: Sequence[Brief], able: Sequence[Any]) -> dict[int, tuple[Any, str]]:
    """The account owner that the customer's attribute names, by user name or mail address."""
    if not briefs:
        return {}
    roles = {item.role: item.name_list for item in AttributeName.objects.all()}
    known: dict[str, set[Any]] = defaultdict(set)
    for one in able:
        for name in (one.get_username(), one.email, user_name(one)):
            known[name.strip().casefold()].add(one)
    known.pop("", None)
    chosen: dict[int, tuple[Any, str]] = {}
    for brief in briefs:
        field = brief.persona.assign_attribute
        found = CustomerFacts(brief.customer.attributes, roles).find(field)
        people = known.get(found.value.casefold(), set())
        if len(people) == 1:
            [person] = people
            words = f"assigned to {user_name(person)}, the account owner ({found.name})"
            chosen[id(brief)] = person, words
            continue
        if not found.value:
            why = f"{found.name} names no account owner"
        elif people:
            why = f"{found.name} is “{found.shown()}”, and more than one person is called that"
        else:
            why = f"{found.name} is “{found.shown()}”, and nobody here who works on briefs is that"
        chosen[id(brief)] = None, f"left unassigned: {why}"
    return chosen
