"""What came of a call to Mave: settles the ledger, the question, and the briefs that wait for it.

The question's row is written before the call's, as everywhere: with another order two workers
could deadlock.
"""

import uuid
from datetime import timedelta
from typing import Any

from django.db import transaction

from briefs.models import MaveCall, Research
from briefs.research import breaker
from briefs.research.accounts import RESERVED_CREDITS
from providers.mavera import DEADLINE_SECONDS, Answer, MaveError


def save(
    research: Research,
    token: uuid.UUID,
    call: MaveCall,
    answer: Answer,
    *,
    is_recovered: bool = False,
) -> bool:
    """Save an answer and upgrade the briefs; False if another worker asks the question by now.

    A worker that lost its lease saves its answer too, if no other worker asks the question at this
    moment: a paid answer is not thrown away.
    """
    with transaction.atomic():
        if answer.is_asking_back:
            code = Research.Reason.ASKED_BACK
            words = f"{code.label}: {answer.content[:500]}"
            is_ours = research.fail(token, words, reason_code=code, **_answer_fields(answer))
        else:
            fields = _answer_fields(answer)
            is_ours = research.finish(token, **fields) or research.finish_late(**fields)
        call.settle(
            MaveCall.Outcome.ANSWERED,
            credits=answer.credits,
            http_status=200,
            thread_id=answer.thread_id,
            is_recovered=is_recovered,
        )
    if is_ours and research.status == Research.Status.DONE:
        research.briefs_rest_on_it()
    breaker.answered(call)
    return is_ours


def _answer_fields(answer: Answer) -> dict[str, Any]:
    return {
        "answer": answer.content,
        "sources": answer.sources,
        "personas_used": answer.personas_used,
        "validation": answer.validation,
        "thread_id": answer.thread_id,
        "credits": answer.credits if answer.credits is not None else RESERVED_CREDITS,
        "raw_reply": answer.raw,
    }


def settle_error(research: Research, token: uuid.UUID, call: MaveCall, error: MaveError) -> None:
    """Settle the call with its error, and move the question to the state that follows from it."""
    words, code = error.words, error.code
    call.settle(
        _outcome(error),
        credits=error.credits,
        http_status=error.http_status,
        thread_id=error.thread_id,
        is_fault=error.is_fault,
        detail=str(error),
    )
    is_trial = error.is_fault and breaker.failed(call, words, code)
    if error.is_outcome_unknown:
        busy_for = timedelta(seconds=DEADLINE_SECONDS) if error.is_broken_off else None
        research.lose(token, words, busy_for=busy_for, thread=error.thread_id)
    elif error.is_account_wide or error.http_status == 429:
        research.give_back(token, words, error.retry_after, code)
    elif error.is_permanent:
        research.fail(token, words, mavera_code=code or None)
    elif is_trial:
        research.give_back(token, words, code=code)
    else:
        research.try_again(token, words, error.retry_after, code)


def _outcome(error: MaveError) -> MaveCall.Outcome:
    if error.is_outcome_unknown:
        return MaveCall.Outcome.UNKNOWN if error.credits is None else MaveCall.Outcome.ANSWERED
    return MaveCall.Outcome.REFUSED if error.is_sent else MaveCall.Outcome.NOT_SENT
