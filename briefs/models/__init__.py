"""What the team acts on: signals, the briefs they opened, the research that briefs rest on, and
whom they are told to."""

from briefs.models.briefs import Activity, Brief, Priority
from briefs.models.notifications import Alarm, Notification, NotificationTarget
from briefs.models.research import MaveCall, Research, ResearchPolicy
from briefs.models.signals import Signal

__all__ = [
    "Activity",
    "Alarm",
    "Brief",
    "MaveCall",
    "Notification",
    "NotificationTarget",
    "Priority",
    "Research",
    "ResearchPolicy",
    "Signal",
]
