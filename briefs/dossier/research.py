"""What a brief rests on, why its research is not there, and what may be asked for."""

from dataclasses import dataclass
from functools import cached_property

from django.db.models import Count, Q, Sum
from django.utils import timezone

from briefs.models import Brief, MaveCall, Research
from briefs.research import renewal, spending
from briefs.research.reasons import Reason
from briefs.research.waiting import Standstill
from briefs.times import clock_or_day, span, zone
from providers import mavera_validation
from providers.plain import visible

WAITING = "waiting"  # for the profile: before it arrives, nothing about research is decided
_STANDING_STILL = (Research.Status.QUEUED, Research.Status.RECOVERING)
_NOT_THERE = {
    Research.Status.QUEUED: "waiting for its turn",
    Research.Status.RUNNING: "under way",
    Research.Status.RECOVERING: "looking for a lost answer",
    Research.Status.DONE: "answered",
    Research.Status.FAILED: "failed, can be retried",
    Research.Status.CANCELLED: "cancelled",
}


@dataclass(frozen=True, slots=True)
class Paid:
    """How often a question may have been paid for, and with how many credits."""

    times: int
    credits: int
    is_unsure: bool

    @property
    def often(self) -> str:
        return "twice" if self.times == 2 else f"{self.times} times"


@dataclass(frozen=True, slots=True)
class Price:
    """What one more question would cost, and why it would wait; `left_today` None: no limit."""

    usual_cost: int
    left_today: int | None
    would_wait: str


