"""Briefs by the many: which of them, in which order, and what changes in all of them at once."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from briefs.models.activities import Activity
from briefs.models.many import WorkedQuerySet
from briefs.models.timing import AWAKE

if TYPE_CHECKING:
    from briefs.models.briefs import Brief

# A new act within this time after a closing opens a brief that has returned.
RETURNS_WITHIN = timedelta(days=60)

IS_OPEN = ~Q(state="closed")
IS_IN_INBOX = IS_OPEN & Q(is_waiting_for_profile=False)


class BriefQuerySet(WorkedQuerySet["Brief"]):
    def open(self) -> Self:
        return self.filter(IS_OPEN)

    def in_inbox(self) -> Self:
        """Open, and not waiting for the customer's profile."""
        return self.filter(IS_IN_INBOX)

    def by_urgency(self, *before: Any, at: datetime | None = None) -> Self:
        """The one order of work: by priority, then what is overdue, then by value, then by age.

        `before`: what decides first. `at`: the moment at which a brief is overdue; None: now.
        """
        overdue = Q(due_at__lt=at or Now()) & ~Q(state="snoozed")
        is_overdue = models.Case(models.When(overdue, then=1), default=0)
        return self.annotate(overdue_first=is_overdue).order_by(
            *before, "-priority", "-overdue_first", "-value_sort", "created_at", "pk"
        )

    def update(self, **fields: Any) -> int:
        """Also raise the revisions, in the same statement; without fields raise them alone.

        bulk_update comes here as well.
        """
        return super().update(**{"revision": F("revision") + 1, **fields})

    update.alters_data = True  # type: ignore[attr-defined]  # no template may call it

    @transaction.atomic
    def close(
        self, outcome: str, note: str = "", actor: Any = None, words: str = "", **fields: Any
    ) -> int:
        """Any open state -> CLOSED for all of these at once; returns how many were open.

        `fields` are set by the same update. `words`: for the timeline, if there is more to say than
        the outcome and the note.
        """
        locked = self.open().order_by("pk").select_for_update(of=("self",))
        keys = list(locked.values_list("pk", flat=True))
        self.model.objects.filter(pk__in=keys).update(
            state=self.model.State.CLOSED,
            outcome=self.model.Outcome(outcome),
            closing_note=note,
            closed_at=Now(),
            is_waiting_for_profile=False,
            **AWAKE,
            **fields,
        )
        words = f"closed it: {words or self.model.Outcome(outcome).label}"
        words += f" · {note}" if note else ""
        Activity.objects.bulk_create(
            Activity(brief_id=key, text=words, actor=actor, code=Activity.Code.CLOSED)
            for key in keys
        )
        return len(keys)

    @transaction.atomic
    def release(self, why: str, actor: Any = None, code: str | None = None, **fields: Any) -> int:
        """Any open state with an assignee -> NEW with none, for all of these at once.

        A snooze ends as well: it was the assignee's, and nobody else would look. `why` is for the
        timeline and names the assignee. `fields` are set by the same update. Returns how many were
        released.
        """
        taken = self.open().filter(assignee__isnull=False)
        locked = taken.order_by("pk").select_for_update(of=("self",))
        keys = list(locked.values_list("pk", flat=True))
        self.model.objects.filter(pk__in=keys).update(
            assignee=None,
            state=self.model.State.NEW,
            **AWAKE,
            **fields,
        )
        Activity.objects.bulk_create(
            Activity(brief_id=key, text=f"made it unassigned: {why}", actor=actor, code=code)
            for key in keys
        )
        return len(keys)

    def closed_lately(self, customers: Iterable[int]) -> "dict[int, Brief]":
        """By customer: the last brief that people closed within RETURNS_WITHIN, if there is one."""
        briefs = self.filter(
            customer__in=list(customers),
            state=self.model.State.CLOSED,
            closed_at__gt=Now() - RETURNS_WITHIN,
        ).exclude(outcome=self.model.Outcome.WITHDRAWN)
        shown = briefs.only("customer_id", "outcome", "closed_at").order_by("closed_at", "pk")
        return {brief.customer_id: brief for brief in shown}

    def research_arrived(self) -> int:
        """The answer is there: let the briefs that had only the playbook rest on it."""
        shared = models.Case(
            models.When(is_sharing=True, then=models.Value(self.model.Basis.SHARED.value)),
            default=models.Value(self.model.Basis.NEW.value),
        )
        waiting = self.filter(basis=self.model.Basis.PLAYBOOK, research__isnull=False)
        return waiting._update_in_order(basis=shared, researched_at=Now())

    def renewed_by(self, research: Any) -> int:
        """Replace the answer that these briefs rest on by the fresh one that was asked for."""
        basis = models.Case(
            models.When(is_renewal_shared=True, then=models.Value(self.model.Basis.SHARED.value)),
            default=models.Value(self.model.Basis.NEW.value),
        )
        return self._update_in_order(
            research=research,
            is_sharing=models.F("is_renewal_shared"),
            basis=basis,
            renewal=None,
            is_renewal_shared=False,
            researched_at=Now(),
        )

    def taken_over_by(self, research: Any) -> int:
        """Let these briefs, whose own question failed, share an answer to the same question."""
        waiting = self.filter(basis=self.model.Basis.PLAYBOOK)
        return waiting._update_in_order(
            research=research, is_sharing=True, basis=self.model.Basis.SHARED, researched_at=Now()
        )

    def _update_in_order(self, **fields: Any) -> int:
        """Lock the rows in the order of their keys, then update: two workers cannot deadlock."""
        with transaction.atomic():
            keys = self.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True)
            return self.model.objects.filter(pk__in=list(keys)).update(**fields)
