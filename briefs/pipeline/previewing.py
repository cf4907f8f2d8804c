"""What reprocessing would change: stored events are read anew, and all of it is taken back.

The real steps run, in a transaction that is always rolled back. Nobody is looked up, woken or told.
"""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Max, QuerySet

from briefs.models import Brief, Research, Signal
from briefs.pipeline import draining, recording
from briefs.pipeline.drafts import Draft
from personas.people import lookups
from personas.rules.rulebook import Rulebook
from webhooks.models import WebhookEvent
from webhooks.replay import chunks, let_receiver_in, make_due

logger = logging.getLogger(__name__)

CHUNK = 100  # events of one transaction: it holds locks, on SQLite that of the only writer
EXAMPLES = 20
NOTHING = "no signal"


@dataclass(frozen=True, slots=True)
class Change:
    """One event that would mean something else, or whose brief would change."""

    event: int
    happened_at: datetime
    before: str
    after: str
    brief: str  # what becomes of the brief, in words; empty if nothing does
    why: str
    kind: str  # the same without names and numbers, so that like ones can be counted

    @property
    def words(self) -> str:
        after = ", ".join(part for part in (self.after, self.brief) if part)
        return f"event {self.event} of {self.happened_at:%Y-%m-%d %H:%M}: {self.before} → {after}"


@dataclass(slots=True)
class Preview:
    read: int = 0
    skipped: Counter[str] = field(default_factory=Counter)  # by the reason
    failed: Counter[str] = field(default_factory=Counter)  # by the error's name
    kinds: Counter[str] = field(default_factory=Counter)
    examples: list[Change] = field(default_factory=list)
    questions: set[str] = field(default_factory=set)  # new ones to Mave, by their hashes

    @property
    def changed(self) -> int:
        return self.kinds.total()

    def add(self, changes: list[Change]) -> None:
        self.kinds.update(change.kind for change in changes)
        self.examples += changes[: EXAMPLES - len(self.examples)]


def preview(
    events: QuerySet[WebhookEvent],
    *,
    progress: Callable[[int], None] = lambda done: None,
    after: int = 0,
    limit: int | None = None,
) -> Preview:
    """Say what reprocessing these events would change; nothing is written.

    Each chunk is taken back before the next, which therefore sees nothing of it: if one person's
    events are in two chunks, a brief may be counted twice. Raises LookupError without personas.
    """
    Rulebook.load()
    seen = Preview()
    done = 0
    for keys in chunks(events, CHUNK, after=after, limit=limit):
        _read(keys, seen)
        done += len(keys)
        progress(done)
        let_receiver_in()
    return seen


def look(keys: list[int]) -> Preview:
    """The same for one chunk of events. Raises LookupError without personas."""
    Rulebook.load()
    seen = Preview()
    _read(keys, seen)
    return seen


def _read(keys: list[int], seen: Preview) -> None:
    """Read these events anew; if that fails one by one, so that only the bad one is left out."""
    try:
        with lookups.known_profiles_only(), transaction.atomic():
            newest = Research.objects.aggregate(newest=Max("pk"))["newest"] or 0
            skipped, changes = _try(keys)
            opened = Research.objects.filter(pk__gt=newest)
            questions = set(opened.values_list("question_hash", flat=True))
            transaction.set_rollback(True)
    except Exception as error:  # noqa: BLE001 - the outer edge of one event; its text may quote it
        if len(keys) > 1:
            for key in keys:
                _read([key], seen)
            return
        logger.error("event %d cannot be read anew (%s)", keys[0], type(error).__name__)
        seen.failed[type(error).__name__] += 1
        return
    seen.read += len(keys) - skipped.total()
    seen.skipped += skipped
    seen.questions |= questions
    seen.add(changes)


def _try(keys: list[int]) -> tuple[Counter[str], list[Change]]:
    """Process the events again. Returns why some were skipped, and what changed for the others."""
    undue = make_due(keys)
    skipped = Counter(one.why for one in undue.values())
    due = [key for key in keys if key not in undue]
    before = _signals(due)
    newest = Brief.objects.aggregate(newest=Max("pk"))["newest"] or 0
    events = WebhookEvent.objects.filter(pk__in=due).defer("headers", "history").order_by("pk")
    drafts = draining.read(list(events))
    recording.record(drafts)
    after = _signals(due)
    left = [signal.brief_id for signal in before.values() if signal.brief_id]
    compare = _Comparison(before, after, Brief.objects.in_bulk(left), newest)
    return skipped, [change for draft in drafts if (change := compare.change(draft))]


def _signals(keys: list[int]) -> dict[int, Signal]:
    signals = Signal.objects.filter(event__in=keys).select_related("brief")
    return {signal.event_id: signal for signal in signals if signal.event_id is not None}


@dataclass(slots=True)
class _Comparison:
    before: dict[int, Signal]
    after: dict[int, Signal]
    left: dict[int, Brief]  # the briefs of before, as they are after
    newest: int  # the last brief of before
    opened: set[int] = field(default_factory=set)

    def change(self, draft: Draft) -> Change | None:
        """What changes for this event; None if nothing does."""
        event = draft.event
        old, new = self.before.get(event.pk), self.after.get(event.pk)
        brief = self._brief(old, new)
        before, after = _reading(old), _reading(new)
        kind = [f"{_label(old)} → {_label(new)}"]
        if old and new and old.customer_id != new.customer_id:
            before += f", customer {old.customer_id}"
            after += f", customer {new.customer_id}"
            kind.append("another customer")
        if before == after and not brief:
            return None
        kind += [" ".join(word for word in brief.split() if not word.isdigit())] if brief else []
        happened_at = event.occurred_at or event.received_at
        return Change(event.pk, happened_at, before, after, brief, draft.reason, ", ".join(kind))

    def _brief(self, old: Signal | None, new: Signal | None) -> str:
        """What becomes of the brief; empty if nothing does."""
        was = old.brief if old else None
        now = new.brief if new else None
        parts = []
        if was and was.is_open and not self.left[was.pk].is_open:
            parts.append(f"withdraws brief {was.pk}")
        elif was and was.is_open and was.kind != self.left[was.pk].kind:
            label = self.left[was.pk].get_kind_display()
            parts.append(f"renames brief {was.pk} to “{label}”")
        elif was and was != now:
            parts.append(f"leaves brief {was.pk}")
        if was and was.is_open and was.persona_id != self.left[was.pk].persona_id:
            parts.append(f"gives brief {was.pk} another persona")
        if now and now.pk > self.newest:
            parts.append("joins it" if now.pk in self.opened else "opens a brief")
            self.opened.add(now.pk)
        elif now and now != was:
            parts.append(f"joins brief {now.pk}")
        return " and ".join(parts)


def _label(signal: Signal | None) -> str:
    return signal.get_kind_display() if signal else NOTHING


def _reading(signal: Signal | None) -> str:
    """What an event means, with the channel, the topics or the other address."""
    return f"{_label(signal)} ({signal.detail})" if signal and signal.detail else _label(signal)
