"""What the team edits: rules, first steps, personas, attribute names; and customers, read-only."""

from personas.admin.attributes import AttributeNameAdmin
from personas.admin.customers import CustomerAdmin
from personas.admin.personas import PersonaAdmin
from personas.admin.rule_versions import RuleVersionAdmin
from personas.admin.signals import SignalRuleAdmin
from personas.admin.steps import FirstStepAdmin

__all__ = [
    "AttributeNameAdmin",
    "CustomerAdmin",
    "FirstStepAdmin",
    "PersonaAdmin",
    "RuleVersionAdmin",
    "SignalRuleAdmin",
]
