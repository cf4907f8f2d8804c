"""The rows the team works with: signals, briefs, research and its limits, and notifications."""

from briefs.models.briefs import Activity, Brief, Priority
from briefs.models.calls import MaveCall
from briefs.models.link_templates import LinkTemplate
from briefs.models.notifications import Alarm, Notification, NotificationTarget
from briefs.models.policy import MaveHealth, ResearchPolicy
from briefs.models.research import Research
from briefs.models.saved_views import SavedView
from briefs.models.signals import Signal
from briefs.models.spending import BudgetLevel, UsageReading
from briefs.models.templates import QuestionTemplate, TemplateChoice

__all__ = [
    "Activity",
    "Alarm",
    "Brief",
    "BudgetLevel",
    "LinkTemplate",
    "MaveCall",
    "MaveHealth",
    "Notification",
    "NotificationTarget",
    "Priority",
    "QuestionTemplate",
    "Research",
    "ResearchPolicy",
    "SavedView",
    "Signal",
    "TemplateChoice",
    "UsageReading",
]
