"""A reprocessing job that failed is a trouble until it goes on or is cancelled."""

import pytest
from django.utils import timezone

from briefs.desk.tests.pages import text
from briefs.models import ReprocessingJob
from operations import troubles
from operations.doctor import Verdict, work
from operations.troubles import Kind

pytestmark = pytest.mark.django_db


def fail(**fields):
    return ReprocessingJob.objects.create(
        kind="events", state="failed", reason="after 7: IntegrityError", done=200, total=1000,
        ended_at=timezone.now(), **fields,
    )  # fmt: skip


def found():
    return troubles.look(kinds=[Kind.JOB_FAILED])


def test_failed_job_is_told_with_its_reason_and_what_to_do(signed_in):
    job = fail()

    (trouble,) = found()

    assert trouble.level == "problem"
    assert (
        f"Reprocess events, job {job.pk} stopped after 200 of 1,000: after 7: IntegrityError."
        in trouble.text
    )
    assert "let it go on at its page" in trouble.cure
    assert work.jobs().level == Verdict.FAIL
    assert "stopped after 200 of 1,000" in text(signed_in.get("/webhook-health/"))


@pytest.mark.parametrize("turn", [ReprocessingJob.resume, ReprocessingJob.cancel])
def test_job_that_goes_on_or_is_cancelled_is_no_trouble_any_more(turn):
    job = fail()

    assert turn(job)

    assert found() == []
    assert work.jobs().level == Verdict.OK


def test_failed_dry_run_is_a_hint():
    fail(is_dry_run=True)

    assert [one.level for one in found()] == ["hint"]


def test_many_are_named_and_counted():
    for _ in range(5):
        fail()

    assert "So did 2 more." in found()[0].text
