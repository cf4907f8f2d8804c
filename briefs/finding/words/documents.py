"""What a search finds a brief, a customer and an answer by: their texts, with a class for each.

A: who it is. B: what happened, and what it was about. C: what people wrote and the reasons. D: what
research says, and ids that no page prints.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from typing import Any

from django.db.models import Q, QuerySet

from briefs.finding.words import folding
from briefs.models import Activity, Brief, BriefDocument, Comment, ContactLog, Research, Signal
from briefs.models.endings import offer_in_words
from briefs.reading import messages
from briefs.reading.sources import sources
from briefs.reading.stripping import answer_alone
from personas.models import AttributeName, Customer, CustomerAlias, Persona, SignalKind
from personas.models.attributes import CustomerFacts
from personas.models.steps import DETAIL
from personas.models.value import Valued, ValuePeriod
from personas.rules.steps import Steps
from providers import mavera_validation

VERSION = 6  # raise it where documents are made in another way: all are written anew then
MOST_WORDS = 16_000  # of a document: PostgreSQL knows the places of 16,383
MOST_BYTES = 1_000_000  # of its words and their places: PostgreSQL takes 1,048,575
LONGEST = 30_000  # characters of one text, as many as a page shows of an answer
FEWEST_DIGITS = 7  # by which a number is found
# Whoever reads the text of another column names it here, and in `briefs.models.watching`.
_OF_A_VALUE = ("value_amount", "value_currency", "value_period", "value_month")
_OF_A_CUSTOMER = ("cio_id", "external_id", "email", "phone", "attributes", "company",
                  "is_erased", *_OF_A_VALUE)  # fmt: skip
_READ = ("kind", "detail", "plan", "company", "closing_note", "offer_percent", "offer_words",
         "step_at_closing", "persona_why", "priority_reasons", "persona", "research",
         "closing_reason__name", "offer__name", "offer__asks", "customer",
         *_OF_A_VALUE)  # fmt: skip
_OF_AN_ANSWER = ("pk", "answer", "sources", "validation")
# Entries of the log that hold what somebody wrote and no other row has: a brief that was reopened
# has no ending any more.
_IN_WORDS = Q(code=Activity.Code.SAID) | Q(
    code=Activity.Code.CLOSED, actor__isnull=False, brief__reopened_at__isnull=False
)
_LABELS = {kind.value: str(kind.label) for kind in SignalKind}
_IDENTIFIERS = {"cio_id": "Customer.io’s id", "id": "Id", "email": "Address", "phone": "Number"}


@dataclass(frozen=True)
class Text:
    label: str  # how a page says where something was found
    text: str
    of_class: str = "A"
    is_phone: bool = False

    @cached_property
    def words(self) -> list[str]:
        return folding.words(self.text[:LONGEST])

    @cached_property
    def runs(self) -> list[list[str]]:
        """Words that follow each other. A phone number is found by each of its ends as well."""
        if not self.is_phone:
            return [self.words]
        digits = "".join(self.words)
        starts = range(len(digits) - FEWEST_DIGITS + 1)
        return [[digits[start : folding.LONGEST + start]] for start in starts] or [self.words]


@dataclass(frozen=True, slots=True)
class BriefTexts:
    brief: Brief
    texts: list[Text]

    @property
    def columns(self) -> dict[str, Any]:
        """What else its document has."""
        brief = self.brief
        return {
            "research": brief.research_id or 0,
            "persona_kind": BriefDocument.case(brief.persona_id, brief.kind),
        }


def rules() -> str:
    """Another word where documents are made in another way, as when other attributes count."""
    rows = AttributeName.objects.order_by("role").values_list("role", "names")
    return f"{VERSION}:{hashlib.sha256(repr(list(rows)).encode()).hexdigest()[:12]}"


def of_briefs(keys: Collection[int]) -> list[BriefTexts]:
    """In the order of the keys. Those that are gone are left out."""
    names = [f"customer__{name}" for name in _OF_A_CUSTOMER]
    briefs = list(_read(keys).select_related("customer").only(*_READ, *names))
    who = of_loaded_customers([brief.customer for brief in briefs])
    own = _own(briefs)
    return [BriefTexts(brief, _said([*who[brief.customer_id], *own[brief.pk]])) for brief in briefs]


def own_of_briefs(keys: Collection[int]) -> dict[int, list[Text]]:
    """The same without what they say of their customers."""
    briefs = list(_read(keys).only(*_READ))
    return {key: _said(texts) for key, texts in _own(briefs).items()}


def _read(keys: Collection[int]) -> QuerySet[Brief]:
    shown = Brief.objects.filter(pk__in=keys).order_by("pk")
    return shown.select_related("closing_reason", "offer")


def _own(briefs: Iterable[Brief]) -> dict[int, list[Text]]:
    by_key = {brief.pk: brief for brief in briefs}
    comments = Comment.objects.filter(brief__in=by_key).values_list("brief", "text")
    contacts = ContactLog.objects.filter(brief__in=by_key)
    log = Activity.objects.filter(_IN_WORDS, brief__in=by_key).values_list("brief", "text")
    parts = [
        _by_brief(_signals(by_key)),
        _by_brief((brief, Text("Comment", text, "C")) for brief, text in comments),
        _by_brief(
            (brief, Text("Contact", f"{ContactLog.Channel(channel).label}: {note}", "C"))
            for brief, channel, note in contacts.values_list("brief", "channel", "note")
        ),
        _by_brief((brief, Text("Log", text, "C")) for brief, text in log),
    ]
    return {
        key: [
            Text("Company", brief.company),
            *_value(brief),
            *_of_brief(brief),
            *chain.from_iterable(part[key] for part in parts),
        ]
        for key, brief in by_key.items()
    }


def of_customers(keys: Collection[int]) -> dict[int, list[Text]]:
    rows = Customer.objects.filter(pk__in=keys).only(*_OF_A_CUSTOMER).order_by("pk")
    return of_loaded_customers(list(rows))


def of_loaded_customers(customers: Collection[Customer]) -> dict[int, list[Text]]:
    return {key: _said(texts) for key, texts in _who(customers).items()}


def of_answers(keys: Collection[int]) -> dict[int, list[Text]]:
    rows = Research.objects.filter(pk__in=keys).order_by("pk")
    return {
        key: _said(
            [
                Text("Research", answer_alone(answer), "D"),  # as its page has it
                *_sources(cited),
                *_claims(validation),
            ]
        )
        for key, answer, cited, validation in rows.values_list(*_OF_AN_ANSWER)
    }


def _sources(cited: Any) -> Iterator[Text]:
    for one in sources(cited):
        yield Text("Source", f"{one.title} · {one.domain}", "D")


def _claims(validation: Any) -> Iterator[Text]:
    for claim in mavera_validation.read(validation).unsupported_claims:
        yield Text("Without support", claim, "D")


def _said(texts: Iterable[Text]) -> list[Text]:
    """Each text once, in the order of their classes, which is that of the words of a document."""
    once = {(one.of_class, one.text): one for one in texts if one.text}
    return sorted(once.values(), key=lambda one: one.of_class)


def _who(customers: Collection[Customer]) -> dict[int, list[Text]]:
    keys = {customer.pk for customer in customers}
    former = CustomerAlias.objects.filter(customer__in=keys).order_by("pk")
    aliases: dict[int, list[Text]] = defaultdict(list)
    for key, kind, value in former.values_list("customer", "kind", "value"):
        aliases[key].append(_identifier(kind, value, "before"))
    roles = list(AttributeName.objects.all())
    names = {role.role: role.name_list for role in roles}
    return {
        customer.pk: [
            Text("Name", customer.name or str(customer)),  # as pages call them
            _identifier("email", customer.email),
            _identifier("id", customer.external_id or ""),
            _identifier("cio_id", customer.cio_id or ""),
            _identifier("phone", customer.phone),
            *aliases[customer.pk],
            Text("Company", customer.company),
            *_value(customer),
            *_attributes(customer, roles, names),
        ]
        for customer in customers
    }


def _identifier(kind: str, value: str, since: str = "") -> Text:
    label = f"{_IDENTIFIERS[kind]} {since}".strip()
    # Customer.io's own pages show it with this beginning.
    text = f"cio_{value}" if kind == "cio_id" and value else value
    return Text(label, text, is_phone=kind == "phone")


def _attributes(
    customer: Customer, roles: Iterable[AttributeName], names: dict[str, list[str]]
) -> Iterator[Text]:
    facts = CustomerFacts(customer.attributes, names)
    for role in roles:
        yield Text(role.label, facts.find(role.role).shown(1_000), "B")


def _value(row: Valued) -> Iterator[Text]:
    """As pages print it, of a month too, by which lists compare; and without commas."""
    yield Text("Value", row.value_words, "B")
    amounts = [row.value_amount]
    if row.value_period == ValuePeriod.YEAR and row.value_month is not None:
        yield Text("Value", f"{row.month_words} {ValuePeriod.MONTH.label}", "B")
        amounts.append(row.value_month)
    for amount in amounts:
        if amount is not None and abs(amount) >= 1_000:
            yield Text("Value", f"{amount:.0f}", "B")


def _signals(keys: Iterable[int]) -> Iterator[tuple[int, Text]]:
    rows = Signal.objects.filter(brief__in=keys).order_by("pk")
    for brief, kind, detail, message in rows.values_list("brief", "kind", "detail", "message"):
        yield brief, Text("Signal", _LABELS.get(kind, kind), "B")
        yield brief, Text("Signal", detail, "B")
        for label, said in messages.described(message):
            yield brief, Text(label, str(said), "C" if label == messages.REPLY else "B")
        yield brief, Text("In Customer.io", messages.key_in_words(message), "B")
        yield brief, Text("Sent to", str(message.get("recipient", "")), "B")
        for key in messages.further_ids(message):
            yield brief, Text("In Customer.io", key, "D")


def _by_brief(found: Iterable[tuple[int, Text]]) -> dict[int, list[Text]]:
    texts: dict[int, list[Text]] = defaultdict(list)
    for brief, text in found:
        texts[brief].append(text)
    return texts


def _of_brief(brief: Brief) -> Iterator[Text]:
    yield Text("Signal", brief.detail, "B")
    yield Text("Plan", brief.plan, "B")
    yield Text("Closing note", brief.closing_note, "C")
    if brief.closing_reason:
        yield Text("Reason", brief.closing_reason.name, "C")
    offered = offer_in_words(brief.offer, brief.offer_percent, brief.offer_words or "")
    yield Text("Offer", offered, "C")
    yield Text("First step", str((brief.step_at_closing or {}).get("text", "")), "C")
    yield Text("Why this persona", brief.persona_why, "C")
    for reason in brief.priority_reasons or []:
        yield Text("Why this priority", str(reason.get("words", "")), "C")


_shared = lru_cache(maxsize=2_000)(Text)  # so that what many briefs share is folded once


class Common:
    """What many briefs share and few rows say: kinds of signals, personas and first steps.

    A few dozen texts, which every search reads: they need no document, and no edit is late.
    """

    def __init__(self) -> None:
        self._kinds = {kind: _shared("Signal", label, "B") for kind, label in _LABELS.items()}
        self._personas = {
            key: [_shared("Persona", name, "B"), _shared("Playbook", playbook, "D")]
            for key, name, playbook in Persona.objects.values_list("pk", "name", "playbook")
        }
        self._steps = Steps.read()
        self._said = {
            step.pk: _shared("First step", step.text.replace(DETAIL, "…"), "B")
            for steps in self._steps.by_case.values()
            for step in steps
        }

    def of(self, persona: int, kind: str) -> list[Text]:
        """What such a brief shows."""
        steps = self._steps.for_case(persona, kind)
        said = [self._said[step.pk] for step in steps]
        named = [self._kinds[kind]] if kind in self._kinds else []
        return [*named, *self._personas.get(persona, []), *said]

    @property
    def texts(self) -> list[Text]:
        """All of them, each once."""
        return [
            *self._kinds.values(),
            *chain.from_iterable(self._personas.values()),
            *self._said.values(),
        ]

    @cached_property
    def cases(self) -> dict[str, list[Text]]:
        """Each persona with each kind, by the word that documents have for it."""
        return {
            BriefDocument.case(persona, kind): self.of(persona, kind)
            for persona in self._personas
            for kind in self._kinds
        }
