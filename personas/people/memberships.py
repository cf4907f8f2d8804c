"""Which segments customers are in: read from our rows once for a batch, then given to matching."""

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

from django.db.models import F

from personas.models import Customer
from personas.models.conditions import Condition, fold
from personas.models.segments import (
    CustomerSegment,
    Membership,
    SegmentMember,
    named,
    names_in,
)


class Memberships:
    """The segments that conditions name. Nothing is read before somebody is asked for."""

    def __init__(self, conditions: Iterable[Condition]) -> None:
        self._conditions = conditions
        self._read: dict[str, set[int]] = {}  # by cio_id: keys of segments

    @cached_property
    def segments(self) -> dict[str, CustomerSegment | None]:
        """By their folded names as typed; None: there is none. One query, if any is named."""
        names = names_in(self._conditions)
        rows = list(CustomerSegment.objects.filter(is_named=True)) if names else []
        return {fold(name): named(rows, name) for name in names}

    def read(self, customers: Iterable[Customer]) -> None:
        """Read in one query which of the segments they are in: quicker than each by itself."""
        known = [one.pk for one in self.segments.values() if one and one.read_at]
        asked = {one.cio_id for one in customers if one.cio_id} - self._read.keys()
        if not known or not asked:
            return
        found: dict[str, set[int]] = defaultdict(set)
        # Of the reading that is complete when this is asked, which may be a newer one by now.
        rows = SegmentMember.objects.filter(
            segment__in=known, reading=F("segment__reading"), cio_id__in=asked
        )
        for cio_id, segment in rows.values_list("cio_id", "segment_id"):
            found[cio_id].add(segment)
        self._read |= {cio_id: found[cio_id] for cio_id in asked if cio_id}

    def of(self, customer: Customer) -> dict[str, Membership]:
        """For each segment whether the customer is in it, by its folded name as typed."""
        if not self.segments:
            return {}
        self.read([customer])
        inside = self._read.get(customer.cio_id or "")
        return {
            name: Membership(
                segment.name,
                None if inside is None or segment.read_at is None else segment.pk in inside,
                segment.read_at,
            )
            for name, segment in self.segments.items()
            if segment
        }
