"""What an event would lead to by the present rules: the pipeline's own steps, and nothing written.

The event and the customer may be unsaved. Nobody is looked up, and no credit is spent.
"""

from dataclasses import dataclass

from briefs.models import Brief, Signal, Yardstick
from briefs.pipeline import preferences, reaching, recording, understanding
from briefs.pipeline.drafts import Draft
from briefs.research import sharing
from briefs.research.questions import Asker, Question
from personas.models import Customer, SignalKind, SignalRule, Terms
from personas.models.signals import Level
from personas.rules import explaining
from personas.rules.explaining import Explanation
from personas.rules.rulebook import Rulebook, RuleMatch
from webhooks.clock import database_now
from webhooks.models import WebhookEvent

NOT_COUNTED = (
    "a delivery or a click says something only of an address where earlier messages did not "
    "arrive: no rule was asked"
)


@dataclass(frozen=True, slots=True)
class Imagined:
    """What would come of it; `brief` and `signal` are unsaved."""

    draft: Draft
    explanation: Explanation
    signal: Signal | None = None  # None: no rule makes anything of the event
    brief: Brief | None = None  # None: none would be opened
    question: Question | None = None  # None: nothing would be asked

    @property
    def why_no_brief(self) -> str:
        """Empty if one would be opened."""
        if self.brief:
            return ""
        return recording.why_no_brief(self.draft) if self.signal else self.draft.reason


def imagine(event: WebhookEvent, customer: Customer | None, rulebook: Rulebook) -> Imagined:
    """What this event of this customer would lead to.

    The customer's row in memory learns what the event says of their subscription.
    """
    if customer:
        _value_anew(customer)
    draft = understanding.imagine(event, customer, rulebook, is_reached=_is_reached(event))
    if draft.rule_match is None and reaching.may_reach(event) and not draft.is_reached:
        draft.reason = NOT_COUNTED
    told = None
    if draft.found_out is not None or not rulebook.knows(event.metric):
        found_out = draft.found_out or {}
        told = explaining.Event(event.object_type, event.metric, event.data, found_out)
    return _imagined(draft, explaining.explain(rulebook, event=told, customer=customer))


def imagine_rule(rule: SignalRule, customer: Customer, rulebook: Rulebook) -> Imagined:
    """What would follow if this rule had decided about an event of this customer, just now."""
    _value_anew(customer)
    kinds = rule.object_type_list
    event = WebhookEvent(object_type=kinds[0] if kinds else "", received_at=database_now())
    level = Level.PERSON if rule.level == Level.ANY else rule.level
    draft = Draft(event, {}, level, customer=customer)
    draft.decide(RuleMatch(rule, []))
    if draft.wants_brief:
        draft.persona_match = rulebook.persona_for(customer)
    return _imagined(draft, explaining.explain(rulebook, customer=customer))


def _value_anew(customer: Customer) -> None:
    """The row has its value by the attribute names of before; they may be what is tried."""
    for name, value in Terms.load().read(customer.attributes).items():
        setattr(customer, name, value)


def _is_reached(event: WebhookEvent) -> bool:
    """Whether it is the first to arrive after something was wrong, now or when it was processed."""
    if not reaching.may_reach(event):
        return False
    known = event.pk and Signal.objects.filter(event=event, kind=SignalKind.REACHED).exists()
    return bool(known or reaching.again([event]))


def _imagined(draft: Draft, explanation: Explanation) -> Imagined:
    if draft.is_ignored or draft.rule_match is None:
        return Imagined(draft, explanation)
    customer = draft.person
    signal = Signal(**recording.describe(draft, customer))
    recording.learn_subscription(draft, customer)
    if draft.is_about_preferences:
        customer.preferences = preferences.after(draft)
    if not draft.opens_brief:
        return Imagined(draft, explanation, signal)
    brief = recording.new_brief(draft, signal, Yardstick.load())
    question = sharing.question_of(brief, Asker.load()) if sharing.asks(brief) else None
    return Imagined(draft, explanation, signal, brief, question)
