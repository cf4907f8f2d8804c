"""The rules, personas and attribute names that an empty database starts with."""

from pathlib import Path
from typing import Any

from django.db import transaction

from personas.models import (
    AttributeName,
    Persona,
    PersonaCondition,
    SignalCondition,
    SignalRule,
)
from personas.starter.attribute_names import ATTRIBUTE_NAMES
from personas.starter.personas import PERSONAS
from personas.starter.signal_rules import SIGNAL_RULES

PLAYBOOKS = Path(__file__).parent / "playbooks"


@transaction.atomic
def load_if_empty() -> int:
    """Load what the team has none of; returns how many rows that made. Never touches a row."""
    loaded = 0
    if not SignalRule.objects.exists():
        loaded += _load_signal_rules()
    if not AttributeName.objects.exists():
        loaded += _load_attribute_names()
    if not Persona.objects.exists():
        loaded += _load_personas()
    return loaded


def _load_signal_rules() -> int:
    for position, given in enumerate(SIGNAL_RULES, start=1):
        fields = dict(given)
        conditions = fields.pop("conditions", [])
        rule = SignalRule.objects.create(position=position * 10, **fields)
        _add_conditions(SignalCondition, conditions, rule=rule)
    return len(SIGNAL_RULES)


def _load_attribute_names() -> int:
    for given in ATTRIBUTE_NAMES:
        AttributeName.objects.create(**{**given, "names": "\n".join(given["names"])})
    return len(ATTRIBUTE_NAMES)


def _load_personas() -> int:
    for position, given in enumerate(PERSONAS, start=1):
        fields = dict(given)
        conditions = fields.pop("conditions")
        playbook = (PLAYBOOKS / f"{fields.pop('slug')}.md").read_text(encoding="utf-8")
        persona = Persona.objects.create(position=position * 10, playbook=playbook, **fields)
        _add_conditions(PersonaCondition, conditions, persona=persona)
    return len(PERSONAS)


def _add_conditions(model: Any, conditions: list[tuple[str, str, str]], **owner: Any) -> None:
    for name, operator, value in conditions:
        model.objects.create(field=name, operator=operator, value=value, **owner)
