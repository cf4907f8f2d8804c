"""The first step that a brief shows: by persona and signal, over channels that are open.

For the briefs of a list all is read in a few queries. A closed brief keeps what it said.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any, Self

from django.db.models import Q

from briefs.models import Brief, Signal
from briefs.models.signals import ABOUT_CHANNELS
from briefs.reading import channels
from briefs.reading.channels import ClosedChannel, Route
from personas.models import Customer, Effect, FirstStep, SignalKind, SubscriptionNames
from personas.models.steps import DETAIL, DETAILED
from personas.rules.steps import Steps

NOT_KNOWN = "Decide with the playbook: this signal has no first step of its own."
# What {detail} stands for where the brief does not name it.
_UNNAMED = {SignalKind.CHANNEL_OPT_OUT: "this channel", SignalKind.TOPIC_OPT_OUT: "these topics"}
_ADDRESS = re.compile(r"[@/\\]|%40|\.\w")
_IN_SENTENCE = {"E-mail": "e-mail", "Push": "push", "In-app": "in-app messages"}


@dataclass(frozen=True, slots=True)
class StepShown:
    """What to do first, and why this. `text` is empty where it is not known what was said."""

    text: str = ""
    source: str = ""  # whose step it is
    channels: list[str] = field(default_factory=list)  # by their keys
    reason: str = ""  # why it is not the usual step; empty if it is
    within_hours: int | None = None  # of work; None if it waits, or if there is nothing to do
    is_wait: bool = False

    @classmethod
    def kept(cls, brief: Brief) -> Self:
        """As the brief said when it was closed."""
        known = {one.name for one in fields(cls)}
        return cls(**{k: v for k, v in (brief.step_at_closing or {}).items() if k in known})

    @property
    def time_words(self) -> str:
        hours = self.within_hours
        if hours is None:
            return ""
        return f"within {hours} working hour{'' if hours == 1 else 's'}"


def at_closing(brief: Brief) -> dict[str, Any]:
    """The field by which a brief that is closed keeps what it said was to be done."""
    return {"step_at_closing": steps_at_closing([brief])[brief.pk]}


def steps_at_closing(briefs: Sequence[Brief]) -> dict[int, dict[str, Any]]:
    """The same for many briefs in a few queries: the value of that field, by the brief's key."""
    first_steps = FirstSteps(briefs)
    return {brief.pk: asdict(first_steps.of(brief)) for brief in briefs}


class FirstSteps:
    """Says the first steps of these briefs. Each brief needs its customer and persona loaded."""

    def __init__(self, briefs: Iterable[Brief], unsaved: Iterable[Signal] = ()) -> None:
        """`unsaved`: signals of their customers that are not stored yet."""
        self._briefs = [brief for brief in briefs if brief.is_open]
        self._unsaved = [signal for signal in unsaved if not signal.pk]

    def of(self, brief: Brief) -> StepShown:
        """What the brief says is to be done first; of a closed one, what it said."""
        if not brief.is_open:
            return StepShown.kept(brief)
        if brief.customer.is_deleted:
            gone = "No contact: Customer.io no longer knows this person."
            return StepShown(gone, "for people whom Customer.io no longer knows")
        steps = self._steps.for_case(brief.persona_id, brief.kind)
        used = {key for step in steps for key in step.channels}
        routes = channels.routes(
            brief.customer, self._signals[brief.customer_id], self._names, used
        )
        closed = {one.key: one for one in channels.closed_channels(routes)}
        for step in steps:
            if closed.keys().isdisjoint(step.channels):
                return _shown(step, brief, _reason(steps[: steps.index(step)], closed))
        if not steps:
            return StepShown(NOT_KNOWN, "the playbook")
        why = channels.in_words(_used(steps, closed))
        return StepShown(
            f"No contact: closed for this customer are {why}.", _source(steps[0], brief)
        )

    def routes(self, customer: Customer) -> list[Route]:
        """By which channels the customer may still be contacted."""
        return channels.routes(customer, self._signals[customer.pk], self._names)

    def came_back(self, brief: Brief) -> Signal | None:
        """The latest good news, if nothing that opens a brief happened after it."""
        if not brief.is_open:
            return None
        since = [s for s in self._signals[brief.customer_id] if s.happened_at >= brief.happened_at]
        left_at = max(
            (s.happened_at for s in since if s.effect == Effect.OPENS_BRIEF),
            default=brief.happened_at,
        )
        news = [s for s in since if s.effect == Effect.GOOD_NEWS and s.happened_at > left_at]
        return max(news, key=lambda signal: signal.happened_at, default=None)

    # Read once for all.

    @cached_property
    def _steps(self) -> Steps:
        return Steps.read()

    @cached_property
    def _signals(self) -> dict[int, list[Signal]]:
        """By customer: what is about channels, and what happened since the first of the briefs."""
        by_customer: dict[int, list[Signal]] = defaultdict(list)
        if not self._briefs:
            return by_customer
        first = min(brief.happened_at for brief in self._briefs)
        effects = (Effect.OPENS_BRIEF, Effect.GOOD_NEWS)
        found = Signal.objects.filter(
            Q(kind__in=ABOUT_CHANNELS) | Q(effect__in=effects, happened_at__gte=first),
            customer__in={brief.customer_id for brief in self._briefs},
        )
        read = ("customer", "kind", "detail", "effect", "level", "message", "happened_at")
        for signal in [*found.only(*read).order_by(), *self._unsaved]:
            by_customer[signal.customer_id].append(signal)
        return by_customer

    @cached_property
    def _names(self) -> SubscriptionNames | None:
        has_topics = any(brief.customer.preferences.get("topics") for brief in self._briefs)
        return SubscriptionNames.known() if has_topics else None


def _shown(step: FirstStep, brief: Brief, reason: str) -> StepShown:
    return StepShown(
        filled_in(step.text, brief),
        _source(step, brief),
        list(step.channels),
        reason,
        step.within_hours,
        step.is_wait,
    )


def filled_in(text: str, brief: Brief) -> str:
    """The text with the channel's or the topics' names, unless they look like an address.

    Messages say this text too, in which the team's own links stay links.
    """
    if brief.kind not in DETAILED or DETAIL not in text:
        return text
    detail = "" if _ADDRESS.search(brief.detail) else brief.detail
    for name, within in _IN_SENTENCE.items():
        detail = f"{within}{detail[len(name) :]}" if detail.startswith(name) else detail
    if detail and brief.kind == SignalKind.TOPIC_OPT_OUT:
        detail = f"“{brief.detail}”"
    return text.replace(DETAIL, detail or _UNNAMED[SignalKind(brief.kind)])


def _source(step: FirstStep, brief: Brief) -> str:
    kind = f"“{brief.get_kind_display()}”"
    return f"for {kind} of “{brief.persona.name}”" if step.persona_id else f"for {kind}"


def _used(steps: Iterable[FirstStep], closed: dict[str, ClosedChannel]) -> list[ClosedChannel]:
    used = {key for step in steps for key in step.channels}
    return [channel for key, channel in closed.items() if key in used]


def _reason(passed_over: list[FirstStep], closed: dict[str, ClosedChannel]) -> str:
    if not passed_over:
        return ""
    return f"instead of a step that uses {channels.in_words(_used(passed_over, closed))}"
