"""The rules, personas, first steps and attribute names that an empty database starts with."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from simple_history.utils import bulk_create_with_history

from personas.models import (
    AttributeName,
    FirstStep,
    Persona,
    PersonaCondition,
    SignalCondition,
    SignalRule,
)
from personas.rules import documents, restoring, versions
from personas.rules.documents import FORMAT, FORMAT_KEY, Document
from personas.rules.parts import PARTS
from personas.starter import first_steps
from personas.starter.attribute_names import ATTRIBUTE_NAMES
from personas.starter.personas import PERSONAS
from personas.starter.signal_rules import SIGNAL_RULES

PLAYBOOKS = Path(__file__).parent / "playbooks"
ECOMMERCE = Path(__file__).parent / "ecommerce.yaml"


@dataclass(frozen=True, slots=True)
class Pack:
    """Rules to start with, for one kind of business."""

    name: str  # of a command's option
    label: str
    about: str
    document: Callable[[], Document]


class Changed(Exception):
    """Somebody changed the rules, so they are not replaced by others to start with."""


def is_untouched() -> bool:
    """Whether there are no rules, or those of a pack as it brought them."""
    present = documents.take()
    is_empty = not any(documents.rows(present, part.key) for part in PARTS)
    return is_empty or any(present == pack.document() for pack in PACKS.values())


def choose(name: str) -> bool:
    """Put this pack in place of rules that nobody changed; False if it is there already.

    Raises Changed.
    """
    if not is_untouched():
        raise Changed("Somebody has changed the rules: import a file instead.")
    pack = PACKS[name]
    if not Persona.objects.exists() and name == "saas":
        return bool(load_if_empty())
    what = f"Loaded the starter rules: {pack.label}"
    return restoring.put_in_place(pack.document(), None, what) is not None


def load_if_empty() -> int:
    """Fill the tables that are empty; returns how many rows were made. Changes no existing row."""
    with versions.change(None, "Loaded the starter rules"):
        return _load()


def _load() -> int:
    loaded = 0
    if not SignalRule.objects.exists():
        loaded += _load_signal_rules()
    if not AttributeName.objects.exists():
        loaded += _load_attribute_names()
    if not Persona.objects.exists():
        loaded += _load_personas()
    if not FirstStep.objects.exists():
        loaded += _load_first_steps()
    return loaded


def _signal_rules() -> tuple[list[SignalRule], list[SignalCondition]]:
    rules, conditions = [], []
    for position, given in enumerate(SIGNAL_RULES, start=1):
        fields = dict(given)
        typed = fields.pop("conditions", [])
        rule = SignalRule(position=position * 10, **fields)
        rules.append(rule)
        rule.condition_list = [
            SignalCondition(rule=rule, **condition) for condition in _read(typed)
        ]
        conditions += rule.condition_list
    return rules, conditions


def _load_signal_rules() -> int:
    rules, conditions = _signal_rules()
    bulk_create_with_history(rules, SignalRule)
    bulk_create_with_history(conditions, SignalCondition)
    return len(rules)


def _attribute_names() -> list[AttributeName]:
    return [
        AttributeName(**{**given, "names": "\n".join(given["names"])}) for given in ATTRIBUTE_NAMES
    ]


def _load_attribute_names() -> int:
    names = _attribute_names()
    bulk_create_with_history(names, AttributeName)
    return len(names)


def _personas() -> tuple[list[Persona], list[PersonaCondition]]:
    personas, conditions = [], []
    for position, given in enumerate(PERSONAS, start=1):
        fields = dict(given)
        typed = fields.pop("conditions")
        playbook = (PLAYBOOKS / f"{fields.pop('slug')}.md").read_text(encoding="utf-8")
        persona = Persona(position=position * 10, playbook=playbook, **fields)
        personas.append(persona)
        persona.condition_list = [
            PersonaCondition(persona=persona, **condition) for condition in _read(typed)
        ]
        conditions += persona.condition_list
    return personas, conditions


def _load_personas() -> int:
    personas, conditions = _personas()
    bulk_create_with_history(personas, Persona)
    bulk_create_with_history(conditions, PersonaCondition)
    return len(personas)


def _first_steps(personas: dict[str, Persona]) -> list[FirstStep]:
    names = {given["slug"]: given["name"] for given in PERSONAS}
    return [
        FirstStep(persona=personas.get(name), **fields)
        for name, fields in first_steps.rows(names)
        if not name or name in personas
    ]


def _load_first_steps() -> int:
    """The signals' own, and those of personas that still have their name."""
    steps = _first_steps({persona.name: persona for persona in Persona.objects.in_use()})
    bulk_create_with_history(steps, FirstStep)
    return len(steps)


def _read(conditions: list[tuple[str, str, str]]) -> list[dict[str, str]]:
    return [
        {"field": name, "operator": operator, "value": value}
        for name, operator, value in conditions
    ]


def _saas() -> Document:
    """What `load_if_empty` brings, as a document."""
    personas, _ = _personas()
    rows: dict[str, list[Any]] = {
        "attribute_names": _attribute_names(),
        "signal_rules": _signal_rules()[0],
        "personas": personas,
        "first_steps": _first_steps({persona.name: persona for persona in personas}),
    }
    told = {
        part.key: [part.tell(row) for row in sorted(rows.get(part.key, []), key=part.order)]
        for part in PARTS
    }
    return {FORMAT_KEY: FORMAT, **told}


@cache  # a third of a second
def _ecommerce() -> Document:
    return documents.read(ECOMMERCE.read_text(encoding="utf-8"))


PACKS = {
    pack.name: pack
    for pack in (
        Pack("saas", "Software for businesses",
             "Customers have a plan, an industry and some use of a product.", _saas),
        Pack("ecommerce", "Online shop",
             "Customers have orders, returns, a loyalty level and perhaps a subscription box.",
             _ecommerce),
    )
}  # fmt: skip
