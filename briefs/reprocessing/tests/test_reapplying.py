"""Open briefs follow the present rules; those that somebody works on stay; all of it is undone."""

import pytest

from briefs.models import Brief, Priority, ReprocessedBrief, ReprocessingJob, Research
from briefs.pipeline import draining
from briefs.reprocessing import ordering, working
from briefs.reprocessing.tests.making import (
    finish,
    look,
    make_fitting,
    make_open,
    reapply,
    reload,
)
from briefs.tests.factories import make_customer, make_event, make_payload, make_research, make_step
from personas.models import Persona

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]

Change = ReprocessedBrief.Change


@pytest.fixture
def moved():
    """An open brief whose customer another persona takes by now."""
    brief = make_open("free", research=make_research())
    persona = make_fitting("free", name="Free, and loud", value=Persona.Value.HIGH)
    make_step(persona=persona, kind="unsubscribed", text="Send a postcard.", channels=[])
    return brief


def test_brief_gets_the_persona_priority_first_step_and_question_of_now(moved, lead):
    before, revision = moved.research, moved.revision

    job = reapply(lead)

    brief = reload(moved)
    assert brief.persona.name == "Free, and loud"
    assert brief.persona_why == "persona “Free, and loud”: plan is “free”"
    assert brief.priority == Priority.HIGH
    assert brief.research not in (None, before)
    assert (brief.basis, brief.revision) == (Brief.Basis.PLAYBOOK, revision + 1)
    [entry] = brief.activities.all()
    assert entry.actor == lead
    assert "persona “Free, and loud”, was" in entry.text
    row = job.briefs.get()
    assert (row.change, row.after["step"]) == (Change.PERSONA, "Send a postcard.")
    assert job.counts == {"another persona": 1}


def test_dry_run_lists_what_would_change_and_changes_nothing(moved):
    job = look()

    row = job.briefs.get()
    assert row.before["persona"] == f"“{moved.persona}”"
    assert row.after == {
        "persona": "“Free, and loud”", "priority": "High", "step": "Send a postcard.",
    }  # fmt: skip
    assert job.questions == 1
    assert Research.objects.count() == 1
    assert Brief.objects.values().get() == Brief.objects.filter(pk=moved.pk).values().get()
    assert reload(moved).persona != Persona.objects.get(name="Free, and loud")
    assert not moved.activities.exists()


def test_brief_is_withdrawn_if_its_persona_opens_none_by_now():
    brief = make_open("free")
    make_fitting("free", name="Not worth it", opens_brief=False)

    reapply()

    brief = reload(brief)
    assert (brief.state, brief.outcome) == (Brief.State.CLOSED, Brief.Outcome.WITHDRAWN)
    assert "“Not worth it”" in brief.closing_note


def test_brief_that_somebody_works_on_stays_and_is_listed_apart(moved, user):
    moved.assign(user, user)
    before = Brief.objects.filter(pk=moved.pk).values().get()

    job = reapply()

    assert Brief.objects.filter(pk=moved.pk).values().get() == before
    row = job.briefs.get()
    assert (row.change, row.after["persona"]) == (Change.LEFT, "“Free, and loud”")


def test_brief_that_waits_for_its_profile_and_one_without_a_profile_stay():
    waiting = make_open("free", is_waiting_for_profile=True)
    unknown = make_open("free")
    unknown.customer.fetched_at = None
    unknown.customer.save()
    make_fitting("free")

    job = reapply()

    assert not job.briefs.exists()
    assert {reload(waiting).persona, reload(unknown).persona}.isdisjoint(
        Persona.objects.filter(name="On free")
    )


def test_research_stays_with_the_same_persona_and_its_new_reason_is_told():
    persona = make_fitting("free", name="Before", value=Persona.Value.STANDARD)
    brief = make_open("free", research=make_research(persona=persona), basis="new")
    Persona.objects.filter(pk=persona.pk).update(name="After")

    job = reapply()

    after = reload(brief)
    assert after.persona_why == "persona “After”: plan is “free”"
    assert (after.research, after.basis) == (brief.research, "new")
    assert job.counts["the same persona, told in other words"] == 1


def test_second_run_changes_nothing(moved):
    reapply()

    assert reapply().counts == {"nothing changes": 1}


# Undo


def undo(job, actor=None):
    return finish(ordering.undo(job, actor))


SAME = ("persona_id", "persona_why", "question_facts", "priority", "research_id", "basis",
        "is_sharing", "due_at", "value_sort", "state", "outcome", "closed_at")  # fmt: skip


