"""Messages, jobs and the segment, where they break a promise, are told."""

from datetime import timedelta

import pytest
from django.utils import timezone

from briefs.models import (
    Erasure,
    Notification,
    NotificationTarget,
    ReprocessingJob,
    SavingSegment,
)
from briefs.tests.factories import make_brief
from operations.invariants import telling
from operations.invariants.tests.breaking import LEASED, LONG_AGO, THEN, execute, told
from webhooks.models import Pruning

pytestmark = pytest.mark.django_db
OVER = f"finished_at = '{LONG_AGO}'"
LEFT = LEASED.replace("2126", "2026")
LEFT_WORDS = "its lease ended long ago, and nobody claimed it again"


@pytest.fixture
def message():
    target = NotificationTarget.objects.create(name="Desk", scheme="json", sealed_address="x")
    return Notification.objects.create(target=target, kind="alarm", dedupe_key="1", subject="So.")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (LEASED, "it has a lease, and is not being sent"),
        ("status = 'sending'", "it is being sent without a lease"),
        ("status = 'sent'", "it is over, and no time says since when"),
        (OVER, "it waits, and a time says when it was over"),
        (f"status = 'failed', {OVER}", "no reason says why it was given up"),
        ("digest_id = id", "a digest tells it, and it is sent by itself as well"),
    ],
)
def test_message_whose_row_contradicts_its_state_is_told(message, values, words):
    execute(f"UPDATE briefs_notification SET {values}")

    assert told(telling.message_is_in_one_state) == [f"notification {message.pk}: {words}"]


def test_message_and_job_that_dead_workers_hold_are_told(message):
    job = ReprocessingJob.objects.create(kind="events")

    execute(f"UPDATE briefs_notification SET status = 'sending', {LEFT}")
    execute(f"UPDATE briefs_reprocessingjob SET state = 'running', {LEFT}")

    assert told(telling.lease_on_a_message_ends) == [
        f"notification {message.pk}: {LEFT_WORDS}",
        f"job {job.pk}: {LEFT_WORDS}",
    ]


def test_erasure_removal_and_segment_that_dead_workers_hold_are_told():
    erasure = Erasure.objects.create(way=Erasure.Way.COMMAND)
    Pruning.objects.create(pk=1, due_at=THEN)
    SavingSegment.objects.create(pk=1, state="on", segment_id=7, name="Open briefs")
    assert told(telling.lease_on_what_is_done_in_passing_ends) == []

    for table in ("briefs_erasure", "webhooks_pruning", "briefs_savingsegment"):
        execute(f"UPDATE {table} SET {LEFT}")

    assert told(telling.lease_on_what_is_done_in_passing_ends) == [
        f"erasure {erasure.pk}: {LEFT_WORDS}",
        f"removal 1: {LEFT_WORDS}",
        f"segment 1: {LEFT_WORDS}",
    ]


def test_removal_that_was_broken_off_by_day_waits_for_the_night():
    Pruning.objects.create(pk=1, due_at=timezone.now() + timedelta(hours=12))

    execute(f"UPDATE webhooks_pruning SET {LEFT}")

    assert told(telling.lease_on_what_is_done_in_passing_ends) == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (LEASED, "it has a lease, and is not running"),
        ("state = 'done'", "it is over, and no time says since when"),
        (f"ended_at = '{LONG_AGO}'", "it goes on, and a time says when it was over"),
        ("done = 3", "it has looked at 3, and its counts add up to 2"),
        ("total = NULL", "it has done something before it knew how much there is"),
    ],
)
def test_job_whose_row_contradicts_itself_is_told(values, words):
    fields = {"counts": {"queued": 2}, "total": 2, "done": 2}
    job = ReprocessingJob.objects.create(kind="events", **fields)

    execute(f"UPDATE briefs_reprocessingjob SET {values}")

    assert told(telling.job_adds_up) == [f"job {job.pk}: {words}"]


def test_open_brief_whose_customer_was_never_put_into_the_segment_is_told():
    brief = make_brief()
    SavingSegment.turn_on(7, "Open briefs")
    execute(f"UPDATE briefs_brief SET created_at = '{LONG_AGO}'")
    assert told(telling.segment_has_its_people) == []  # those of before are being told

    execute(f"UPDATE briefs_savingsegment SET compared_at = '{LONG_AGO}'")

    words = f"brief {brief.pk}: its customer is not in the segment, and nobody told so"
    assert told(telling.segment_has_its_people) == [words]


def test_row_of_a_segment_that_is_off_is_told():
    brief = make_brief()

    execute(
        "INSERT INTO briefs_segmentmembership (customer_id, is_member, tries, fault, reason, named)"
        f" VALUES ({brief.customer_id}, TRUE, 0, '', '', '')"
    )

    assert [words.partition(": ")[2] for words in told(telling.segment_has_its_people)] == [
        "its customer is in a segment that is off"
    ]
