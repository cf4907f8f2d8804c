"""What a brief stands on, and why its research is not there, in a word or two."""

from django.utils import timezone

from briefs.models import Brief, Research
from briefs.research.waiting import Standstill
from briefs.times import span


def research_state(brief: Brief) -> str:
    """What a brief stands on: `Research: new`, `Research: shared, 3 h old`, or the playbook."""
    research = brief.research
    if brief.basis == Brief.Basis.SHARED and research and research.finished_at:
        length = span(timezone.now() - research.finished_at)
        return "Research: shared, " + ("just in" if length == "now" else f"{length} old")
    return f"Research: {Brief.Basis(brief.basis).label}"


def research_detail(brief: Brief, standstill: Standstill | None = None) -> str:
    """Why a brief stands on its playbook alone, in a word or two; empty if it does not."""
    if brief.basis != Brief.Basis.PLAYBOOK:
        return ""
    if brief.research:
        return _why_not_there(brief, brief.research, standstill)
    if brief.is_waiting_for_profile:
        return "waiting for the profile"
    if not brief.persona.buys_research:
        return "none is bought for this persona"
    return "none was asked for"


def _why_not_there(brief: Brief, research: Research, standstill: Standstill | None) -> str:
    words = _UNDER_WAY[Research.Status(research.status)]
    if research.status != Research.Status.QUEUED:
        return words
    if standstill and (held := standstill.briefly(research.priority, brief.persona)):
        return held
    return "put off" if is_put_off(research) else words


def is_put_off(research: Research) -> bool:
    """Whether the next try of a queued question is still to come."""
    return research.available_at is not None and research.available_at > timezone.now()


_UNDER_WAY = {
    Research.Status.QUEUED: "waiting for its turn",
    Research.Status.RUNNING: "under way",
    Research.Status.RECOVERING: "looking for a lost answer",
    Research.Status.DONE: "answered",
    Research.Status.FAILED: "failed, can be retried",
    Research.Status.CANCELLED: "cancelled",
}
