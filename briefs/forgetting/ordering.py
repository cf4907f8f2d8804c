"""Ordering an erasure from a page or by a program, and carrying it out in the background.

A page may wait for the database for seconds only, and searching all texts takes longer.
"""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction

from briefs.forgetting import erasing, people
from briefs.models import Erasure
from personas.models import Customer
from webhooks import waking

logger = logging.getLogger(__name__)

PERMISSION = "personas.erase_customer"
TASK = "briefs.tasks.erase"
CLUSTER = "research"  # whose workers are used to slow work: events must not wait for it


def foresee(customer: Customer) -> dict[str, int]:
    """How many rows are the customer's, by table. Texts of others are searched only then."""
    return erasing.count(people.gather(customer), texts=False)


@transaction.atomic
def order(customer: Customer, actor: Any, way: str) -> Erasure:
    """Have the customer erased within a minute or two. Raises PermissionDenied."""
    if not actor.has_perm(PERMISSION):
        raise PermissionDenied(PERMISSION)
    erasure = Erasure.objects.create(way=way, made_by_id=actor.pk, customer=customer.pk)
    erasure.refresh_from_db()
    transaction.on_commit(wake)
    return erasure


def order_again(customer: int) -> None:
    """A look-up showed that this new row is of somebody erased. Needs an open transaction."""
    if not Erasure.objects.filter(customer=customer, ended_at=None).exists():
        Erasure.objects.create(way=Erasure.Way.LOOKUP, customer=customer)
        transaction.on_commit(wake)


def wake() -> bool:
    return waking.wake(TASK, CLUSTER)


def sweep() -> None:
    """Wake a worker if an erasure is due. While the broker is away, do it here and now."""
    if Erasure.objects.due().exists() and not wake():
        run()


def run() -> int:
    """Carry out what was ordered; returns how many. A failure is tried again, and never raised."""
    done = 0
    while erasure := Erasure.objects.claim():
        try:
            carry_out(erasure)
            done += 1
        except Exception as error:  # noqa: BLE001 - its text may quote the person: only its kind
            logger.error("erasure %d failed: %s", erasure.pk, type(error).__name__)
            erasure.give_up_lease()
    return done


def carry_out(erasure: Erasure) -> None:
    customer = Customer.objects.filter(pk=erasure.customer or 0).first()
    if customer is None:  # erased by another order: nothing has this key any more
        erasure.end({}, [])
        return
    erasing.erase(people.gather(customer), erasure)
