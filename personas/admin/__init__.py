"""What the team edits: signal rules, personas, attribute names; and the customers, read-only."""

from personas.admin.attributes import AttributeNameAdmin
from personas.admin.customers import CustomerAdmin
from personas.admin.personas import PersonaAdmin
from personas.admin.signals import SignalRuleAdmin

__all__ = ["AttributeNameAdmin", "CustomerAdmin", "PersonaAdmin", "SignalRuleAdmin"]
