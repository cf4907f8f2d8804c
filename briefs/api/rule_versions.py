"""The versions of the rules in the REST API: who changed what, and all rules of each."""

from django.db.models import QuerySet
from rest_framework import serializers

from briefs.api.views import ReadOnly
from personas.models import RuleVersion
from personas.rules.differences import differences


class RuleVersionItem(serializers.ModelSerializer[RuleVersion]):
    who = serializers.CharField(read_only=True, help_text="Savedesk, where nobody is known.")
    accepted = serializers.ListField(
        child=serializers.CharField(),
        help_text="What its author was told that it would do, and accepted.",
    )

    class Meta:
        model = RuleVersion
        fields: tuple[str, ...] = (
            "number", "made_at", "who", "what", "why", "accepted", "is_reconstructed", "restores",
            "document_ended_at",
        )  # fmt: skip


class RuleVersionInFull(RuleVersionItem):
    changes = serializers.SerializerMethodField(
        help_text="What it changed, in sentences; empty where its rules or those before it ended."
    )
    document = serializers.DictField(
        help_text="All rules, in the form of `export_rules`; empty once they were removed."
    )

    class Meta(RuleVersionItem.Meta):
        fields = (*RuleVersionItem.Meta.fields, "changes", "document")

    def get_changes(self, version: RuleVersion) -> list[str]:
        before = RuleVersion.objects.whole().filter(number=version.number - 1).first()
        is_told = before and not version.document_ended_at
        found = differences(before.document, version.document) if before and is_told else []
        return [str(one) for one in found]


class RuleVersionViewSet(ReadOnly):
    """The versions of the rules, the newest first. `rules_version` of a brief names one."""

    required_permissions = ("personas.view_ruleversion",)
    queryset = RuleVersion.objects.order_by("-pk")
    serializer_class = RuleVersionInFull
    item_class = RuleVersionItem
    ordering_fields = ("number",)

    def get_queryset(self) -> QuerySet[RuleVersion]:
        versions: QuerySet[RuleVersion] = super().get_queryset().select_related("made_by")
        return versions.defer("document") if self.action == "list" else versions
