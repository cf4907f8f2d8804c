"""Makes one customer of two rows that turned out to be the same person."""

from collections.abc import Iterable

from django.db import transaction

from briefs.models import Activity, Brief, Erasure, Priority, Signal
from briefs.models.priority import Judgement, shown
from briefs.notifying import personal
from briefs.pipeline.drafts import Draft
from briefs.research import sharing
from personas.models import Customer, Twin
from personas.people import identity
from personas.rules.rulebook import Rulebook
from webhooks.clock import database_now

MERGED = ("priority", "priority_reasons", "happened_at", "last_signal_at", "is_persona_wrong",
          "first_touch_at", "returned_from")  # fmt: skip
WOKE = "woke up: it took over a brief that was awake"
Pair = tuple[int, int]  # keys of two rows, the older one first


def merge_same(drafts: list[Draft], rulebook: Rulebook, looked_up: Iterable[Customer] = ()) -> None:
    """Merge the pairs that identifiers or look-ups revealed, one transaction each.

    `looked_up` are people whom no draft is about. A draft about a row that was merged into another
    is then about that other row, and its persona is that row's.
    """
    pairs: dict[Pair, Twin | None] = {
        (older.pk, newer.pk): None for draft in drafts for older, newer in draft.same_people
    }
    for person in (*looked_up, *(draft.customer for draft in drafts if draft.customer)):
        if person.twin:
            pairs[_pair(person.pk, person.twin.pk)] = person.twin
    kept: dict[int, Customer] = {}  # by the keys of both rows
    for (first, second), twin in sorted(pairs.items(), key=lambda pair: pair[0]):
        older, newer = _pair(*(kept[key].pk if key in kept else key for key in (first, second)))
        if older != newer and (customer := merge(older, newer, twin)):
            kept |= {key: customer for key, into in kept.items() if into.pk in (older, newer)}
            kept |= {older: customer, newer: customer}
    if kept:
        _move(drafts, kept, rulebook)


def _move(drafts: list[Draft], kept: dict[int, Customer], rulebook: Rulebook) -> None:
    """Let drafts be about the rows that were kept, with the persona of those rows."""
    for draft in drafts:
        if draft.customer and draft.customer.pk in kept:
            draft.customer = kept[draft.customer.pk]
            if draft.persona_match and draft.customer.fetched_at:
                draft.persona_match = rulebook.persona_for(draft.customer)
                draft.is_waiting_for_profile = False


def merge_twin(customer: Customer) -> Customer:
    """Merge with the row that the look-up showed to be the same person; returns the one kept."""
    if customer.twin is None:
        return customer
    try:
        return merge(*_pair(customer.pk, customer.twin.pk), customer.twin) or customer
    except ValueError:  # another look-up has shown that they are two people
        return customer


def _pair(one: int, other: int) -> Pair:
    return min(one, other), max(one, other)


@transaction.atomic
def merge(older_pk: int, newer_pk: int, twin: Twin | None = None) -> Customer | None:
    """Move everything of the newer row to the older one; None if one of them is gone by now.

    Two rows with a cio_id each are one person only if a look-up has shown that one of the two is
    gone: `twin` names both. Raises ValueError if they are two people. When the event is tried
    again, it finds the right one.
    """
    rows = list(
        Customer.objects.filter(pk__in=[older_pk, newer_pk]).order_by("pk").select_for_update()
    )
    if len(rows) != 2:
        return None
    older, newer = rows
    cio_ids = {older.cio_id, newer.cio_id}
    if None not in cio_ids and cio_ids != ({twin.cio_id, twin.gone} if twin else set()):
        raise ValueError(f"customers {older.pk} and {newer.pk} have a cio_id each: two people")
    _merge_briefs(older, newer)
    Brief.objects.filter(customer=newer).update(customer=older)
    Signal.objects.filter(customer=newer).update(customer=older)
    identity.absorb(older, newer, twin)
    Erasure.objects.filter(customer=newer_pk, ended_at=None).update(customer=older_pk)
    return older


def _merge_briefs(older: Customer, newer: Customer) -> None:
    """Of two open briefs keep one, with the signals and the activities of both."""
    open_ = (
        Brief.objects.open()
        .filter(customer__in=[older, newer])
        .select_related("persona", "assignee")
    )
    # In the order of their keys, as everybody locks briefs: two workers cannot deadlock.
    briefs = list(open_.order_by("pk").select_for_update(of=("self",)))
    if len(briefs) < 2:
        return
    kept, doubled = sorted(briefs, key=lambda b: (*_worth(b), b.customer_id == older.pk))[::-1]
    doubled.signals.update(brief=kept)
    Activity.keep_endings([doubled])
    doubled.activities.filter(code=Activity.Code.SAID).update(brief=kept)
    doubled.activities.update(brief=kept, code=None)  # no code: the kept brief has its own
    doubled.contacts.update(brief=kept)
    doubled.comments.update(brief=kept)
    kept.first_touch_at = min(
        filter(None, (kept.first_touch_at, doubled.first_touch_at)), default=None
    )
    kept.returned_from = kept.returned_from or doubled.returned_from
    reasons = shown(doubled.priority_reasons)
    kept.joined_by(Judgement(Priority(doubled.priority), reasons), doubled.happened_at)
    kept.last_signal_at = max(kept.last_signal_at, doubled.last_signal_at)
    kept.is_persona_wrong = kept.is_persona_wrong or doubled.is_persona_wrong
    kept.save(update_fields=MERGED)
    sharing.hurry([kept])
    doubled_was = doubled.state
    doubled.withdraw(f"the same person as in brief {kept.pk}: its signals are there")
    words = f"took over the signals of brief {doubled.pk}: the same person"
    if doubled.assignee and doubled.assignee != kept.assignee:
        words += f" · that brief was {doubled.assignee}'s"
    kept.log(words, is_raised=True)
    # Somebody saw its signals, who would not any more.
    if doubled_was != Brief.State.SNOOZED and kept.wake(WOKE):
        personal.tell_woken([kept], {kept.pk: WOKE}, database_now())


def _worth(brief: Brief) -> tuple[bool, ...]:
    """The brief with the greater value is kept; if equal, the brief of the older row.

    First comes whether somebody works on it, so that nobody loses the brief they work on.
    """
    return (
        brief.assignee_id is not None,
        brief.state == Brief.State.IN_PROGRESS,
        not brief.is_untouched,
        not brief.persona.is_unknown,
        brief.basis != Brief.Basis.PLAYBOOK,
        brief.research_id is not None,
    )
