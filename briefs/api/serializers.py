"""How the REST API shows rows. A serializer formats and decides nothing."""

import json
from typing import Any

from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from briefs.dossier.dossier import Dossier, Value
from briefs.finding.filters import PRIORITIES
from briefs.links import absolute
from briefs.models import (
    Activity,
    Brief,
    ClosingReason,
    Comment,
    ContactLog,
    Offer,
    Priority,
    Research,
    Signal,
)
from briefs.models.priority import Reason, Why
from briefs.reading import answer
from personas.models import Customer, Persona, StepChannel, ValueLevel, ValuePeriod
from providers.addresses import without_credentials
from webhooks.models import WebhookEvent


class PersonalData(serializers.Serializer[Any]):
    """Fields that say or quote who a customer is: null for who may not read that.

    A view says in the context whether its reader may; without that, all are null.
    """

    personal: tuple[str, ...] = ()

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        for name in self.personal:
            fields[name].allow_null = True  # for the schema
        return fields

    def to_representation(self, row: Any) -> Any:
        shown = super().to_representation(row)
        if shown is not None and not self.context.get("may_read_personal_data"):
            shown.update(dict.fromkeys(self.personal))
        return shown


class CustomerBriefly(PersonalData, serializers.ModelSerializer[Customer]):
    personal: tuple[str, ...] = ("cio_id", "external_id", "email", "phone")

    class Meta:
        model = Customer
        fields = ("id", "cio_id", "external_id", "email", "phone")


class CustomerInFull(CustomerBriefly):
    personal: tuple[str, ...] = (*CustomerBriefly.personal, "attributes")

    class Meta:
        model = Customer
        fields = (*CustomerBriefly.Meta.fields, "attributes", "fetched_at", "is_unsubscribed",
                  "is_deleted")  # fmt: skip


class PersonaBriefly(serializers.ModelSerializer[Persona]):
    class Meta:
        model = Persona
        fields = ("id", "name", "value")


class PersonaInFull(serializers.ModelSerializer[Persona]):
    conditions = serializers.SerializerMethodField(help_text="As the team typed them.")

    class Meta:
        model = Persona
        fields = (*PersonaBriefly.Meta.fields, "position", "description", "opens_brief", "match",
                  "conditions", "research_focus", "playbook", "reuse_hours", "is_default",
                  "is_unknown")  # fmt: skip

    def get_conditions(self, persona: Persona) -> list[str]:
        return [condition.words for condition in persona.conditions.all()]


class ResearchBriefly(PersonalData):
    """A brief's research. It is given the dossier, because only the brief tells if it shares."""

    id = serializers.IntegerField(source="brief.research.pk")
    status = serializers.ChoiceField(
        source="brief.research.status", choices=Research.Status.choices
    )
    credits = serializers.IntegerField(source="brief.research.credits", allow_null=True)
    created_at = serializers.DateTimeField(source="brief.research.created_at")
    finished_at = serializers.DateTimeField(source="brief.research.finished_at", allow_null=True)
    is_shared = serializers.BooleanField(
        source="brief.is_sharing", help_text="Researched for another brief with the same question."
    )
    age_seconds = serializers.IntegerField(
        source="research.age_seconds",
        allow_null=True,
        read_only=True,
        help_text="Since Mave answered; null while it has not.",
    )
    brief_credits = serializers.IntegerField(
        source="research.brief_credits",
        allow_null=True,
        read_only=True,
        help_text="What this brief was charged: 0 if it shares, null if that was not stated.",
    )

    def to_representation(self, dossier: Dossier) -> Any:
        return super().to_representation(dossier) if dossier.brief.research else None


class SourceOfReading(serializers.Serializer[answer.ListedSource]):
    number = serializers.IntegerField(source="source.number")
    numbers = serializers.ListField(
        source="source.numbers",
        child=serializers.IntegerField(),
        help_text="Under which Mave named this address.",
    )
    title = serializers.CharField(source="source.title")
    url = serializers.CharField(source="source.href", help_text="Empty unless it is plain https.")
    domain = serializers.CharField(source="source.domain")
    is_cited = serializers.BooleanField()


