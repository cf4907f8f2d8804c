"""Admin pages of what events led to, mostly read-only.

Signals, briefs, what people wrote down about them, research and its ledger.

They also add to five pages of other rooms, which must not import briefs: the event's, the
customer's, the persona's, the signal rule's and the attribute name's.
"""

from briefs.admin.attributes import TriedAttributeNameAdmin
from briefs.admin.briefs import BriefAdmin
from briefs.admin.causes import CauseAdmin
from briefs.admin.customers import CustomerWithBriefsAdmin
from briefs.admin.desk import ClosingReasonAdmin, HolidayAdmin, OfferAdmin, WorkingTimeAdmin
from briefs.admin.erasing import ErasureAdmin
from briefs.admin.events import EventWithOutcomeAdmin
from briefs.admin.ledger import MaveCallAdmin
from briefs.admin.link_templates import LinkTemplateAdmin
from briefs.admin.notifications import AlarmAdmin, NotificationAdmin, NotificationTargetAdmin
from briefs.admin.packs import StartingRuleVersionAdmin
from briefs.admin.personas import ResearchedPersonaAdmin
from briefs.admin.policy import ResearchPolicyAdmin
from briefs.admin.reprocessing import ReprocessedBriefAdmin, ReprocessingJobAdmin
from briefs.admin.research import ResearchAdmin
from briefs.admin.rules import TriedSignalRuleAdmin
from briefs.admin.saving import SegmentMembershipAdmin
from briefs.admin.signals import SignalAdmin
from briefs.admin.templates import QuestionTemplateAdmin
from briefs.admin.thresholds import PriorityThresholdAdmin
from briefs.admin.triage import CommentAdmin, ContactLogAdmin

__all__ = [
    "AlarmAdmin",
    "BriefAdmin",
    "CauseAdmin",
    "ClosingReasonAdmin",
    "CommentAdmin",
    "ContactLogAdmin",
    "CustomerWithBriefsAdmin",
    "ErasureAdmin",
    "EventWithOutcomeAdmin",
    "HolidayAdmin",
    "LinkTemplateAdmin",
    "MaveCallAdmin",
    "NotificationAdmin",
    "NotificationTargetAdmin",
    "OfferAdmin",
    "PriorityThresholdAdmin",
    "QuestionTemplateAdmin",
    "ReprocessedBriefAdmin",
    "ReprocessingJobAdmin",
    "ResearchAdmin",
    "ResearchPolicyAdmin",
    "ResearchedPersonaAdmin",
    "SegmentMembershipAdmin",
    "SignalAdmin",
    "StartingRuleVersionAdmin",
    "TriedAttributeNameAdmin",
    "TriedSignalRuleAdmin",
    "WorkingTimeAdmin",
]
