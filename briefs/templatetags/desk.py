"""The words and marks that every page of the desk uses in the same way: times, research, links."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from briefs.models import Brief, Research
from briefs.notices import admin_url as _admin_url
from briefs.reading import plain
from briefs.reading.plain import without_codes
from briefs.waiting import Standstill

register = template.Library()

_STEPS = (("d", 86_400), ("h", 3_600), ("min", 60))


def span(length: timedelta) -> str:
    """A length of time in its largest unit: `3 h`, or `now` below a minute."""
    seconds = int(length.total_seconds())
    for unit, size in _STEPS:
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return "now"


@register.simple_tag
def age(at: datetime | None) -> SafeString | str:
    """`3 h`, with the exact time for machines and on hovering."""
    return _time(at, span(timezone.now() - at)) if at else "–"


@register.simple_tag
def ago(at: datetime | None) -> SafeString | str:
    """`3 h ago`."""
    if at is None:
        return "never"
    words = span(timezone.now() - at)
    return _time(at, "just now" if words == "now" else f"{words} ago")


@register.simple_tag
def ago_in_words(at: datetime | None) -> SafeString | str:
    """`3 hours ago`, where the sentence has room for it."""
    if at is None:
        return "at a time not kept"
    seconds = int((timezone.now() - at).total_seconds())
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if (count := seconds // size) > 0:
            return _time(at, f"{count} {unit}{'s' if count > 1 else ''} ago")
    return _time(at, "just now")


@register.simple_tag
def until(at: datetime | None) -> SafeString | str:
    """`in 3 h`, for something to come."""
    if at is None:
        return "soon"
    words = span(at - timezone.now())
    return _time(at, "at once" if words == "now" else f"in {words}")


@register.simple_tag
def moment(at: datetime | None) -> SafeString | str:
    """`23 Nov 2026, 14:32 UTC`."""
    return _time(at, _exact(at)) if at else "–"


@register.simple_tag
def clock(at: datetime) -> SafeString:
    """`14:32` for today, with the day before it otherwise."""
    at = at.astimezone(UTC)
    is_today = at.date() == timezone.now().date()
    return _time(at, f"{at:%H:%M}" if is_today else f"{at.day} {at:%b, %H:%M}")


def _time(at: datetime, words: str) -> SafeString:
    at = at.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', f"{at:%Y-%m-%dT%H:%M:%SZ}", _exact(at), words
    )


def _exact(at: datetime) -> str:
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


@register.filter
def research_state(brief: Brief) -> str:
    """What a brief stands on: `Research: new`, `Research: shared, 3 h old`, or the playbook."""
    research = brief.research
    if brief.basis == Brief.Basis.SHARED and research and research.finished_at:
        length = span(timezone.now() - research.finished_at)
        return "Research: shared, " + ("just in" if length == "now" else f"{length} old")
    return f"Research: {Brief.Basis(brief.basis).label}"


@register.filter
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


@register.filter
def in_words(text: str) -> str:
    """A sentence of ours without the codes that Mavera answered with."""
    return without_codes(text)


_UNDER_WAY = {
    Research.Status.QUEUED: "waiting for its turn",
    Research.Status.RUNNING: "under way",
    Research.Status.RECOVERING: "looking for a lost answer",
    Research.Status.DONE: "answered",
    Research.Status.FAILED: "failed, can be retried",
    Research.Status.CANCELLED: "cancelled",
}


@register.filter
def one_line(value: Any) -> str:
    """What somebody else called a thing, without signs that deceive the eye."""
    return plain.line(value, 200)


@register.filter
def names(values: Any) -> str:
    return plain.names(values)


@register.simple_tag
def admin_url(name: str, *args: Any) -> str:
    """The address of an admin page by its short name; empty where there is none."""
    return _admin_url(name, *args)


@register.filter
def initials(user: Any) -> str:
    """Two letters for a person, from their name or else their user name."""
    words = (user.get_full_name() or user.get_username()).replace(".", " ").split()
    return "".join(word[0] for word in words[:2]).upper()


@register.filter
def person(user: Any) -> str:
    """What colleagues call a user."""
    return str(user.get_full_name() or user.get_username())
