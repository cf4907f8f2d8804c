"""What events led to: signals, briefs, research and its ledger; to look into, rarely to change.

Also completes three pages of the other rooms, which may not know of briefs: the event's, the
persona's and the signal rule's.
"""

from briefs.admin.briefs import BriefAdmin
from briefs.admin.events import EventWithOutcomeAdmin
from briefs.admin.ledger import MaveCallAdmin
from briefs.admin.notifications import AlarmAdmin, NotificationAdmin, NotificationTargetAdmin
from briefs.admin.personas import ResearchedPersonaAdmin
from briefs.admin.policy import ResearchPolicyAdmin
from briefs.admin.research import ResearchAdmin
from briefs.admin.rules import TriedSignalRuleAdmin
from briefs.admin.signals import SignalAdmin
from briefs.admin.templates import QuestionTemplateAdmin

__all__ = [
    "AlarmAdmin",
    "BriefAdmin",
    "EventWithOutcomeAdmin",
    "MaveCallAdmin",
    "NotificationAdmin",
    "NotificationTargetAdmin",
    "QuestionTemplateAdmin",
    "ResearchAdmin",
    "ResearchPolicyAdmin",
    "ResearchedPersonaAdmin",
    "SignalAdmin",
    "TriedSignalRuleAdmin",
]
