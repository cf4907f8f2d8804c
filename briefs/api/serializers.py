"""How the REST API shows rows. A serializer formats and decides nothing."""

import json
from functools import cached_property
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from briefs.models import Activity, Brief, Priority, Research, Signal
from briefs.reading import answer, channels
from briefs.research.state import research_detail, research_state
from briefs.research.waiting import Standstill
from personas.models import Customer, Persona
from providers import mavera_validation
from webhooks.models import WebhookEvent


class CustomerBriefly(serializers.ModelSerializer[Customer]):
    class Meta:
        model = Customer
        fields = ("id", "cio_id", "external_id", "email")


class CustomerInFull(serializers.ModelSerializer[Customer]):
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


class ResearchBriefly(serializers.ModelSerializer[Brief]):
    """A brief's research; its source is the brief, which knows whether it shares."""

    id = serializers.IntegerField(source="research.pk")
    status = serializers.ChoiceField(source="research.status", choices=Research.Status.choices)
    credits = serializers.IntegerField(source="research.credits", allow_null=True)
    created_at = serializers.DateTimeField(source="research.created_at")
    finished_at = serializers.DateTimeField(source="research.finished_at", allow_null=True)
    is_shared = serializers.BooleanField(
        source="is_sharing", help_text="Researched for another brief with the same question."
    )
    age_seconds = serializers.SerializerMethodField(
        help_text="Since Mave answered; null while it has not."
    )
    brief_credits = serializers.SerializerMethodField(
        help_text="What this brief was charged: 0 if it shares, null if that was not stated."
    )

    class Meta:
        model = Brief
        fields: tuple[str, ...] = ("id", "status", "credits", "created_at", "finished_at",
                                   "is_shared", "age_seconds", "brief_credits")  # fmt: skip

    def get_age_seconds(self, brief: Brief) -> int | None:
        at = brief.research.finished_at if brief.research else None
        return int((timezone.now() - at).total_seconds()) if at else None

    def get_brief_credits(self, brief: Brief) -> int | None:
        if brief.is_sharing:
            return 0
        return brief.research.credits if brief.research else None

    def to_representation(self, brief: Brief) -> Any:
        return super().to_representation(brief) if brief.research else None


class SourceOfReading(serializers.Serializer[answer.Listed]):
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


class ReadingOfAnswer(serializers.Serializer[Any]):
    """What the page says of the answer beside showing it."""

    sources = SourceOfReading(many=True)
    is_without_sources = serializers.BooleanField()
    advises_closed = serializers.ListField(
        source="names_closed",
        child=serializers.CharField(),
        help_text="Channels closed for this customer that the answer names, but for what it lists "
        "under a heading that forbids.",
    )

    def to_representation(self, brief: Brief) -> Any:
        if brief.research is None or not brief.research.answer:
            return None
        routes = channels.routes(brief.customer, brief.customer.signals.about_channels())
        closed = channels.closed(routes)
        reading = answer.read(brief.research.answer, brief.research.sources, closed)
        return super().to_representation(reading)


class ResearchInFull(ResearchBriefly):
    question = serializers.CharField(source="research.question")
    answer = serializers.CharField(
        source="research.answer", help_text="Markdown, as a model wrote it: sanitise it."
    )
    sources = serializers.JSONField(source="research.sources")
    personas_used = serializers.JSONField(source="research.personas_used")
    validation = serializers.JSONField(source="research.validation")
    confidence = serializers.IntegerField(
        source="research.confidence", allow_null=True, help_text="Per cent; null if not said."
    )
    hallucination_risk = serializers.SerializerMethodField(
        help_text="In Mave's word; empty if not said."
    )
    unsupported_claims = serializers.SerializerMethodField(help_text="As Mave named them.")
    reading = ReadingOfAnswer(source="*", allow_null=True)

    class Meta(ResearchBriefly.Meta):
        fields = (*ResearchBriefly.Meta.fields, "question", "answer", "sources", "personas_used",
                  "validation", "confidence", "hallucination_risk", "unsupported_claims",
                  "reading")  # fmt: skip

    def get_hallucination_risk(self, brief: Brief) -> str:
        return _validation(brief).risk

    def get_unsupported_claims(self, brief: Brief) -> list[str]:
        return list(_validation(brief).unsupported_claims)


def _validation(brief: Brief) -> mavera_validation.Validation:
    return mavera_validation.read(brief.research.validation if brief.research else {})


