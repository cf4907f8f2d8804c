"""Who is meant by an identifier, and all that names this person, of now and of before."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db.models import Q

from personas.models import Customer, CustomerAlias, names
from personas.models.aliases import COLUMNS
from personas.models.privacy import identifies
from personas.people.identity import normalise
from providers.addresses import folded
from webhooks.models import Tombstone, WebhookEvent, naming
from webhooks.personal import Person

KINDS = tuple(COLUMNS)
ROUNDS = 8  # in which events may still say another identifier of the same person
Named = dict[str, set[str]]


class Several(Exception):
    """The identifier is that of several people; `people` says by what each is named alone."""

    def __init__(self, people: list[str]) -> None:
        super().__init__("Several people have this identifier. Name one of them: ")
        self.people = people


class Unknown(Exception):
    """No customer and no event has this identifier."""


def find(term: str) -> Person:
    """The one person who has, or had, this identifier. Raises Several and Unknown.

    Its kind may stand before it: `email:ann@example.com`, or `customer:17` for the key of a row.
    Somebody erased is known by this identifier alone: to look once more for texts that quote it.
    """
    kind, value = _read(term)
    found = _customers(kind, value)
    if len(found) > 1:
        raise Several([named_alone(one) for one in found])
    if found:
        return gather(found[0])
    seeds = normalise({kind: value} if kind else dict.fromkeys(KINDS, value))
    named = _of_nobody_known(seeds) or _of_erased(seeds)
    if not named:
        raise Unknown(
            "Nobody has this identifier: no customer, and no event that is stored under it."
        )
    return Person({one: frozenset(values) for one, values in named.items()})


def by_identifiers(term: str) -> dict[str, list[str]]:
    """The term as an identifier of each kind that it may be, for tombstones."""
    kind, value = _read(term)
    return {one: [value] for one in ([kind] if kind else KINDS)}


def named_alone(customer: Customer) -> str:
    if customer.cio_id:
        return f"cio_id:{customer.cio_id}"
    return f"customer:{customer.pk}"


def gather(customer: Customer) -> Person:
    """What names this customer: the row, its aliases, and events that name it by an id.

    What other customers have as well, such as an address of a family, is theirs too: it stays.
    """
    named: Named = defaultdict(set)
    for kind, column in COLUMNS.items():
        if value := getattr(customer, column):
            named[kind].add(value)
    for alias in customer.aliases.all():
        named[alias.kind].add(alias.value)
    _learn_from_events(named, customer.pk)
    named["email"] |= {folded(one) for one in named["id"] if "@" in one}
    _drop_shared(named, customer.pk)
    called = {unicodedata.normalize("NFC", one) for one in names.full_names(customer.attributes)}
    words = {*called, *(word for one in called for word in re.split(r"[\W_]+", one))}
    for name, value in customer.attributes.items():
        if identifies(name):
            words.add(unicodedata.normalize("NFC", str(value).strip()))
    return Person(
        {kind: frozenset(values) for kind, values in named.items()},
        (customer.pk,),
        frozenset(called),
        frozenset(words - {""}),
    )


def _read(term: str) -> tuple[str, str]:
    """The kind, empty if it is not said, and the value."""
    kind, colon, value = term.strip().partition(":")
    if colon and kind in (*KINDS, "customer"):
        return kind, value.strip()
    return "", term.strip()


def _customers(kind: str, value: str) -> list[Customer]:
    people = Customer.objects.filter(is_erased=False)
    if kind == "customer":
        return list(people.filter(pk=value)) if value.isdigit() and len(value) < 19 else []
    named = normalise({kind: value} if kind else dict.fromkeys(KINDS, value))
    found: dict[int, Customer] = {}
    for one, given in named.items():
        forms = naming.spellings(one, [given])
        present = people.filter(**{f"{COLUMNS[one]}__in": forms})
        former = people.filter(aliases__kind=one, aliases__value__in=forms)
        found |= {row.pk: row for some in (present, former) for row in some}
    return [found[key] for key in sorted(found)]


def _of_nobody_known(seeds: Mapping[str, str]) -> Named:
    """All identifiers of somebody of whom only events are stored; empty without any event."""
    named: Named = defaultdict(set)
    own: dict[str, set[str]] = defaultdict(set)
    for kind, value in seeds.items():
        if WebhookEvent.objects.all().of_person({kind: [value]}):
            named[kind].add(value)
    for identifiers in _identifiers(named):
        own[identifiers.get("cio_id", "")].add(str(identifiers))
    people = sorted(set(own) - {""})
    if len(people) > 1 and not named["cio_id"]:
        raise Several([f"cio_id:{one}" for one in people])
    if named:
        _learn_from_events(named, None)
        _drop_shared(named, None)
    return {kind: values for kind, values in named.items() if values}


def _of_erased(seeds: Mapping[str, str]) -> Named:
    """Those of the identifiers under which somebody was erased."""
    people = [{kind: value} for kind, value in seeds.items()]
    gone = Tombstone.objects.all().among(people)
    return {
        kind: {value}
        for one, is_gone in zip(people, gone, strict=True)
        if is_gone
        for kind, value in one.items()
    }


def _learn_from_events(named: Named, customer: int | None) -> None:
    """Add what events state beside an identifier that is one person's: cio_id, else id.

    Of somebody who is no customer, also beside an address. What is another customer's is left.
    """
    has_cio_id = bool(named["cio_id"])
    for _ in range(ROUNDS):
        before = {kind: set(values) for kind, values in named.items()}
        for identifiers in _identifiers(named):
            cio_id, own_id = identifiers.get("cio_id"), identifiers.get("id")
            is_theirs = cio_id in named["cio_id"] if cio_id else own_id in named["id"]
            if is_theirs or (not has_cio_id and not _others({**identifiers}, customer)):
                for kind, value in identifiers.items():
                    named[kind].add(value)
        _drop_shared(named, customer)
        if named == before:
            return


def _identifiers(named: Mapping[str, Iterable[str]]) -> list[dict[str, str]]:
    """Of each event that has one of these: its identifiers, as rows keep them."""
    keys = WebhookEvent.objects.all().of_person(named)
    events = WebhookEvent.objects.filter(pk__in=keys)
    return [normalise(one) for one in events.values_list("identifiers", flat=True)]


def _others(identifiers: Mapping[str, str], customer: int | None) -> bool:
    """Whether a cio_id or an id of these is that of another customer."""
    ids = {k: {v} for k, v in identifiers.items() if k in ("cio_id", "id")}
    return bool(_shared(ids, customer))


def _drop_shared(named: Named, customer: int | None) -> None:
    for kind, values in _shared(named, customer).items():
        named[kind] -= values


def _shared(named: Mapping[str, set[str]], customer: int | None) -> Named:
    """Those that another customer has at present, or, of ids, had before."""
    found: Named = defaultdict(set)
    for kind, column in COLUMNS.items():
        values = named.get(kind)
        if not values:
            continue
        rows = Customer.objects.filter(**{f"{column}__in": values})
        rows = rows if customer is None else rows.exclude(pk=customer)
        found[kind] |= set(rows.values_list(column, flat=True))
        former = CustomerAlias.objects.filter(~Q(customer=customer), kind=kind, value__in=values)
        found[kind] |= set(former.values_list("value", flat=True))
    return {kind: values for kind, values in found.items() if values}
