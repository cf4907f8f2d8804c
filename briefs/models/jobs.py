"""Work on many stored events or open briefs that goes on in the background, slice by slice.

A worker holds a job by a lease while it does a slice. How far it came is written in the transaction
of each batch, under that lease: wherever a worker is killed, nothing is done twice or left out.
"""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from briefs.models.briefs import Brief

LEASE = timedelta(seconds=90)  # longer than a slice and its last batch
MAX_TRIES = 5  # slices in a row that ended without a batch done
KEPT = timedelta(days=30)


class JobQuerySet(models.QuerySet["ReprocessingJob"]):
    def under_way(self) -> Self:
        return self.filter(state__in=ReprocessingJob.UNDER_WAY)

    def due(self) -> Self:
        """Under way, and no worker is at it."""
        return self.under_way().filter(Q(lease_until=None) | Q(lease_until__lt=Now()))

    def claim(self, key: int | None = None) -> "ReprocessingJob | None":
        """Take the oldest that is due, or this one, for one slice; None if there is none."""
        rows = self.due() if key is None else self.due().filter(pk=key)
        job = rows.order_by("pk").first()
        if job is None:
            return None
        token = uuid.uuid4()
        # The lease of before has ended: only one of two workers finds it still there.
        taken = self.due().filter(pk=job.pk, lease_token=job.lease_token)
        changed = taken.update(
            state=ReprocessingJob.State.RUNNING,
            lease_token=token,
            lease_until=Now() + LEASE,
            tries=F("tries") + 1,
            started_at=models.functions.Coalesce("started_at", Now()),
        )
        return self.get(pk=job.pk) if changed else None

    def revoke(self) -> int:
        """Let those under way begin their present batch anew: what they read is there no more.

        The worker that is at one loses its lease, and its batch is rolled back.
        """
        return self.under_way().update(
            state=ReprocessingJob.State.QUEUED, lease_token=None, lease_until=None
        )

    def over(self) -> Self:
        """Ended so long ago that nobody asks what came of them."""
        return self.filter(ended_at__lt=Now() - KEPT)


