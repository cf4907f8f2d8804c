"""A row of the inbox: what its cells say, as plain words.

Each word is looked up once, here. A template finds a name by trying, which for a page of 25 rows
took as long as everything else together.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote

from briefs.dossier.dossier import Dossier
from briefs.links import numbered
from briefs.models import Brief, Cause
from personas.models import Customer


@dataclass(frozen=True)
class Place:
    """What all rows of a list share."""

    here: str  # the query string of the list
    path: str  # its address, to which a form comes back
    is_of_closed: bool  # whether it is the tab of closed briefs
    may_work: bool

    @cached_property
    def way_back(self) -> str:
        return f"?from={quote(self.here, safe='')}" if self.here else ""

    @cached_property
    def next(self) -> str:
        return f"?next={quote(self.path, safe='')}"


@dataclass(frozen=True, slots=True)
class Row:
    key: int
    revision: int
    is_open: bool
    is_of_fold: bool
    address: str
    priority: int
    name: str  # of the customer, or else what they are known by
    below_name: str
    title: str
    state: str  # in words; empty where it goes without saying
    incident: Cause | None
    same_message: int  # how many briefs of the same message a fold of the list holds
    persona: str
    came_back: str
    first_step: str
    dossier: Dossier  # for how a closed brief ended
    month: str  # what the customer is worth a month; empty if that is unknown
    plan: str
    basis: str
    research: str
    why_no_research: str
    assignee: Any
    contact_address: str  # empty where no contact may be logged
    at: datetime | None  # when it was opened; in the tab of closed ones when it was closed
    due_at: datetime | None
    is_overdue: bool

    def __getitem__(self, name: str) -> Any:
        """So a template looks a name up first, and catches an exception where it cannot."""
        return getattr(self, name)


def row(dossier: Dossier, place: Place, *, folded: int = 0, is_of_fold: bool = False) -> Row:
    """folded: how many briefs of the same cause a fold of the list holds."""
    brief, customer = dossier.brief, dossier.customer
    called, known_as = customer.name, str(customer)
    is_open = brief.is_open
    has_incident = not is_of_fold and brief.cause is not None and brief.cause.is_open
    news = dossier.came_back
    return Row(
        key=brief.pk,
        revision=brief.revision,
        is_open=is_open,
        is_of_fold=is_of_fold,
        address=brief.get_absolute_url() + place.way_back,
        priority=brief.priority,
        name=called or known_as,
        below_name=_below_name(customer, called),
        title=brief.title,
        state=_state(brief, place),
        incident=brief.cause if has_incident else None,
        same_message=0 if is_of_fold or has_incident else folded,
        persona=dossier.persona.name,
        came_back=news.title if news else "",
        first_step=dossier.first_step if is_open else "",
        dossier=dossier,
        month="" if brief.value_month is None else brief.month_words,
        plan=dossier.attributes.plan,
        basis=brief.basis,
        research=dossier.research.state,
        why_no_research=dossier.research.why_not_there,
        assignee=brief.assignee,
        contact_address=_contact_address(brief, place),
        at=brief.closed_at if place.is_of_closed else brief.created_at,
        due_at=None if place.is_of_closed or not is_open else brief.due_at,
        is_overdue=not place.is_of_closed and brief.is_overdue,
    )


def _below_name(customer: Customer, called: str) -> str:
    """The address, unless it is the name itself."""
    if called:
        return customer.email or str(customer)
    return customer.email if customer.external_id else ""


def _state(brief: Brief, place: Place) -> str:
    if not brief.is_open:
        return "" if place.is_of_closed else "Closed"
    if brief.is_waiting_for_profile:
        return "Waiting for profile"
    return "" if brief.state == Brief.State.NEW else str(Brief.State(brief.state).label)


def _contact_address(brief: Brief, place: Place) -> str:
    if not (brief.is_open and place.may_work):
        return ""
    return numbered("briefs:contact").format(brief.pk) + place.next
