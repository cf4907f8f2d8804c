"""Makes one customer of two rows that turned out to be the same person."""

from django.db import transaction

from briefs.models import Brief, Signal
from briefs.pipeline.drafts import Draft
from briefs.research import sharing
from personas.models import Customer
from personas.people import identity


def merge_same(drafts: list[Draft]) -> None:
    """Merge the pairs that identifiers or look-ups revealed, one transaction each.

    A draft of a row that is gone afterwards is then about the row that is left.
    """
    pairs = {(older.pk, newer.pk) for draft in drafts for older, newer in draft.same}
    looked_up = [draft.customer for draft in drafts if draft.customer and draft.customer.twin_pk]
    pairs |= {_pair(customer) for customer in looked_up}
    for older_pk, newer_pk in sorted(pairs):
        kept = merge(older_pk, newer_pk)
        for draft in drafts:
            if kept and draft.customer and draft.customer.pk == newer_pk:
                draft.customer = kept


def merge_twin(customer: Customer) -> Customer:
    """Merge with the row that the look-up of this one revealed, if it did; returns what is left."""
    if customer.twin_pk is None:
        return customer
    try:
        return merge(*_pair(customer)) or customer
    except ValueError:  # two people by now
        return customer


def _pair(customer: Customer) -> tuple[int, int]:
    older, newer = sorted((customer.pk, customer.twin_pk or customer.pk))
    return older, newer


@transaction.atomic
def merge(older_pk: int, newer_pk: int) -> Customer | None:
    """Move everything of the newer row to the older one; None if one of them is gone by now.

    Raises ValueError if a look-up has shown meanwhile that they are two people; trying the event
    again finds the right one.
    """
    rows = list(
        Customer.objects.filter(pk__in=[older_pk, newer_pk]).order_by("pk").select_for_update()
    )
    if len(rows) != 2:
        return None
    older, newer = rows
    if older.cio_id and newer.cio_id:
        raise ValueError(f"customers {older.pk} and {newer.pk} have a cio_id each: two people")
    kept, doubled = _open_brief(older), _open_brief(newer)
    if kept and doubled:
        if _worth(doubled) > _worth(kept):
            kept, doubled = doubled, kept
        doubled.signals.update(brief=kept)
        kept.joined_by(doubled.priority, doubled.happened_at)
        kept.save(update_fields=["priority", "happened_at"])
        sharing.hurry([kept])
        doubled.withdraw(f"the same person as in brief {kept.pk}: its signals are there")
        kept.log(f"took over the signals of brief {doubled.pk}: the same person")
    Brief.objects.filter(customer=newer).update(customer=older)
    Signal.objects.filter(customer=newer).update(customer=older)
    identity.absorb(older, newer)
    return older


def _open_brief(customer: Customer) -> Brief | None:
    briefs = Brief.objects.open().filter(customer=customer).select_related("persona")
    return briefs.select_for_update(of=("self",)).first()


def _worth(brief: Brief) -> tuple[bool, ...]:
    """Which of two briefs is kept: the greater one, and the older person's where they are equal.

    A brief is never taken out of somebody's hands.
    """
    return (
        not brief.is_untouched,
        not brief.persona.is_unknown,
        brief.basis != Brief.Basis.PLAYBOOK,
        brief.research_id is not None,
    )
