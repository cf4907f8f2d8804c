"""What becomes of a signal of an earlier run when its event is read anew, under today's rules.

Closed briefs stay as they are. An open brief that nobody has touched follows its signals: it is
withdrawn if none carries it any more, or if the customer's persona opens none by now; renamed if
they mean something else; and has the persona that they name. A brief that somebody works on stays,
and its timeline says what changed.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from briefs.models import Brief, Signal, Yardstick
from briefs.pipeline import profiles, reaching, remapping
from briefs.pipeline.drafts import PROCESSED, Draft
from briefs.research import sharing
from personas.models import Customer, Effect, SignalKind
from providers.addresses import email_address

FOLLOWED = (
    *profiles.MAPPED, "kind", "detail", "happened_at", "renewal", "is_renewal_shared", "cause",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Past:
    """A signal as an earlier run left it."""

    pk: int
    kind: str
    effect: str
    customer_id: int
    brief: Brief | None
    is_echo: bool
    happened_at: datetime
    detail: str

    @classmethod
    def of(cls, signal: Signal) -> "Past":
        is_echo = signal.same_act_as_id is not None
        return cls(signal.pk, signal.kind, signal.effect, signal.customer_id, signal.brief,
                   is_echo, signal.happened_at, signal.detail)  # fmt: skip

    @property
    def is_closed(self) -> bool:
        return self.brief is not None and not self.brief.is_open

    @property
    def words(self) -> str:
        return f"“{SignalKind(self.kind).label}” of {self.happened_at:%-d %b %Y}"

    def keeps_its_brief(self, draft: Draft) -> bool:
        """Whether the brief that an earlier run found or opened is still the signal's."""
        if self.brief is None or self.is_echo:
            return False
        did_open = self.effect == Effect.OPENS_BRIEF
        is_same = self.customer_id == draft.person.pk and did_open == draft.wants_brief
        return self.is_closed or is_same

    def differs(self, signal: Signal) -> bool:
        now = (signal.kind, signal.effect, signal.customer_id)
        return now != (self.kind, self.effect, self.customer_id)

    def is_told_otherwise(self, signal: Signal) -> bool:
        """Whether the signal means the same, but names another time, channel or topic."""
        return (signal.detail, signal.happened_at) != (self.detail, self.happened_at)


@dataclass(slots=True)
class _Change:
    """A signal that means something else now; `signal` is None if it means nothing."""

    past: Past
    draft: Draft
    signal: Signal | None

    @property
    def is_about_nobody(self) -> bool:
        """Whether the event means something, but today's reading finds no person in it."""
        match = self.draft.rule_match
        return self.signal is None and match is not None and match.rule.effect != Effect.IGNORE

    @property
    def words(self) -> str:
        if self.is_about_nobody:
            return f"{self.past.words} is about no person"
        if self.signal is None:
            return f"{self.past.words} is no churn signal"
        now = f"“{self.signal.get_kind_display()}”"
        if self.signal.customer_id != self.past.customer_id:
            return f"{self.past.words} is {now} of another person"
        return f"{self.past.words} is {now}"


def look_back(drafts: Iterable[Draft]) -> dict[int, Past]:
    """What earlier runs made of these events, by event; locks the people and briefs of that.

    Costs no query for events that are processed for the first time.
    """
    ended = [draft for draft in drafts if not draft.is_put_off]
    keys = [draft.event.pk for draft in ended if draft.event.available_at is not None]
    if not keys:
        return {}
    signals = Signal.objects.filter(event__in=keys)
    people = set(signals.values_list("customer", flat=True))
    if not people:
        return {}
    people |= {draft.customer.pk for draft in ended if draft.customer and not draft.is_ignored}
    # All at once and in the order of their keys, as recording locks them.
    customers = Customer.objects.filter(pk__in=people).order_by("pk").select_for_update()
    list(customers.values_list("pk", flat=True))
    open_ = Brief.objects.open().filter(pk__in=signals.values("brief")).order_by("pk")
    list(open_.select_for_update().values_list("pk", flat=True))
    return {
        signal.event_id: Past.of(signal)
        for signal in signals.select_related("brief")
        if signal.event_id is not None
    }


def settle(pasts: dict[int, Past], drafts: Iterable[Draft], signals: Iterable[Signal]) -> int:
    """Let open briefs follow what their signals mean now; returns how many questions are new.

    `drafts` are all of the batch, `signals` those that were saved. Needs an open transaction.
    """
    if not pasts:
        return 0
    saved = {signal.event_id: signal for signal in signals}
    by_brief: dict[int, list[_Change]] = defaultdict(list)
    told_otherwise: set[int] = set()
    for draft in drafts:
        past, signal = pasts.get(draft.event.pk), saved.get(draft.event.pk)
        if past is None or draft.is_put_off:
            continue
        if signal is None and (why := _why_kept(past, draft)):
            words = f"stays “{SignalKind(past.kind).label}”, as an earlier run read it, because"
            draft.status, draft.reason = PROCESSED, f"{words} {why}: {draft.reason}"
        elif signal is None or past.differs(signal):
            change = _Change(past, draft, signal)
            by_brief[past.brief.pk if past.brief and past.brief.is_open else 0].append(change)
        elif past.brief and past.is_told_otherwise(signal):
            told_otherwise.add(past.brief.pk)
    changes = [change for changes in by_brief.values() for change in changes]
    gone = [change.past.pk for change in changes if change.signal is None]
    Signal.objects.filter(pk__in=gone).delete()
    _forget_addresses({c.past.customer_id for c in changes if c.is_about_nobody})
    by_brief.pop(0, None)
    briefs = Brief.objects.open().select_related("persona", "customer").order_by("pk")
    for brief in briefs.filter(pk__in=told_otherwise - by_brief.keys()):
        if brief.is_untouched:
            _tell_otherwise(brief)
    asked = sum(_follow(brief, by_brief[brief.pk]) for brief in briefs.filter(pk__in=by_brief))
    return asked + _follow_personas(pasts, drafts)


