"""A question to Mave: from the first brief that asks it to the answer that all of them share."""

import random
import uuid
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Greatest, Now

from briefs.models.briefs import Brief
from briefs.models.priority import Priority
from personas.models import Persona, SignalKind
from providers import mavera_validation
from providers.mavera import in_full

LEASE = timedelta(seconds=240)  # longer than the research cluster's time-out
LOOK = timedelta(seconds=90)  # at most, from when a search is due until it has read the threads
MAX_TRIES = 8
# Eight tries over a little more than a day: a long outage of Mave loses no question.
BACKOFF = [timedelta(minutes=m) for m in (1, 5, 15, 60, 180, 420, 840)]
_NO_CODES = {"reason_code": None, "mavera_code": None}  # for a reason that has only words
JITTER = 0.2  # of a delay, added at random, so that questions that failed together spread out


class ResearchQuerySet(models.QuerySet["Research"]):
    def active(self) -> Self:
        """Queued, running or being recovered: a further brief with this question joins it."""
        return self.filter(status__in=Research.ACTIVE)

    def due(self) -> Self:
        """To be asked or looked for now, also where a worker's lease ran out."""
        ready = Q(available_at=None) | Q(available_at__lte=Now())
        abandoned = Q(lease_until=None) | Q(lease_until__lt=Now())
        return self.active().filter(ready & abandoned)

    def wanted(self) -> Self:
        """An open brief waits for it."""
        waiting = Q(research=OuterRef("pk")) | Q(renewal=OuterRef("pk"))
        return self.filter(Exists(Brief.objects.open().filter(waiting)))

    def lost(self) -> Self:
        """Asked, and the answer did not arrive: either that is known, or its worker is gone."""
        return self.filter(status__in=(Research.Status.RUNNING, Research.Status.RECOVERING))

    def in_flight(self) -> Self:
        """What Mave works on now, or may: a dropped connection does not stop it."""
        return self.filter(
            Q(status=Research.Status.RUNNING, lease_until__gte=Now())
            | Q(status=Research.Status.RECOVERING, busy_until__gte=Now())
        )

    def answered_after_failing(self) -> Self:
        """Answers that came after the same question had failed, with briefs that do not know it."""
        failed = Research.objects.filter(
            status__in=Research.GIVEN_UP,
            question_hash=OuterRef("question_hash"),
            finished_at__lte=OuterRef("finished_at"),
            briefs__in=Brief.objects.open().filter(basis=Brief.Basis.PLAYBOOK),
        )
        return self.filter(Exists(failed), status=Research.Status.DONE)

    def held_by(self, token: uuid.UUID) -> Self:
        return self.lost().filter(lease_token=token)


