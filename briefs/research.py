"""Gives briefs their research: shares what is there, joins what is under way, asks for the rest."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now
from django_q.tasks import async_task

from briefs import pacing
from briefs.mave import Answer, Mave, MaveError
from briefs.models import Brief, MaveCall, Research, ResearchPolicy
from briefs.questions import TEMPLATE_VERSION, Question, question_for
from webhooks.bell import queue

logger = logging.getLogger(__name__)

TASK = "briefs.tasks.research"


def attach(briefs: list[Brief]) -> int:
    """Give each brief a Research row by its question; returns how many questions are new.

    Sets the briefs' fields, saved or not, and leaves saving them to the caller. Needs an open
    transaction. A brief whose persona buys no research is left alone.
    """
    by_question: dict[Question, list[Brief]] = defaultdict(list)
    for brief in briefs:
        if brief.persona.buys_research:
            question = question_for(brief.persona, brief.kind, brief.question_facts)
            by_question[question].append(brief)
    if not by_question:
        return 0
    questions = sorted(by_question, key=lambda question: question.hash)  # one order of locks
    found, opened = _find_or_open(questions, by_question)
    for question in questions:
        _join(by_question[question], found[question.hash], question.hash in opened)
    return len(opened)


def _find_or_open(
    questions: list[Question], by_question: dict[Question, list[Brief]]
) -> tuple[dict[str, Research], set[str]]:
    """Research for every question's hash, locked where it is under way; and which of it is new."""
    found = _answered(by_question)
    opened: set[str] = set()
    while missing := [question for question in questions if question.hash not in found]:
        hashes = [question.hash for question in missing]
        known = set(_active_hashes(hashes))
        _open([question for question in missing if question.hash not in known], by_question)
        # Locked, so that an answer which arrives now waits until these briefs can be upgraded.
        active = Research.objects.active().filter(question_hash__in=hashes)
        for research in active.order_by("question_hash").select_for_update():
            found[research.question_hash] = research
            if research.question_hash not in known:
                opened.add(research.question_hash)
        for question in missing:  # finished between the two statements
            if question.hash in known and question.hash not in found:
                found |= _answered({question: by_question[question]})
    return found, opened


def _active_hashes(hashes: list[str]) -> Iterable[str]:
    return (
        Research.objects.active()
        .filter(question_hash__in=hashes)
        .values_list("question_hash", flat=True)
    )


def _answered(by_question: dict[Question, list[Brief]]) -> dict[str, Research]:
    """The newest answer to each question that is still fresh enough for its persona."""
    found: dict[str, Research] = {}
    for question, briefs in by_question.items():
        fresh = Now() - timedelta(hours=briefs[0].persona.reuse_hours)
        answer = (
            Research.objects.filter(
                question_hash=question.hash,
                status=Research.Status.DONE,
                finished_at__gte=fresh,
            )
            .order_by("-finished_at")
            .first()
        )
        if answer:
            found[question.hash] = answer
    return found


def _open(questions: list[Question], by_question: dict[Question, list[Brief]]) -> None:
    # Another drain may ask the same at this moment: the partial unique index lets one through.
    Research.objects.bulk_create(
        [
            Research(
                persona=by_question[question][0].persona,
                kind=by_question[question][0].kind,
                template_version=TEMPLATE_VERSION,
                question=question.text,
                question_hash=question.hash,
                priority=max(brief.priority for brief in by_question[question]),
            )
            for question in questions
        ],
        ignore_conflicts=True,
    )


def _join(briefs: list[Brief], research: Research, is_new: bool) -> None:
    for number, brief in enumerate(briefs):
        brief.research = research
        brief.is_sharing = not (is_new and number == 0)
        if research.status == Research.Status.DONE:
            brief.basis, brief.researched_at = Brief.Basis.SHARED, Now()
    most_urgent = max(brief.priority for brief in briefs)
    Research.objects.filter(pk=research.pk, priority__lt=most_urgent).update(priority=most_urgent)


def upgrade_briefs() -> None:
    """Give briefs the answer that is there: a worker may have died between saving it and this."""
    answered = Brief.objects.filter(research__status=Research.Status.DONE)
    answered.research_arrived()


def wake() -> int:
    """Wake as many research workers as have something to do; returns how many.

    A broker that fails is no trouble for whoever calls this: the sweep comes in a minute.
    """
    due = Research.objects.due().count()
    workers: int = settings.Q_CLUSTER["ALT_CLUSTERS"]["research"]["workers"]
    wanted = min(due, pacing.slots_free(), workers) if due else 0
    try:
        for _ in range(wanted):
            async_task(TASK, cluster="research", broker=queue("research"))
    except Exception as error:  # noqa: BLE001 - of a broker; its words may hold its password
        logger.warning("research workers not woken (%s)", type(error).__name__)
        return 0
    return wanted


def run_next() -> bool:
    """Ask Mave the most urgent due question; False if none may be asked now.

    One call to this is one paid call at most. No transaction is open while Mave thinks.
    """
    ticket = pacing.claim_next()
    if ticket is None:
        return False
    try:
        _ask(ticket)
    finally:
        wake()
    return True


def _ask(ticket: pacing.Ticket) -> None:
    research, token, call = ticket.research, ticket.token, ticket.call
    if not research.still_held(token):  # frozen since the claim: somebody else has it
        call.settle(MaveCall.Outcome.NOT_SENT, detail="the lease had run out before the call")
        return
    try:
        answer = Mave().chat(f"{research.question}\n\nReference: {call.reference}")
    except MaveError as error:
        logger.warning("research %d: %s", research.pk, error)
        _settle_error(ticket, error)
        return
    except BaseException:
        # Nothing is known of the call: the lease runs out and the ledger says so then.
        logger.exception("research %d was interrupted", research.pk)
        raise
    save_answer(ticket, answer)


def save_answer(ticket: pacing.Ticket, answer: Answer) -> bool:
    """Settle the call and upgrade the briefs; False if the lease was lost meanwhile."""
    ticket.call.settle(MaveCall.Outcome.ANSWERED, credits=answer.credits, http_status=200)
    if answer.is_asking_back:
        return ticket.research.fail(
            ticket.token, f"Mave asked back instead of answering: {answer.content[:500]}"
        )
    return ticket.research.finish(
        ticket.token,
        answer=answer.content,
        sources=answer.sources,
        personas_used=answer.personas_used,
        validation=answer.validation,
        thread_id=answer.thread_id,
        credits=answer.credits if answer.credits is not None else pacing.RESERVED_CREDITS,
        raw_reply=answer.raw,
    )


def _settle_error(ticket: pacing.Ticket, error: MaveError) -> None:
    research, token, words = ticket.research, ticket.token, str(error)
    ticket.call.settle(_outcome(error), http_status=error.http_status, detail=words)
    if error.is_account_wide:
        ResearchPolicy.current().pause(words)
        research.give_back(token, words)
    elif error.http_status == 429:
        research.give_back(token, words, error.retry_after)
    elif error.is_permanent:
        research.fail(token, words)
    else:
        research.try_again(token, words, error.retry_after)


def _outcome(error: MaveError) -> MaveCall.Outcome:
    if error.is_outcome_unknown:
        return MaveCall.Outcome.UNKNOWN
    return MaveCall.Outcome.REFUSED if error.is_sent else MaveCall.Outcome.NOT_SENT
