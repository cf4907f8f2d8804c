"""What arrived since a page of a brief was made, so that nobody decides without knowing it."""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, field, fields
from typing import Any, Self

from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, Q

from briefs.dossier import story
from briefs.models import Activity, Brief, CauseEntry, Priority, Signal
from personas.models import Persona


@dataclass(frozen=True, slots=True)
class Seen:
    """What a page showed of a brief. Its text travels in the page's forms as `based_on`.

    The revision says whether anything changed, and the rest says what did. Keys tell signals and
    activities that are new. The number of signals tells that older ones came from another brief of
    the same person. Further reports of an act that is known are not counted.
    """

    revision: int
    signals: int
    newest_signal: int
    newest_activity: int
    priority: int
    persona: int
    assignee: int  # 0: nobody

    @classmethod
    def of(cls, brief: Brief) -> Self:
        acts = Signal.objects.filter(brief=brief, same_act_as=None)
        signals = acts.aggregate(number=Count("pk"), newest=Max("pk"))
        newest = Activity.objects.filter(brief=brief).aggregate(newest=Max("pk"))["newest"]
        return cls(
            revision=brief.revision,
            signals=signals["number"],
            newest_signal=signals["newest"] or 0,
            newest_activity=newest or 0,
            priority=brief.priority,
            persona=brief.persona_id,
            assignee=brief.assignee_id or 0,
        )

    @classmethod
    def read(cls, text: str) -> Self | None:
        """What the form was based on; None if it does not say so in a way that we understand."""
        parts = text.split("-")
        # Eighteen digits at most: a database takes no larger key.
        are_numbers = all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts)
        if not are_numbers or len(parts) != len(fields(cls)):
            return None
        return cls(*map(int, parts))

    def __str__(self) -> str:
        return "-".join(map(str, astuple(self)))


@dataclass(frozen=True, slots=True)
class News:
    """What a person must know before they decide. It is false if there is nothing."""

    happenings: list[story.Happening] = field(default_factory=list)  # what the customer did
    # What others did with the brief, or about the incident.
    activities: Sequence[Activity | CauseEntry] = ()
    changes: list[str] = field(default_factory=list)  # in words
    is_unknown: bool = False  # the form does not say what it was based on

    def __bool__(self) -> bool:
        return bool(self.happenings or self.activities or self.changes or self.is_unknown)


class Stale(Exception):
    """Nothing was done, because this arrived since the page was made."""

    def __init__(self, news: News) -> None:
        super().__init__("the brief has changed since this page was made")
        self.news = news


def locked_people(*people: Any) -> list[Any]:
    """These people as they are now, locked until the transaction ends, without remembered rights.

    Else somebody who is deactivated at this moment would have a brief in hand. Call it before a
    brief is locked, as everybody does.
    """
    keys = {person.pk for person in people}
    rows = get_user_model()._default_manager.filter(pk__in=keys)
    by_key = {row.pk: row for row in rows.order_by("pk").select_for_update(no_key=True)}
    return [by_key[person.pk] for person in people]


def locked(brief: Brief, actor: Any, permission: str) -> Brief:
    """The brief as it is now, locked until the transaction ends. Raises PermissionDenied."""
    if not actor.has_perm(permission):
        raise PermissionDenied(permission)
    related = Brief.objects.select_related(
        "persona", "assignee", "research", "closing_reason", "offer"
    )
    return related.select_for_update(of=("self",)).get(pk=brief.pk)


def was_sent_before(brief: Brief, actor: Any, based_on: str, *words: str) -> bool:
    """Whether the actor did this from the very same page: a second click. Needs the brief's lock.

    `words`: any of them is the entry in the log that the act writes.
    """
    seen = Seen.read(based_on)
    own = brief.activities.filter(actor=actor, text__in=words)
    return seen is not None and own.filter(pk__gt=seen.newest_activity).exists()


def refuse_stale(brief: Brief, actor: Any, based_on: str) -> None:
    """Raise Stale if the actor must know something first. Needs the brief's lock."""
    if news := since(brief, actor, based_on):
        raise Stale(news)


def since(brief: Brief, actor: Any, based_on: str) -> News:
    """What arrived since: signals, what others did, another priority or persona.

    Research that arrived is no news here, and neither is what the actor did on another page.
    """
    seen = Seen.read(based_on)
    if seen is None:
        return News(is_unknown=True)
    if seen.revision == brief.revision:
        return News()
    acts = Signal.objects.filter(brief=brief, same_act_as=None)
    signals = list(acts.filter(pk__gt=seen.newest_signal))
    others = Q(actor=None) | ~Q(actor=actor)
    activities = brief.activities.filter(others, pk__gt=seen.newest_activity)
    # A signal that joins writes its entry at the same moment: it is shown once.
    joined = Q(actor=None, at__in=[signal.created_at for signal in signals])
    return News(
        happenings=story.happenings(signals),
        activities=list(activities.exclude(joined).select_related("actor")),
        changes=list(_changes(brief, seen, acts.count() - len(signals))),
    )


def _changes(brief: Brief, seen: Seen, known: int) -> Iterator[str]:
    """In words what changed besides; known: how many of its signals are not new."""
    if known > seen.signals:
        yield "Signals of another brief of the same person belong to this one now."
    if known < seen.signals:
        yield "A signal that was here belongs to it no more."
    if brief.priority != seen.priority:
        before = dict(Priority.choices).get(seen.priority, "another")
        yield f"The priority is {Priority(brief.priority).label} now; it was {before}."
    if brief.persona_id != seen.persona:
        persona = Persona.objects.filter(pk=seen.persona).first()
        yield f"The persona is “{brief.persona}” now; it was “{persona or 'one that is gone'}”."
