"""What the team acts on: signals, the briefs they opened, and the research that briefs rest on."""

from briefs.models.briefs import Activity, Brief, Priority
from briefs.models.research import MaveCall, Research, ResearchPolicy
from briefs.models.signals import Signal

__all__ = ["Activity", "Brief", "MaveCall", "Priority", "Research", "ResearchPolicy", "Signal"]
