"""A customer: who they are, what they receive, their briefs, and one timeline over all of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.db.models import F, QuerySet, Value

from briefs.dossier import story
from briefs.dossier.attributes import Attributes
from briefs.dossier.endings import Ended, ended
from briefs.dossier.ways import Way, open_ways
from briefs.links import admin_url_for, company_url, person_url
from briefs.models import Activity, Brief, Signal
from briefs.models.signals import ABOUT_CHANNELS
from briefs.reading import channels
from personas.models import Customer, CustomerAlias, SubscriptionNames, preferences
from personas.rules.rulebook import PersonaMatch, Rulebook

if TYPE_CHECKING:
    from briefs.dossier.dossier import Situation

MOST_BRIEFS = 50  # of one customer
MOST_FORMER = 20  # identifiers of before
_SIGNAL, _ACTIVITY = "signal", "activity"


def personas_of(customers: Iterable[Customer]) -> dict[int, PersonaMatch]:
    """By the customers' keys: the personas that they have by the rules of today.

    Empty before the starter rules are loaded.
    """
    try:
        rulebook = Rulebook.load()
    except LookupError:
        return {}
    customers = list(customers)
    rulebook.read_memberships(customers)
    return {customer.pk: rulebook.persona_for(customer) for customer in customers}


class OfCustomer:
    """What the page of a brief and the page of a customer both show of the customer."""

    def __init__(self, customer: Customer, situation: "Situation") -> None:
        self.customer, self._situation = customer, situation

    @cached_property
    def attributes(self) -> Attributes:
        return Attributes(self.customer, self._situation.roles, self._situation.role_names)

    @property
    def person_url(self) -> str:
        return person_url(self.customer)

    @property
    def company_url(self) -> str:
        """The page of their company; empty if none is known."""
        return company_url(self.customer.company)

    @cached_property
    def routes(self) -> list[channels.Route]:
        """By which channels the customer may still be contacted."""
        signals = self.customer.signals.filter(kind__in=ABOUT_CHANNELS).order_by()
        return channels.routes(self.customer, signals, self._names)

    @cached_property
    def _names(self) -> SubscriptionNames:
        return SubscriptionNames.known()

    # How to reach them, for who may know it.

    @property
    def may_contact(self) -> bool:
        reader = self._situation.reader
        return reader is not None and reader.has_perm("personas.view_personal_data")

    @cached_property
    def ways(self) -> list[Way]:
        """Addresses and numbers to use; empty for who may not read personal data."""
        return open_ways(self.customer, self.routes) if self.may_contact else []

    @property
    def way_values(self) -> list[str]:
        return [way.value for way in self.ways]

    @cached_property
    def links(self) -> list[tuple[str, str]]:
        """Labels and addresses of the customer's pages in the team's other tools."""
        if not self.may_contact:
            return []
        reader, customer = self._situation.reader, self.customer
        return [
            (template.label, address)
            for template in self._situation.link_templates
            if reader.has_perm(template.readers) and (address := template.address_of(customer))
        ]


@dataclass(frozen=True, slots=True)
class Subscription:
    """A channel or a topic, and whether the customer wants it."""

    name: str
    is_on: bool


class CustomerDossier(OfCustomer):
    """All that the page of a customer shows. Each part is read when it is asked for."""

    @cached_property
    def persona_match(self) -> PersonaMatch | None:
        """The persona that they have by the rules of today, and why."""
        return personas_of([self.customer]).get(self.customer.pk)

    @property
    def admin_url(self) -> str:
        """The customer's page in the admin; empty for a reader who may not open it."""
        key = self.customer.pk
        return admin_url_for(self._situation.reader, "personas_customer_change", key)

    @cached_property
    def former(self) -> list[CustomerAlias]:
        """What they were known by before: also what came from a row merged into this one."""
        return list(self.customer.aliases.order_by("-replaced_at", "pk")[:MOST_FORMER])

    # What they receive.

    @property
    def channels(self) -> list[Subscription]:
        return self._subscriptions("channels")

    @property
    def topics(self) -> list[Subscription]:
        return self._subscriptions("topics")

    def _subscriptions(self, group: str) -> list[Subscription]:
        """What is known of their choices, by name."""
        known = preferences.values(self.customer.preferences).get(group, {})
        found = [
            Subscription(self._names.words(**{group: [key]}), is_on) for key, is_on in known.items()
        ]
        return sorted(found, key=lambda one: one.name.casefold())

    # Their briefs.

    @cached_property
    def _briefs(self) -> list[Brief]:
        newest = self.customer.briefs.order_by(F("closed_at").desc(nulls_first=True), "-pk")
        related = newest.select_related("persona", "assignee", "closing_reason", "offer")
        return list(related[: MOST_BRIEFS + 1])  # one more tells that there are more

    @property
    def open_brief(self) -> Brief | None:
        return next((brief for brief in self._briefs if brief.is_open), None)

    @property
    def past_briefs(self) -> list[Ended]:
        """The last that ended come first."""
        return ended(brief for brief in self._briefs[:MOST_BRIEFS] if not brief.is_open)

    @property
    def has_more_briefs(self) -> bool:
        return len(self._briefs) > MOST_BRIEFS


# One timeline over all briefs: what the customer did, and what was done. Comments and contacts are
# entries of the briefs' logs.

Key = tuple[datetime, str, int]


def timeline_keys(customer: Customer) -> QuerySet[Any, Key]:
    """When, of which kind and which row: all entries, newest first, to be cut into pages.

    Only the keys are sorted. A second report of an act is no entry of its own.
    """
    acts = Signal.objects.filter(customer=customer, same_act_as=None).order_by()
    logged = Activity.objects.filter(brief__customer=customer).order_by()
    signal_keys: Any = acts.annotate(of=Value(_SIGNAL)).values_list("happened_at", "of", "pk")
    activity_keys: Any = logged.annotate(of=Value(_ACTIVITY)).values_list("at", "of", "pk")
    both: QuerySet[Any, Key] = signal_keys.union(activity_keys, all=True)
    return both.order_by("-happened_at", "of", "-pk")


def entries(keys: Iterable[Key]) -> list[story.Entry]:
    """The entries of these keys in their order, in three queries for all."""
    keys = list(keys)
    acts = [pk for _, of, pk in keys if of == _SIGNAL]
    told = Signal.objects.in_bulk(acts)
    echoes = Signal.objects.filter(same_act_as__in=acts) if acts else []
    by_act = {one.signal.pk: one for one in story.happenings([*told.values(), *echoes])}
    logged = Activity.objects.select_related("actor").in_bulk(
        [pk for _, of, pk in keys if of == _ACTIVITY]
    )
    found = (
        story.of_act(by_act[pk])
        if of == _SIGNAL and pk in by_act
        else story.of_activity(logged[pk])
        if of == _ACTIVITY and pk in logged
        else None
        for _, of, pk in keys
    )
    return [entry for entry in found if entry]
