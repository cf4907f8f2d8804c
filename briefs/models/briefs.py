"""A brief: one customer who may be leaving, and what the team does about it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Lower, Now, Upper

from briefs.links import numbered
from briefs.models.activities import Activity
from briefs.models.causes import Cause
from briefs.models.endings import Ended
from briefs.models.priority import Judgement, Priority
from briefs.models.queryset import BriefQuerySet
from briefs.models.timing import Timed
from personas.models import Customer, Persona, SignalKind, Valued

# Briefs that lists may fold; the others of a cause stay rows.
FOLDABLE = (
    Q(cause__isnull=False, assignee=None, returned_from=None, priority__lt=Priority.URGENT)
    & ~Q(state="closed")
)  # fmt: skip

# What indexes hold besides their keys, so that lists are sorted, filtered and folded without
# reading the briefs themselves (PostgreSQL alone does so).
_OF_LISTS = [
    "state", "is_waiting_for_profile", "due_at", "kind", "persona", "basis", "value_month",
]  # fmt: skip
_OF_ROWS = [*_OF_LISTS, "assignee", "cause", "returned_from", "detail", "plan"]

_KINDS: dict[str, str] = dict(SignalKind.choices)


def titled(kind: str, detail: str) -> str:
    return f"{kind}: {detail}" if detail else kind


class Brief(Timed, Ended, Valued):
    """One customer who may be leaving. What a person may do with it is in `briefs/triage/`.

    | from        | arrow                             | to                                        |
    |---|---|---|
    | -           | opened by the pipeline            | NEW, perhaps assigned by its persona      |
    | any open    | `assign`: taken, or given to one  | IN_PROGRESS                               |
    | any open    | `contacted`: contact was logged   | IN_PROGRESS                               |
    | any open    | `snooze`                          | SNOOZED                                   |
    | SNOOZED     | `wake`: by time, signal or person | IN_PROGRESS, or NEW without an assignee   |
    | any open    | `release`: given back, forgotten  | NEW, unassigned                           |
    | any open    | `close`, `withdraw`               | CLOSED with an outcome                    |
    | CLOSED      | `correct`                         | CLOSED with another outcome, note, reason |
    | CLOSED      | `reopen`: by a person             | IN_PROGRESS, assigned to that person      |
    """

    class State(models.TextChoices):
        NEW = "new", "New"  # nobody has begun; a persona may have named the assignee
        IN_PROGRESS = "in_progress", "In progress"  # somebody has
        SNOOZED = "snoozed", "Snoozed"  # comes back at snoozed_until
        CLOSED = "closed", "Closed"  # with an outcome

    class Basis(models.TextChoices):
        PLAYBOOK = "playbook", "no research yet"  # or none is bought
        NEW = "new", "new"  # researched for this brief
        SHARED = "shared", "shared"  # researched for another brief with the same question

    class Outcome(models.TextChoices):
        RETAINED = "retained", "Retained"
        CHURNED = "churned", "Churned"
        NO_RESPONSE = "no_response", "No response"
        NOT_AT_RISK = "not_at_risk", "Not at risk"
        WITHDRAWN = "withdrawn", "Withdrawn"

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="briefs")
    persona = models.ForeignKey(Persona, on_delete=models.PROTECT, related_name="briefs")
    persona_why = models.TextField(blank=True, help_text="Why this persona, in words.")
    rules_version = models.IntegerField(
        "version of the rules", null=True, blank=True, help_text="That chose this persona."
    )
    question_facts = models.JSONField(
        default=list, blank=True, help_text="What the research question may say of the customer."
    )
    kind = models.CharField("signal", max_length=20, choices=SignalKind.choices)
    detail = models.CharField(
        max_length=300,
        blank=True,
        default="",
        db_default="",
        help_text="What exactly: the channel or the topics by their names.",
    )
    priority = models.PositiveSmallIntegerField(choices=Priority.choices)
    # Null, so that no database rewrites all briefs for it.
    priority_reasons = models.JSONField(
        null=True, blank=True, help_text="Why this priority: codes and words."
    )
    value_sort = models.DecimalField(
        max_digits=18,
        decimal_places=4,
        default=0,
        db_default=0,
        help_text="A month's value; of an unknown one just less than the persona's median.",
    )
    research = models.ForeignKey(
        "briefs.Research", on_delete=models.SET_NULL, null=True, blank=True, related_name="briefs"
    )
    basis = models.CharField(max_length=8, choices=Basis.choices, default=Basis.PLAYBOOK)
    is_sharing = models.BooleanField(
        default=False, help_text="Its research was opened for another brief."
    )
    renewal = models.ForeignKey(
        "briefs.Research",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="renewals",
        help_text="A fresh answer that somebody asked for and that is under way.",
    )
    is_renewal_shared = models.BooleanField(default=False)
    is_waiting_for_profile = models.BooleanField(default=False)
    is_persona_wrong = models.BooleanField("the persona was wrong", default=False)

    happened_at = models.DateTimeField(help_text="When the customer did it.")
    created_at = models.DateTimeField(db_default=Now(), help_text="When the brief was there.")
    last_signal_at = models.DateTimeField(db_default=Now())
    researched_at = models.DateTimeField(null=True, blank=True)

    state = models.CharField(max_length=12, choices=State.choices, default=State.NEW)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="briefs",
    )
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    closing_note = models.TextField(blank=True)
    step_at_closing = models.JSONField(
        null=True, blank=True, help_text="What it said was to be done first when it was closed."
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    reopened_at = models.DateTimeField(null=True, blank=True, help_text="By a person.")
    returned_from = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="returns",
        db_index=False,  # an index of its own leaves out the briefs that did not return
        help_text="The brief of this customer that was closed shortly before this one was opened.",
    )
    cause = models.ForeignKey(
        Cause,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="briefs",
        db_index=False,  # indexes of their own leave out the briefs without a message
        help_text="The message that many briefs of this day come from.",
    )
    revision = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Raised by every change, of people and of Savedesk."
    )

    objects = BriefQuerySet.as_manager()

    class Meta:
        permissions = [
            ("work_brief", "Can take and close briefs"),
            ("buy_research", "Can buy a fresh answer and retry a failed one"),
            ("view_insights", "Can read insights"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["customer"], condition=~Q(state="closed"), name="brief_one_open"
            ),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False) & ~Q(outcome="")
                | ~Q(state="closed") & Q(outcome="", closed_at=None),
                name="brief_closed_with_outcome",
            ),
        ]
        indexes = [
            *Timed.Meta.indexes,
            models.Index(
                fields=["closing_reason"],
                condition=Q(closing_reason__isnull=False),
                name="brief_closing_reason",
            ),
            models.Index(fields=["offer"], condition=Q(offer__isnull=False), name="brief_offer"),
            models.Index(
                fields=["returned_from"],
                condition=Q(returned_from__isnull=False),
                name="brief_returned",
            ),
            models.Index(
                fields=["-priority", "-value_sort", "created_at", "id"],
                include=_OF_ROWS,
                condition=~Q(state="closed"),
                name="brief_by_urgency_covering",
            ),
            models.Index(
                fields=["created_at", "id"],  # rising, as time does: that takes half the room
                include=["priority", "value_sort", *_OF_ROWS],
                name="brief_created_covering",
            ),
            models.Index(fields=["value_sort"], name="brief_value"),
            models.Index(fields=["cause"], condition=Q(cause__isnull=False), name="brief_of_cause"),
            models.Index(
                fields=["cause", "-value_sort", "id"],
                include=_OF_LISTS,
                condition=FOLDABLE,
                name="brief_folds_covering",
            ),
            models.Index(Lower("company"), include=["company"], name="brief_company_covering"),
            models.Index(Upper("plan"), name="brief_plan"),
            models.Index(
                fields=["closed_at"],
                include=["id", "priority", "value_sort", "created_at", "due_at", "state"],
                condition=Q(state="closed"),
                name="brief_closed_at_covering",
            ),
            # For the numbers of the tabs, which every page of the inbox counts.
            models.Index(
                fields=["assignee"], condition=Q(state="closed"), name="brief_closed_assignee"
            ),
            models.Index(
                fields=["assignee"],
                condition=~Q(state="closed")
                & Q(is_waiting_for_profile=False)
                & ~Q(state="snoozed"),
                name="brief_awake",
            ),
            models.Index(
                fields=["id"],
                condition=~Q(state="closed") & Q(is_waiting_for_profile=True),
                name="brief_waiting",
            ),
            models.Index(
                fields=["research"],
                include=["state"],
                condition=Q(basis="playbook", research__isnull=False),
                name="brief_awaiting_covering",
            ),
            models.Index(
                fields=["researched_at"], condition=Q(basis="shared"), name="brief_shared"
            ),
            models.Index(
                fields=["researched_at"],
                condition=Q(researched_at__isnull=False),
                name="brief_researched",
            ),
        ]

    def __str__(self) -> str:
        return f"Brief {self.pk}: {self.customer}, {self.title}"

    def get_absolute_url(self) -> str:
        return numbered("briefs:brief").format(self.pk)

    def get_kind_display(self) -> str:  # type: ignore[no-redef]  # in place of Django's own
        """Django makes a dictionary of all kinds anew for each call, and a list has a hundred."""
        return _KINDS.get(self.kind, self.kind)

    @property
    def title(self) -> str:
        """What happened and, where it is known, to what: “Channel opt-out: SMS”."""
        return titled(self.get_kind_display(), self.detail)

    @property
    def is_open(self) -> bool:
        return self.state != self.State.CLOSED

    @property
    def is_untouched(self) -> bool:
        """Whether nobody has done anything; that its persona named an assignee is no act."""
        return self.state == self.State.NEW and self.first_touch_at is None

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Of a row that exists also raise the revision, in the same statement."""
        is_change = not self._state.adding and (update_fields is None or bool(update_fields))
        if not is_change:
            super().save(*args, update_fields=update_fields, **kwargs)
            return
        before = self.revision
        self.revision = F("revision") + 1  # by what the row has now
        fields = None if update_fields is None else {*update_fields, "revision"}
        try:
            super().save(*args, update_fields=fields, **kwargs)
        finally:
            self.revision = before + 1  # as far as is known here; the row may have more

    def was_closed_before(self, moment: datetime) -> bool:
        return self.closed_at is not None and self.closed_at <= moment

    @transaction.atomic
    def log(
        self, text: str, actor: Any = None, code: str | None = None, *, is_raised: bool = False
    ) -> None:
        """Write into the timeline. `is_raised`: this transaction has updated the brief already.

        Of a row that one transaction updates twice PostgreSQL checks the customer once more when
        it commits. A merge that has locked the customer waits for the brief: a deadlock.
        """
        Activity.objects.create(brief=self, text=text, actor=actor, code=code)
        if not is_raised:
            Brief.objects.filter(pk=self.pk).update()  # the timeline changed: raise the revision

    # Arrows.

    def assign(self, user: Any, actor: Any) -> bool:
        """NEW or SNOOZED -> IN_PROGRESS with this assignee; False if the brief is closed."""
        changed = Brief.objects.filter(pk=self.pk).assign(user, actor)
        self.refresh_from_db()
        return bool(changed)

    def release(self, why: str, actor: Any = None) -> bool:
        """Any open state with an assignee -> NEW with none; False if there is none."""
        changed = Brief.objects.filter(pk=self.pk).release(why, actor)
        self.refresh_from_db()
        return bool(changed)

    def contacted(
        self, words: str, actor: Any, due_at: datetime | None, code: str | None = None
    ) -> bool:
        """Any open state -> IN_PROGRESS, because `actor` tried to reach the customer."""
        changed = Brief.objects.filter(pk=self.pk).contacted(words, actor, due_at, code)
        self.refresh_from_db()
        return bool(changed)

    def snooze(
        self, until: datetime, words: str, actor: Any, due_at: datetime, code: str | None = None,
        *, for_signal: bool,
    ) -> bool:  # fmt: skip
        """Any open state -> SNOOZED until then; `due_at`: when the next act is due after that."""
        briefs = Brief.objects.filter(pk=self.pk)
        changed = briefs.snooze(until, words, actor, due_at, code, for_signal=for_signal)
        self.refresh_from_db()
        return bool(changed)

    def wake(self, why: str, actor: Any = None, **fields: Any) -> bool:
        """SNOOZED -> IN_PROGRESS or NEW; False if it does not sleep."""
        changed = Brief.objects.filter(pk=self.pk).wake(why, actor, **fields)
        self.refresh_from_db()
        return bool(changed)

    @transaction.atomic
    def correct(self, words: str, actor: Any, **fields: Any) -> None:
        """CLOSED -> CLOSED: what was said of how it ended is said anew."""
        Brief.objects.filter(pk=self.pk, state=self.State.CLOSED).update(**fields)
        self.log(words, actor, Activity.Code.SAID, is_raised=True)
        self.refresh_from_db()

    @transaction.atomic
    def reopen(
        self, words: str, actor: Any, due_at: datetime | None, code: str | None = None
    ) -> bool:
        """CLOSED -> IN_PROGRESS in the hands of `actor`. How it had ended stays in the log.

        Raises IntegrityError if the customer has another open brief.
        """
        changed = Brief.objects.filter(pk=self.pk, state=self.State.CLOSED).update(
            state=self.State.IN_PROGRESS,
            assignee=actor,
            outcome="",
            closing_note="",
            closing_reason=None,
            offer=None,
            offer_percent=None,
            offer_words=None,
            closed_at=None,
            step_at_closing=None,
            is_persona_wrong=False,
            reopened_at=Now(),
            due_at=due_at,
            due_moved_at=None,
        )
        if changed:
            self.log(words, actor, code, is_raised=True)
        self.refresh_from_db()
        return bool(changed)

    def close(
        self, outcome: str, note: str = "", actor: Any = None, words: str = "", **fields: Any
    ) -> bool:
        """Any open state -> CLOSED; False if somebody closed it before."""
        changed = Brief.objects.filter(pk=self.pk).close(outcome, note, actor, words, **fields)
        self.refresh_from_db()
        return bool(changed)

    def withdraw(self, reason: str) -> bool:
        """NEW -> CLOSED by ourselves, when it turns out that there was nothing to do."""
        return self.close(self.Outcome.WITHDRAWN, reason)

    def joined_by(self, judgement: Judgement, happened_at: datetime) -> None:
        """A further signal of the same customer; the brief may become more urgent, never less."""
        if judgement.priority > self.priority:
            self.is_judged(judgement)
        self.happened_at = min(self.happened_at, happened_at)

    def is_judged(self, judgement: Judgement) -> None:
        """Set the priority together with its reasons. Saves nothing."""
        self.priority, self.priority_reasons = judgement.priority, judgement.reasons
