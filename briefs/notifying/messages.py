"""The text of notifications. They name a customer's id, name, plan and value, never an address."""

import re
from collections.abc import Mapping, Sequence

from django.conf import settings
from django.urls import reverse

from briefs.models import Alarm, Brief, Priority
from briefs.models.briefs import titled
from briefs.times import clock_and_day
from personas.models import Customer
from personas.rules.matching import CustomerFacts

TOLD_ROLES = ("plan", "value")
_LOCAL = ("localhost", "127.0.0.1", "[::1]")
_UNPLAIN = re.compile(r"[\x00-\x1f\x7f<>\s]+")  # <!channel> and the like would notify everybody

Message = tuple[str, str]  # subject and body


def about_brief(brief: Brief, roles: Mapping[str, list[str]]) -> Message:
    facts = CustomerFacts(brief.customer.attributes, roles)
    known = [(role.capitalize(), _plain(facts.find(role).shown())) for role in TOLD_ROLES]
    lines = [
        f"{_priority(brief.priority)} · {_title(brief)}",
        f"Customer: {customer_name(brief.customer)}",
        f"Persona: {brief.persona.name}",
        " · ".join(f"{label}: {value}" for label, value in known if value),
        f"First step: {brief.first_step}",
        link(brief.get_absolute_url()),
    ]
    return headline(brief), "\n".join(line for line in lines if line)


def headline(brief: Brief) -> str:
    return f"{_priority(brief.priority)}: {_title(brief)} · {brief.persona.name}"[:200]


def _title(brief: Brief) -> str:
    """With the channel or the topics by their names, unless they look like an address."""
    return titled(brief.get_kind_display(), _plain(brief.detail))


def about_briefs(briefs: Sequence[Brief]) -> Message:
    """One message for many briefs; it names only the first."""
    counts = [(p.label.lower(), sum(b.priority == p for b in briefs)) for p in reversed(Priority)]
    counted = ", ".join(f"{count} {label}" for label, count in counts if count)
    subject = f"{len(briefs)} new briefs in the last minutes: {counted}"
    first = briefs[0]
    lines = [
        subject,
        f"First: {headline(first)}",
        link(first.get_absolute_url()),
        f"All of them: {link(reverse('briefs:inbox'))}",
    ]
    return subject, "\n".join(lines)


def about_alarm(alarm: Alarm) -> Message:
    """The alarm in its present state: new, still on, or over."""
    name = alarm.get_kind_display()
    if not alarm.is_open:
        over = f"Over: {name} (over since {clock_and_day(alarm.closed_at)})"
        return over, f"{over}. It had begun at {clock_and_day(alarm.opened_at)}."
    subject = f"Alarm: {name}"
    if alarm.times_told:
        subject = f"Still: {name} (since {clock_and_day(alarm.opened_at)})"
    return subject, f"{alarm.words}\n{link(reverse('admin:briefs_alarm_changelist'))}"


def about_test(name: str) -> Message:
    return (
        "Test of Savedesk",
        f"This is a test. Notifications for “{name}” arrive here.\n{link(reverse('briefs:inbox'))}",
    )


def customer_name(customer: Customer) -> str:
    """Name and id, without those that look like an e-mail address."""
    name, key = _plain(customer.name), _plain(customer.external_id or customer.cio_id or "")
    if not key:
        key = _plain(customer.cio_id or "") or f"customer {customer.pk}"
    return f"{name} ({key})" if name else key


def link(path: str) -> str:
    """The address of a page; only its path if the settings do not name the host."""
    hosts = settings.ALLOWED_HOSTS
    for host in hosts:
        if host not in _LOCAL and not host.startswith((".", "*")):
            return f"https://{host}{path}"
    if any(host.startswith((".", "*")) for host in hosts):
        return path
    return f"http://localhost:{settings.PORT}{path}"


def _plain(text: str) -> str:
    """One short line of what a customer may have written; empty if it looks like an address."""
    plain = _UNPLAIN.sub(" ", text).strip()[:80]
    return "" if "@" in text or "%40" in text else plain


def _priority(priority: int) -> str:
    return str(Priority(priority).label)