def test_undo_makes_the_brief_what_it_was_with_its_research(moved, lead):
    before = Brief.objects.filter(pk=moved.pk).values(*SAME).get()
    job = reapply(lead)
    Research.objects.filter(pk=before["research_id"]).update(status="cancelled")  # nobody waited

    undoing = undo(job, lead)

    assert Brief.objects.filter(pk=moved.pk).values(*SAME).get() == before
    assert Research.objects.get(pk=before["research_id"]).status == "queued"
    assert undoing.counts == {"as it was before": 1}
    entry = moved.activities.last()
    assert (entry.actor, "undid it: persona" in entry.text) == (lead, True)


def test_undo_opens_what_was_withdrawn():
    brief = make_open("free")
    before = Brief.objects.filter(pk=brief.pk).values(*SAME).get()
    make_fitting("free", opens_brief=False)

    undo(reapply())

    assert Brief.objects.filter(pk=brief.pk).values(*SAME).get() == before


def test_undo_leaves_a_brief_that_was_touched_since(moved, user):
    job = reapply()
    moved.assign(user, user)

    undo(job)

    assert reload(moved).persona.name == "Free, and loud"
    assert job.briefs.get().undone == ReprocessedBrief.Undone.CHANGED


def test_undo_does_not_mind_an_answer_that_arrived_since(moved):
    job = reapply()
    reload(moved).research.briefs.research_arrived()

    undo(job)

    assert reload(moved).persona.name != "Free, and loud"


def test_undo_leaves_a_withdrawn_brief_whose_customer_has_another_open_one():
    brief = make_open("free")
    make_fitting("free", opens_brief=False)
    job = reapply()
    make_open("free", customer=brief.customer)

    undo(job)

    assert reload(brief).state == Brief.State.CLOSED
    assert job.briefs.get().undone == ReprocessedBrief.Undone.ANOTHER_OPEN


def test_job_is_undone_once(moved):
    job = reapply()
    undo(job)

    assert ordering.undo(job, None) is None


def test_dry_run_cannot_be_undone(moved):
    assert ordering.undo(look(), None) is None


def test_briefs_that_are_opened_later_are_left_out(moved, monkeypatch):
    monkeypatch.setattr(working, "BATCH", 1)
    job = ordering.reapply(None, is_dry_run=False)
    working.work(ReprocessingJob.objects.claim(job.pk), seconds=0)
    make_open("free")

    assert finish(job).done == 1


# A worker that lost its job


def lose_it_during(monkeypatch, room, step):
    """Somebody else takes over the job while this step of a batch is done."""
    does = getattr(room, step)

    def doing(*arguments):
        ReprocessingJob.objects.update(lease_token=None)
        return does(*arguments)

    monkeypatch.setattr(room, step, doing)


def test_batch_of_a_worker_that_lost_its_job_changes_no_brief(moved, monkeypatch):
    before = moved.persona
    job = ordering.reapply(None, is_dry_run=False)
    lose_it_during(monkeypatch, working.remapping, "matches")

    working.work(ReprocessingJob.objects.claim(job.pk), seconds=0)

    assert reload(moved).persona == before


def test_batch_of_a_worker_that_lost_its_job_undoes_no_brief(moved, monkeypatch):
    undoing = ordering.undo(reapply(), None)
    lose_it_during(monkeypatch, working.undoing, "undo_batch")

    working.work(ReprocessingJob.objects.claim(undoing.pk), seconds=0)

    assert reload(moved).persona.name == "Free, and loud"


# The same when events are reprocessed


@pytest.fixture
def processed():
    """An event of an enterprise customer, and the brief that it opened."""
    person = make_customer(attributes={"plan": "enterprise", "usage_tier": "low"})
    event = make_event(make_payload(data={"identifiers": {"cio_id": person.cio_id}}))
    draining.drain()
    return event, Brief.objects.get()


def test_reprocessed_event_gives_its_untouched_brief_the_persona_of_its_signal(processed):
    event, brief = processed
    make_fitting("enterprise", name="Another")
    assert reload(event).replay()

    draining.drain()

    brief = reload(brief)
    assert brief.persona.name == "Another"
    assert "“Another”" in brief.persona_why
    assert all("“Another”" in signal.why for signal in brief.signals.all())


def test_reprocessed_event_withdraws_its_brief_if_the_persona_opens_none(processed):
    event, brief = processed
    make_fitting("enterprise", opens_brief=False)
    assert reload(event).replay()

    draining.drain()

    assert reload(brief).outcome == Brief.Outcome.WITHDRAWN
    assert f"brief {brief.pk} was withdrawn" in reload(event).status_reason


def test_provenance_names_one_persona_though_a_signal_was_read_as_anothers(processed, user, client):
    event, brief = processed
    brief.assign(user, user)
    make_fitting("enterprise", name="Another")
    assert reload(event).replay()
    draining.drain()
    client.force_login(user)

    page = client.get(brief.get_absolute_url()).content.decode()

    origin = page[page.index("provenance-title") :].partition("</section>")[0]
    assert f"“{brief.persona}”" in origin
    assert "Another" not in origin
