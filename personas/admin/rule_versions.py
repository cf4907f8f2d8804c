"""The versions of the rules: who changed what, when and why."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from personas.models import RuleVersion


@admin.register(RuleVersion)
class RuleVersionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the stubs only
    list_display = ("number", "made_at", "who", "what", "why", "is_reconstructed")
    list_select_related = ("made_by",)
    search_fields = ("what", "why", "made_by_name")
    fields = ("number", "made_at", "who", "what", "why", "is_reconstructed", "restores")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
