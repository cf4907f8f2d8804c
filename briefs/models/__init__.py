"""The rows the team works with: signals, briefs, research and its limits, and notifications."""

from briefs.models.activities import Activity
from briefs.models.briefs import Brief
from briefs.models.bulk import BulkAct, BulkPart
from briefs.models.calls import MaveCall
from briefs.models.causes import Cause, CauseEntry
from briefs.models.comments import Comment
from briefs.models.contacts import ContactLog
from briefs.models.documents import (
    BriefDocument,
    CustomerDocument,
    ResearchDocument,
    SearchIndex,
    TextChange,
)
from briefs.models.endings import ClosingReason, Offer
from briefs.models.erasures import Erasure
from briefs.models.jobs import ReprocessedBrief, ReprocessingJob
from briefs.models.kept_answers import KeptAnswer
from briefs.models.link_templates import LinkTemplate
from briefs.models.notifications import Alarm, Notification, NotificationTarget
from briefs.models.policy import MaveHealth, ResearchPolicy
from briefs.models.priority import Priority
from briefs.models.recent_searches import RecentSearch
from briefs.models.research import Research
from briefs.models.saved_views import SavedView
from briefs.models.saving import SavingSegment, SegmentMembership
from briefs.models.signals import Signal
from briefs.models.spending import BudgetLevel, UsageReading
from briefs.models.templates import QuestionTemplate, TemplateChoice
from briefs.models.thresholds import PersonaMedian, PriorityThreshold, Yardstick
from briefs.models.turns import Turn
from briefs.models.working_time import Calendar, Holiday, WorkingTime

__all__ = [
    "Activity",
    "Alarm",
    "Brief",
    "BriefDocument",
    "BudgetLevel",
    "BulkAct",
    "BulkPart",
    "Calendar",
    "Cause",
    "CauseEntry",
    "ClosingReason",
    "Comment",
    "ContactLog",
    "CustomerDocument",
    "Erasure",
    "Holiday",
    "KeptAnswer",
    "LinkTemplate",
    "MaveCall",
    "MaveHealth",
    "Notification",
    "NotificationTarget",
    "Offer",
    "PersonaMedian",
    "Priority",
    "PriorityThreshold",
    "QuestionTemplate",
    "RecentSearch",
    "ReprocessedBrief",
    "ReprocessingJob",
    "Research",
    "ResearchDocument",
    "ResearchPolicy",
    "SavedView",
    "SavingSegment",
    "SearchIndex",
    "SegmentMembership",
    "Signal",
    "TemplateChoice",
    "TextChange",
    "Turn",
    "UsageReading",
    "WorkingTime",
    "Yardstick",
]
