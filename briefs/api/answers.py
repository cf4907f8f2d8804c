"""What the REST API answers to acts and to refusals, beside the rows themselves."""

from typing import Any

from rest_framework import serializers

from briefs.api.serializers import ActivityOfBrief, CommentOfBrief, ContactOfBrief, PersonalData
from briefs.dossier.story import Happening
from briefs.triage.freshness import News

_ETAG = "The brief's, as it is now: for If-Match of the next act."


class LoggedContact(ContactOfBrief):
    brief_etag = serializers.CharField(help_text=_ETAG)

    class Meta(ContactOfBrief.Meta):
        fields = (*ContactOfBrief.Meta.fields, "brief_etag")


class WrittenComment(CommentOfBrief):
    personal = (*CommentOfBrief.personal, "unknown_mentions")

    unknown_mentions = serializers.ListField(
        child=serializers.CharField(),
        help_text="Names after an @ that are nobody's here, or several people's.",
    )
    brief_etag = serializers.CharField(help_text=_ETAG)

    class Meta(CommentOfBrief.Meta):
        fields = (*CommentOfBrief.Meta.fields, "unknown_mentions", "brief_etag")


class HappeningOfNews(PersonalData, serializers.Serializer[Happening]):
    personal = ("words",)

    signal = serializers.IntegerField(source="signal.pk")
    kind = serializers.CharField(source="signal.kind")
    happened_at = serializers.DateTimeField(source="signal.happened_at")
    words = serializers.CharField()
    is_good = serializers.BooleanField(help_text="Good news.")


class NewsOfBrief(PersonalData, serializers.Serializer[News]):
    personal = ("changes",)  # they may name a persona that the profile led to

    happenings = HappeningOfNews(many=True, help_text="What the customer did.")
    activities = ActivityOfBrief(many=True, help_text="What others did with the brief.")
    changes = serializers.ListField(
        child=serializers.CharField(), help_text="What else is different now, in words."
    )


# Refusals: problem details


class ProblemDetails(serializers.Serializer[Any]):
    type = serializers.CharField(help_text="about:blank: the status says it.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="For people.")


class CodedProblem(ProblemDetails):
    code = serializers.CharField(help_text="Which of the reasons that this status may have.")


class ConflictProblem(CodedProblem):
    open_brief = serializers.IntegerField(
        allow_null=True, help_text="The customer's other brief that is open, where that is why."
    )


class RulesConflict(CodedProblem):
    sentences = serializers.ListField(
        child=serializers.CharField(), help_text="What must be accepted."
    )
    fingerprint = serializers.CharField(help_text="Of these sentences; empty if there are none.")


class StaleProblem(CodedProblem):
    revision = serializers.IntegerField(help_text="Of the brief as it is now.")
    news = NewsOfBrief()
