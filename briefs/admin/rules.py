"""The signal rule's page, with a trial of the rule on the latest events."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.contrib import admin
from django.db.models import Max, Q

from briefs.admin.trying import TryAdmin
from personas.admin import SignalRuleAdmin
from personas.admin.signals import PAYLOAD_FIELDS
from personas.models import SignalRule
from personas.rules import checking, noting, preferences
from personas.rules import facts as events
from personas.rules.matching import holding
from personas.rules.rulebook import Rulebook
from providers.subscriptions import read_preferences
from webhooks.models import SMALL_BODY, WebhookEvent

SAMPLE = 300
LOOKED_THROUGH = 20_000  # rows: for a rare kind of event, not all rows are read

admin.site.unregister(SignalRule)


@admin.register(SignalRule)
class TriedSignalRuleAdmin(TryAdmin, SignalRuleAdmin):
    can_be_tried = True
    readonly_fields = ("decides",)
    fieldsets = (*SignalRuleAdmin.fieldsets, ("At present", {"fields": ("decides",)}))

    @admin.display(description="this rule")
    def decides(self, rule: SignalRule) -> str:
        if not rule.pk:
            return "Save it, or try it, to see."
        return _words(rule)

    def notes(self, rule: SignalRule) -> Iterator[str]:
        return _notes(SignalRule.objects.get(pk=rule.pk))  # with its conditions as saved

    def trial_words(self, obj: SignalRule) -> str:
        return _words(obj)


def _notes(rule: SignalRule) -> Iterator[str]:
    """Contradictions, shadows, and fields that none of the latest events of its kinds has."""
    try:
        order = Rulebook.load().rules
    except LookupError:  # the starter personas are missing: said elsewhere
        return
    key, takes = checking.of_event, noting.DECIDES
    yield from checking.contradictions(rule, key, takes)
    yield from checking.shadows(rule, order, key, takes)
    looked_at = [
        events.facts(event.data, preferences=_preferences(event, event.data))
        for event in _recent(rule)
        if rule.covers(event.object_type, event.metric, events.level(event.object_type, event.data))
    ]
    known = {name for facts in looked_at for name in facts.values}
    known.update(name for name, _ in PAYLOAD_FIELDS)
    yield from checking.unseen(rule, looked_at, known, key, "events")


def _words(rule: SignalRule) -> str:
    try:
        return try_on_events(SignalRule.objects.get(pk=rule.pk)).words
    except LookupError as error:  # the starter personas are missing
        return f"Nothing can be said: {error}."


@dataclass(slots=True)
class Trial:
    """How many of the sampled events a rule decides, and which rules decide others before it."""

    is_active: bool
    sampled: int = 0
    decided: int = 0
    fitting: int = 0
    taken: Counter[str] = field(default_factory=Counter)

    @property
    def words(self) -> str:
        if not self.sampled:
            return "No event of these kinds came in lately, so there is nothing to try this on."
        recent = f"of the {self.sampled:,} events of these kinds that came in last"
        if not self.is_active:
            return f"Not active, so it decides nothing. It fits {self.fitting:,} {recent}."
        takers = ", ".join(f"“{name}” {number:,}" for name, number in self.taken.most_common())
        others = (
            f" A further {self.taken.total():,} fit, but an earlier rule takes them: {takers}."
            if takers
            else ""
        )
        return f"Decides {self.decided:,} {recent}.{others}"


def try_on_events(rule: SignalRule) -> Trial:
    """Apply the rules as they are stored to the events of this rule's kinds that came in last.

    A change of preferences is judged by the event alone, as if nothing was known before it.
    """
    rulebook = Rulebook.load()
    trial = Trial(rule.is_active)
    for event in _recent(rule):
        data = event.data
        if not rule.covers(event.object_type, event.metric, events.level(event.object_type, data)):
            continue
        trial.sampled += 1
        changed = _preferences(event, data)
        facts = events.facts(data, preferences=changed)
        if holding(rule.condition_list, rule.match, facts, rulebook.now) is None:
            continue
        trial.fitting += 1
        match = rulebook.rule_for(event.object_type, event.metric, data, preferences=changed)
        if match and match.rule.pk == rule.pk:
            trial.decided += 1
        elif match:
            trial.taken[match.rule.name] += 1
    return trial


def _recent(rule: SignalRule) -> list[WebhookEvent]:
    newest = WebhookEvent.objects.aggregate(key=Max("pk"))["key"] or 0
    metrics = [word.strip().lower() for word in rule.metrics.split(",")]
    kinds = Q(
        metric__in=metrics,
        body_size__lte=SMALL_BODY,
        pk__gt=newest - LOOKED_THROUGH,
        body_ended_at=None,
    )
    found = WebhookEvent.objects.filter(kinds).exclude(status=WebhookEvent.Status.QUARANTINED)
    return list(found.defer("headers").order_by("-pk")[:SAMPLE])


def _preferences(event: WebhookEvent, data: dict[str, object]) -> str:
    if event.metric not in events.PREFERENCES_METRICS:
        return ""
    content = data.get("content")
    return preferences.compare({}, {}, read_preferences(content)).as_fact(content)
