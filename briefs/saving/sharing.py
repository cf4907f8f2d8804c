"""Who is taken out takes nobody along who ought to stay.

Two customers may be one person until a look-up says so; what they share then is an address.
"""

from collections.abc import Sequence

from django.db.models import Q

from briefs.models import SegmentMembership
from briefs.models.saving import to_be_in


def to_take_out(rows: Sequence[SegmentMembership]) -> list[SegmentMembership]:
    """Of these those whose removal takes out nobody else who is put in by the same identifier.

    Whoever shares an address with them under another identifier may be taken out by the same
    request, so they are to be put in once more. Call it before that request: if a worker is
    killed behind it, that is not forgotten.
    """
    addresses = {row.customer.email for row in rows if row.customer.email}
    if not addresses:
        return list(rows)
    kept = _put_in_by(addresses)
    apart = [row for row in rows if row.identifier and row.identifier not in kept]
    _tell_again(apart)
    return apart


def _put_in_by(addresses: set[str]) -> set[tuple[str, str]]:
    """The identifiers, of these addresses, by which somebody with an open brief is put in."""
    by_address = to_be_in().filter(
        customer__cio_id=None, customer__external_id=None, customer__email__in=addresses
    )
    return {("email", one) for one in by_address.values_list("customer__email", flat=True)}


def _tell_again(rows: Sequence[SegmentMembership]) -> None:
    """Two different cio_ids are two people."""
    addresses = {row.customer.email for row in rows if row.customer.email}
    unsure = {row.customer.email for row in rows if not row.customer.cio_id}
    theirs = Q(customer__email__in=addresses, customer__cio_id=None) | Q(
        customer__email__in=unsure - {""}
    )
    members = SegmentMembership.objects.filter(theirs, is_member=True).wanted()
    members.exclude(pk__in=[row.pk for row in rows]).update(is_member=False)
