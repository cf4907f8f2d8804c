"""Makes one customer of two rows that turned out to be the same person."""

from django.db import transaction

from briefs.models import Brief, Signal
from briefs.pipeline.drafts import Draft
from briefs.research import sharing
from personas.models import Customer
from personas.people import identity


def merge_same(drafts: list[Draft]) -> None:
    """Merge the pairs that identifiers or look-ups revealed, one transaction each.

    A draft about a row that was merged into another is then about that other row.
    """
    pairs = {(older.pk, newer.pk) for draft in drafts for older, newer in draft.same_people}
    looked_up = [draft.customer for draft in drafts if draft.customer and draft.customer.twin_pk]
    pairs |= {_pair(customer) for customer in looked_up}
    for older_pk, newer_pk in sorted(pairs):
        kept = merge(older_pk, newer_pk)
        for draft in drafts:
            if kept and draft.customer and draft.customer.pk == newer_pk:
                draft.customer = kept


def merge_twin(customer: Customer) -> Customer:
    """Merge with the row that the look-up showed to be the same person; returns the one kept."""
    if customer.twin_pk is None:
        return customer
    try:
        return merge(*_pair(customer)) or customer
    except ValueError:  # another look-up has shown that they are two people
        return customer


def _pair(customer: Customer) -> tuple[int, int]:
    older, newer = sorted((customer.pk, customer.twin_pk or customer.pk))
    return older, newer


@transaction.atomic
def merge(older_pk: int, newer_pk: int) -> Customer | None:
    """Move everything of the newer row to the older one; None if one of them is gone by now.

    Raises ValueError if a look-up has shown meanwhile that they are two people. When the event is
    tried again, it finds the right one.
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
    """The brief with the greater value is kept; if equal, the brief of the older row.

    First comes whether somebody works on it, so that nobody loses the brief they work on.
    """
    return (
        not brief.is_untouched,
        not brief.persona.is_unknown,
        brief.basis != Brief.Basis.PLAYBOOK,
        brief.research_id is not None,
    )
