"""Asks a question once more because a person wants it: a fresh answer, or one that failed."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from briefs.models import Brief, Research, ResearchPolicy
from briefs.models.research import ResearchQuerySet
from briefs.research import sharing
from briefs.research.questions import Asker, Question
from briefs.times import clock_or_day, span_in_full, zone
from webhooks.clock import database_now


class Renewal(StrEnum):
    """What came of a person's request."""

    ASKED = "asked"  # a paid call will be made
    JOINED = "joined"  # another brief's question is under way: both get its answer
    ANSWERED = "answered"  # another brief has a newer answer already: taken over, for 0 credits
    UNDER_WAY = "under_way"  # it was asked for before
    TOO_YOUNG = "too_young"  # the present answer is younger than the policy allows
    CLOSED = "closed"  # nobody waits for it
    NOT_POSSIBLE = "not_possible"  # it stands on no answer, or its persona buys no research


_SHARED = {"is_sharing": True, "basis": Brief.Basis.SHARED, "researched_at": Now()}


@transaction.atomic
def renew(brief: Brief, actor: Any) -> Renewal:
    """Ask for a fresh answer. The brief keeps its present answer until the fresh one arrives.

    If another brief got a newer answer since, this brief takes it over at once, for 0 credits. An
    answer that is too young is not bought again: the brief may only join a question under way.
    """
    brief = Brief.objects.select_for_update().get(pk=brief.pk)
    if brief.renewal is not None and brief.renewal.is_active:
        return Renewal.UNDER_WAY
    if not brief.is_open:
        return Renewal.CLOSED
    if brief.basis == Brief.Basis.PLAYBOOK or not brief.persona.buys_research:
        return Renewal.NOT_POSSIBLE
    question = _question(brief)
    if newer := _newer_answer(brief, question):
        _rest_on(brief, newer, **_SHARED, renewal=None, is_renewal_shared=False)
        brief.log(
            "took over a newer answer to the same question, for 0 credits", actor, is_raised=True
        )
        return Renewal.ANSWERED
    if is_too_young(brief, ResearchPolicy.current(), database_now()):
        found, is_new = _under_way(question).select_for_update().first(), False
        if found is None:
            return Renewal.TOO_YOUNG
    else:
        found, is_new = sharing.open_or_join(question, brief)
    brief.renewal, brief.is_renewal_shared = found, not is_new
    brief.save(update_fields=["renewal", "is_renewal_shared"])
    if is_new:
        _bought_by(actor, found)
    brief.log("asked for a fresh answer", actor, is_raised=True)
    return Renewal.ASKED if is_new else Renewal.JOINED


def fresh_from(brief: Brief, policy: ResearchPolicy) -> datetime | None:
    """From when on a fresh answer may be bought; None if the brief has no answer."""
    answered_at = brief.research.finished_at if brief.research else None
    return answered_at and answered_at + timedelta(minutes=policy.fresh_after_minutes)


def is_too_young(brief: Brief, policy: ResearchPolicy, now: datetime) -> bool:
    """Whether the present answer is so young that none is bought in its place."""
    begins = fresh_from(brief, policy)
    return begins is not None and now < begins


def too_young_words(brief: Brief, policy: ResearchPolicy, now: datetime) -> str:
    """How old the present answer is, and from when on a fresh one can be bought."""
    begins = fresh_from(brief, policy)
    if begins is None or brief.research is None or brief.research.finished_at is None:
        return ""
    age = span_in_full(now - brief.research.finished_at)
    age = "less than a minute" if age == "now" else age
    return (
        f"This answer is {age} old. A fresh one can be bought from {clock_or_day(begins)} "
        f"({zone(begins)}) on; until then, one that is bought for another brief can be shared for "
        "0 credits."
    )


def can_join(brief: Brief) -> bool:
    """Whether the brief's question is under way for another brief: its answer can be shared."""
    return _under_way(_question(brief)).exists()


def _under_way(question: Question) -> ResearchQuerySet:
    return Research.objects.active().filter(question_hash=question.hash)


def _bought_by(actor: Any, research: Research) -> None:
    """Note the buyer of a question that was not asked yet. Whoever joins it is none."""
    queued = Research.objects.filter(pk=research.pk, status=Research.Status.QUEUED)
    queued.update(asked_by=actor)


def has_later_answers() -> Exists:
    """A condition on briefs: their persona and signal got an answer after the brief's own answer.

    Most briefs have none, and then the query of `newer_answer` is not needed.
    """
    later = Research.objects.filter(
        status=Research.Status.DONE,
        persona=OuterRef("persona"),
        kind=OuterRef("kind"),
        finished_at__gt=OuterRef("research__finished_at"),
    )
    return Exists(later)


def newer_answer(brief: Brief) -> Research | None:
    """The newer answer of another brief that `renew` would take over, for 0 credits."""
    question = _question(brief)
    return _newer_answer(brief, question)


def _question(brief: Brief) -> Question:
    return Asker.load().question_for(brief.persona, brief.kind, brief.question_facts, brief.detail)


def _newer_answer(brief: Brief, question: Question) -> Research | None:
    since = brief.research.finished_at if brief.research else None
    if since is None:
        return None
    answers = Research.objects.filter(
        question_hash=question.hash, status=Research.Status.DONE, finished_at__gt=since
    )
    return answers.order_by("-finished_at").first()


@transaction.atomic
def restart(brief: Brief, actor: Any) -> Renewal:
    """Start this brief's failed question again, unless an answer is there or under way."""
    brief = Brief.objects.select_for_update().get(pk=brief.pk)
    failed = brief.research
    if not brief.is_open:
        return Renewal.CLOSED
    if failed is None:
        return Renewal.NOT_POSSIBLE
    if failed.status not in Research.GIVEN_UP:
        return Renewal.UNDER_WAY
    answers = sharing.fresh_answers([failed.question_hash], brief.persona.reuse_hours)
    if answer := answers.order_by("-finished_at").first():
        _rest_on(brief, answer, **_SHARED)
        return Renewal.ANSWERED
    if failed.retry(actor):
        brief.log("started the research again", actor)
        return Renewal.ASKED
    other = Research.objects.active().filter(question_hash=failed.question_hash).first()
    if other is None:
        return Renewal.UNDER_WAY
    _rest_on(brief, other, is_sharing=True)
    brief.log("joined the research that is under way", actor, is_raised=True)
    return Renewal.JOINED


def _rest_on(brief: Brief, found: Research, **fields: Any) -> None:
    Brief.objects.filter(pk=brief.pk).update(research=found, **fields)
