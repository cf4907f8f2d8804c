"""Keeps what people are called as Customer.io calls them, and finds those who were merged there.

Events and look-ups renew identifiers. Whether an event is older than what is known is decided by
look-ups, by replaced identifiers, and by the other events of the person.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.db.models.functions import Coalesce, Now

from briefs.models import Brief, Signal
from briefs.pipeline import merging
from briefs.pipeline.drafts import Draft
from personas.models import AppApiHealth, Customer
from personas.people import identity, lookups
from personas.people.identity import SHARED
from providers.customerio import BATCH_SIZE

CHECKED_EVERY = timedelta(days=1)
WITHOUT_ID = 5  # people in one check: each of them costs two requests
# No plain column: along its index PostgreSQL would pass a million customers without a brief.
_SORTED = Coalesce("fetched_at", Now())
NEWEST = 50  # signals of one person, to know what was stated later


def renew(drafts: list[Draft]) -> None:
    """Renew the identifiers that events state otherwise than the rows; the former stay aliases."""
    stating = [draft for draft in drafts if draft.customer and draft.states_otherwise]
    if not stating:
        return
    about = defaultdict(list)
    for draft in drafts:
        if draft.customer:
            about[draft.customer.pk].append(draft)
    for draft in sorted(stating, key=lambda draft: (draft.person.pk, draft.happened_at)):
        stated = draft.states_otherwise
        outdated = _outdated(draft, stated, about[draft.person.pk])
        identity.renew(draft.person, stated, draft.happened_at, outdated)
        for other in about[draft.person.pk]:
            other.customer = draft.person


def _outdated(draft: Draft, stated: identity.Identifiers, batch: Iterable[Draft]) -> set[str]:
    """The kinds of which something later is known than the event, by a look-up or by events."""
    person, at = draft.person, draft.happened_at
    outdated = set()
    if person.fetched_at and person.fetched_at > at:
        outdated = {kind for kind in stated if person.attributes.get(kind)}
    later = [other.named for other in batch if other.happened_at > at]
    signals = Signal.objects.filter(customer=person, happened_at__gt=at, event__isnull=False)
    for identifiers in signals.values_list("event__identifiers", flat=True)[:NEWEST]:
        later.append(identity.normalise(identifiers))
    for named in later:
        if named.get("cio_id") == person.cio_id:
            outdated |= {kind for kind, value in stated.items() if named.get(kind, value) != value}
    return outdated


def look_up_namesakes(drafts: list[Draft]) -> list[Customer]:
    """Look up everybody who shares an address or a number with somebody whom a brief is about.

    Where two of them were merged in Customer.io, the look-up shows it: see `Customer.twin`.
    Returns those looked up whom no draft is about.
    """
    if lookups.is_never_possible():
        return []
    people = {d.person.pk: d.person for d in drafts if d.customer and d.wants_brief}
    keys = {key for kind in SHARED for key in _sharing(kind, people.values())}
    just_asked = {d.person.pk for d in drafts if d.customer and d.is_looked_up}
    others = list(Customer.objects.filter(pk__in=keys - set(people))) if keys else []
    again = [people[key] for key in keys & set(people) - just_asked]
    lookups.refresh([*again, *others], force=True)
    return others


def _sharing(kind: str, people: Iterable[Customer]) -> list[int]:
    """The rows that share this identifier of these people; first those with an open brief."""
    values = {value for person in people if (value := getattr(person, kind))}
    shared = Customer.objects.all().shared(kind, sorted(values)) if values else []
    if not shared:
        return []
    is_open = Exists(Brief.objects.open().filter(customer=OuterRef("pk")))
    found = Customer.objects.filter(**{f"{kind}__in": shared}).order_by(is_open.desc(), "pk")
    return list(found.values_list("pk", flat=True)[:BATCH_SIZE])


def check_open() -> int:
    """Once a day look everybody up who has an open brief; returns how many were looked up now.

    Renews identifiers, marks people who were deleted, and merges those who were merged in
    Customer.io. In the background: up to a hundred a minute, and none while others ask.
    """
    if AppApiHealth.is_closed() or lookups.is_never_possible():
        return 0
    due = Customer.objects.filter(
        Exists(Brief.objects.open().filter(customer=OuterRef("pk"))),
        fetched_at__lt=Now() - CHECKED_EVERY,
    ).order_by(_SORTED, "pk")
    people = [
        *due.exclude(cio_id=None, external_id=None)[:BATCH_SIZE],
        *due.filter(cio_id=None, external_id=None)[:WITHOUT_ID],
    ]
    before = {person.pk: person.fetched_at for person in people}
    lookups.refresh(people, force=True, in_background=True)
    for person in people:
        merging.merge_twin(person)
    return sum(person.fetched_at != before[person.pk] for person in people)
