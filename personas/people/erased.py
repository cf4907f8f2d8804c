"""Whether somebody was erased. Who keeps the tombstones says how that is found out.

Work that began before an erasure must not bring the person back: a worker may hold their
identifiers in memory. So whoever writes who a person is asks in the same transaction.
"""

from collections.abc import Callable, Sequence

Identifiers = dict[str, str]
# Of each set of identifiers whether it names somebody erased; nobody of them can be erased until
# the transaction ends.
Check = Callable[[Sequence[Identifiers]], list[bool]]
# Has the row of a customer erased, given its key, once the transaction was committed.
Order = Callable[[int], None]
_told: list[tuple[Check, Order]] = []


def tell_by(check: Check, order: Order) -> None:
    _told[:] = [(check, order)]


def are_erased(people: Sequence[Identifiers]) -> list[bool]:
    """Of each whether it names somebody erased. Needs an open transaction."""
    gone = [False] * len(people)
    for check, _ in _told:
        gone = check(people)
    return gone


def without_erased(people: list[Identifiers]) -> list[Identifiers]:
    """Those who may be known. Needs an open transaction."""
    gone = are_erased(people)
    return [one for one, is_gone in zip(people, gone, strict=True) if not is_gone]


def erase_again(customer: int) -> None:
    """The row of this key turned out to be of somebody erased. Needs an open transaction."""
    for _, order in _told:
        order(customer)


def allowed_members(cio_ids: list[str]) -> list[str]:
    """Of Customer.io's list of a segment, those who may be known. Needs an open transaction."""
    return [one["cio_id"] for one in without_erased([{"cio_id": one} for one in cio_ids])]