class Research(models.Model):
    """One question to Mave. All briefs with the same question share its answer."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Waiting for its turn"  # due at available_at
        RUNNING = "running", "Being researched"  # leased by a worker that asks Mave
        RECOVERING = "recovering", "Looking for a lost answer"  # asked, outcome unknown
        DONE = "done", "Answered"  # the briefs rest on it
        FAILED = "failed", "Failed, can be retried"  # no further try by itself
        CANCELLED = "cancelled", "Cancelled"  # no open brief needed it any more

    class Reason(models.TextChoices):
        """Reasons that code looks for. All other reasons have words and no code."""

        # Failed; the answer is what it asked.
        ASKED_BACK = "asked_back", "Mave asked back instead of answering"

    ACTIVE = (Status.QUEUED, Status.RUNNING, Status.RECOVERING)
    GIVEN_UP = (Status.FAILED, Status.CANCELLED)

    persona = models.ForeignKey(Persona, on_delete=models.PROTECT, related_name="research")
    kind = models.CharField("signal", max_length=20, choices=SignalKind.choices)
    template_version = models.CharField(max_length=20)
    question = models.TextField(help_text="As sent, without the reference.")
    question_hash = models.CharField(max_length=64)
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.MEDIUM)

    status = models.CharField(max_length=12, choices=Status.choices, default=Status.QUEUED)
    status_reason = models.TextField(blank=True)
    # Null, so that no database rewrites all answers for them.
    reason_code = models.CharField(max_length=20, choices=Reason.choices, null=True, blank=True)
    mavera_code = models.CharField(
        max_length=80, null=True, blank=True, help_text="With its status, if it is the reason."
    )
    tries = models.PositiveIntegerField(default=0)
    available_at = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    busy_until = models.DateTimeField(
        null=True, blank=True, help_text="Until then Mave may still work on a lost call."
    )
    searched = models.JSONField(
        default=list, blank=True, help_text="Mave's threads that do not hold the lost answer."
    )
    search_page = models.JSONField(
        null=True, blank=True, help_text="Where the search in a long list of threads goes on."
    )
    created_at = models.DateTimeField(db_default=Now())
    restarted_at = models.DateTimeField(
        null=True, blank=True, help_text="When a person last started it again."
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Who asked for a fresh answer, or started it again. Empty: Savedesk.",
    )
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    answer = models.TextField(blank=True, help_text="Markdown, as Mave wrote it.")
    sources = models.JSONField(default=list, blank=True)
    personas_used = models.JSONField(default=list, blank=True)
    validation = models.JSONField(default=dict, blank=True)
    thread_id = models.CharField(max_length=200, blank=True)
    credits = models.PositiveIntegerField(null=True, blank=True)
    raw_reply = models.JSONField(null=True, blank=True)

    objects = ResearchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "research"
        constraints = [
            models.UniqueConstraint(
                fields=["question_hash"],
                condition=Q(status__in=["queued", "running", "recovering"]),
                name="research_one_active_per_question",
            ),
        ]
        indexes = [
            models.Index(
                fields=["-priority", "created_at"],
                condition=Q(status__in=["queued", "running", "recovering"]),
                name="research_to_do",
            ),
            models.Index(fields=["question_hash", "-finished_at"], name="research_reusable"),
        ]

    def __str__(self) -> str:
        return f"{self.persona} · {self.get_kind_display()}"

    @property
    def is_active(self) -> bool:
        return self.status in self.ACTIVE

    @property
    def confidence(self) -> int | None:
        """Per cent, or None where Mave gave no validation. Never invented."""
        return mavera_validation.read(self.validation).confidence

    @property
    def reason_in_full(self) -> str:
        """The reason with Mavera's code."""
        return in_full(self.status_reason, self.mavera_code)

    # Arrows. Each writes only if this worker still has the lease, and returns whether it did.

    def claim(self) -> uuid.UUID:
        """QUEUED -> RUNNING. Needs the policy's lock and an open transaction."""
        return self._lease(
            status=self.Status.RUNNING,
            status_reason="",
            **_NO_CODES,
            tries=F("tries") + 1,
            started_at=Now(),
            thread_id="",  # of an earlier call: its answer is not this one's
            searched=[],
            search_page=None,
        )

    def claim_search(self) -> uuid.UUID:
        """RECOVERING, or RUNNING and abandoned -> RECOVERING. Needs the policy's lock."""
        return self._lease(status=self.Status.RECOVERING)

    def still_held(self, token: uuid.UUID) -> bool:
        return Research.objects.held_by(token).filter(pk=self.pk, lease_until__gte=Now()).exists()

    def finish(self, token: uuid.UUID, **answer: Any) -> bool:
        """RUNNING or RECOVERING -> DONE. The briefs are upgraded by `briefs_rest_on_it`."""
        return self._leave(
            token, status=self.Status.DONE, status_reason="", finished_at=Now(), **answer
        )

    def finish_late(self, **answer: Any) -> bool:
        """Any state but RUNNING and DONE -> DONE: an answer in hand is not asked for again.

        For a worker that was frozen for longer than its lease. A worker that looks for
        the answer loses its lease. A worker that asks once more goes on: RUNNING is not changed.
        """
        missing = (self.Status.QUEUED, self.Status.RECOVERING, *self.GIVEN_UP)
        changed = Research.objects.filter(status__in=missing, pk=self.pk).update(
            status=self.Status.DONE,
            status_reason="",
            **_NO_CODES,
            finished_at=Now(),
            lease_token=None,
            lease_until=None,
            **answer,
        )
        self.refresh_from_db()
        return bool(changed)

    def briefs_rest_on_it(self) -> None:
        """Let all briefs that wait for this answer rest on it, also after an earlier failure.

        In a transaction of its own: a drain locks briefs before research, not after.
        """
        Brief.objects.filter(renewal=self).renewed_by(self)
        Brief.objects.filter(research=self).research_arrived()
        given_up = Research.objects.filter(
            question_hash=self.question_hash, status__in=self.GIVEN_UP
        ).exclude(finished_at__gt=self.finished_at)
        Brief.objects.open().filter(research__in=given_up).taken_over_by(self)

    def lose(
        self, token: uuid.UUID, reason: str, *, busy_for: timedelta | None = None, thread: str = ""
    ) -> bool:
        """RUNNING -> RECOVERING: Mave may have been paid, so its threads are searched first.

        busy_for: how long after the start of the call Mave may still work on it, if the answer
        broke off. It counts as busy at least until the first search has had time to look.
        """
        busy_until = busy_for and Greatest(F("started_at") + busy_for, Now() + LOOK)
        return self._leave(
            token,
            status=self.Status.RECOVERING,
            status_reason=reason,
            available_at=Now(),
            busy_until=busy_until,
            thread_id=thread,
        )

    def search_again(
        self,
        token: uuid.UUID,
        reason: str,
        delay: timedelta,
        *,
        code: str = "",
        is_busy: bool = False,
    ) -> bool:
        """RECOVERING -> RECOVERING, to be looked for once more.

        is_busy: the search saw that Mave works on it; it counts as busy until the next search.
        """
        busy = {"busy_until": Now() + delay + LOOK} if is_busy else {}
        return self._leave(
            token,
            status_reason=reason,
            mavera_code=code or None,
            available_at=Now() + delay,
            searched=self.searched,
            search_page=self.search_page,
            thread_id=self.thread_id,
            **busy,
        )

    def ask_again(self, token: uuid.UUID, reason: str) -> bool:
        """RECOVERING -> QUEUED: the search is over, and the question may be paid once more."""
        return self._leave(
            token,
            status=self.Status.QUEUED,
            status_reason=reason,
            available_at=Now(),
            busy_until=None,
            thread_id="",
        )

    def try_again(
        self, token: uuid.UUID, reason: str, retry_after: float | None = None, code: str = ""
    ) -> bool:
        """RUNNING -> QUEUED after a passing fault, or FAILED after the last try."""
        if self.tries >= MAX_TRIES:
            words = f"{reason} (try {self.tries}, the last)"
            return self.fail(token, words, mavera_code=code or None)
        delay = BACKOFF[min(self.tries, len(BACKOFF)) - 1] * random.uniform(1, 1 + JITTER)
        if retry_after is not None:
            delay = max(delay, timedelta(seconds=retry_after))
        return self._leave(
            token,
            status=self.Status.QUEUED,
            status_reason=reason,
            mavera_code=code or None,
            available_at=Now() + delay,
        )

    def give_back(
        self, token: uuid.UUID, reason: str, retry_after: float | None = None, code: str = ""
    ) -> bool:
        """RUNNING -> QUEUED without using up a try: the question did not cause the fault."""
        delay = timedelta(seconds=retry_after or 0)
        return self._leave(
            token,
            status=self.Status.QUEUED,
            status_reason=reason,
            mavera_code=code or None,
            tries=F("tries") - 1,
            available_at=Now() + delay,
        )

    def fail(self, token: uuid.UUID, reason: str, **reply: Any) -> bool:
        """RUNNING or RECOVERING -> FAILED: trying again by itself would not help.

        reply: what came in the place of an answer, and was paid for; and the reason's codes.
        """
        return self._leave(
            token, status=self.Status.FAILED, status_reason=reason, finished_at=Now(), **reply
        )

    def cancel(self, reason: str) -> None:
        """QUEUED -> CANCELLED. Needs the policy's lock."""
        Research.objects.filter(pk=self.pk, status=self.Status.QUEUED).update(
            status=self.Status.CANCELLED, status_reason=reason, **_NO_CODES, finished_at=Now()
        )

    def requeue(self) -> bool:
        """CANCELLED -> QUEUED: its briefs are open after all. False if the question is under way.

        Nobody buys anything anew: whoever asked for it stays the buyer.
        """
        try:
            with transaction.atomic():
                changed = Research.objects.filter(pk=self.pk, status=self.Status.CANCELLED).update(
                    status=self.Status.QUEUED,
                    status_reason="its briefs are open again",
                    available_at=Now(),
                    finished_at=None,
                )
        except IntegrityError:  # another row asks the same
            return False
        return bool(changed)

    def retry(self, by: Any = None) -> bool:
        """FAILED or CANCELLED -> QUEUED, by hand; or -> RECOVERING, if its last answer is lost and
        may have come to light by now. False if the question is under way already.

        by: who buys it, if it has to be paid again.
        """
        if self.status not in self.GIVEN_UP:
            return False
        if Research.objects.active().filter(question_hash=self.question_hash).exists():
            return False
        try:
            with transaction.atomic():
                changed = Research.objects.filter(pk=self.pk, status=self.status).update(
                    status=self.Status.RECOVERING if self._is_lost else self.Status.QUEUED,
                    status_reason="started again by hand",
                    **_NO_CODES,
                    tries=0,
                    available_at=Now(),  # due only now, so that no cluster is judged late
                    restarted_at=Now(),
                    asked_by=by,
                    finished_at=None,
                )
        except IntegrityError:  # a brief opened the same question in this moment
            return False
        return bool(changed)

    @property
    def _is_lost(self) -> bool:
        """Whether it is not known what came of the last call: it may have been paid."""
        last = self.calls.filter(purpose="chat").order_by("-pk").first()
        return last is not None and last.outcome == last.Outcome.UNKNOWN

    def _lease(self, **fields: Any) -> uuid.UUID:
        token = uuid.uuid4()
        Research.objects.filter(pk=self.pk).update(
            lease_token=token, lease_until=Now() + LEASE, **fields
        )
        self.refresh_from_db()
        return token

    def _leave(self, token: uuid.UUID, **fields: Any) -> bool:
        changed = (
            Research.objects.held_by(token)
            .filter(pk=self.pk)
            .update(**_NO_CODES | fields, lease_token=None, lease_until=None)
        )
        self.refresh_from_db()
        return bool(changed)
