"""Logging a try to reach the customer. The first one is the brief's first touch."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from briefs.models import Brief, Calendar, ContactLog
from briefs.times import short_day
from briefs.triage import freshness
from webhooks.clock import database_now

TOOK = " · took it"  # the end of an entry in the log: the brief was unassigned before


class Contacting(StrEnum):
    """What came of it."""

    LOGGED = "logged"
    CLOSED = "closed"  # meanwhile somebody closed the brief


@dataclass(frozen=True, slots=True)
class Contact:
    """What somebody says of a try to reach the customer."""

    channel: str
    is_reached: bool
    note: str = ""
    next_date: date | None = None  # when to try again, or to do what was agreed
    why_moved: str = ""  # asked for if the next date moves what is due a second time

    @property
    def words(self) -> str:
        parts = [
            str(ContactLog.Channel(self.channel).label),
            "reached" if self.is_reached else "no answer",
        ]
        if self.next_date:
            why = f", because {self.why_moved}" if self.why_moved else ""
            parts.append(f"next on {short_day(self.next_date)}{why}")
        return " · ".join([*parts, self.note] if self.note else parts)


@transaction.atomic
def log(brief: Brief, actor: Any, based_on: str, contact: Contact) -> Contacting:
    """Log the contact; an unassigned brief becomes the actor's, and a snooze ends.

    What was due is done, or due again on the next date. Raises ValidationError with what is
    missing, Stale and PermissionDenied.
    """
    [actor] = freshness.locked_people(actor)
    brief = freshness.locked(brief, actor, "briefs.work_brief")
    if not brief.is_open:
        return Contacting.CLOSED
    entry = f"logged contact: {contact.words}"
    if freshness.was_sent_before(brief, actor, based_on, entry, entry + TOOK):
        return Contacting.LOGGED
    freshness.refuse_stale(brief, actor, based_on)
    calendar = Calendar.load()
    refuse_incomplete(brief, contact, calendar)
    ContactLog.objects.create(
        brief=brief,
        actor=actor,
        channel=contact.channel,
        is_reached=contact.is_reached,
        note=contact.note,
        next_date=contact.next_date,
    )
    due_at = None
    if contact.next_date:
        due_at = calendar.closing(calendar.working_day_from(contact.next_date))
    brief.contacted(entry if brief.assignee_id else entry + TOOK, actor, due_at)
    return Contacting.LOGGED


def refuse_incomplete(brief: Brief, contact: Contact, calendar: Calendar) -> None:
    """Raise ValidationError with what is wrong or missing, by the field of the contact."""
    faults = {}
    if contact.channel not in ContactLog.Channel.values:
        faults["channel"] = "Say how you tried to reach them."
    if contact.next_date:
        if contact.next_date < calendar.local_day(database_now()):
            faults["next_date"] = "This day is over."
        elif brief.is_due_moved and not (contact.why_moved or contact.note):
            faults["why_moved"] = "It was moved before: say why it is moved again."
    if faults:
        raise ValidationError(faults)
