"""The rows that a batch of events touches, read under the lock of their customers."""

from collections import defaultdict
from dataclasses import dataclass, field

from django.utils import timezone

from briefs.models import Brief, Cause, Signal, Yardstick
from briefs.models.signals import SAME_ACT_WITHIN
from briefs.pipeline import profiles, rereading
from briefs.pipeline.drafts import Draft
from personas.models import Customer, SignalKind
from webhooks.parsing import SKEW


@dataclass(slots=True)
class Batch:
    """Read in a few queries; what the events of the batch change is collected in it."""

    customers: dict[int, Customer]
    briefs: dict[int, Brief]  # by customer: the open one
    signals: dict[int, Signal]  # by event: those written by an earlier run
    past: dict[int, rereading.Past]  # by event: as that run left them
    recent: dict[int, list[Signal]]  # by customer: of about the same time, to recognise echoes
    opt_ins: dict[int, list[Signal]]  # by customer: channels that were turned on again
    severities: dict[int, int]  # by brief that a profile may map: its worst so far
    yardstick: Yardstick
    opened: list[Brief] = field(default_factory=list)
    joined: dict[int, Brief] = field(default_factory=dict)
    mapped: dict[int, Brief] = field(default_factory=dict)  # already open, persona known now
    raised: list[Brief] = field(default_factory=list)  # already open, and more urgent now
    caused: dict[int, Cause] = field(default_factory=dict)  # already open, message known now
    woken: dict[int, str] = field(default_factory=dict)  # snoozed ones, with what woke them


def read(drafts: list[Draft], past: dict[int, rereading.Past]) -> Batch:
    """What the drafts are about, as it is under the lock. Needs an open transaction."""
    people = {draft.person.pk: draft.person for draft in drafts}
    keys = sorted(people)
    customers = _lock(people)  # all else is read under the lock
    open_ = Brief.objects.open().filter(customer__in=keys).select_related("persona")
    briefs = list(open_.order_by("pk").select_for_update(of=("self",)))
    earlier = Signal.objects.filter(event__in=[draft.event.pk for draft in drafts])
    signals = {signal.pk: signal for signal in earlier.select_related("brief")}
    recent: dict[int, list[Signal]] = defaultdict(list)
    moments = [draft.happened_at for draft in drafts]
    first, last = min(moments) - SAME_ACT_WITHIN, max(moments) + SAME_ACT_WITHIN
    others = Signal.objects.filter(
        customer__in=keys, happened_at__gte=first, happened_at__lte=last
    ).exclude(pk__in=signals)
    ours = [
        s for s in signals.values() if s.customer_id in people and first <= s.happened_at <= last
    ]
    for signal in sorted(
        [*ours, *others.select_related("brief")], key=lambda s: (s.happened_at, s.pk), reverse=True
    ):
        recent[signal.customer_id].append(signal)
    opt_ins: dict[int, list[Signal]] = defaultdict(list)
    turned_off = {d.person.pk for d in drafts if d.rule.kind == SignalKind.CHANNEL_OPT_OUT}
    if turned_off:
        turned_on = Signal.objects.filter(kind=SignalKind.CHANNEL_OPT_IN, customer__in=turned_off)
        for signal in turned_on.filter(happened_at__gt=min(moments)):
            opt_ins[signal.customer_id].append(signal)
    return Batch(
        customers=customers,
        briefs={brief.customer_id: brief for brief in briefs},
        signals={signal.event_id: signal for signal in signals.values() if signal.event_id},
        past=past,
        recent=recent,
        opt_ins=opt_ins,
        severities=profiles.severities(
            [brief for brief in briefs if profiles.may_be_mapped(brief)]
        ),
        yardstick=Yardstick.load(),
    )


def _lock(people: dict[int, Customer]) -> dict[int, Customer]:
    """Lock these customers, and read again what another batch may have written meanwhile.

    Only the subscription is read again. A customer who was erased meanwhile is not returned.
    """
    rows = Customer.objects.filter(pk__in=people).order_by("pk").select_for_update()
    latest = timezone.now() + SKEW
    customers = {}
    for pk, is_off, at in rows.values_list("pk", "is_unsubscribed", "subscription_changed_at"):
        customer = customers[pk] = people[pk]
        if at and at > latest:  # an earlier version believed any time: it undoes nothing
            at = None
        customer.is_unsubscribed, customer.subscription_changed_at = is_off, at
    return customers
