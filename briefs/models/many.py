"""The arrows that people take with many open briefs at once. One brief takes them as well."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

from django.db import models, transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce, Now

from briefs.links import user_name
from briefs.models.activities import Activity
from briefs.models.timing import AWAKE, TimedQuerySet

Row = TypeVar("Row", bound=models.Model)

TOOK = " · took it"  # the end of an entry in the log: the brief was unassigned before


class WorkedQuerySet(TimedQuerySet[Row]):
    """Each arrow locks the rows in the order of their keys, updates them once and logs it.

    Each returns how many briefs were open: only those are changed.
    """

    @transaction.atomic
    def assign(self, user: Any, actor: Any, also: str = "") -> int:
        """Any open state -> IN_PROGRESS with this assignee. `also`: more words for the log."""
        keys = self._locked_open()
        words = "took it" if user == actor else f"assigned it to {user_name(user)}"
        self._of(keys).update(assignee=user, state="in_progress", **AWAKE)
        _log(keys, words + also, actor)
        return len(keys)

    @transaction.atomic
    def contacted(
        self, words: str, actor: Any, due_at: datetime | None, code: str | None = None
    ) -> int:
        """Any open state -> IN_PROGRESS, because `actor` tried to reach the customer.

        Whoever tries first has the brief in hand. `due_at`: when the next try is due, if it is.
        `code`: of the entry.
        """
        keys = self._locked_open()
        nobodys = set(self._of(keys).filter(assignee=None).values_list("pk", flat=True))
        moved: dict[str, Any] = {"due_moved_at": Coalesce("due_moved_at", Now())} if due_at else {}
        self._of(keys).update(
            state="in_progress",
            assignee=Coalesce("assignee", Value(actor.pk), output_field=models.IntegerField()),
            first_touch_at=Coalesce("first_touch_at", Now()),
            due_at=due_at,
            **AWAKE,
            **moved,
        )
        _log([key for key in keys if key not in nobodys], words, actor, code)
        _log([key for key in keys if key in nobodys], words + TOOK, actor, code)
        return len(keys)

    @transaction.atomic
    def snooze(
        self, until: datetime, words: str, actor: Any, due_at: datetime, code: str | None = None,
        *, for_signal: bool,
    ) -> int:  # fmt: skip
        """Any open state -> SNOOZED until then; `due_at`: when the next act is due after that.

        `code`: of the entry.
        """
        keys = self._locked_open()
        moved = When(due_at__isnull=False, then=Coalesce("due_moved_at", Now()))
        self._of(keys).update(
            state="snoozed",
            snoozed_until=until,
            is_snoozed_for_signal=for_signal,
            due_at=due_at,
            due_moved_at=Case(moved, default=F("due_moved_at")),
        )
        _log(keys, words, actor, code)
        return len(keys)

    def _locked_open(self) -> list[int]:
        rows = self.filter(~Q(state="closed")).order_by("pk").select_for_update(of=("self",))
        return list(rows.values_list("pk", flat=True))

    def _of(self, keys: list[int]) -> models.QuerySet[Row]:
        return self.model._default_manager.filter(pk__in=keys)


def _log(keys: Iterable[int], words: str, actor: Any, code: str | None = None) -> None:
    """Into the timeline of each, of which this transaction has raised the revision already."""
    Activity.objects.bulk_create(
        Activity(brief_id=key, text=words, actor=actor, code=code) for key in keys
    )
