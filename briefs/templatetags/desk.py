"""Tags and filters that the pages of the desk share: times, names, links."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from briefs import times
from briefs.links import admin_url_for, numbered, user_name
from briefs.models import Brief, Priority, Signal
from briefs.times import clock_or_day, exact, span, span_in_full
from personas.models import Customer
from providers import plain

register = template.Library()
register.filter("person", user_name)


@register.simple_tag
def age(at: datetime | None) -> SafeString | str:
    """`3 h`, with the exact time for machines and on hovering."""
    return _time(at, span(timezone.now() - at)) if at else "–"


@register.simple_tag
def ago(at: datetime | None) -> SafeString | str:
    """`3 h ago`."""
    if at is None:
        return "never"
    return _time(at, _ago(span(timezone.now() - at)))


def _ago(words: str) -> str:
    return "just now" if words == "now" else f"{words} ago"


@register.simple_tag
def ago_in_words(at: datetime | None) -> SafeString | str:
    """`3 hours ago`, where the sentence has room for it."""
    if at is None:
        return "at a time not kept"
    return _time(at, _ago(span_in_full(timezone.now() - at)))


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
    return _time(at, exact(at)) if at else "–"


@register.simple_tag
def clock(at: datetime) -> SafeString:
    """`14:32` for today, with the day before it otherwise."""
    return _time(at, clock_or_day(at))


@register.simple_tag
def zone() -> str:
    """What the reader's time zone is called: `UTC`, `CET`."""
    return times.zone()


def _time(at: datetime, words: str) -> SafeString:
    for_machines = at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")
    html = f'<time datetime="{for_machines}Z" title="{exact(at)}">{words}</time>'
    return mark_safe(html)  # noqa: S308 - numbers, and names of units, months and zones


@register.filter
def one_line(value: Any) -> str:
    """A name that an outsider chose, on one line and without characters that mislead a reader."""
    return plain.line(value, 200)


@register.filter
def names(values: Any) -> str:
    return plain.names(values)


@register.simple_tag(takes_context=True)
def admin_url(context: dict[str, Any], name: str, *args: Any) -> str:
    """The address of an admin page by its short name; empty for who may not open it."""
    return admin_url_for(context["user"], name, *args)


@register.simple_tag
def customer_link(customer: Customer) -> SafeString:
    """Their name, or else what they are known by, with the address of their page."""
    url = numbered("briefs:customer").format(customer.pk)
    return format_html('<a class="wrap" href="{}">{}</a>', url, customer.name or customer)


@register.simple_tag
def priority(value: int) -> SafeString:
    """Its sign and its word."""
    return _priority(Priority(value))


@cache
def _priority(value: Priority) -> SafeString:
    return render_to_string("briefs/_priority.html", {"priority": value})


@register.filter
def initials(user: Any) -> str:
    """Two letters for a person, from their name or else their user name."""
    words = (user.get_full_name() or user.get_username()).replace(".", " ").split()
    return "".join(word[0] for word in words[:2]).upper()


@register.filter
def why_of(signal: Signal, brief: Brief) -> str:
    """Why the signal is one. Of one that was mapped to another persona than its brief has now, the
    rule alone: where a brief comes from never names two personas."""
    if signal.persona_id in (None, brief.persona_id):
        return signal.why
    return f"rule “{signal.rule}”" if signal.rule else "by a rule of before"
