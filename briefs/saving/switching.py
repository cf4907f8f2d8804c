"""Turns the segment on and off: finds it at Customer.io by its name, or makes it."""

from dataclasses import dataclass

from briefs.models import SavingSegment
from providers.customerio import AppApi
from providers.segments import Segment

NAME = "Savedesk: open briefs"
DESCRIPTION = (
    "Customers whom somebody is talking to: they have an open brief in Savedesk, which keeps this "
    "segment by itself. Whoever is put in by hand is taken out at night."
)


class Unsuitable(Exception):
    """This segment cannot or must not be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Which segment would be used; None if one would be made of this name."""

    name: str
    segment: Segment | None


def plan(api: AppApi, name: str, *, may_take_over: bool) -> Plan:
    """Look for the segment. Raises Unsuitable, and LookupFailed as the App API does."""
    row = SavingSegment.objects.filter(pk=1).first()
    found = [one for one in api.segments() if one.name == name]
    # Of several with this name ours is meant, else the oldest.
    found.sort(key=lambda one: (row is None or one.id != row.segment_id, one.id))
    if not found:
        return Plan(name, None)
    segment = found[0]
    if not segment.is_manual:
        raise Unsuitable(
            f"“{name}” (id {segment.id}) is made of conditions, and only a manual segment can be "
            "filled. Choose another name with --name."
        )
    is_ours = row is not None and row.segment_id == segment.id
    if not (is_ours or may_take_over) and api.segment_members(segment.id, most=1).people:
        raise Unsuitable(
            f"“{name}” (id {segment.id}) is there, and people are in it. Savedesk would take out "
            "everybody who has no open brief. Add --take-over if that is right, or choose another "
            "name with --name."
        )
    return Plan(name, segment)


def turn_on(api: AppApi, chosen: Plan) -> Segment:
    """Make the segment if it is not there, and keep it from now on."""
    segment = chosen.segment or api.create_segment(chosen.name, DESCRIPTION)
    SavingSegment.turn_on(segment.id, segment.name)
    return segment
