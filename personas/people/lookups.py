"""Keeps customers' attributes fresh: asks the App API in batches, within one time budget.

After a failed look-up the known attributes stay, with their age. For a short time no worker asks
again, so that none waits for an App API that fails.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

from django.db import DataError, IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from personas.models import AppApiHealth, Customer, CustomerAlias, Terms, Twin, names, preferences
from personas.models.aliases import COLUMNS
from personas.models.customers import FRESH_FOR
from personas.people import erased
from personas.people.erased import Identifiers
from personas.people.identity import LONGEST, plain_number
from personas.people.pacing import background_app_api, paced_app_api
from providers.addresses import folded
from providers.customerio import (
    BATCH_SIZE,
    AppApi,
    BadRequest,
    HeldBack,
    IdType,
    LookupFailed,
    Profile,
    TooMuch,
)

logger = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=5)
SUCCESSORS = 5  # in one look-up: each may cost two requests
_may_ask: ContextVar[bool] = ContextVar("may_ask", default=True)
_terms: ContextVar[Terms] = ContextVar("terms")  # of the look-up that goes on


@contextmanager
def known_profiles_only() -> Iterator[None]:
    """Within this, `refresh` asks nobody: customers are as they were last looked up."""
    token = _may_ask.set(False)
    try:
        yield
    finally:
        _may_ask.reset(token)


def may_ask() -> bool:
    return _may_ask.get()


def refresh(
    customers: Iterable[Customer], *, force: bool = False, in_background: bool = False
) -> str:
    """Look up the customers that are not fresh; update their rows and the objects passed in.

    With `force` the fresh ones are looked up too. In the background no request waits for its turn.
    An object whose `twin` is set afterwards is the same person as another row: the caller merges.
    One that `is_of_erased` is about to be erased: nothing of its profile is written.

    Returns "" or, in words, why a customer could not be looked up. Does not raise if the App API
    fails. Must be called outside a transaction.
    """
    # Ordered by key: otherwise two workers with the same customers could deadlock.
    wanted = sorted(customers, key=lambda customer: customer.pk)
    stale = {customer.pk: customer for customer in wanted if force or not is_fresh(customer)}
    if not stale or not _may_ask.get():
        return ""
    api = background_app_api() if in_background else paced_app_api()
    if not api.is_configured:
        return "the App API of Customer.io is not connected"
    if AppApiHealth.is_closed():
        return AppApiHealth.current().reason
    health = AppApiHealth.current()
    _terms.set(Terms.load())
    try:
        _refresh(api, list(stale.values()))
    except HeldBack as error:  # the App API did not fail: the next look-up may ask at once
        logger.info("look-up of %d customers not finished: %s", len(stale), error)
        return str(error)
    except LookupFailed as error:
        health.failed(str(error), _pause(health, error))
        logger.warning("look-up of %d customers failed: %s", len(stale), error)
        return str(error)
    health.answered()
    return ""


def is_fresh(customer: Customer) -> bool:
    # This only saves requests, so this process's clock is exact enough.
    return customer.fetched_at is not None and customer.fetched_at > timezone.now() - FRESH_FOR


def _pause(health: AppApiHealth, error: LookupFailed) -> timedelta:
    if error.retry_after is not None:
        return timedelta(seconds=min(error.retry_after, LONGEST_PAUSE.total_seconds()))
    if error.is_permanent:
        return LONGEST_PAUSE
    doubled: timedelta = FIRST_PAUSE * 2 ** min(health.failures, 10)
    return min(doubled, LONGEST_PAUSE)


def _refresh(api: AppApi, customers: list[Customer]) -> None:
    by_cio_id = [customer for customer in customers if customer.cio_id]
    by_id = [c for c in customers if not c.cio_id and c.external_id]
    others = [c for c in customers if not c.cio_id and not c.external_id]
    lost = _refresh_batches(api, "cio_id", {str(c.cio_id): c for c in by_cio_id})
    _refresh_batches(api, "id", {str(c.external_id): c for c in by_id})
    for customer in others:
        if customer.email or not customer.phone:
            _refresh_by_email(api, customer)
        else:
            _refresh_alone(api, "phone", customer.phone, customer)
    _find_successors(api, lost)


def _refresh_batches(api: AppApi, id_type: IdType, wanted: dict[str, Customer]) -> list[Customer]:
    """Look these up; returns those whose address is no longer that of the person asked for."""
    lost: list[Customer] = []
    ids = list(wanted)
    batches = [ids[start : start + BATCH_SIZE] for start in range(0, len(ids), BATCH_SIZE)]
    while batches:
        batch = batches.pop(0)
        try:
            found = _find(api, id_type, batch)
        except (BadRequest, TooMuch):  # one bad id must not stop the others: split the batch
            if len(batch) == 1:
                _refresh_alone(api, id_type, batch[0], wanted[batch[0]])
            else:
                batches += [batch[: len(batch) // 2], batch[len(batch) // 2 :]]
            continue
        people = [(wanted[key], found.get(key)) for key in batch]
        _save_all(people)
        lost += [c for c, profile in people if c.email and not (profile and profile.email)]
    return lost


def _find(api: AppApi, id_type: IdType, ids: list[str]) -> dict[str, Profile]:
    profiles = api.profiles(id_type, ids)
    return {profile.cio_id if id_type == "cio_id" else profile.id: profile for profile in profiles}


def _refresh_alone(api: AppApi, id_type: IdType, key: str, customer: Customer) -> None:
    try:
        _save(customer, api.profile(id_type, key))
    except (BadRequest, TooMuch):
        _give_up(customer)


def _give_up(customer: Customer) -> None:
    """Mark the customer as looked up, unchanged: no later look-up can succeed, no brief waits."""
    logger.warning("no look-up of customer %d can succeed", customer.pk)
    _write(customer, {})


def _refresh_by_email(api: AppApi, customer: Customer) -> None:
    try:
        cio_ids = api.cio_ids_of(customer.email) if customer.email else []
    except BadRequest:
        _give_up(customer)
        return
    if len(cio_ids) == 1:
        _save(customer, _find(api, "cio_id", cio_ids).get(cio_ids[0]))
    elif not cio_ids:
        _save(customer, None)
    else:  # several people share the address: it is unknown whose attributes are right
        _write(customer, {})


def _find_successors(api: AppApi, lost: list[Customer]) -> None:
    """Find out who people are now that Customer.io merged into others.

    The one living person with the address is meant, if there is exactly one. The cio_id of before
    names nobody any more, or at least nobody with an address.
    """
    for customer in lost[:SUCCESSORS]:
        try:
            _find_successor(api, customer)
        except BadRequest:
            continue
        except HeldBack:  # everybody was looked up; this is asked again by their next look-up
            return


def _find_successor(api: AppApi, customer: Customer) -> None:
    living = api.cio_ids_of(customer.email)
    if len(living) != 1 or living[0] == customer.cio_id:
        return
    [cio_id] = living
    other = Customer.objects.filter(cio_id=cio_id).first()
    if other:
        customer.twin = Twin(other.pk, cio_id=cio_id, gone=str(customer.cio_id))
    elif customer.is_deleted and (profile := _find(api, "cio_id", living).get(cio_id)):
        _save(customer, profile)  # nobody here has that cio_id yet: this row goes on under it


def _save_all(found: list[tuple[Customer, Profile | None]]) -> None:
    """Write what was found, all at once, or one by one if the database refuses."""
    try:
        with transaction.atomic():
            for customer, values in _kept(found):
                _update(customer, values)
    except (IntegrityError, DataError):
        for customer, profile in found:
            _save(customer, profile)
    else:
        _show([customer for customer, _ in found])


def _save(customer: Customer, profile: Profile | None) -> None:
    """Write what was found; None means deleted."""
    values: dict[str, Any] = {}
    try:
        with transaction.atomic():
            for _, values in _kept([(customer, profile)]):
                _write(customer, values)
    except IntegrityError:  # another row has an id that was found
        _save_beside_another(customer, values)
    except DataError:  # an address of thousands of characters, say; asking again changes nothing
        logger.warning("the profile of customer %d cannot be stored", customer.pk)
        _write(customer, {})


def _kept(
    found: list[tuple[Customer, Profile | None]],
) -> Iterator[tuple[Customer, dict[str, Any]]]:
    """What to write of each: of the profile of somebody erased nothing. Needs a transaction.

    They came back under another id. A row that was made for that id alone is erased as well; one
    that was looked up before stays as it is, since it may be somebody else's with their address.
    """
    gone = erased.are_erased([_named(profile) for _, profile in found])
    for (customer, profile), is_gone in zip(found, gone, strict=True):
        if not is_gone:
            yield customer, _values(customer, profile)
            continue
        logger.warning("the profile of customer %d is of somebody erased", customer.pk)
        if customer.fetched_at is not None:
            yield customer, {}
            continue
        customer.is_of_erased = True
        erased.erase_again(customer.pk)


def _named(profile: Profile | None) -> Identifiers:
    """By what a profile names one person. A number is an attribute, which a company may share."""
    if profile is None:
        return {}
    return {"cio_id": profile.cio_id, "id": profile.id, "email": profile.email}


def _save_beside_another(customer: Customer, values: dict[str, Any]) -> None:
    """Write a profile with an id that another row has: the same person, or an id that moved on."""
    ids = {name: values[name] for name in ("cio_id", "external_id") if name in values}
    cio_id = ids.get("cio_id") or customer.cio_id
    held = [Q(**{name: value}) for name, value in ids.items()]
    for other in Customer.objects.filter(Q(*held, _connector=Q.OR)).exclude(pk=customer.pk):
        if not other.cio_id or not cio_id or other.cio_id == cio_id:
            external_id = ids.get("external_id") or customer.external_id
            customer.twin = Twin(other.pk, str(cio_id or other.cio_id or ""), external_id or "")
    if customer.twin is None:
        try:
            _take_id(customer, values)
        except IntegrityError:  # meanwhile somebody else has it
            pass
        else:
            return
    with transaction.atomic():
        _write(customer, {name: value for name, value in values.items() if name not in ids})


@transaction.atomic
def _take_id(customer: Customer, values: dict[str, Any]) -> None:
    """Write the profile; the id that it names is no longer that of the other row."""
    external_id = values.get("external_id")
    others = Customer.objects.exclude(pk=customer.pk).filter(external_id=external_id)
    keys = [customer.pk, *others.values_list("pk", flat=True)]
    list(Customer.objects.filter(pk__in=keys).order_by("pk").select_for_update())
    for other in others:
        CustomerAlias.objects.remember(other.pk, {CustomerAlias.Kind.ID: str(external_id)})
    others.update(external_id=None)
    _write(customer, values)


def _write(customer: Customer, values: dict[str, Any]) -> None:
    _update(customer, values)
    _show([customer])


def _update(customer: Customer, values: dict[str, Any]) -> None:
    """Update the row unless another worker has updated it meanwhile."""
    row = Customer.objects.filter(pk=customer.pk)
    if customer.fetched_at is None:
        row = row.filter(fetched_at=None)
    else:  # not "equal": SQLite's clock writes ".123", and Django would look for ".123000"
        row = row.filter(fetched_at__lt=customer.fetched_at + timedelta(milliseconds=1))
    if row.update(**values, fetched_at=Now()):
        _keep_former(customer, values)


def _keep_former(customer: Customer, values: dict[str, Any]) -> None:
    """Keep the identifiers that were replaced: they still find the person."""
    former = {
        kind: old
        for kind, column in COLUMNS.items()
        if column in values and (old := getattr(customer, column)) and old != values[column]
    }
    if former:
        CustomerAlias.objects.remember(customer.pk, former)
        for kind in former:
            customer.aliases.filter(kind=kind, value=values[COLUMNS[kind]]).delete()


def _show(customers: list[Customer]) -> None:
    """Reload the objects from their rows; an object whose row is gone stays unchanged."""
    rows = Customer.objects.in_bulk([customer.pk for customer in customers])
    for customer in customers:
        if row := rows.get(customer.pk):
            for column in Customer._meta.concrete_fields:
                setattr(customer, column.attname, getattr(row, column.attname))


def _values(customer: Customer, profile: Profile | None) -> dict[str, Any]:
    if profile is None:
        return {"is_deleted": True}
    values: dict[str, Any] = {
        "attributes": profile.attributes,
        "devices": profile.devices,
        "preferences": preferences.looked_up(
            customer.preferences, profile.preferences, timezone.now()
        ),
        "email": folded(profile.email.strip()) or customer.email,
        "is_deleted": False,
        **_terms.get().read(profile.attributes),
        "sort_name": names.sorted_by(profile.attributes),
    }
    if profile.is_unsubscribed is not None:
        values["is_unsubscribed"] = profile.is_unsubscribed
    if profile.cio_id and profile.cio_id != customer.cio_id:
        values["cio_id"] = profile.cio_id
    if profile.id and profile.id != customer.external_id:
        values["external_id"] = profile.id
    # An attribute: where a person was found by another number, that number stays.
    phone = plain_number(profile.phone)
    is_by_number = customer.phone and not (customer.cio_id or customer.external_id)
    if any(c.isdigit() for c in phone) and len(phone) <= LONGEST and not is_by_number:
        values["phone"] = phone
    return values


def imagine(profile: Profile) -> Customer:
    """An unsaved customer of whom this is all that is known, as a look-up at this moment says it.

    Their preferences are those before any event.
    """
    _terms.set(Terms.load())
    customer = Customer(fetched_at=timezone.now())
    for name, value in _values(customer, profile).items():
        setattr(customer, name, value)
    customer.preferences = profile.preferences
    return customer


def is_never_possible() -> bool:
    """True without an App API key: then waiting for a profile is useless."""
    return not AppApi().is_configured
