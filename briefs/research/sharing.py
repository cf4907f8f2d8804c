"""Gives briefs their research: shares what is there, joins what is under way, asks for the rest."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now

from briefs.models import Brief, MaveCall, Research
from briefs.models.research import ResearchQuerySet
from briefs.research.questions import Asker, Question, said_of
from personas.models import SignalKind
from webhooks.clock import database_now


def attach(briefs: list[Brief]) -> int:
    """Give each brief a Research row by its question; returns how many questions are new.

    Sets the briefs' fields, saved or not, and leaves saving them to the caller. Needs an open
    transaction. A brief about a link scanner, or whose persona
    buys no research, stays as it is.
    """
    buying = [brief for brief in briefs if asks(brief)]
    if not buying:
        return 0
    by_question = _by_question(buying)
    questions = sorted(by_question, key=lambda question: question.hash)  # one order of locks
    found, opened = _find_or_open(questions, by_question)
    has_answer = any(research.status == Research.Status.DONE for research in found.values())
    now = database_now() if has_answer else None
    for question in questions:
        research, joining = found[question.hash], by_question[question]
        for number, brief in enumerate(joining):
            brief.research = research
            brief.is_sharing = not (question.hash in opened and number == 0)
            if research.status == Research.Status.DONE:
                brief.basis, brief.researched_at = Brief.Basis.SHARED, now
        _raise_priority(research, max(brief.priority for brief in joining))
    return len(opened)


def asks(brief: Brief) -> bool:
    """Whether a question is asked for such a brief."""
    return brief.persona.buys_research and brief.kind != SignalKind.SCANNER


def question_of(brief: Brief, asker: Asker) -> Question:
    said = said_of(brief.kind, brief.detail)
    return asker.question_for(brief.persona, brief.kind, list(brief.question_facts), said)


def _by_question(briefs: list[Brief]) -> dict[Question, list[Brief]]:
    """The briefs of each question. Most briefs of a batch ask the same: it is written once."""
    alike: dict[tuple[int, str, str, tuple[str, ...]], list[Brief]] = defaultdict(list)
    for brief in briefs:
        said = said_of(brief.kind, brief.detail)
        alike[brief.persona_id, brief.kind, said, tuple(brief.question_facts)].append(brief)
    asker = Asker.load()
    by_question: dict[Question, list[Brief]] = defaultdict(list)
    for group in alike.values():
        by_question[question_of(group[0], asker)] += group
    return by_question


class _Ended(Exception):
    """A question that was under way ended before it could be locked, or was answered before it
    was opened."""


def _find_or_open(
    questions: list[Question], by_question: dict[Question, list[Brief]]
) -> tuple[dict[str, Research], set[str]]:
    """The research of each question's hash, locked if it is under way; and which hashes are new."""
    while True:
        try:
            # Each round gives up the locks of the one before. A drain that kept some and waited
            # for more could deadlock with another drain.
            with transaction.atomic():
                return _lock_or_open(questions, by_question)
        except _Ended:
            continue


def _lock_or_open(
    questions: list[Question], by_question: dict[Question, list[Brief]]
) -> tuple[dict[str, Research], set[str]]:
    found = _answered(by_question)
    hashes = [question.hash for question in questions if question.hash not in found]
    known = set(_under_way(hashes).values_list("question_hash", flat=True))
    # Read again: a question answered after the first look is no longer under way either.
    found |= _answered({q: briefs for q, briefs in by_question.items() if q.hash in hashes})
    found |= _given_up(by_question, [q for q in questions if q.hash not in {*found, *known}])
    missing = [question for question in questions if question.hash not in found]
    _open([question for question in missing if question.hash not in known], by_question)
    # Locked for two reasons: an answer that arrives now waits until these briefs are saved, and a
    # drain that opens the same question waits and then sees these briefs.
    under_way = _under_way([question.hash for question in missing])
    locked = list(under_way.order_by("question_hash").select_for_update())
    if len(locked) < len(missing):
        raise _Ended
    # Another drain may have asked and been answered while this one was stopped before `_open`.
    if _answered({q: by_question[q] for q in missing if q.hash not in known}):
        raise _Ended
    found |= {research.question_hash: research for research in locked}
    return found, _without_briefs([one for one in locked if one.question_hash not in known])