class ReadingOfAnswer(serializers.Serializer[answer.Reading]):
    """What the page tells about the answer besides its text."""

    sources = SourceOfReading(many=True)
    is_without_sources = serializers.BooleanField()
    advises_closed = serializers.ListField(
        source="names_closed",
        child=serializers.CharField(),
        help_text="Channels closed for this customer that the answer names, but for what it lists "
        "under a heading that forbids.",
    )


class ResearchInFull(ResearchBriefly):
    # The question quotes attributes of the customer, and the answer and its claims the question.
    personal = ("question", "answer", "validation", "unsupported_claims")

    question = serializers.CharField(source="brief.research.question")
    answer = serializers.CharField(
        source="brief.research.answer", help_text="Markdown, as a model wrote it: sanitise it."
    )
    sources = serializers.JSONField(source="brief.research.sources")
    personas_used = serializers.JSONField(source="brief.research.personas_used")
    validation = serializers.JSONField(source="brief.research.validation")
    confidence = serializers.IntegerField(
        source="research.validation.confidence",
        allow_null=True,
        help_text="Per cent; null if not said.",
    )
    hallucination_risk = serializers.CharField(
        source="research.validation.risk",
        read_only=True,
        help_text="In Mave's word; empty if not said.",
    )
    unsupported_claims = serializers.ListField(
        source="research.validation.unsupported_claims",
        child=serializers.CharField(),
        read_only=True,
        help_text="As Mave named them.",
    )
    reading = ReadingOfAnswer(allow_null=True)


class SignalOfBrief(PersonalData, serializers.ModelSerializer[Signal]):
    # Another address or a company's name; attributes and their values; subjects and replies.
    personal = ("title", "detail", "why", "message")

    # The event's row may be gone by now.
    event = serializers.IntegerField(source="event.pk", allow_null=True, help_text="Our id.")
    event_id = serializers.CharField(
        source="event.event_id", allow_null=True, help_text="Customer.io's id."
    )
    title = serializers.CharField(read_only=True, help_text="With the channel or the topics.")

    class Meta:
        model = Signal
        fields = ("id", "event", "event_id", "kind", "title", "detail", "effect", "why",
                  "rules_version", "message",
                  "happened_at", "same_act_as")  # fmt: skip


class ActivityOfBrief(PersonalData, serializers.ModelSerializer[Activity]):
    personal = ("text",)  # notes of people, and why this persona

    actor = serializers.CharField(
        source="actor.username", allow_null=True, help_text="Null: Savedesk itself."
    )

    class Meta:
        model = Activity
        fields = ("at", "actor", "text")


class ContactOfBrief(PersonalData, serializers.ModelSerializer[ContactLog]):
    personal: tuple[str, ...] = ("note",)

    actor = serializers.CharField(source="actor.username")

    class Meta:
        model = ContactLog
        fields: tuple[str, ...] = (
            "id", "at", "actor", "channel", "is_reached", "note", "next_date",
        )  # fmt: skip


class CommentOfBrief(PersonalData, serializers.ModelSerializer[Comment]):
    personal: tuple[str, ...] = ("text",)

    actor = serializers.CharField(source="actor.username")
    mentioned: Any = serializers.SlugRelatedField("username", many=True, read_only=True)

    class Meta:
        model = Comment
        fields: tuple[str, ...] = ("id", "at", "actor", "text", "mentioned")


class ClosingReasonBriefly(serializers.ModelSerializer[ClosingReason]):
    class Meta:
        model = ClosingReason
        fields: tuple[str, ...] = ("id", "name")


class OfferInFull(serializers.ModelSerializer[Offer]):
    class Meta:
        model = Offer
        fields = ("code", "name", "asks", "position", "is_active")


