"""Logging a try to reach the customer. The first one is the brief's first touch."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from briefs.models import Activity, Brief, Calendar, ContactLog
from briefs.models.many import TOOK
from briefs.times import short_day
from briefs.triage import freshness
from webhooks.clock import database_now


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

    @property
    def code(self) -> str | None:
        """Of the entry in the timeline: the contact log has the note, and not the reason."""
        return Activity.Code.SAID if self.next_date and self.why_moved else None

    def entry(self, brief: Brief, actor: Any) -> ContactLog:
        """The row that keeps it, not saved yet."""
        return ContactLog(
            brief=brief,
            actor=actor,
            channel=self.channel,
            is_reached=self.is_reached,
            note=self.note,
            next_date=self.next_date,
        )


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
    refuse_incomplete(contact, calendar, is_moved=brief.is_due_moved)
    contact.entry(brief, actor).save()
    brief.contacted(entry, actor, due_at(contact, calendar), contact.code)
    return Contacting.LOGGED


def due_at(contact: Contact, calendar: Calendar) -> datetime | None:
    """When the next try is due, if a date was named."""
    if contact.next_date is None:
        return None
    return calendar.closing(calendar.working_day_from(contact.next_date))


def refuse_incomplete(contact: Contact, calendar: Calendar, *, is_moved: bool) -> None:
    """Raise ValidationError with what is wrong or missing, by the field of the contact.

    is_moved: whether somebody moved what is due before.
    """
    faults = {}
    if contact.channel not in ContactLog.Channel.values:
        faults["channel"] = "Say how you tried to reach them."
    if contact.next_date:
        if contact.next_date < calendar.local_day(database_now()):
            faults["next_date"] = "This day is over."
        elif is_moved and not (contact.why_moved or contact.note):
            faults["why_moved"] = "It was moved before: say why it is moved again."
    if faults:
        raise ValidationError(faults)
