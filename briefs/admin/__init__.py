"""What events led to: signals, briefs, research and its ledger; to look into, rarely to change.

Also completes two pages of the other rooms, which may not know of briefs: the event's and the
signal rule's.
"""

from briefs.admin.briefs import BriefAdmin
from briefs.admin.events import EventWithOutcomeAdmin
from briefs.admin.ledger import MaveCallAdmin
from briefs.admin.notifications import AlarmAdmin, NotificationAdmin, NotificationTargetAdmin
from briefs.admin.policy import ResearchPolicyAdmin
from briefs.admin.research import ResearchAdmin
from briefs.admin.rules import TriedSignalRuleAdmin
from briefs.admin.signals import SignalAdmin

__all__ = [
    "AlarmAdmin",
    "BriefAdmin",
    "EventWithOutcomeAdmin",
    "MaveCallAdmin",
    "NotificationAdmin",
    "NotificationTargetAdmin",
    "ResearchAdmin",
    "ResearchPolicyAdmin",
    "SignalAdmin",
    "TriedSignalRuleAdmin",
]
