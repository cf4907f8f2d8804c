"""Reprocessing over the API: ordered, polled, stopped, undone."""

import pytest

from accounts.models import Role
from briefs.api.tests.acting import Program
from briefs.models import ReprocessingJob
from briefs.reprocessing.tests.making import finish, make_fitting, make_open, reload
from briefs.tests.factories import make_event

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(client, user):
    return Program(client, user, Role.LEAD)


def post(program, path="", key="", **sent):
    headers = program.header | ({"Idempotency-Key": key} if key else {})
    return program.client.post(
        f"/api/v1/reprocessing-jobs/{path}", sent, content_type="application/json", headers=headers
    )


def done(answer):
    """The job after workers did all of it, as the API tells it."""
    return finish(ReprocessingJob.objects.get(pk=answer.json()["id"]))


def test_events_are_reprocessed_by_a_job_that_is_polled(program, user):
    events = [make_event(status="dead", metric="bounced") for _ in range(2)]

    ordered = post(program, kind="events", dry_run=False, selectors={"metric": "bounced"})

    assert ordered.status_code == 201, ordered.json()
    assert ordered.json()["state"] == "queued"
    assert ordered.json()["actor"] == user.username
    job = done(ordered)
    told = program.get(f"reprocessing-jobs/{job.pk}/").json()
    assert (told["state"], told["done"], told["total"]) == ("done", 2, 2)
    assert told["counts"] == {"queued": 2}
    assert {reload(event).status for event in events} == {"pending"}


@pytest.mark.usefixtures("starter")
def test_job_is_a_dry_run_unless_it_says_otherwise(program):
    event = make_event(status="dead")

    job = done(post(program, kind="events", selectors={"status": ["dead"]}))

    assert job.is_dry_run
    assert reload(event).status == "dead"


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"kind": "events"}, "selectors"),
        ({"kind": "events", "selectors": {"limit": 5}}, "selectors"),
        ({"kind": "events", "selectors": {"status": ["pending"]}}, "selectors.status.0"),
        ({"kind": "events", "selectors": {"colour": "red"}}, "selectors.colour"),
        ({"kind": "briefs", "selectors": {"metric": "bounced"}}, "selectors"),
        ({"kind": "undo"}, "kind"),
    ],
)
def test_order_that_says_nothing_sensible_is_refused_by_the_field(program, sent, field):
    answer = post(program, **sent)

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]
    assert not ReprocessingJob.objects.exists()


def test_same_key_again_orders_nothing_twice(program):
    make_event(status="dead")

    for _ in range(2):
        post(program, key="one", kind="events", selectors={"status": ["dead"]})

    assert ReprocessingJob.objects.count() == 1


def test_job_is_paused_let_go_on_and_cancelled(program):
    make_event(status="dead")
    job = post(program, kind="events", selectors={"status": ["dead"]}).json()

    states = [post(program, f"{job['id']}/{turn}/").json().get("state")
              for turn in ("pause", "resume", "cancel")]  # fmt: skip

    assert states == ["paused", "queued", "cancelled"]
    refused = post(program, f"{job['id']}/pause/")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_now")


@pytest.mark.usefixtures("starter")
def test_open_briefs_follow_the_rules_are_listed_and_undone(program):
    brief = make_open("free")
    make_fitting("free", name="Another")

    job = done(post(program, kind="briefs", dry_run=False))

    [row] = program.get(f"reprocessed-briefs/?job={job.pk}&change=persona").json()["results"]
    assert (row["brief"], row["change"], row["after"]["persona"]) == (
        brief.pk, "persona", "“Another”",
    )  # fmt: skip
    assert not program.get(f"reprocessed-briefs/?job={job.pk + 1}").json()["results"]
    undone = done(post(program, f"{job.pk}/undo/"))
    assert undone.counts == {"as it was before": 1}
    assert reload(brief).persona.name != "Another"
    assert post(program, f"{job.pk}/undo/").status_code == 409


@pytest.mark.usefixtures("starter")
def test_jobs_are_filtered_by_their_state(program):
    make_event(status="dead")
    job = done(post(program, kind="events", selectors={"status": ["dead"]}))
    post(program, kind="events", selectors={"status": ["dead"]})

    found = program.get("reprocessing-jobs/?state=done").json()["results"]

    assert [one["id"] for one in found] == [job.pk]


def test_whoever_may_not_reprocess_is_told_which_right_it_takes(client, user):
    agent = Program(client, user, Role.EDITOR)

    answers = [agent.get("reprocessing-jobs/"), post(agent, kind="briefs", dry_run=False)]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert "webhooks.change_webhookevent" in answers[1].json()["detail"]
    assert not ReprocessingJob.objects.exists()
