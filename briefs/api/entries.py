"""What programs send to do something with a brief: one serializer for each act.

A field that is not known is refused, never ignored. What may be done, `briefs/triage/` decides.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from briefs.models import Brief, ClosingReason, ContactLog, Offer
from briefs.triage.closing import Ending
from briefs.triage.commenting import LONGEST
from briefs.triage.contacting import Contact
from briefs.triage.snoozing import Snooze, Until

Outcome = Brief.Outcome
# Withdrawn is missing: only Savedesk itself withdraws a brief.
BY_HAND = [Outcome.RETAINED, Outcome.CHURNED, Outcome.NO_RESPONSE, Outcome.NOT_AT_RISK]
OUTCOMES = [(one.value, one.label) for one in BY_HAND]
ME = "me"


def choice(choices: list[Any], **options: Any) -> serializers.ChoiceField:
    """Without the value in the refusal: no answer can carry some characters."""
    names = ", ".join(str(value) for value, _ in choices if value)
    words: dict[str, Any] = {"invalid_choice": f"This is none of: {names}."}
    return serializers.ChoiceField(choices, error_messages=words, **options)


def _text(longest: int, **options: Any) -> serializers.CharField:
    options = {"required": False, "allow_blank": True, **options}
    return serializers.CharField(max_length=longest, **options)


def _why() -> serializers.CharField:
    return _text(200, help_text="Asked for if what is due is moved a second time.")


def for_example(**sent: Any) -> Any:
    """What the schema shows of an entry."""
    return extend_schema_serializer(
        examples=[OpenApiExample("For example", value=sent, request_only=True)]
    )


class Entry(serializers.Serializer[Any]):
    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            known = ", ".join(self.fields) or "none"
            unknown = [str(name) for name in data if name not in self.fields]
            if unknown:
                raise serializers.ValidationError(
                    {_printable(name): [f"There is no such field. Known: {known}."]
                     for name in unknown}
                )  # fmt: skip
        return super().to_internal_value(data)

    @property
    def entered(self) -> Any:
        """What the act takes."""
        return dict(self.validated_data)


def _printable(name: str) -> str:
    return name.encode("utf-8", "replace").decode()[:100]


class Nothing(Entry):
    """An act that asks for nothing."""


@for_example(to="kim")
class AssignTo(Entry):
    to = _text(
        150,
        required=True,
        allow_blank=False,
        allow_null=True,
        help_text="A user name; `me` for the person of the token; null for nobody.",
    )

    @property
    def entered(self) -> str | None:
        to: str | None = self.validated_data["to"]
        return to


@for_example(channel="phone", is_reached=False, note="No answer.", next_date="2026-12-03")
class LogContact(Entry):
    channel = choice(ContactLog.Channel.choices)
    is_reached = serializers.BooleanField(help_text="Whether the customer answered.")
    note = _text(5_000)
    next_date = serializers.DateField(
        required=False, allow_null=True, help_text="When to try again, or to do what was agreed."
    )
    why_moved = _why()

    @property
    def entered(self) -> Contact:
        return Contact(**self.validated_data)


@for_example(until="day", day="2026-12-07")
class SnoozeUntil(Entry):
    until = choice(Until.choices)
    day = serializers.DateField(
        required=False, allow_null=True, help_text="For `day`: the one on which it comes back."
    )
    why_moved = _why()

    @property
    def entered(self) -> Snooze:
        return Snooze(**self.validated_data)


@for_example(text="@kim You know them: who decides there?")
class WriteComment(Entry):
    text = _text(
        LONGEST, required=True, allow_blank=False, help_text="@ and a name mention a colleague."
    )

    @property
    def entered(self) -> str:
        return str(self.validated_data["text"])


class _Choosable(serializers.PrimaryKeyRelatedField[Any]):
    """A row that is offered, or the one that the brief has."""

    present: str  # where the brief has its key

    def get_queryset(self) -> Any:
        rows: Any = super().get_queryset()
        return rows.choosable(getattr(self.context.get("brief"), self.present, None))

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, str) and not data.isprintable():  # no database takes some characters
            self.fail("does_not_exist")
        return super().to_internal_value(data)


@extend_schema_field({"type": "integer", "nullable": True})
class _Reason(_Choosable):
    present = "closing_reason_id"


@extend_schema_field({"type": "string", "nullable": True})
class _Offer(_Choosable):
    present = "offer_id"


@for_example(outcome="retained", reason=1, offer="discount", offer_percent=10)
class CloseWith(Entry):
    outcome = choice(OUTCOMES)
    reason = _Reason(
        queryset=ClosingReason.objects.all(),
        required=False,
        allow_null=True,
        error_messages={"does_not_exist": "There is no such closing reason."},
        help_text="The id of a closing reason. Asked for if they were retained or churned.",
    )
    offer = _Offer(
        queryset=Offer.objects.all(),
        required=False,
        allow_null=True,
        error_messages={"does_not_exist": "There is no such offer."},
        help_text="The code of an offer. Asked for if they were retained or churned.",
    )
    offer_percent = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=100,
        help_text="Of an offer that `asks` for `percent`.",
    )
    offer_words = _text(200, help_text="Of an offer that `asks` for `words`.")
    note = _text(5_000)
    is_persona_wrong = serializers.BooleanField(required=False)

    @property
    def entered(self) -> Ending:
        return Ending(**self.validated_data)


@for_example(offer_percent=20)
class CorrectTo(CloseWith):
    """What is not sent stays as it was said."""

    outcome = choice(OUTCOMES, required=False)

    @property
    def entered(self) -> Ending:
        return replace(Ending.of(self.context["brief"]), **self.validated_data)


@for_example(why="They wrote again.")
class ReopenBecause(Entry):
    why = _text(200)

    @property
    def entered(self) -> str:
        return str(self.validated_data.get("why", ""))