class ClosingReasonInFull(ClosingReasonBriefly):
    class Meta(ClosingReasonBriefly.Meta):
        fields = (*ClosingReasonBriefly.Meta.fields, "position", "is_active")


@extend_schema_field(int)
class Key(serializers.PrimaryKeyRelatedField[Any]):
    """The key of another row."""


@extend_schema_field(str)
class Code(serializers.PrimaryKeyRelatedField[Any]):
    """The code that another row has for a key."""


class ValueOfBrief(serializers.Serializer[Value]):
    """What the customer is worth; null as a whole where it is unknown, which is not 0."""

    amount = serializers.DecimalField(
        max_digits=16, decimal_places=2, help_text="As the attribute states it."
    )
    currency = serializers.CharField(help_text="In three letters.")
    period = serializers.ChoiceField(choices=ValuePeriod.choices)
    level = serializers.ChoiceField(
        choices=ValueLevel.choices,
        help_text="A company's amount is that of all its people together: count it once.",
    )
    month = serializers.DecimalField(max_digits=16, decimal_places=2, help_text="For a month.")


class ReasonOfPriority(serializers.Serializer[Reason]):
    code = serializers.ChoiceField(choices=Why.choices)
    words = serializers.CharField()


class BriefItem(PersonalData, serializers.ModelSerializer[Brief]):
    # With a company's name, of link scanners; the good news in the same words.
    # What people write of an offer may name somebody too.
    personal: tuple[str, ...] = ("title", "detail", "came_back", "offer_words")

    # It is given a dossier: the columns are read from the dossier's brief.

    url = serializers.SerializerMethodField(help_text="Where people work with it.")
    customer: serializers.BaseSerializer[Customer] = CustomerBriefly()
    persona = PersonaBriefly()
    priority = serializers.SerializerMethodField()
    priority_reasons = ReasonOfPriority(
        many=True, help_text="Why this priority; empty for a brief of an earlier version."
    )
    value = ValueOfBrief(allow_null=True)
    kind_label = serializers.CharField(source="brief.get_kind_display")
    title = serializers.CharField(
        source="brief.title",
        read_only=True,
        help_text="The signal with the channel or the topics by their names, as the inbox says it.",
    )
    basis_words = serializers.CharField(
        source="research.words", read_only=True, help_text="As the inbox says it."
    )
    basis_why = serializers.CharField(
        source="research.why_not_there",
        read_only=True,
        help_text="Why it has no research yet; empty if it has.",
    )
    assignee = serializers.CharField(
        source="brief.assignee.username", allow_null=True, help_text="Null: nobody took it."
    )
    first_step = serializers.CharField(
        help_text="What to do first; of a closed brief, what it said when it was closed."
    )
    first_step_source = serializers.CharField(
        source="step.source", help_text="Whose step it is: the signal's, or the persona's for it."
    )
    first_step_channels = serializers.ListField(
        source="step.channels",
        child=serializers.ChoiceField(choices=StepChannel.choices),
        help_text="By which ways it contacts the customer; empty: not at all.",
    )
    first_step_reason = serializers.CharField(
        source="step.reason", help_text="Why it is not the usual step; empty if it is."
    )
    came_back = serializers.CharField(
        source="came_back.title",
        default="",
        help_text="Good news after all that speaks of leaving; empty if there is none.",
    )
    closing_reason = ClosingReasonBriefly(source="brief.closing_reason", allow_null=True)
    offer = Code(
        source="brief.offer", read_only=True, allow_null=True, help_text="The code of an offer."
    )
    returned_from = Key(
        source="brief.returned_from",
        read_only=True,
        allow_null=True,
        help_text="The customer's brief that was closed shortly before this one was opened.",
    )
    cause = Key(
        source="brief.cause",
        read_only=True,
        allow_null=True,
        help_text="What briefs of the same message and signal of a day share: the id of the "
        "incident, if they are one.",
    )
    research = ResearchBriefly(source="*", allow_null=True)

    class Meta:
        model = Brief
        fields: tuple[str, ...] = (
            "id", "url", "customer", "persona", "priority", "priority_reasons", "value",
            "plan", "kind", "kind_label", "title", "detail", "state", "basis", "basis_words",
            "basis_why", "is_waiting_for_profile",
            "assignee", "outcome", "happened_at", "created_at", "researched_at", "closed_at",
            "first_step", "first_step_source", "first_step_channels", "first_step_reason",
            "came_back", "due_at", "first_touch_at", "snoozed_until", "is_snoozed_for_signal",
            "returned_from", "cause", "reopened_at", "closing_reason", "offer", "offer_percent",
            "offer_words", "research", "revision",
        )  # fmt: skip

    def build_standard_field(
        self, field_name: str, model_field: "models.Field[Any, Any]"
    ) -> tuple[type[serializers.Field[Any, Any, Any, Any]], dict[str, Any]]:
        kind, options = super().build_standard_field(field_name, model_field)
        return kind, {**options, "source": f"brief.{field_name}"}

    def get_url(self, dossier: Dossier) -> str:
        return absolute(dossier.brief.get_absolute_url(), self.context["request"])

    @extend_schema_field(serializers.ChoiceField(choices=PRIORITIES))
    def get_priority(self, dossier: Dossier) -> str:
        return Priority(dossier.brief.priority).name.lower()


