"""Finds the customer that an event is about, by the identifiers in the event.

`cio_id` and `id` name exactly one person each. An address may be shared by several, so it finds
somebody only when the event carries neither id and exactly one row has it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.db.models import Q

from personas.models import Customer

Identifiers = dict[str, str]


@dataclass(slots=True)
class Resolution:
    """Who each set of identifiers is, and which rows turned out to be one person."""

    customers: list[Customer | None]
    same: list[tuple[Customer, Customer]] = field(default_factory=list)  # older, newer


def resolve(people: list[Identifiers]) -> Resolution:
    """Return one customer per set of identifiers, in order; None where nobody is named.

    Rows are created for people not seen before. Pairs in `same` are left for the caller to merge.
    """
    people = [normalise(identifiers) for identifiers in people]
    index = _Index(people)
    # Twice: a row made in the first round may have the address by which another person was found.
    for _ in range(2):
        missing = [named for named in people if named and not index.find(named)]
        if missing:
            _create(missing)
            index = _Index(people)
    customers = [index.find(identifiers) for identifiers in people]
    for customer, identifiers in zip(customers, people, strict=True):
        if customer is not None:
            _learn(customer, identifiers)
    return Resolution(customers, index.same)


def _learn(customer: Customer, identifiers: Identifiers) -> None:
    """Fill in identifiers that the row lacks."""
    new = {
        name: identifiers[key]
        for key, name in (("cio_id", "cio_id"), ("id", "external_id"), ("email", "email"))
        if key in identifiers and not getattr(customer, name)
    }
    if not new:
        return
    try:
        with transaction.atomic():
            Customer.objects.filter(pk=customer.pk).update(**new)
    except IntegrityError:  # another row has this identifier: the person's next event merges both
        return
    for name, value in new.items():
        setattr(customer, name, value)


def normalise(identifiers: Identifiers) -> Identifiers:
    known = {
        key: identifiers[key].strip()
        for key in ("cio_id", "id", "email")
        if identifiers.get(key, "").strip()
    }
    if "cio_id" in known:
        known["cio_id"] = known["cio_id"].removeprefix("cio_")
    if "email" in known:
        known["email"] = known["email"].lower()
    return known


class _Index:
    """All rows that any of these people could be, read in one query."""

    def __init__(self, people: Iterable[Identifiers]) -> None:
        wanted: dict[str, set[str]] = {"cio_id": set(), "id": set(), "email": set()}
        for identifiers in people:
            by_email_only = "cio_id" not in identifiers and "id" not in identifiers
            for key, value in identifiers.items():
                if key != "email" or by_email_only:
                    wanted[key].add(value)
        rows = Customer.objects.filter(
            Q(cio_id__in=wanted["cio_id"])
            | Q(external_id__in=wanted["id"])
            | Q(email__in=wanted["email"])
        ).order_by("pk")
        self.by_cio_id: dict[str, Customer] = {}
        self.by_id: dict[str, Customer] = {}
        self.by_email: dict[str, list[Customer]] = {}
        for row in rows:
            if row.cio_id:
                self.by_cio_id[row.cio_id] = row
            if row.external_id:
                self.by_id[row.external_id] = row
            if row.email:
                self.by_email.setdefault(row.email, []).append(row)
        self.same: list[tuple[Customer, Customer]] = []

    def find(self, identifiers: Identifiers) -> Customer | None:
        by_cio_id = self.by_cio_id.get(identifiers.get("cio_id", ""))
        by_id = self.by_id.get(identifiers.get("id", ""))
        if by_cio_id and by_id and by_cio_id.pk != by_id.pk:
            return self._one_of(by_cio_id, by_id)
        if by_id and "cio_id" in identifiers and by_id.cio_id not in (None, identifiers["cio_id"]):
            by_id = None  # the id moved on to another person: conflicting cio_ids are two people
        if found := by_cio_id or by_id:
            return found
        if "cio_id" in identifiers or "id" in identifiers:
            return None
        return self._by_email(identifiers.get("email", ""))

    def _one_of(self, by_cio_id: Customer, by_id: Customer) -> Customer:
        if by_id.cio_id is not None:  # conflicting cio_ids are never merged
            return by_cio_id
        older, newer = sorted((by_cio_id, by_id), key=lambda row: row.pk)
        if (older, newer) not in self.same:
            self.same.append((older, newer))
        return older

    def _by_email(self, email: str) -> Customer | None:
        rows = self.by_email.get(email, [])
        if len(rows) == 1:
            return rows[0]
        # Several rows share the address: only a row without cio_id and id can be this person.
        return next((row for row in rows if not row.cio_id and not row.external_id), None)


def _create(people: list[Identifiers]) -> None:
    rows: dict[tuple[str, str], Customer] = {}
    for identifiers in people:
        key = next((k, identifiers[k]) for k in ("cio_id", "id", "email") if k in identifiers)
        rows.setdefault(
            key,
            Customer(
                cio_id=identifiers.get("cio_id"),
                external_id=identifiers.get("id"),
                email=identifiers.get("email", ""),
            ),
        )
    # An id that is taken by a person with another cio_id stays with them: the cio_id decides.
    taken = set(
        Customer.objects.filter(
            external_id__in=[row.external_id for row in rows.values() if row.cio_id]
        ).values_list("external_id", flat=True)
    )
    for row in rows.values():
        if row.cio_id and row.external_id:
            if row.external_id in taken:
                row.external_id = None
            else:
                taken.add(row.external_id)
    Customer.objects.bulk_create(rows.values(), ignore_conflicts=True)


def absorb(older: Customer, newer: Customer) -> None:
    """Copy the newer row's better values to the older row and delete the newer row.

    Needs an open transaction, and nothing may point to the newer row any more.
    """
    Customer.objects.filter(pk=newer.pk).delete()
    looked_up = _later(older, newer, "fetched_at")
    told = _later(older, newer, "subscription_changed_at") or looked_up or older
    older.is_unsubscribed = told.is_unsubscribed
    older.subscription_changed_at = told.subscription_changed_at
    if looked_up:
        for name in ("attributes", "devices", "preferences", "fetched_at", "is_deleted"):
            setattr(older, name, getattr(looked_up, name))
    older.cio_id = older.cio_id or newer.cio_id
    older.external_id = older.external_id or newer.external_id
    older.email = older.email or newer.email
    older.save()


def _later(older: Customer, newer: Customer, name: str) -> Customer | None:
    dated = [row for row in (older, newer) if getattr(row, name) is not None]
    return max(dated, key=lambda row: getattr(row, name)) if dated else None
