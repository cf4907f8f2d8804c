"""Finds the customer that an event is about, by the identifiers in the event.

`cio_id` and `id` name exactly one person each. An address or a number may be shared by several, so
it finds somebody only when the event carries neither id and exactly one row has it. Identifiers
that a person had before still find that person, unless another row has them at present.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db import IntegrityError, transaction
from django.db.models import Q

from personas.models import Customer, CustomerAlias, Twin
from personas.models.aliases import COLUMNS
from personas.models.value import WORTH
from personas.people import erased
from providers.addresses import BETWEEN_DIGITS, folded

Identifiers = dict[str, str]
IDS = ("cio_id", "id")
SHARED = ("email", "phone")
LONGEST = 1_000  # characters that the columns hold
ROUNDS = 8  # of creating: one for each kind, and as many where another worker creates the same
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)  # before any event


@dataclass(slots=True)
class Resolution:
    """Who each set of identifiers is, and which rows turned out to be one person."""

    customers: list[Customer | None]
    named: list[Identifiers]  # the identifiers in the form in which rows keep them
    same: list[tuple[Customer, Customer]] = field(default_factory=list)  # older, newer


def resolve(people: list[Identifiers]) -> Resolution:
    """Return one customer per set of identifiers, in order; None where nobody is named.

    Rows are created for people not seen before. Pairs in `same` are left for the caller to merge,
    and so is what an event says otherwise than the row: see `differing` and `renew`.
    """
    people = [normalise(identifiers) for identifiers in people]
    index = _read(people)
    customers = [index.find(identifiers) for identifiers in people]
    gone: list[Identifiers] = []
    for _ in range(ROUNDS):
        missing = _strongest([{} if one in gone else one for one in people], customers)
        if not missing:
            break
        gone += _create(missing)
        index = _read(people)
        customers = [index.find(identifiers) for identifiers in people]
    for customer, identifiers in zip(customers, people, strict=True):
        if customer is not None:
            _learn(customer, identifiers)
    return Resolution(customers, people, index.same)


def find(identifiers: Identifiers) -> Customer | None:
    """The customer whom these identifiers name. No row is created or changed."""
    named = normalise(identifiers)
    return _read([named]).find(named)


def _learn(customer: Customer, identifiers: Identifiers) -> None:
    """Fill in identifiers that the row lacks, if it is named by what it has at present."""
    new = {
        column: identifiers[kind]
        for kind, column in COLUMNS.items()
        if kind in identifiers and not getattr(customer, column)
    }
    if not new or not _is_present_name(customer, identifiers):
        return
    try:
        with transaction.atomic():
            Customer.objects.filter(pk=customer.pk).update(**new)
    except IntegrityError:  # another row has this identifier: the person's next event merges both
        return
    for name, value in new.items():
        setattr(customer, name, value)


def _is_present_name(customer: Customer, identifiers: Identifiers) -> bool:
    if customer.cio_id and identifiers.get("cio_id", customer.cio_id) != customer.cio_id:
        return False
    return any(identifiers.get(kind) == getattr(customer, name) for kind, name in COLUMNS.items())


def normalise(identifiers: Identifiers) -> Identifiers:
    known = {
        kind: identifiers[kind].strip() for kind in COLUMNS if identifiers.get(kind, "").strip()
    }
    if "cio_id" in known:
        known["cio_id"] = known["cio_id"].removeprefix("cio_")
    if "email" in known:
        known["email"] = folded(known["email"])
    if "phone" in known:
        known["phone"] = plain_number(known["phone"])
        if not known["phone"]:
            del known["phone"]
    return known


def plain_number(number: str) -> str:
    """A telephone number without what people write between its digits; a leading + stays.

    Anything else is kept: which numbers are real is for Customer.io to say.
    """
    return BETWEEN_DIGITS.sub("", number)


def _strongest(people: list[Identifiers], customers: list[Customer | None]) -> list[Identifiers]:
    """Of the people without a row those with the strongest kind of identifier.

    They get rows first: a new row may have the address by which another person is named.
    """
    missing = [
        named
        for named, customer in zip(people, customers, strict=True)
        if customer is None and named
    ]
    for kind in COLUMNS:
        if found := [named for named in missing if kind in named]:
            return found
    return []


def known_as(term: str, prefix: str = "") -> Q:
    """Rows whose customer has, or had, exactly this identifier; `prefix` leads to the customer.

    The kind of the identifier need not be said. Few had it before, and they are read first: with a
    subquery beside "or" no index would be used.
    """
    forms = normalise(dict.fromkeys(COLUMNS, term))
    former = CustomerAlias.objects.filter(value__in=set(forms.values()))
    keys = [
        key
        for kind, value, key in former.values_list("kind", "value", "customer")[:100]
        if forms[kind] == value
    ]
    found = Q(**{f"{prefix}pk__in": keys})
    for kind, value in forms.items():
        found |= Q(**{f"{prefix}{COLUMNS[kind]}": value})
    return found


class _Index:
    """All rows that any of these people could be, read in one query."""

    def __init__(self, people: Iterable[Identifiers]) -> None:
        wanted: dict[str, set[str]] = {kind: set() for kind in COLUMNS}
        for identifiers in people:
            for kind in _deciding(identifiers):
                wanted[kind].add(identifiers[kind])
        named = Q(pk__in=[])
        for kind, values in wanted.items():
            if values:
                named |= Q(**{f"{COLUMNS[kind]}__in": values})
        self._present: dict[str, dict[str, list[Customer]]] = {
            kind: defaultdict(list) for kind in COLUMNS
        }
        self._former: dict[str, dict[str, list[Customer]]] = {
            kind: defaultdict(list) for kind in COLUMNS
        }
        for row in Customer.objects.filter(named).order_by("pk"):
            for kind, column in COLUMNS.items():
                if value := getattr(row, column):
                    self._present[kind][value].append(row)
        self.same: list[tuple[Customer, Customer]] = []

    def has(self, identifiers: Identifiers) -> bool:
        """Whether present identifiers name the person, with the cio_id if there is one."""
        cio_id = identifiers.get("cio_id")
        if cio_id is not None:
            return cio_id in self._present["cio_id"]
        return any(identifiers[kind] in self._present[kind] for kind in _deciding(identifiers))

    def read_former(self, people: Iterable[Identifiers]) -> None:
        """Also find these people by identifiers that they had before."""
        values = {identifiers[kind] for identifiers in people for kind in _deciding(identifiers)}
        former = CustomerAlias.objects.filter(value__in=values).select_related("customer")
        for alias in former.order_by("customer"):
            self._former[alias.kind][alias.value].append(alias.customer)

    def find(self, identifiers: Identifiers) -> Customer | None:
        by_cio_id = self._one("cio_id", identifiers)
        by_id = self._one("id", identifiers)
        if by_cio_id and by_id and by_cio_id.pk != by_id.pk:
            return self._one_of(by_cio_id, by_id, identifiers["id"])
        if by_id and "cio_id" in identifiers and by_id.cio_id not in (None, identifiers["cio_id"]):
            by_id = by_cio_id  # the id moved on: conflicting cio_ids are two people
        if found := by_cio_id or by_id:
            return found
        if "cio_id" in identifiers or "id" in identifiers:
            return None
        return self._shared("email", identifiers) or self._by_phone(identifiers)

    def _one(self, kind: str, identifiers: Identifiers) -> Customer | None:
        value = identifiers.get(kind)
        if value is None:
            return None
        rows = self._present[kind].get(value) or self._former[kind].get(value) or []
        return rows[0] if len(rows) == 1 else None

    def _one_of(self, by_cio_id: Customer, by_id: Customer, given: str) -> Customer:
        # Conflicting cio_ids are never merged, nor is who had this id before.
        if by_id.cio_id is not None or by_id.external_id != given:
            return by_cio_id
        older, newer = sorted((by_cio_id, by_id), key=lambda row: row.pk)
        if (older, newer) not in self.same:
            self.same.append((older, newer))
        return older

    def _shared(self, kind: str, identifiers: Identifiers) -> Customer | None:
        if found := self._one(kind, identifiers):
            return found
        # Several rows share it: only a row without cio_id and id can be this person.
        rows = self._present[kind].get(identifiers.get(kind, ""), [])
        return next((row for row in rows if not row.cio_id and not row.external_id), None)

    def _by_phone(self, identifiers: Identifiers) -> Customer | None:
        found = self._shared("phone", identifiers)
        is_other = found and "email" in identifiers and found.email
        return None if is_other else found


def _deciding(identifiers: Identifiers) -> list[str]:
    """The kinds of identifiers that may say who is meant."""
    return [kind for kind in IDS if kind in identifiers] or [
        kind for kind in SHARED if kind in identifiers
    ]


def _read(people: list[Identifiers]) -> _Index:
    index = _Index(people)
    unknown = [named for named in people if named and not index.has(named)]
    if unknown:
        index.read_former(unknown)
    return index


@transaction.atomic
def _create(people: list[Identifiers]) -> list[Identifiers]:
    """Create rows; returns those people who were erased, by now or before, and get none."""
    wanted, people = people, erased.without_erased(people)
    rows: dict[str, Customer] = {}
    for identifiers in people:
        rows.setdefault(
            next(identifiers[kind] for kind in COLUMNS if kind in identifiers),
            Customer(
                cio_id=identifiers.get("cio_id"),
                external_id=identifiers.get("id"),
                email=identifiers.get("email", ""),
                phone=identifiers.get("phone", ""),
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
    return [one for one in wanted if one not in people] if len(people) < len(wanted) else []


def differing(customer: Customer, identifiers: Identifiers) -> Identifiers:
    """What the identifiers say otherwise than the row, if they name it by its present cio_id."""
    if not customer.cio_id or identifiers.get("cio_id") != customer.cio_id:
        return {}
    return {
        kind: value
        for kind, value in identifiers.items()
        if value != (getattr(customer, COLUMNS[kind]) or "")
    }


@transaction.atomic
def renew(customer: Customer, stated: Identifiers, at: datetime, outdated: Iterable[str]) -> None:
    """Set identifiers that Customer.io stated at this moment; those before become aliases.

    The kinds that are `outdated`, or replaced later than that moment, only become aliases. An id
    that another row has is left there.
    """
    row = Customer.objects.select_for_update().filter(pk=customer.pk).first()
    if row is None or row.cio_id != customer.cio_id:  # erased or merged meanwhile
        return
    old = set(outdated) | set(
        row.aliases.filter(replaced_at__gt=at, kind__in=stated).values_list("kind", flat=True)
    )
    for kind, value in differing(row, {**stated, "cio_id": str(row.cio_id)}).items():
        former = getattr(row, COLUMNS[kind])
        if kind in old:
            if kind != "id" or not Customer.objects.filter(external_id=value).exists():
                row.aliases.get_or_create(kind=kind, value=value, defaults={"replaced_at": at})
        elif _set(row, kind, value):
            CustomerAlias.objects.remember(row.pk, {kind: former}, at)
            row.aliases.filter(kind=kind, value=value).delete()
    for column in COLUMNS.values():
        setattr(customer, column, getattr(row, column))


def _set(row: Customer, kind: str, value: str) -> bool:
    try:
        with transaction.atomic():
            Customer.objects.filter(pk=row.pk).update(**{COLUMNS[kind]: value})
    except IntegrityError:  # another person has this id: only a look-up can take it from them
        return False
    setattr(row, COLUMNS[kind], value)
    return True


def absorb(older: Customer, newer: Customer, twin: Twin | None = None) -> None:
    """Copy the newer row's better values to the older row and delete the newer row.

    `twin` is what a look-up said of both. Identifiers that are not kept become aliases.
    Needs an open transaction, and nothing but aliases may point to the newer row any more.
    """
    present = _identifiers_of_both(older, newer, twin)
    profile = _better_profile(older, newer, twin)
    told = _later(older, newer, "subscription_changed_at") or profile or older
    older.is_unsubscribed = told.is_unsubscribed
    older.subscription_changed_at = told.subscription_changed_at
    _keep_aliases(older, newer)
    Customer.objects.filter(pk=newer.pk).delete()
    if profile:
        profiles = ("attributes", "devices", "preferences", "fetched_at", "is_deleted", *WORTH)
        for name in (*profiles, "sort_name"):
            setattr(older, name, getattr(profile, name))
    for kind, column in COLUMNS.items():
        setattr(older, column, present[kind])
        older.aliases.filter(kind=kind, value=present[kind] or "").delete()
    older.save()


def _keep_aliases(older: Customer, newer: Customer) -> None:
    """Let the older row have all aliases and all identifiers of both, also the present ones."""
    for alias in newer.aliases.all():
        older.aliases.get_or_create(
            kind=alias.kind, value=alias.value, defaults={"replaced_at": alias.replaced_at}
        )
    for row in (older, newer):
        names = {kind: getattr(row, column) or "" for kind, column in COLUMNS.items()}
        # Since when they are former is not known: any event may still name the person by them.
        CustomerAlias.objects.remember(older.pk, names, LONG_AGO)


def _identifiers_of_both(
    older: Customer, newer: Customer, twin: Twin | None
) -> dict[str, str | None]:
    """The identifiers that are the person's at present, by kind.

    A look-up says it. Otherwise the row that was looked up later knows better, and of two ids the
    one of the row with the cio_id, by which Customer.io renews ids.
    """
    if twin and older.cio_id and newer.cio_id:
        first, second = (older, newer) if older.cio_id == twin.cio_id else (newer, older)
        by_shared = first, second
    else:
        first, second = (newer, older) if newer.cio_id and not older.cio_id else (older, newer)
        latest = _later(older, newer, "fetched_at") or first
        by_shared = latest, (newer if latest is older else older)
    ids = {row.external_id for row in (older, newer) if row.external_id}
    stated = twin.external_id if twin and twin.external_id in ids else None
    return {
        "cio_id": first.cio_id or second.cio_id,
        "id": stated or first.external_id or second.external_id,
        "email": by_shared[0].email or by_shared[1].email,
        "phone": by_shared[0].phone or by_shared[1].phone,
    }


def _better_profile(older: Customer, newer: Customer, twin: Twin | None) -> Customer | None:
    """The row whose look-up says more of the person; None if neither was looked up."""
    if twin and older.cio_id and newer.cio_id:
        living = older if older.cio_id == twin.cio_id else newer
        if living.fetched_at:
            return living
        gone = newer if living is older else older
        gone.is_deleted, gone.fetched_at = False, None  # who lives on is to be looked up
        return gone
    later = _later(older, newer, "fetched_at")
    other = newer if later is older else older
    if later and later.is_deleted and not later.cio_id and other.fetched_at:
        return other  # a former id names nobody in Customer.io: that says nothing of the person
    return later


def _later(older: Customer, newer: Customer, name: str) -> Customer | None:
    dated = [row for row in (older, newer) if getattr(row, name) is not None]
    return max(dated, key=lambda row: getattr(row, name)) if dated else None
