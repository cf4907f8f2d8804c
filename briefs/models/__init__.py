"""The rows the team works with: signals, briefs, research and its limits, and notifications."""

from briefs.models.briefs import Activity, Brief
from briefs.models.calls import MaveCall
from briefs.models.notifications import Alarm, Notification, NotificationTarget
from briefs.models.policy import MaveHealth, ResearchPolicy
from briefs.models.priority import Priority
from briefs.models.research import Research
from briefs.models.signals import Signal
from briefs.models.spending import BudgetLevel, UsageReading
from briefs.models.templates import QuestionTemplate, TemplateChoice
from briefs.models.thresholds import PersonaMedian, PriorityThreshold, Yardstick

__all__ = [
    "Activity",
    "Alarm",
    "Brief",
    "BudgetLevel",
    "MaveCall",
    "MaveHealth",
    "Notification",
    "NotificationTarget",
    "PersonaMedian",
    "Priority",
    "PriorityThreshold",
    "QuestionTemplate",
    "Research",
    "ResearchPolicy",
    "Signal",
    "TemplateChoice",
    "UsageReading",
    "Yardstick",
]
