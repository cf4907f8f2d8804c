"""The choice of other starter rules, while nobody has changed the rules."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path

from personas import starter
from personas.admin.rule_versions import Proposal, RuleVersionAdmin
from personas.models import RuleVersion

admin.site.unregister(RuleVersion)


@admin.register(RuleVersion)
class StartingRuleVersionAdmin(RuleVersionAdmin):
    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.starter_view)
        return [path("starter/", view, name="personas_ruleversion_starter"), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"may_choose": starter.is_untouched(), **(extra_context or {})}
        return super().changelist_view(request, context)

    def starter_view(self, request: HttpRequest) -> HttpResponse:
        """Choose a pack, see what it would change, and put it in place."""
        self.check_view_permission(request)
        if not starter.is_untouched():
            raise Http404
        name = request.GET.get("pack", "")
        if not name:
            context = {
                **self.admin_site.each_context(request),
                "title": "Choose the starter rules",
                "opts": self.model._meta,
                "packs": starter.PACKS.values(),
            }
            return TemplateResponse(request, "admin/starter_rules.html", context)
        if name not in starter.PACKS:
            raise Http404
        pack = starter.PACKS[name]
        what = f"Loaded the starter rules: {pack.label}"
        proposal = Proposal(pack.document(), f"Use the rules “{pack.label}”", what)
        return self.confirmed(request, proposal)
