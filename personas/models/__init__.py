"""Everything the team edits, and the customers it describes."""

from personas.models.aliases import CustomerAlias
from personas.models.conditions import Operator
from personas.models.customers import AppApiHealth, Customer, Twin
from personas.models.pace import AppApiPace
from personas.models.personas import Assigns, AttributeName, Persona, PersonaCondition
from personas.models.segments import CustomerSegment, SegmentList, SegmentMember
from personas.models.signals import Effect, Severity, SignalCondition, SignalKind, SignalRule
from personas.models.steps import FirstStep, StepChannel
from personas.models.subscriptions import SubscriptionNames
from personas.models.value import Terms, Valued, ValueLevel, ValuePeriod, ValueReading
from personas.models.versions import RulesState, RuleVersion

__all__ = [
    "AppApiHealth",
    "AppApiPace",
    "Assigns",
    "AttributeName",
    "Customer",
    "CustomerAlias",
    "CustomerSegment",
    "Effect",
    "FirstStep",
    "Operator",
    "Persona",
    "PersonaCondition",
    "RuleVersion",
    "RulesState",
    "SegmentList",
    "SegmentMember",
    "Severity",
    "SignalCondition",
    "SignalKind",
    "SignalRule",
    "StepChannel",
    "SubscriptionNames",
    "Terms",
    "Twin",
    "ValueLevel",
    "ValuePeriod",
    "ValueReading",
    "Valued",
]
