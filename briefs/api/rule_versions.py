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
        )  # fmt: skip


class RuleVersionInFull(RuleVersionItem):
    changes = serializers.SerializerMethodField(help_text="What it changed, in sentences.")
    document = serializers.DictField(help_text="All rules, in the form of `export_rules`.")

    class Meta(RuleVersionItem.Meta):
        fields = (*RuleVersionItem.Meta.fields, "changes", "document")

    def get_changes(self, version: RuleVersion) -> list[str]:
        before = RuleVersion.objects.filter(number=version.number - 1).first()
        found = differences(before.document, version.document) if before else []
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