class SignalOfBrief(serializers.ModelSerializer[Signal]):
    event = serializers.IntegerField(source="event.pk", default=None, help_text="Our id.")
    event_id = serializers.CharField(
        source="event.event_id", default=None, help_text="Customer.io's id."
    )

    class Meta:
        model = Signal
        fields = ("id", "event", "event_id", "kind", "effect", "why", "message", "happened_at",
                  "same_act_as")  # fmt: skip


class ActivityOfBrief(serializers.ModelSerializer[Activity]):
    actor = serializers.CharField(
        source="actor.username", default=None, help_text="Null: Savedesk itself."
    )

    class Meta:
        model = Activity
        fields = ("at", "actor", "text")


class BriefItem(serializers.ModelSerializer[Brief]):
    url = serializers.SerializerMethodField(help_text="Where people work with it.")
    customer: serializers.BaseSerializer[Customer] = CustomerBriefly()
    persona = PersonaBriefly()
    priority = serializers.SerializerMethodField()
    kind_label = serializers.CharField(source="get_kind_display")
    basis_words = serializers.SerializerMethodField(help_text="As the inbox says it.")
    basis_why = serializers.SerializerMethodField(
        help_text="Why it stands on its playbook alone; empty if it stands on research."
    )
    assignee = serializers.CharField(source="assignee.username", default=None)
    first_step = serializers.CharField(source="persona.first_step")
    research = ResearchBriefly(source="*", allow_null=True)

    class Meta:
        model = Brief
        fields: tuple[str, ...] = (
            "id", "url", "customer", "persona", "priority", "kind", "kind_label", "state",
            "basis", "basis_words", "basis_why", "is_waiting_for_profile", "assignee", "outcome",
            "happened_at", "created_at", "researched_at", "closed_at", "first_step", "research",
        )  # fmt: skip

    def get_url(self, brief: Brief) -> str:
        address: str = self.context["request"].build_absolute_uri(brief.get_absolute_url())
        return address

    def get_priority(self, brief: Brief) -> str:
        return Priority(brief.priority).name.lower()

    def get_basis_words(self, brief: Brief) -> str:
        detail = self.get_basis_why(brief)
        return f"{research_state(brief)}, {detail}" if detail else research_state(brief)

    def get_basis_why(self, brief: Brief) -> str:
        return research_detail(brief, self._standstill)

    @cached_property
    def _standstill(self) -> Standstill:
        """One for a whole list: its rows are shown by one serializer, made for this request."""
        return Standstill()


class BriefInFull(BriefItem):
    customer = CustomerInFull()
    playbook = serializers.CharField(source="persona.playbook", help_text="Markdown.")
    research = ResearchInFull(source="*", allow_null=True)
    is_renewing = serializers.SerializerMethodField(
        help_text="Whether a fresh answer is under way; the present one stands until then."
    )
    signals = SignalOfBrief(many=True)
    activities = ActivityOfBrief(many=True)

    class Meta(BriefItem.Meta):
        fields = (*BriefItem.Meta.fields, "persona_why", "is_persona_wrong", "question_facts",
                  "snoozed_until", "closing_note", "playbook", "is_renewing",
                  "signals", "activities")  # fmt: skip

    def get_is_renewing(self, brief: Brief) -> bool:
        return brief.renewal is not None and brief.renewal.is_active


class SignalOfEvent(serializers.ModelSerializer[Signal]):
    class Meta:
        model = Signal
        fields = ("id", "kind", "effect", "customer", "brief")


class EventItem(serializers.ModelSerializer[WebhookEvent]):
    signal = SignalOfEvent(allow_null=True, read_only=True)

    class Meta:
        model = WebhookEvent
        fields: tuple[str, ...] = (
            "id", "event_id", "object_type", "metric", "occurred_at", "received_at", "deliveries",
            "status", "status_reason", "identifiers", "is_verified", "tries", "signal",
        )  # fmt: skip


class EventInFull(EventItem):
    payload = serializers.SerializerMethodField(
        help_text="As it was sent; empty where that was no JSON object."
    )

    class Meta(EventItem.Meta):
        fields = (*EventItem.Meta.fields, "payload")

    def get_payload(self, event: WebhookEvent) -> dict[str, Any]:
        """What JSON cannot carry (NaN, lone surrogates) becomes text it can."""
        try:
            text = json.dumps(event.payload, ensure_ascii=False)
            printable: dict[str, Any] = json.loads(
                text.encode("utf-8", "replace"), parse_constant=str
            )
        except RecursionError:  # readable on its own, but not as part of an answer
            return {}
        return printable
