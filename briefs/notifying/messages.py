"""The text of notifications. They name a customer's id, name, plan and value, never an address."""

from collections.abc import Mapping, Sequence

from django.urls import reverse

from briefs.links import absolute
from briefs.models import Alarm, Brief, Cause, Priority, Signal
from briefs.models.briefs import titled
from briefs.notifying.escaping import prose, quiet
from briefs.reading import incidents
from briefs.reading.first_steps import FirstSteps
from briefs.times import clock_and_day
from personas.models import Customer
from personas.models.attributes import CustomerFacts

TOLD_ROLES = ("plan", "value")
MOST_NAMED = 20  # in one list

Message = tuple[str, str]  # subject and body


def about_brief(
    brief: Brief, roles: Mapping[str, list[str]], first_steps: FirstSteps | None = None
) -> Message:
    """first_steps: those of all briefs that are told of, so that they are read together."""
    first_steps = first_steps or FirstSteps([brief])
    facts = CustomerFacts(brief.customer.attributes, roles)
    step, back = first_steps.of(brief), first_steps.came_back(brief)
    known = [(role.capitalize(), _plain(facts.find(role).shown())) for role in TOLD_ROLES]
    lines = [
        f"{_priority(brief.priority)} · {_title(brief)}",
        f"Customer: {customer_name(brief.customer)}",
        f"Persona: {quiet(brief.persona.name)}",
        " · ".join(f"{label}: {value}" for label, value in known if value),
        f"Came back: {_came_back(back)}" if back else "",
        f"First step{f' ({step.time_words})' if step.time_words else ''}: "
        f"{prose(step.text, keeps_links=True)}",
        absolute(brief.get_absolute_url()),
    ]
    return headline(brief), "\n".join(line for line in lines if line)


def headline(brief: Brief) -> str:
    return f"{_priority(brief.priority)}: {_title(brief)} · {quiet(brief.persona.name)}"[:200]


def _came_back(news: Signal) -> str:
    return titled(news.get_kind_display(), _plain(news.detail))


def _title(brief: Brief) -> str:
    """With the channel or the topics by their names, unless they look like an address."""
    return titled(brief.get_kind_display(), _plain(brief.detail))


def about_briefs(briefs: Sequence[Brief], kind: str = "new briefs") -> Message:
    """One message for many briefs; it names only the first. `kind`: what they are, in words."""
    counts = [(p.label.lower(), sum(b.priority == p for b in briefs)) for p in reversed(Priority)]
    counted = ", ".join(f"{count} {label}" for label, count in counts if count)
    subject = f"{len(briefs)} {kind} in the last minutes: {counted}"
    first = briefs[0]
    lines = [
        subject,
        f"First: {headline(first)}",
        absolute(first.get_absolute_url()),
        f"All of them: {absolute(reverse('briefs:inbox'))}",
    ]
    return subject, "\n".join(lines)


def about_assigned(brief: Brief, by: str) -> Message:
    """`by`: who did it; empty if the persona did."""
    words = f"{quiet(by)} assigned this brief to you." if by else "This brief is yours."
    subject = f"Yours: {headline(brief)}"[:200]
    return subject, "\n".join([words, headline(brief), absolute(brief.get_absolute_url())])


def about_woken(brief: Brief, why: str) -> Message:
    """`why`: what woke it, as the log says it."""
    words = f"This brief of yours {quiet(why)}."
    subject = f"Awake: {headline(brief)}"[:200]
    return subject, "\n".join([words, headline(brief), absolute(brief.get_absolute_url())])


def about_mention(brief: Brief, by: str) -> Message:
    """What was written stays on the page: it may name people and addresses."""
    words = f"{quiet(by)} mentioned you"
    lines = [f"{words} in a comment.", headline(brief), absolute(brief.get_absolute_url())]
    return f"{words}: {headline(brief)}"[:200], "\n".join(lines)


def about_bulk(number: int, by: str) -> Message:
    briefs = "1 brief" if number == 1 else f"{number:,} briefs"
    words = f"{quiet(by)} assigned {briefs} to you"
    mine = f"{absolute(reverse('briefs:inbox'))}?state=mine"
    return words, f"{words}.\n{mine}"


def about_forgotten(briefs: Sequence[Brief]) -> Message:
    """The day's list; it names the most urgent ones."""
    count = len(briefs)
    subject = "1 brief was forgotten" if count == 1 else f"{count} briefs were forgotten"
    lines = [f"{subject}: nobody has them in hand."]
    for brief in briefs[:MOST_NAMED]:
        lines += [headline(brief), absolute(brief.get_absolute_url())]
    if count > MOST_NAMED:
        lines.append(f"All of them: {absolute(reverse('briefs:inbox'))}?assignee=nobody")
    return subject, "\n".join(lines)


def about_incident(cause: Cause) -> Message:
    """How many people of which message; it names none of them."""
    found = incidents.Extent.of(cause)
    subject = f"Incident: {found.words}, {_plain(cause.get_kind_display())} · {quiet(cause.name)}"
    lines = [
        subject,
        prose(incidents.usual_words(cause)),
        f"First step: {prose(incidents.first_step(cause.kind))}",
        absolute(cause.get_absolute_url()),
    ]
    return subject[:200], "\n".join(lines)


def about_owned_incident(cause: Cause, by: str) -> Message:
    """For its owner. `by`: who gave it to them."""
    subject, body = about_incident(cause)
    return f"Yours: {subject}"[:200], f"{quiet(by)} assigned this incident to you.\n{body}"


def about_alarm(alarm: Alarm) -> Message:
    """The alarm in its present state: new, still on, or over."""
    name = alarm.get_kind_display()
    if not alarm.is_open:
        over = f"Over: {name} (over since {clock_and_day(alarm.closed_at)})"
        return over, f"{over}. It had begun at {clock_and_day(alarm.opened_at)}."
    subject = f"Alarm: {name}"
    if alarm.times_told:
        subject = f"Still: {name} (since {clock_and_day(alarm.opened_at)})"
    return subject, f"{prose(alarm.words)}\n{absolute(reverse('admin:briefs_alarm_changelist'))}"


def about_test(name: str) -> Message:
    words = f"This is a test. Notifications for “{quiet(name)}” arrive here."
    return "Test of Savedesk", f"{words}\n{absolute(reverse('briefs:inbox'))}"


def customer_name(customer: Customer) -> str:
    """Name and id, without those that look like an e-mail address."""
    name, key = _plain(customer.name), _plain(customer.external_id or customer.cio_id or "")
    if not key:
        key = _plain(customer.cio_id or "") or f"customer {customer.pk}"
    return f"{name} ({key})" if name else key


def _plain(text: str) -> str:
    """One short line of what a customer may have written; empty if it looks like an address."""
    return "" if "@" in text or "%40" in text else quiet(text)


def _priority(priority: int) -> str:
    return str(Priority(priority).label)