def _follow_personas(pasts: dict[int, Past], drafts: Iterable[Draft]) -> int:
    """Let untouched briefs have the persona that their signals name now, or be withdrawn.

    Else a brief would show a persona, and beside it a signal that was read as another one's.
    """
    present = {
        past.brief.pk: draft
        for draft in drafts
        if draft.customer and draft.persona_match and not draft.is_waiting_for_profile
        if (past := pasts.get(draft.event.pk)) and past.brief and past.keeps_its_brief(draft)
        if past.brief.is_untouched and _is_of_another(past.brief, draft)
    }
    if not present:
        return 0
    open_ = Brief.objects.open().filter(pk__in=present).select_related("persona", "customer")
    briefs = list(open_.order_by("pk"))  # locked by `look_back`
    matches = {brief.pk: present[brief.pk].mapped for brief in briefs}
    changed, asked = remapping.remap(briefs, matches, "read anew")
    for one in changed:
        if one.change == remapping.Change.WITHDRAWN:
            present[one.brief.pk].reason += f" · brief {one.brief.pk} was withdrawn"
    return asked


def _is_of_another(brief: Brief, draft: Draft) -> bool:
    persona = draft.mapped.persona
    return brief.persona_id != persona.pk or not persona.opens_brief


def _forget_addresses(customers: Collection[int]) -> None:
    """Take away what an earlier version took for an address: a channel's name, a URL, a list.

    The URL of a webhook may hold a password.
    """
    rows = Customer.objects.filter(pk__in=customers, cio_id=None, external_id=None)
    for key, email in rows.values_list("pk", "email"):
        if not email_address(email):
            rows.filter(pk=key).update(email="")


def _why_kept(past: Past, draft: Draft) -> str:
    """Why a signal stays though its event is none today; empty if it goes."""
    if past.is_closed and past.brief:
        return f"its brief {past.brief.pk} is closed"
    if draft.is_about_preferences or reaching.may_reach(draft.event):
        return "what was compared then cannot be seen again"
    return ""


def _follow(brief: Brief, changes: Collection[_Change]) -> int:
    words = "read anew: " + "; ".join(change.words for change in changes)
    carriers = _carriers(brief)
    was = {change.past.kind for change in changes}
    if not brief.is_untouched:
        brief.log(f"{words}. The brief stays, because somebody works on it")
    elif not carriers:
        _withdraw(brief, changes, words)
    elif brief.kind in was and brief.kind not in {signal.kind for signal in carriers}:
        return _rename(brief, carriers, words)
    else:
        brief.log(words)
    return 0


def _carriers(brief: Brief) -> list[Signal]:
    """The signals for which the brief is there, oldest first."""
    signals = Signal.objects.filter(brief=brief, effect=Effect.OPENS_BRIEF)
    return list(signals.order_by("happened_at", "pk"))


def _tell_otherwise(brief: Brief) -> None:
    carriers = _carriers(brief)
    alike = [signal for signal in carriers if signal.kind == brief.kind]
    if alike:
        brief.detail, brief.happened_at = alike[0].detail, carriers[0].happened_at
        brief.save(update_fields=["detail", "happened_at"])


def _withdraw(brief: Brief, changes: Collection[_Change], words: str) -> None:
    """Close a brief that no signal carries; its former signals could carry another one day."""
    left = [change.signal.pk for change in changes if change.signal]
    Signal.objects.filter(pk__in=left, brief=brief).update(brief=None)
    brief.withdraw(f"{words}, so there is nothing to do")
    for change in changes:
        change.draft.reason += f" · brief {brief.pk} was withdrawn"


def _rename(brief: Brief, carriers: list[Signal], words: str) -> int:
    """Let the brief be about the first of its signals, with the question that fits it."""
    first = carriers[0]
    brief.kind, brief.detail, brief.happened_at = first.kind, first.detail, first.happened_at
    worst = max(signal.severity for signal in carriers)
    yardstick = Yardstick.load()
    yardstick.value(brief, brief.customer)
    brief.is_judged(yardstick.judge(worst, brief.persona, brief.customer, brief, brief.kind))
    brief.research = brief.renewal = brief.researched_at = brief.cause = None
    brief.is_sharing = brief.is_renewal_shared = False
    brief.basis = Brief.Basis.PLAYBOOK
    asked = 0 if brief.is_waiting_for_profile else sharing.attach([brief])
    brief.save(update_fields=FOLLOWED)
    brief.log(words, is_raised=True)
    return asked
