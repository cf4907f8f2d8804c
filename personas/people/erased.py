"""Whether somebody was erased. Who keeps the tombstones says how that is found out.

Work that began before an erasure must not bring the person back: a worker may hold their
identifiers in memory. So whoever creates a row of a person asks in the same transaction.
"""

from collections.abc import Callable, Sequence

Identifiers = dict[str, str]
# Of each set of identifiers whether it names somebody erased; nobody of them can be erased until
# the transaction ends.
Check = Callable[[Sequence[Identifiers]], list[bool]]
_checks: list[Check] = []


def tell_by(check: Check) -> None:
    _checks[:] = [check]


def without_erased(people: list[Identifiers]) -> list[Identifiers]:
    """Those who may be known. Needs an open transaction."""
    for check in _checks:
        gone = check(people)
        people = [one for one, is_gone in zip(people, gone, strict=True) if not is_gone]
    return people


def allowed_members(cio_ids: list[str]) -> list[str]:
    """Of Customer.io's list of a segment, those who may be known. Needs an open transaction."""
    return [one["cio_id"] for one in without_erased([{"cio_id": one} for one in cio_ids])]