class BriefInFull(BriefItem):
    personal = (*BriefItem.personal, "persona_why", "question_facts", "closing_note")

    customer = CustomerInFull()
    playbook = serializers.CharField(
        help_text="Markdown; of a closed brief as it was when it was closed."
    )
    research = ResearchInFull(source="*", allow_null=True)
    is_renewing = serializers.BooleanField(
        source="research.is_renewing",
        read_only=True,
        help_text="Whether a fresh answer is under way; the present one stands until then.",
    )
    signals = SignalOfBrief(source="brief.signals", many=True)
    activities = ActivityOfBrief(source="brief.activities", many=True)
    contacts = ContactOfBrief(source="brief.contacts", many=True)
    comments = CommentOfBrief(source="brief.comments", many=True)

    class Meta(BriefItem.Meta):
        fields = (*BriefItem.Meta.fields, "persona_why", "rules_version",
                  "is_persona_wrong", "question_facts",
                  "closing_note", "playbook", "is_renewing",
                  "signals", "activities", "contacts", "comments")  # fmt: skip


class SignalOfEvent(serializers.ModelSerializer[Signal]):
    class Meta:
        model = Signal
        fields = ("id", "kind", "detail", "effect", "customer", "brief", "rules_version")


class EventItem(serializers.ModelSerializer[WebhookEvent]):
    signal = SignalOfEvent(allow_null=True, read_only=True)

    class Meta:
        model = WebhookEvent
        fields: tuple[str, ...] = (
            "id", "event_id", "object_type", "metric", "occurred_at", "stated_time",
            "received_at", "deliveries", "status", "status_reason", "identifiers", "is_verified",
            "tries", "signal", "body_ended_at",
        )  # fmt: skip


class EventInFull(EventItem):
    payload = serializers.SerializerMethodField(
        help_text="As it was sent, with passwords and keys in URLs hidden; empty where that was no "
        "JSON object, null for who may not read payloads, and where its body was removed."
    )

    class Meta(EventItem.Meta):
        fields = (*EventItem.Meta.fields, "payload")

    def get_payload(self, event: WebhookEvent) -> dict[str, Any] | None:
        """The payload; values that JSON has no form for (NaN, lone surrogates) become text."""
        if not self.context.get("may_read_payload") or event.body_ended_at:
            return None
        try:
            text = without_credentials(json.dumps(event.payload, ensure_ascii=False))
            printable: dict[str, Any] = json.loads(
                text.encode("utf-8", "replace"), parse_constant=str
            )
        except RecursionError:  # nested too deeply to be part of a response
            return {}
        return printable
