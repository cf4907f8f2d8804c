"""What `personas` keeps about people: customers, and rules that may name one.

It stands here because `personas` and `webhooks`, whose registry this is, do not know each other.
"""

from typing import Any

from personas.models import Customer, CustomerAlias, RuleVersion, SegmentMember
from personas.rules import documents
from webhooks.personal import Fate, Nobody, Person, Quotes, Rows, Theirs, history_of, register

_SEGMENT = {"cursor": "a page of Customer.io's", "trouble": "an error of Customer.io"}
# Rules are the team's: whoever erases is told which of them name the person.
_RULES = {
    "personas.AttributeName": "currency currency_attribute help label names other_period_names "
    "role",
    "personas.FirstStep": "channels text",
    "personas.Persona": "assign_attribute description name playbook research_focus",
    "personas.PersonaCondition": "field value",
    "personas.SignalCondition": "field value",
    "personas.SignalRule": "metrics name note object_types",
}


def _members(person: Person) -> Rows:
    return SegmentMember.objects.filter(cio_id__in=person.identifiers.get("cio_id", ()))


def _aliases(person: Person) -> Rows:
    return CustomerAlias.objects.filter(customer__in=person.customers)


def _customers(person: Person) -> Rows:
    return Customer.objects.filter(pk__in=person.customers)


def _digest(version: Any) -> dict[str, Any]:
    return {"digest": documents.digest(version.document)}


def _former(versions: Rows) -> Rows:
    """Without the newest: it says what rules are at present, and those are the team's."""
    newest = RuleVersion.objects.order_by("-number").values("number")[:1]
    return versions.exclude(number__in=list(newest.values_list("number", flat=True)))


def enter() -> None:
    register(
        Theirs("personas.SegmentMember", "cio_id", _members, "by the cio_id"),
        Theirs("personas.CustomerAlias", "value", _aliases, "by the customer"),
    )
    register(*(Quotes(table, columns, Fate.TOLD) for table, columns in _RULES.items()))
    register(*(history_of(table, columns) for table, columns in _RULES.items()))
    register(
        Quotes(
            "personas.RuleVersion",
            "document",
            mend=_digest,
            among=_former,
            harmless={"digest": "of the document", "made_by_name": "of whoever edited"},
        ),
        Quotes("personas.RuleVersion", "accepted what why"),
        Quotes("personas.CustomerSegment", "name former_name", Fate.TOLD, harmless=_SEGMENT),
        Quotes("personas.AppApiHealth", "reason"),
        Nobody("personas.AppApiPace", "moments of requests"),
        Nobody("personas.RulesState", "how often rules were edited"),
        Nobody("personas.SegmentList", "when Customer.io's list was read, and its error"),
        Nobody("personas.SubscriptionNames", "names of topics and channels of the workspace"),
        Nobody("personas.ValueReading", "a digest of which attributes are read"),
    )


def enter_customer() -> None:
    """Last of all: what refers to the customer goes before it."""
    register(
        Theirs(
            "personas.Customer",
            "attributes cio_id company devices email external_id phone plan preferences sort_name",
            _customers,
            "by an identifier of now or of before",
            harmless={"value_currency": "a currency"},
        )
    )
