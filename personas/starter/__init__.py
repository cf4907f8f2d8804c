"""The rules, personas, first steps and attribute names that an empty database starts with."""

from pathlib import Path

from simple_history.utils import bulk_create_with_history

from personas.models import (
    AttributeName,
    FirstStep,
    Persona,
    PersonaCondition,
    SignalCondition,
    SignalRule,
)
from personas.rules import versions
from personas.starter import first_steps
from personas.starter.attribute_names import ATTRIBUTE_NAMES
from personas.starter.personas import PERSONAS
from personas.starter.signal_rules import SIGNAL_RULES

PLAYBOOKS = Path(__file__).parent / "playbooks"


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


def _load_signal_rules() -> int:
    rules, conditions = [], []
    for position, given in enumerate(SIGNAL_RULES, start=1):
        fields = dict(given)
        typed = fields.pop("conditions", [])
        rule = SignalRule(position=position * 10, **fields)
        rules.append(rule)
        conditions += [SignalCondition(rule=rule, **condition) for condition in _read(typed)]
    bulk_create_with_history(rules, SignalRule)
    bulk_create_with_history(conditions, SignalCondition)
    return len(rules)


def _load_attribute_names() -> int:
    names = [
        AttributeName(**{**given, "names": "\n".join(given["names"])}) for given in ATTRIBUTE_NAMES
    ]
    bulk_create_with_history(names, AttributeName)
    return len(names)


def _load_personas() -> int:
    personas, conditions = [], []
    for position, given in enumerate(PERSONAS, start=1):
        fields = dict(given)
        typed = fields.pop("conditions")
        playbook = (PLAYBOOKS / f"{fields.pop('slug')}.md").read_text(encoding="utf-8")
        persona = Persona(position=position * 10, playbook=playbook, **fields)
        personas.append(persona)
        conditions += [PersonaCondition(persona=persona, **condition) for condition in _read(typed)]
    bulk_create_with_history(personas, Persona)
    bulk_create_with_history(conditions, PersonaCondition)
    return len(personas)


def _load_first_steps() -> int:
    """The signals' own, and those of personas that still have their name."""
    personas = {persona.name: persona for persona in Persona.objects.in_use()}
    names = {given["slug"]: given["name"] for given in PERSONAS}
    steps = [
        FirstStep(persona=personas.get(name), **fields)
        for name, fields in first_steps.rows(names)
        if not name or name in personas
    ]
    bulk_create_with_history(steps, FirstStep)
    return len(steps)


def _read(conditions: list[tuple[str, str, str]]) -> list[dict[str, str]]:
    return [
        {"field": name, "operator": operator, "value": value}
        for name, operator, value in conditions
    ]
