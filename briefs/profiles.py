"""Briefs that wait for a profile: looked up again, then mapped anew or withdrawn."""

import logging
import time
from collections import defaultdict
from collections.abc import Iterator

from django.db import DatabaseError, transaction
from django.db.models import Max

from briefs import merging, research
from briefs.models import Activity, Brief, Priority, Signal
from briefs.models.briefs import BriefQuerySet
from briefs.notifying import outbox
from personas import lookups
from personas.customerio import BATCH_SIZE
from personas.models import AppApiHealth, Customer, Effect, Severity
from personas.rulebook import PersonaMatch, Rulebook

logger = logging.getLogger(__name__)

SECONDS = 10.0  # of one sweep, which has half a minute of other work; the next one goes on
BY_ADDRESS = 10  # people without an id: each costs two requests, so a look-up finds only so many
MAPPED = ("persona", "persona_why", "question_facts", "priority", "is_waiting_for_profile",
          "research", "is_sharing", "basis", "researched_at")  # fmt: skip


def catch_up() -> int:
    """Look up customers whose briefs wait and decide about these briefs; returns how many.

    Each customer is tried once. Ends when all were, when the time is used up, or when the App API
    says nothing about anybody.
    """
    decided = 0
    stop_at = time.monotonic() + SECONDS
    for keys in _batches():
        customers = list(Customer.objects.filter(pk__in=keys))
        trouble = lookups.refresh(customers)
        known = [merging.merge_twin(customer) for customer in customers if customer.fetched_at]
        decided += _decide_each(known)
        if (trouble and not known) or time.monotonic() >= stop_at:
            break
    research.wake()
    return decided


def _batches() -> Iterator[list[int]]:
    """The customers whose briefs wait, as many at a time as one look-up can find.

    In random order: whoever cannot be found today must not stand before the others for ever.
    """
    waiting = Customer.objects.filter(briefs__in=_waiting())
    if AppApiHealth.is_closed():  # somebody else's look-up may have found them meanwhile
        waiting = waiting.exclude(fetched_at=None)
    by_id: list[int] = []
    by_address: list[int] = []
    for key, *ids in waiting.order_by("?").values_list("pk", "cio_id", "external_id"):
        (by_id if any(ids) else by_address).append(key)
    yield from _slices(by_id, BATCH_SIZE)
    yield from _slices(by_address, BY_ADDRESS)


def _slices(keys: list[int], size: int) -> Iterator[list[int]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))


def _waiting() -> BriefQuerySet:
    return Brief.objects.open().filter(is_waiting_for_profile=True)


def _decide_each(customers: list[Customer]) -> int:
    """Decide all at once, or one by one where that fails: one of them must not stop the others."""
    try:
        return _decide(customers) if customers else 0
    except DatabaseError as error:  # its text may quote the row, and so the customer
        if len(customers) == 1:
            words = type(error).__name__
            logger.error("customer %d: brief not decided (%s)", customers[0].pk, words)
            return 0
        return sum(_decide_each([customer]) for customer in customers)


@transaction.atomic
def _decide(customers: list[Customer]) -> int:
    rulebook = Rulebook.load()
    matches = {customer.pk: rulebook.persona_for(customer) for customer in customers}
    by_key = {customer.pk: customer for customer in customers}
    briefs = list(_waiting().filter(customer__in=by_key).order_by("pk").select_for_update())
    pointless: dict[str, list[int]] = defaultdict(list)  # by the reason
    kept: list[Brief] = []
    for brief in briefs:
        brief.customer, match = by_key[brief.customer_id], matches[brief.customer_id]
        if brief.is_untouched and not match.persona.opens_brief:
            pointless[match.why].append(brief.pk)
        else:
            kept.append(brief)
    _withdraw(pointless)
    _map(kept, matches)
    return len(briefs)


def _withdraw(pointless: dict[str, list[int]]) -> None:
    for why, keys in pointless.items():
        words = f"the profile arrived: {why}, which opens no brief"
        Brief.objects.filter(pk__in=keys).close(Brief.Outcome.WITHDRAWN, words)


def _map(briefs: list[Brief], matches: dict[int, PersonaMatch]) -> None:
    severities = _severities(briefs)
    for brief in briefs:
        match = matches[brief.customer_id]
        brief.persona, brief.persona_why = match.persona, match.why
        brief.question_facts = match.question_facts
        brief.priority = Priority.of(severities.get(brief.pk, Severity.MEDIUM), match.persona)
        if brief.customer.is_deleted:
            brief.priority = Priority.LOW
        brief.is_waiting_for_profile = False
    _save(briefs)


def _severities(briefs: list[Brief]) -> dict[int, int]:
    """How severe each brief's worst signal is, of those that open briefs."""
    opening = Signal.objects.filter(brief__in=briefs, effect=Effect.OPENS_BRIEF)
    return dict(opening.values_list("brief").annotate(Max("severity")).order_by())


def _save(briefs: list[Brief]) -> None:
    research.attach(briefs)
    for brief in briefs:  # a CASE for each, as bulk_update writes it, takes three times as long
        brief.save(update_fields=MAPPED)
    Activity.objects.bulk_create(
        Activity(brief=brief, text=f"the profile arrived: {brief.persona_why}") for brief in briefs
    )
    outbox.tell_of_briefs(briefs)