class ResearchOfBrief:
    """One brief's research in words. `row` is None where there is none."""

    def __init__(self, brief: Brief, standstill: Standstill) -> None:
        self._brief, self.row, self._standstill = brief, brief.research, standstill

    # What the brief rests on.

    @property
    def is_answered(self) -> bool:
        return self._brief.basis != Brief.Basis.PLAYBOOK and self.row is not None

    @property
    def is_under_way(self) -> bool:
        return not self.is_answered and self.row is not None and self.row.is_active

    @property
    def state(self) -> str:
        """`Research: new`, `Research: shared, 3 h old`, or `No research yet`."""
        basis = Brief.Basis(self._brief.basis)
        if basis == Brief.Basis.SHARED and self.row and self.row.finished_at:
            age = span(timezone.now() - self.row.finished_at)
            return "Research: shared, " + ("just in" if age == "now" else f"{age} old")
        if basis == Brief.Basis.PLAYBOOK:
            return str(basis.label).capitalize()
        return f"Research: {basis.label}"

    @property
    def words(self) -> str:
        """The state, and why no research is there."""
        return f"{self.state}, {self.why_not_there}" if self.why_not_there else self.state

    @cached_property
    def why_not_there(self) -> str:
        """Why the brief has no research yet, in a word or two; empty if it does not."""
        if self._brief.basis != Brief.Basis.PLAYBOOK:
            return ""
        if self.row is None:
            return self._why_none
        words = _NOT_THERE[Research.Status(self.row.status)]
        if self.row.status != Research.Status.QUEUED:
            return words
        held = self._standstill.briefly(self.row.priority, self._brief.persona)
        return held or ("put off" if self._is_put_off else words)

    @property
    def why_not_there_in_full(self) -> str:
        """The same, with the reason and the time of the next try if they are known."""
        if self.is_answered or self.row is None or self.row.status != Research.Status.QUEUED:
            return self.why_not_there
        return self._holds.words or self._put_off_until or self.why_not_there

    @property
    def _why_none(self) -> str:
        if self._brief.is_waiting_for_profile:
            return "waiting for the profile"
        if not self._brief.persona.buys_research:
            return "none is bought for this persona"
        return "none was asked for"

    @property
    def _is_put_off(self) -> bool:
        """Whether a queued question may only be tried later."""
        at = self.row.available_at if self.row else None
        return at is not None and at > timezone.now()

    @property
    def _put_off_until(self) -> str:
        at = self.row.available_at if self.row else None
        if at is None or not self._is_put_off:
            return ""
        until = f"put off until {clock_or_day(at)} {zone(at)}"
        return f"{until}: {self.reason}" if self.reason else until

    # What became of the question.

    @cached_property
    def why_waiting(self) -> str:
        """Why a queued question is not asked yet; empty if nothing is queued.

        If a fresh answer was asked for, that question is meant.
        """
        return self._holds.plainly

    @cached_property
    def _holds(self) -> Reason:
        asked = self._brief.renewal if self.awaits_renewal else self.row
        if asked is None or asked.status != Research.Status.QUEUED:
            return Reason()
        return self._standstill.reason(asked.priority, self._brief.persona)

    @property
    def why_search_waits(self) -> str:
        """Why a lost answer is not looked for at present."""
        if not self.is_under_way or self.row is None:
            return ""
        return self._standstill.why_search_waits(self.row, self._brief.persona)

    @property
    def reason(self) -> str:
        """Why there is no answer."""
        return _reason(self.row)

    @property
    def questions(self) -> str:
        """The questions that Mave asked instead of answering; empty if it asked none."""
        if self.row is None or self.row.reason_code != Research.Reason.ASKED_BACK:
            return ""
        return visible(self.row.answer[:500]).strip()

    @cached_property
    def paid(self) -> Paid | None:
        if self.row is None:
            return None
        unsure = (MaveCall.Outcome.PENDING, MaveCall.Outcome.UNKNOWN)
        sums = self.row.calls.maybe_paid().aggregate(
            times=Count("pk"), credits=Sum("credits", default=0),
            unsure=Count("pk", filter=Q(outcome__in=unsure)),
        )  # fmt: skip
        return Paid(sums["times"], sums["credits"], bool(sums["unsure"]))

    @property
    def brief_credits(self) -> int | None:
        """What this brief was charged; None if that was not stated."""
        if self._brief.is_sharing:
            return 0
        return self.row.credits if self.row else None

    @property
    def age_seconds(self) -> int | None:
        at = self.row.finished_at if self.row else None
        return int((timezone.now() - at).total_seconds()) if at else None

    @cached_property
    def validation(self) -> mavera_validation.Validation:
        return mavera_validation.read(self.row.validation if self.row else {})

    @property
    def has_arrived_late(self) -> bool:
        """Whether people may have seen the brief before its research came."""
        at = self._brief.researched_at
        return at is not None and (at - self._brief.created_at).total_seconds() > 2

    # What may be asked for.

    @property
    def is_renewing(self) -> bool:
        """Whether a fresh answer is under way."""
        return self._brief.renewal is not None and self._brief.renewal.is_active

    @property
    def awaits_renewal(self) -> bool:
        """Whether the brief is still open while a fresh answer is under way."""
        return self._brief.is_open and self.is_answered and self.is_renewing

    @property
    def can_renew(self) -> bool:
        may = self._brief.is_open and self._brief.persona.buys_research
        return may and self.is_answered and not self.is_renewing

    @property
    def can_retry(self) -> bool:
        is_given_up = self.row is not None and self.row.status in Research.GIVEN_UP
        return self._brief.is_open and is_given_up and not self.is_answered

    @property
    def renewal_trouble(self) -> str:
        """Why the fresh answer that was last asked for did not come; empty if it did."""
        asked = self._brief.renewal
        is_lost = self.can_renew and asked is not None and asked.status != Research.Status.DONE
        return _reason(asked) if is_lost else ""

    @cached_property
    def newer_answer(self) -> Research | None:
        """A newer answer to the same question, which could be shown at once for 0 credits."""
        has_later = self.can_renew and vars(self._brief)["has_later_answers"]
        return renewal.newer_answer(self._brief) if has_later else None

    @cached_property
    def too_young(self) -> str:
        """Why no fresh answer can be bought yet, in words; empty if one can, or is free."""
        if not self._is_too_young or self.newer_answer or self.is_free_to_join:
            return ""
        return renewal.too_young_words(self._brief, self._standstill.policy, timezone.now())

    @cached_property
    def is_free_to_join(self) -> bool:
        """Whether the answer is too young to be bought anew, and another brief asks for one now."""
        return self._is_too_young and renewal.can_join(self._brief)

    @property
    def _is_too_young(self) -> bool:
        policy = self._standstill.policy
        return self.can_renew and renewal.is_too_young(self._brief, policy, timezone.now())

    @cached_property
    def price(self) -> Price:
        return Price(
            usual_cost=spending.usual_cost(self._brief.persona),
            left_today=self._standstill.account.left,
            would_wait=self._standstill.why(self._brief.priority, self._brief.persona),
        )

    @cached_property
    def seen(self) -> str:
        """A short key of what the section shows. The poll sends it again only if this changed."""
        if self._brief.is_waiting_for_profile:
            return WAITING
        parts = [self._brief.basis, self.row.status if self.row else "none"]
        if self._brief.renewal:
            parts += ["renewal", self._brief.renewal.status]
        for asked in (self.row, self._brief.renewal):
            if asked and asked.status in _STANDING_STILL:
                parts.append(self._standstill.briefly(asked.priority, self._brief.persona))
        return "-".join(part for part in parts if part)


def _reason(research: Research | None) -> str:
    if research is None:
        return ""
    if research.reason_code == Research.Reason.ASKED_BACK:
        return Research.Reason.ASKED_BACK.label
    return visible(research.status_reason)