def _under_way(hashes: list[str]) -> ResearchQuerySet:
    return Research.objects.active().filter(question_hash__in=hashes)


def _without_briefs(locked: list[Research]) -> set[str]:
    """The hashes of those rows that no brief has yet: their first brief is not sharing."""
    keys = [research.pk for research in locked]
    asked = set(
        Brief.objects.filter(research__in=keys).values_list("research", flat=True).distinct()
    ) | set(Brief.objects.filter(renewal__in=keys).values_list("renewal", flat=True).distinct())
    return {research.question_hash for research in locked if research.pk not in asked}


def _answered(by_question: dict[Question, list[Brief]]) -> dict[str, Research]:
    """The newest answer to each question that is still fresh enough for its persona."""
    by_reuse: dict[int, list[str]] = defaultdict(list)
    for question, briefs in by_question.items():
        by_reuse[briefs[0].persona.reuse_hours].append(question.hash)
    found: dict[str, Research] = {}
    for hours, hashes in by_reuse.items():
        answers = fresh_answers(hashes, hours).order_by("finished_at")
        found |= {answer.question_hash: answer for answer in answers}
    return found


def _given_up(
    by_question: dict[Question, list[Brief]], questions: list[Question]
) -> dict[str, Research]:
    """Questions that failed within their persona's reuse time and may have been paid.

    New briefs show the failure and offer to start the question again. Otherwise each new brief
    would pay for the same failure.
    """
    found: dict[str, Research] = {}
    for question in questions:
        hours = by_question[question][0].persona.reuse_hours
        failed = Research.objects.filter(
            question_hash=question.hash,
            status=Research.Status.FAILED,
            finished_at__gte=Now() - timedelta(hours=hours),
            calls__in=MaveCall.objects.maybe_paid(),
        )
        found |= {one.question_hash: one for one in failed.order_by("finished_at")}
    return found


def fresh_answers(hashes: list[str], hours: int) -> ResearchQuerySet:
    """Answers of the last `hours` to these questions."""
    return Research.objects.filter(
        question_hash__in=hashes,
        status=Research.Status.DONE,
        finished_at__gte=Now() - timedelta(hours=hours),
    )


def open_or_join(question: Question, brief: Brief) -> tuple[Research, bool]:
    """The research that is under way on this question, and whether this call opened it.

    Needs an open transaction.
    """
    by_question = {question: [brief]}
    while True:
        _open([question], by_question)
        locked = list(_under_way([question.hash]).select_for_update())
        if locked:
            _raise_priority(locked[0], brief.priority)
            return locked[0], bool(_without_briefs(locked))


def _open(questions: list[Question], by_question: dict[Question, list[Brief]]) -> None:
    # Another drain may ask the same at this moment: the partial unique index admits one row.
    Research.objects.bulk_create(
        [
            Research(
                persona=by_question[question][0].persona,
                kind=by_question[question][0].kind,
                template_version=question.version,
                question=question.text,
                question_hash=question.hash,
                priority=max(brief.priority for brief in by_question[question]),
            )
            for question in questions
        ],
        ignore_conflicts=True,
    )


def _raise_priority(research: Research, priority: int) -> None:
    if research.priority < priority:
        rows = Research.objects.filter(pk=research.pk, priority__lt=priority)
        rows.update(priority=priority)


def hurry(briefs: Iterable[Brief]) -> None:
    """Raise what these briefs wait for to their present priority. Needs an open transaction."""
    priorities: dict[int, int] = {}
    for brief in briefs:
        for key in (brief.research_id, brief.renewal_id):
            if key is not None:
                priorities[key] = max(brief.priority, priorities.get(key, 0))
    waiting = Research.objects.active().filter(pk__in=priorities).order_by("question_hash")
    for research in waiting.select_for_update():  # in the one order of locks
        _raise_priority(research, priorities[research.pk])


def upgrade_briefs() -> None:
    """Upgrade briefs whose answer is saved: its worker may have died before it upgraded them."""
    answered = Brief.objects.filter(research__status=Research.Status.DONE)
    answered.research_arrived()
    renewals = Brief.objects.filter(renewal__isnull=False).values("renewal")
    for renewed in Research.objects.filter(pk__in=renewals, status=Research.Status.DONE):
        renewed.briefs_rest_on_it()
    for answer in Research.objects.answered_after_failing():
        answer.briefs_rest_on_it()
