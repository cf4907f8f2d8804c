"""A question asked once more because a person wants it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from briefs.models import Brief, Research
from briefs.research import sharing
from briefs.research.renewal import Renewal, renew, restart
from briefs.research.working import run_next
from briefs.tests.factories import make_brief, make_persona, make_research, question_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def persona():
    return make_persona()


def asked(persona, **fields):
    question = question_for(persona, "unsubscribed", [])
    return make_research(
        persona=persona, question=question.text, question_hash=question.hash, **fields
    )


def reload(row):
    row.refresh_from_db()
    return row


@pytest.fixture
def answered(persona):
    """A brief that rests on an answer of two hours ago."""
    done = asked(
        persona,
        status="done",
        answer="Old.",
        credits=20,
        finished_at=timezone.now() - timedelta(hours=2),
    )
    return make_brief(persona=persona, research=done, basis="new")


# A fresh answer -----------------------------------------------------------------------------------


def test_fresh_answer_takes_the_place_of_the_old_one_when_it_arrives(answered, sandbox, user):
    old = answered.research

    assert renew(answered, user) == Renewal.ASKED
    assert (reload(answered).research, answered.basis) == (old, "new")

    run_next()
    assert reload(answered).research != old
    assert answered.research.status == "done"
    assert (answered.basis, answered.renewal) == ("new", None)
    assert answered.researched_at > timezone.now() - timedelta(minutes=1)
    assert "asked for a fresh answer" in [a.text for a in answered.activities.all()]


def test_later_briefs_share_the_fresh_answer(answered, persona, sandbox, user):
    renew(answered, user)
    run_next()
    later = make_brief(persona=persona)

    sharing.attach([later])

    assert later.research == reload(answered).research


def test_second_request_while_the_first_is_under_way_costs_nothing(answered, user):
    renew(answered, user)

    assert renew(answered, user) == Renewal.UNDER_WAY
    assert Research.objects.count() == 2


def test_fresh_answer_that_another_brief_has_asked_for_is_shared(answered, persona, sandbox, user):
    other = make_brief(persona=persona, research=answered.research, basis="shared")
    renew(other, user)

    assert renew(answered, user) == Renewal.JOINED

    run_next()
    assert reload(answered).research == reload(other).research
    assert (answered.basis, other.basis) == ("shared", "new")
    assert len([r for r in sandbox.requests if r.path.endswith("/mave/chat")]) == 1


def test_brief_keeps_its_answer_if_the_fresh_one_fails(answered, sandbox, user):
    sandbox.max_message_chars = 10
    renew(answered, user)

    run_next()

    assert reload(answered).research.answer == "Old."
    assert answered.renewal.status == "failed"
    assert renew(answered, user) == Renewal.ASKED


@pytest.mark.parametrize("why", ["closed", "playbook", "no research"])
def test_brief_that_cannot_have_a_fresh_answer_gets_none(answered, user, why):
    if why == "closed":
        answered.close("churned")
    elif why == "playbook":
        Brief.objects.update(basis="playbook")
    else:
        type(answered.persona).objects.update(opens_brief=False)

    ended = Renewal.CLOSED if why == "closed" else Renewal.NOT_POSSIBLE
    assert renew(answered, user) == ended
    assert Research.objects.count() == 1


def test_fresh_answer_that_no_open_brief_waits_for_is_not_bought(answered, sandbox, user):
    renew(answered, user)
    answered.close("retained")

    assert not run_next()
    assert sandbox.requests == []


@pytest.fixture
def newer(answered, persona):
    """An answer that another brief got an hour later."""
    return asked(
        persona, status="done", answer="New.", finished_at=timezone.now() - timedelta(hours=1)
    )


def test_newer_answer_that_others_had_is_taken_over_for_nothing(answered, newer, sandbox, user):
    assert renew(answered, user) == Renewal.ANSWERED

    assert (reload(answered).research, answered.basis, answered.is_sharing) == (
        newer, "shared", True,
    )  # fmt: skip
    assert answered.researched_at > timezone.now() - timedelta(minutes=1)
    assert answered.activities.get().text == (
        "took over a newer answer to the same question, for 0 credits"
    )
    assert (Research.objects.active().count(), sandbox.requests) == (0, [])


def test_fresh_answer_after_the_newest_was_taken_over_is_asked_for(answered, newer, user):
    renew(answered, user)

    assert renew(answered, user) == Renewal.ASKED


def test_newer_answer_takes_the_place_of_a_fresh_one_that_failed(answered, newer, persona, user):
    failed = asked(persona, status="failed")
    Brief.objects.update(renewal=failed, is_renewal_shared=True)

    renew(answered, user)

    assert (reload(answered).renewal, answered.is_renewal_shared) == (None, False)


def test_newer_answer_to_another_question_is_not_taken_over(answered, persona, user):
    make_research(persona=persona, status="done", finished_at=timezone.now())

    assert renew(answered, user) == Renewal.ASKED


# A failed question --------------------------------------------------------------------------------


@pytest.fixture
def failed(persona):
    return make_brief(persona=persona, research=asked(persona, status="failed", tries=8))


def test_failed_question_is_started_again(failed, user):
    assert restart(failed, user) == Renewal.ASKED

    assert (reload(failed.research).status, failed.research.tries) == ("queued", 0)
    assert failed.research.restarted_at


def test_failed_question_that_was_answered_for_others_is_shared_for_nothing(failed, persona, user):
    answer = asked(persona, status="done", answer="So.", finished_at=timezone.now())

    assert restart(failed, user) == Renewal.ANSWERED

    assert (reload(failed).research, failed.basis, failed.is_sharing) == (answer, "shared", True)
    assert failed.researched_at


def test_failed_question_that_others_ask_now_joins_them(failed, persona, user):
    other = asked(persona)

    assert restart(failed, user) == Renewal.JOINED

    assert (reload(failed).research, failed.is_sharing) == (other, True)


def test_stale_answer_is_not_shared_with_a_failed_question(failed, persona, user):
    long_ago = timezone.now() - timedelta(hours=persona.reuse_hours + 1)
    asked(persona, status="done", answer="So.", finished_at=long_ago)

    assert restart(failed, user) == Renewal.ASKED


@pytest.mark.parametrize("status", ["queued", "running", "recovering", "done"])
def test_question_that_did_not_fail_stays_as_it_is(persona, user, status):
    brief = make_brief(persona=persona, research=asked(persona, status=status))

    assert restart(brief, user) == Renewal.UNDER_WAY


def test_closed_brief_starts_nothing(failed, user):
    failed.close("churned")

    assert restart(failed, user) == Renewal.CLOSED


def test_answer_to_a_later_brief_serves_those_for_whom_the_question_failed(
    failed, persona, sandbox
):
    later = make_brief(persona=persona)
    sharing.attach([later])
    later.save()

    run_next()

    assert reload(failed).research == reload(later).research
    assert (failed.basis, failed.is_sharing, later.basis) == ("shared", True, "new")
    assert failed.researched_at > timezone.now() - timedelta(minutes=1)
