"""Reopening a closed brief. Only a person does: an event never reopens one."""

from copy import copy
from enum import StrEnum
from typing import Any

from django.db import transaction

from briefs.models import Activity, Brief
from briefs.reading.deadlines import Deadlines
from briefs.triage import freshness
from personas.models import Customer
from webhooks.clock import database_now


class Reopening(StrEnum):
    """What came of it."""

    REOPENED = "reopened"
    ALREADY = "already"  # it is open
    ANOTHER = "another"  # the customer has another open brief, which goes on


@transaction.atomic
def reopen(brief: Brief, actor: Any, based_on: str, why: str = "") -> Reopening:
    """Open it again, in the hands of the actor. Raises Stale and PermissionDenied.

    How it had ended stays in the log. The time for its first step begins anew.
    """
    [actor] = freshness.locked_people(actor)
    # As the pipeline does, so that no brief is opened for this customer at the same moment.
    customer = Customer.objects.select_for_update().get(pk=brief.customer_id)
    if customer.is_erased:
        raise freshness.Stale(freshness.News(changes=["The person was erased: nothing is left."]))
    brief = freshness.locked(brief, actor, "briefs.work_brief")
    if brief.is_open:
        return Reopening.ALREADY
    freshness.refuse_stale(brief, actor, based_on)
    if other_open(brief) is not None:
        return Reopening.ANOTHER
    words = f"reopened it; it had ended as {brief.get_outcome_display()}"
    words += f" · {why}" if why else ""
    reopened = copy(brief)  # a closed one would say the step that it kept
    reopened.state = Brief.State.IN_PROGRESS
    due_at = Deadlines([reopened]).of(reopened, database_now())
    brief.reopen(words, actor, due_at, Activity.Code.SAID if why else None)
    return Reopening.REOPENED


def other_open(brief: Brief) -> Brief | None:
    """The customer's open brief, if it is another one."""
    return Brief.objects.open().filter(customer=brief.customer_id).exclude(pk=brief.pk).first()
