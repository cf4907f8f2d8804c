"""On whom or what rules are tried: a stored event or customer, or something pasted."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Max, QuerySet
from django.http import HttpRequest, QueryDict

from briefs.admin import pasted
from briefs.finding.search import Search
from briefs.models import Brief
from personas.admin.trial import TRY
from personas.models import Customer, Effect, SignalKind, SignalRule
from personas.models.aliases import COLUMNS
from personas.people import identity
from webhooks.models import WebhookEvent

PREFIX = "try"
FIND, CASE = "find", "case"  # the values of the buttons that search and that try
ENTER = "_enter"  # the button that the key Enter presses: it is the form's first
PASTED = "pasted"
MOST_FOUND = 6  # of customers and of events each
LATEST = 4
LOOKED_THROUGH = 20_000  # events: for a rare kind of event, not all rows are read
PRIVATE = [f"{PREFIX}-{name}" for name in ("search", "attributes", "webhook")]
NOBODY_HERE = (
    "Nobody here has the event’s identifiers, so the customer is unknown. When such an event "
    "arrives, Customer.io is asked who they are."
)
BODY_ENDED = (
    "What Customer.io sent for this event is no longer kept, so the rules cannot be tried on it. "
    "Choose a later one, or paste a webhook."
)
STORED = "The customer is stored here, so the pasted attributes were not used."
NOT_CHOSEN = "What is pasted was not used, because a stored row is chosen."


@dataclass(frozen=True, slots=True)
class Case:
    """What the rules are tried on. Without an event, a rule is taken for the one that decides."""

    event: WebhookEvent | None
    customer: Customer | None
    rule: int | None = None  # the key of that rule; None: the page's own, or the first of all
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Choice:
    """A stored event or customer to choose."""

    value: str
    words: str
    about: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    choices: list[Choice]


class TryForm(forms.Form):
    search = forms.CharField(
        required=False,
        max_length=200,
        label="Find a customer or an event",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="A whole id, cio_id, address or number; words of a name or a company; a brief "
        "as #12; or an event id.",
    )
    on = forms.CharField(required=False, widget=forms.RadioSelect)
    rule = forms.ModelChoiceField(
        queryset=SignalRule.objects.none(),
        required=False,
        label="Without an event, as if this rule had decided",
    )
    attributes = forms.CharField(
        required=False,
        max_length=pasted.LONGEST,
        label="A customer’s attributes",
        widget=forms.Textarea(attrs={"rows": 5, "cols": 60, "spellcheck": "false"}),
        help_text="JSON as the App API gives it, or one name: value a line.",
    )
    webhook = forms.CharField(
        required=False,
        max_length=pasted.LONGEST,
        label="A webhook",
        widget=forms.Textarea(attrs={"rows": 5, "cols": 60, "spellcheck": "false"}),
        help_text="JSON as Customer.io posts it. Its customer is found by the identifiers in it; "
        "if nobody here has them, the attributes go with it.",
    )

    def __init__(
        self, request: HttpRequest, data: Any = None, *, of: SignalRule | type | None = None
    ) -> None:
        """`of`: the signal rule whose page this is, or SignalRule itself for a new one."""
        super().__init__(data, prefix=PREFIX)
        request.sensitive_post_parameters = PRIVATE  # type: ignore[attr-defined]  # as Django's decorator
        self._request, self._of = request, of
        self.is_finding = bool(data) and data.get(TRY) == FIND
        rules: Any = self.fields["rule"]
        rules.queryset = supposable()
        rules.empty_label = "This rule" if of else None
        # Now, because a trial holds locks: on SQLite that of the only writer.
        self.hits = self._found()

    # Who may see what.

    @cached_property
    def may_see_customers(self) -> bool:
        return self._may_see(Customer)

    @cached_property
    def may_see_events(self) -> bool:
        """An event names its customer."""
        return self.may_see_customers and self._may_see(WebhookEvent)

    def _may_see(self, model: Any) -> bool:
        return bool(admin.site.get_model_admin(model).has_view_permission(self._request))

    # What is offered.

    @property
    def pasted_fields(self) -> list[forms.BoundField]:
        return [self["attributes"], self["webhook"]]

    @property
    def searched(self) -> str:
        """What the hits were found by."""
        return str(self.data.get(f"{PREFIX}-search", "")).strip()[:200] if self.is_bound else ""

    @property
    def chosen(self) -> str:
        """The value of the choice that is ticked."""
        if not self.is_bound:
            return ""
        if self.is_finding:
            return self.hits[0].value if len(self.hits) == 1 else ""
        given = str(self.data.get(f"{PREFIX}-on", ""))
        texts = ("attributes", "webhook")
        has_pasted = any(str(self.data.get(f"{PREFIX}-{name}", "")).strip() for name in texts)
        return given or (PASTED if has_pasted else "")

    @property
    def is_pasted(self) -> bool:
        return self.chosen == PASTED

    @cached_property
    def groups(self) -> list[Group]:
        if not self.may_see_customers:
            return []
        groups = [Group("Found", self.hits)] if self.searched else list(self._latest())
        offered = {choice.value for group in groups for choice in group.choices}
        if self.chosen not in (*offered, "", PASTED) and (row := self._row(self.chosen)):
            groups.insert(0, Group("Chosen", [_choice(row)]))
        return [group for group in groups if group.choices]

    def _found(self) -> list[Choice]:
        if not (self.searched and self.may_see_customers):
            return []
        customers = self._customers(self.searched)
        events = self._events(self.searched, customers)
        return [*map(_choice, customers), *map(_choice, events)]

    def _customers(self, text: str) -> list[Customer]:
        """By a whole identifier, else by words; and those of the briefs that the words find."""
        named = Customer.objects.filter(identity.known_as(text))
        found = {row.pk: row for row in named.order_by("-pk")[:MOST_FOUND]}
        if not found:
            search = Search(text)
            found = {row.pk: row for row in search.customers(MOST_FOUND)}
            briefs = Brief.objects.filter(pk__in=(search.hits or [])[:MOST_FOUND])
            found |= {
                brief.customer_id: brief.customer for brief in briefs.select_related("customer")
            }
        return list(found.values())[:MOST_FOUND]

    def _events(self, text: str, customers: Iterable[Customer]) -> list[WebhookEvent]:
        """By their id, by an identifier among the latest, or those of the customers found."""
        if not self.may_see_events:
            return []
        stored: Any = admin.site.get_model_admin(WebhookEvent)
        by_id = _usable().filter(event_id=text)
        named, _ = stored.get_search_results(self._request, _lately(), text)
        of_customers = _usable().filter(signal__customer__in=[row.pk for row in customers])
        found = {
            event.pk: event
            for rows in (by_id, named, of_customers)
            for event in rows.defer("body", "headers").order_by("-pk")[:MOST_FOUND]
        }
        return sorted(found.values(), key=lambda event: -event.pk)[:MOST_FOUND]

    def _latest(self) -> Iterator[Group]:
        if self.may_see_events:
            events = _lately().exclude(status=WebhookEvent.Status.IGNORED)
            if isinstance(self._of, SignalRule):
                events = _lately().filter(metric__in=self._of.metric_list)
            newest = events.defer("body", "headers").order_by("-pk")[:LATEST]
            yield Group("Latest events", [_choice(event) for event in newest])
        customers = Customer.objects.filter(fetched_at__isnull=False, is_deleted=False)
        newest_known = customers.order_by("-fetched_at")[:LATEST]
        yield Group("Customers looked up last", [_choice(row) for row in newest_known])

    # What was chosen.

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        data["case"] = None
        if self.errors or not self.chosen:
            return data
        if self.is_pasted:
            data["case"] = self._pasted(data)
            return data
        notes = [NOT_CHOSEN] if data.get("attributes") or data.get("webhook") else []
        row = self._row(self.chosen)
        if row is None:
            self.add_error("on", "This is no longer there. Choose another one.")
        elif isinstance(row, WebhookEvent) and row.body_ended_at:
            self.add_error("on", BODY_ENDED)
        elif isinstance(row, WebhookEvent):
            data["case"] = self._case_of(row, None, notes)
        else:
            data["case"] = Case(None, row, self._rule(data), notes)
        return data

    def _row(self, value: str) -> WebhookEvent | Customer | None:
        kind, _, key = value.partition("-")
        if not key.isdecimal() or len(key) > 18:
            return None
        if kind == "event" and self.may_see_events:
            return _usable().filter(pk=int(key)).first()
        if kind == "customer" and self.may_see_customers:
            return Customer.objects.filter(pk=int(key)).first()
        return None

    def _pasted(self, data: dict[str, Any]) -> Case | None:
        customer = self._read("attributes", data, pasted.read_attributes)
        event = self._read("webhook", data, pasted.read_webhook)
        if self.errors:
            return None
        if event:
            return self._case_of(event, customer, [])
        if customer:
            return Case(None, customer, self._rule(data))
        self.add_error("attributes", "Paste attributes here, a webhook below, or both.")
        return None

    def _read(self, name: str, data: dict[str, Any], read: Any) -> Any:
        text = data.get(name, "")
        try:
            return read(text) if text.strip() else None
        except ValidationError as error:
            self.add_error(name, error)
            return None

    def _case_of(self, event: WebhookEvent, pasted_one: Customer | None, notes: list[str]) -> Case:
        """The event with its customer: the stored one, else the pasted one, else unknown."""
        named = identity.normalise(event.identifiers)
        stored = identity.find(named) if named and self.may_see_customers else None
        if stored:
            return Case(event, stored, notes=[*notes, *([STORED] if pasted_one else [])])
        if not (named or pasted_one):
            return Case(event, None, notes=notes)
        customer = pasted_one or Customer()
        for kind, column in COLUMNS.items():
            if not getattr(customer, column):
                setattr(customer, column, named.get(kind, ""))
        return Case(event, customer, notes=[*notes, *([] if pasted_one else [NOBODY_HERE])])

    def _rule(self, data: dict[str, Any]) -> int | None:
        rule = data.get("rule")
        return rule.pk if rule else None


def pressed_enter(request: HttpRequest) -> None:
    """Let the key Enter search where a search was typed, and else try; it never saves a rule.

    A browser does not tell in which field it was pressed.
    """
    if ENTER in request.POST:
        posted: QueryDict = request.POST.copy()
        is_typed = posted.get(f"{PREFIX}-search") != posted.get(f"{PREFIX}-searched")
        posted[TRY] = FIND if is_typed else CASE
        request.POST = posted  # type: ignore[assignment]  # Django lets it be replaced


def supposable() -> QuerySet[SignalRule]:
    """The rules that can be taken for the deciding one; first what happens most."""
    rules = SignalRule.objects.filter(is_active=True, effect=Effect.OPENS_BRIEF)
    is_usual = models.Case(models.When(kind=SignalKind.UNSUBSCRIBED, then=0), default=1)
    return rules.order_by(is_usual, "position", "pk")


def _usable() -> QuerySet[WebhookEvent]:
    return WebhookEvent.objects.exclude(status=WebhookEvent.Status.QUARANTINED)


def _lately() -> QuerySet[WebhookEvent]:
    newest = WebhookEvent.objects.aggregate(key=Max("pk"))["key"] or 0
    return _usable().filter(body_ended_at=None, pk__gt=newest - LOOKED_THROUGH)


def _choice(row: WebhookEvent | Customer) -> Choice:
    if isinstance(row, WebhookEvent):
        stored: Any = admin.site.get_model_admin(WebhookEvent)
        at = row.occurred_at or row.received_at
        return Choice(f"event-{row.pk}", row.kind, stored.who(row), at)
    words = row.name or str(row)
    ids = [one for one in (row.external_id, row.email, row.phone) if one and one != words]
    about = " · ".join(filter(None, [row.company, *ids[:2]]))
    return Choice(f"customer-{row.pk}", words, about)
