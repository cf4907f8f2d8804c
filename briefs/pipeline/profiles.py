"""Briefs that wait for a profile: looked up again, then mapped anew or withdrawn."""

import logging
import random
import time
from collections import defaultdict
from collections.abc import Collection, Iterator

from django.db import DatabaseError, transaction
from django.db.models import Max

from briefs.models import Activity, Brief, Signal, Yardstick
from briefs.models.queryset import BriefQuerySet
from briefs.models.turns import assign_by_persona
from briefs.notifying import outbox, personal
from briefs.pipeline import merging
from briefs.reading.deadlines import Deadlines
from briefs.research import sharing, working
from personas.models import AppApiHealth, Customer, Effect, Severity
from personas.models.value import WORTH
from personas.people import lookups
from personas.rules.rulebook import PersonaMatch, Rulebook
from providers.customerio import BATCH_SIZE
from webhooks.clock import database_now

logger = logging.getLogger(__name__)

SECONDS = 10.0  # in one sweep, which also does other work; the next sweep continues
BY_ADDRESS = 10  # people at a time who have no id: each of them costs two requests
MAPPED = ("persona", "persona_why", "rules_version", "question_facts", "priority",
          "priority_reasons", "is_waiting_for_profile", "research", "is_sharing", "basis",
          "researched_at", "assignee", "due_at", "value_sort", *WORTH)  # fmt: skip


def catch_up() -> int:
    """Look up customers whose briefs wait and decide about these briefs; returns how many.

    Each customer is tried once. Ends when all were tried, when the time is used up, or when a
    look-up fails for all. Without an App API key, all briefs that wait are shown as they are.
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
    if lookups.is_never_possible():
        _stop_waiting()
    working.wake()
    return decided


def _batches() -> Iterator[list[int]]:
    """The customers whose briefs wait, as many at a time as one look-up can find.

    In random order, so that customers who cannot be found do not always come before the others.
    """
    waiting = Customer.objects.filter(briefs__in=_waiting())
    if AppApiHealth.is_closed() or lookups.is_never_possible():
        waiting = waiting.exclude(fetched_at=None)  # an earlier look-up may have found these
    by_id: list[int] = []
    by_address: list[int] = []
    for key, *ids in waiting.order_by("?").values_list("pk", "cio_id", "external_id"):
        (by_id if any(ids) else by_address).append(key)
    failures = AppApiHealth.current().failures
    kinds = [_parts(by_id, BATCH_SIZE, failures), _parts(by_address, BY_ADDRESS, failures)]
    if failures:  # the kind that failed must not always come first
        random.shuffle(kinds)
    for parts in kinds:
        yield from parts


def _parts(keys: list[int], largest: int, failures: int) -> Iterator[list[int]]:
    """Split the keys into parts: the first is halved for each failed look-up, the next ones grow.

    `failures` counts the look-ups that failed since one succeeded. The App API may fail for one
    person only: in smaller parts the others are found sooner or later. In an outage the one look-up
    that may be tried is smaller too.
    """
    size = min(largest, len(keys)) >> failures
    start = 0
    while start < len(keys):
        size = max(size, 1)
        yield keys[start : start + size]
        start += size
        size = min(2 * size, largest)


def _waiting() -> BriefQuerySet:
    return Brief.objects.open().filter(is_waiting_for_profile=True)


def _decide_each(customers: list[Customer]) -> int:
    """Decide about all at once; if that fails one by one, so that only the bad one is left out."""
    try:
        return _decide(customers) if customers else 0
    except DatabaseError as error:  # its text may quote the row: no customer in the log
        if len(customers) == 1:
            words = type(error).__name__
            logger.error("customer %d: brief not decided (%s)", customers[0].pk, words)
            return 0
        return sum(_decide_each([customer]) for customer in customers)


@transaction.atomic
def _stop_waiting() -> None:
    """Show the briefs that wait for a profile: without a key none will ever be looked up."""
    waiting = _waiting().select_related("customer", "persona").order_by("pk")
    briefs = list(waiting.select_for_update(of=("self",)))
    Brief.objects.filter(pk__in=[brief.pk for brief in briefs]).update(is_waiting_for_profile=False)
    _begin(briefs)
    Brief.objects.bulk_update(briefs, ["due_at"], batch_size=200)
    for brief in briefs:
        brief.is_waiting_for_profile = False
    words = "no longer waits for the profile: the App API of Customer.io is not connected"
    Activity.objects.bulk_create(Activity(brief=brief, text=words) for brief in briefs)
    outbox.tell_of_briefs(briefs)


@transaction.atomic
def _decide(customers: list[Customer]) -> int:
    rulebook = Rulebook.load()
    rulebook.read_memberships(customers)
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
    worst, yardstick = severities(briefs), Yardstick.load()
    for brief in briefs:
        severity = worst.get(brief.pk, Severity.MEDIUM)
        map_anew(brief, matches[brief.customer_id], severity, yardstick)
    _begin(briefs)
    assigned = assign_by_persona(briefs)
    sharing.attach(briefs)
    save(briefs)
    Activity.objects.bulk_create(assigned)
    outbox.tell_of_briefs(briefs)
    personal.tell_assigned([entry.brief for entry in assigned])


def _begin(briefs: Collection[Brief]) -> None:
    """The time for the first step begins when the profile is there. Saves nothing."""
    if briefs:
        deadlines, now = Deadlines(briefs), database_now()
        for brief in briefs:
            brief.due_at = deadlines.of(brief, now)


def map_anew(brief: Brief, match: PersonaMatch, severity: int, yardstick: Yardstick) -> None:
    """Set the persona and what it decides; `severity` is the worst signal's. Saves nothing."""
    brief.persona, brief.persona_why = match.persona, match.why
    brief.rules_version = match.version
    brief.question_facts = match.question_facts
    yardstick.value(brief, brief.customer)
    brief.is_judged(yardstick.judge(severity, match.persona, brief.customer, brief, brief.kind))
    brief.is_waiting_for_profile = False


def may_be_mapped(brief: Brief) -> bool:
    """Whether a signal that brings a profile maps this brief anew.

    Not a brief that waits for its profile, because the sweep maps it, and not one that somebody
    works on, because its persona must not change then.
    """
    is_shown = brief.is_untouched and not brief.is_waiting_for_profile
    return bool(brief.pk) and is_shown and brief.persona.is_unknown


def severities(briefs: Collection[Brief]) -> dict[int, int]:
    """The highest severity of each brief's signals that open briefs."""
    opening = Signal.objects.filter(brief__in=briefs, effect=Effect.OPENS_BRIEF)
    return dict(opening.values_list("brief").annotate(Max("severity")).order_by())


def save(briefs: Collection[Brief]) -> None:
    """Save briefs that were mapped anew, and add a line to their timelines."""
    for brief in briefs:  # bulk_update, with a CASE for each brief, takes three times as long
        brief.save(update_fields=MAPPED)
    Activity.objects.bulk_create(
        Activity(
            brief=brief,
            text=f"the profile arrived: {brief.persona_why}",
            code=Activity.Code.PROFILE_ARRIVED,
        )
        for brief in briefs
    )
