"""Asks a question once more because a person wants it: a fresh answer, or one that failed."""

from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from briefs.models import Brief, Research
from briefs.research import sharing
from briefs.research.questions import Asker, Question


class Renewal(StrEnum):
    """What came of a person's request."""

    ASKED = "asked"  # a paid call will be made
    JOINED = "joined"  # another brief's question is under way: both get its answer
    ANSWERED = "answered"  # another brief has a newer answer already: taken over, for 0 credits
    UNDER_WAY = "under_way"  # it was asked for before
    NOT_POSSIBLE = "not_possible"  # the brief is closed, or its persona buys no research


_SHARED = {"is_sharing": True, "basis": Brief.Basis.SHARED, "researched_at": Now()}


@transaction.atomic
def renew(brief: Brief, actor: Any) -> Renewal:
    """Ask for a fresh answer. The brief keeps its present answer until the fresh one arrives.

    If another brief got a newer answer since, this brief takes it over at once, for 0 credits.
    """
    brief = Brief.objects.select_for_update().get(pk=brief.pk)
    if brief.renewal is not None and brief.renewal.is_active:
        return Renewal.UNDER_WAY
    rests_on_research = brief.basis != Brief.Basis.PLAYBOOK
    if not (brief.is_open and rests_on_research and brief.persona.buys_research):
        return Renewal.NOT_POSSIBLE
    question = _question(brief)
    if newer := _newer_answer(brief, question):
        _rest_on(brief, newer, **_SHARED, renewal=None, is_renewal_shared=False)
        brief.log("took over a newer answer to the same question, for 0 credits", actor)
        return Renewal.ANSWERED
    found, is_new = sharing.open_or_join(question, brief)
    brief.renewal, brief.is_renewal_shared = found, not is_new
    brief.save(update_fields=["renewal", "is_renewal_shared"])
    brief.log("asked for a fresh answer", actor)
    return Renewal.ASKED if is_new else Renewal.JOINED


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
    if failed is None or not brief.is_open:
        return Renewal.NOT_POSSIBLE
    if failed.status not in Research.GIVEN_UP:
        return Renewal.UNDER_WAY
    answers = sharing.fresh_answers([failed.question_hash], brief.persona.reuse_hours)
    if answer := answers.order_by("-finished_at").first():
        _rest_on(brief, answer, **_SHARED)
        return Renewal.ANSWERED
    if failed.retry():
        brief.log("started the research again", actor)
        return Renewal.ASKED
    other = Research.objects.active().filter(question_hash=failed.question_hash).first()
    if other is None:
        return Renewal.UNDER_WAY
    _rest_on(brief, other, is_sharing=True)
    brief.log("joined the research that is under way", actor)
    return Renewal.JOINED


def _rest_on(brief: Brief, found: Research, **fields: Any) -> None:
    Brief.objects.filter(pk=brief.pk).update(research=found, **fields)