class ReprocessingJob(models.Model):
    """Stored events, or open briefs, that are taken through the present rules again.

    | from            | arrow                                | to        |
    |---|---|---|
    | -               | made                                 | QUEUED    |
    | QUEUED, RUNNING | `claim`: a worker does a slice       | RUNNING   |
    | QUEUED, RUNNING | `pause`: by a person                 | PAUSED    |
    | PAUSED, FAILED  | `resume`: by a person                | QUEUED    |
    | all of these    | `cancel`: what is done stays done    | CANCELLED |
    | RUNNING         | `end`                                | DONE      |
    | RUNNING         | `fail`: it came no further           | FAILED    |
    """

    class Kind(models.TextChoices):
        EVENTS = "events", "Reprocess events"
        BRIEFS = "briefs", "Apply the present rules to open briefs"
        UNDO = "undo", "Undo"  # of a job on briefs

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"  # for a worker
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"  # until a person lets it go on
        DONE = "done", "Done"
        FAILED = "failed", "Failed"  # it came no further; a person may let it go on
        CANCELLED = "cancelled", "Cancelled"  # what was done until then stays done

    UNDER_WAY = (State.QUEUED, State.RUNNING)

    kind = models.CharField("what", max_length=8, choices=Kind.choices)
    is_dry_run = models.BooleanField(
        "dry run", default=False, help_text="It only says what would change."
    )
    selectors = models.JSONField(default=dict, help_text="Which events, as the command takes them.")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,  # whoever acted is deactivated, never deleted: the name stays
        null=True,
        blank=True,
        related_name="+",
        verbose_name="by",
    )
    undoes = models.OneToOneField(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="undone_by"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    reason = models.CharField(max_length=300, blank=True, help_text="Why it failed.")

    total = models.PositiveIntegerField(
        null=True, blank=True, help_text="How many there were when it began."
    )
    done = models.PositiveIntegerField(default=0, help_text="How many of them it has looked at.")
    counts = models.JSONField(default=dict, help_text="How many came to what, by the words for it.")
    found = models.JSONField(
        default=dict, help_text="Of a dry run: examples, and the hashes of new questions."
    )
    last_id = models.PositiveBigIntegerField(default=0, help_text="Up to this key all is done.")
    up_to = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="The last key when it began: later ones are left out."
    )
    tries = models.PositiveSmallIntegerField(default=0, help_text="Slices without a batch done.")
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField("ordered at", db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        default_permissions = ()  # whoever may reprocess events may all of it
        verbose_name = "reprocessing job"
        indexes = [
            models.Index(
                fields=["id"], condition=Q(state__in=["queued", "running"]), name="job_under_way"
            )
        ]

    def __str__(self) -> str:
        dry = ", dry run" if self.is_dry_run else ""
        return f"{self.get_kind_display()}{dry}, job {self.pk}"

    @property
    def is_under_way(self) -> bool:
        return self.state in self.UNDER_WAY

    @property
    def percent(self) -> int:
        if self.state == self.State.DONE:
            return 100
        return min(99, 100 * self.done // self.total) if self.total else 0

    @property
    def questions(self) -> int:
        """How many new questions a dry run found."""
        return len(self.found.get("questions", ()))

    @property
    def is_undoable(self) -> bool:
        """Whether it changed briefs, and nobody asked before that they become what they were."""
        has_ended = self.state in (self.State.DONE, self.State.CANCELLED, self.State.FAILED)
        is_real = self.kind == self.Kind.BRIEFS and not self.is_dry_run
        return has_ended and is_real and not hasattr(self, "undone_by")

    # What a worker notes, while it has the lease. False if it has lost it: then nothing is written,
    # and a batch in the same transaction is to be rolled back.

    def begin(self, total: int, up_to: int) -> bool:
        return self._hold(total=total, up_to=up_to)

    def advance(self, done: int, last_id: int, counts: Mapping[str, int], **found: Any) -> bool:
        """A batch is done, or looked at. `found` replaces what was found so far."""
        sums = {**self.counts}
        for words, number in counts.items():
            sums[words] = sums.get(words, 0) + number
        return self._hold(
            done=self.done + done,
            last_id=last_id,
            counts=sums,
            tries=0,
            reason="",
            lease_until=Now() + LEASE,
            **({"found": found} if found else {}),
        )

    def release(self) -> bool:
        """The slice is over; another one follows."""
        return self._hold(lease_token=None, lease_until=None)

    def put_back(self, reason: str) -> bool:
        """The slice failed; another one tries again."""
        return self._hold(reason=reason[:300], lease_token=None, lease_until=None)

    def end(self) -> bool:
        return self._hold(state=self.State.DONE, **_ENDED)

    def fail(self, reason: str) -> bool:
        return self._hold(state=self.State.FAILED, reason=reason[:300], **_ENDED)

    def _hold(self, **fields: Any) -> bool:
        rows = ReprocessingJob.objects.filter(
            pk=self.pk, lease_token=self.lease_token, state=self.State.RUNNING
        )
        changed = rows.update(**fields)
        if changed:
            self.refresh_from_db()
        return bool(changed)

    # What people do. Each says whether it led there.

    def pause(self) -> bool:
        return self._turn(self.UNDER_WAY, state=self.State.PAUSED)

    def resume(self) -> bool:
        """It goes on after the last batch that was done."""
        again = {"state": self.State.QUEUED, "tries": 0, "reason": "", "ended_at": None}
        return self._turn((self.State.PAUSED, self.State.FAILED), **again)

    def cancel(self) -> bool:
        """Also of one that failed, so that it is no trouble any more."""
        states = (*self.UNDER_WAY, self.State.PAUSED, self.State.FAILED)
        return self._turn(states, state=self.State.CANCELLED, ended_at=Now())

    def _turn(self, states: tuple[str, ...], **fields: Any) -> bool:
        """The worker that is at it loses its lease: its batch is rolled back."""
        rows = ReprocessingJob.objects.filter(pk=self.pk, state__in=states)
        changed = rows.update(lease_token=None, lease_until=None, **fields)
        self.refresh_from_db()
        return bool(changed)


_ENDED: dict[str, Any] = {"ended_at": Now(), "lease_token": None, "lease_until": None}


class ReprocessedBrief(models.Model):
    """What a job did with one open brief, or would do; and what it was before."""

    class Change(models.TextChoices):
        WITHDRAWN = "withdrawn", "withdrawn"
        PERSONA = "persona", "another persona"
        PRIORITY = "priority", "another priority"
        WORDS = "words", "the same persona, told in other words"
        LEFT = "left", "left as it is, because somebody works on it"

    class Undone(models.TextChoices):
        UNDONE = "undone", "as it was before"
        CHANGED = "changed", "left, because it was changed since"
        ANOTHER_OPEN = "another", "left, because the customer has a new open brief"

    job = models.ForeignKey(ReprocessingJob, on_delete=models.CASCADE, related_name="briefs")
    brief = models.ForeignKey(Brief, on_delete=models.CASCADE, related_name="+")
    change = models.CharField(max_length=10, choices=Change.choices)
    before = models.JSONField(help_text="Persona, priority and first step, in words.")
    after = models.JSONField(help_text="The same by the present rules.")
    was = models.JSONField(default=dict, help_text="The fields that were changed, for the undo.")
    touch = models.JSONField(
        default=dict, help_text="The newest signal, entry and comment when it was done."
    )
    undone = models.CharField(max_length=10, choices=Undone.choices, blank=True)

    class Meta:
        default_permissions = ()
        verbose_name = "brief of a job"
        verbose_name_plural = "briefs of jobs"
        constraints = [models.UniqueConstraint(fields=["job", "brief"], name="job_brief_once")]

    def __str__(self) -> str:
        return f"{self.brief_id}: {self.get_change_display()}"
