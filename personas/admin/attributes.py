"""Attribute names: how a workspace names the attributes that conditions use."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from personas.admin.history import ReadOnlyHistoryAdmin
from personas.admin.versions import ChecksVersion
from personas.models import AttributeName
from personas.rules.serving import names_seen


@admin.register(AttributeName)
class AttributeNameAdmin(ChecksVersion, ReadOnlyHistoryAdmin):
    object_history_list_template = "admin/rule_history_list.html"
    list_display = ("role", "label", "names_shown", "help")
    search_fields = ("role", "label", "names")
    readonly_fields = ("seen",)
    fieldsets = (
        (None, {"fields": ("role", "label", "help")}),
        (
            "Where its value is",
            {
                "description": "Every workspace names its attributes itself. Write one name a "
                "line; capital letters do not matter. A name such as company.plan is the member "
                "plan of the object in company.",
                "fields": ("names", "seen"),
            },
        ),
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "names":
            kwargs["widget"] = forms.Textarea(attrs={"rows": 10, "cols": 40})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description="names")
    def names_shown(self, item: AttributeName) -> str:
        return ", ".join(item.name_list)

    @admin.display(description="seen on customers")
    def seen(self, item: AttributeName) -> SafeString | str:
        names, sampled = names_seen()
        if not names:
            return "No customer has been looked up yet, so no attribute was seen."
        return format_html(
            '<p>Filled in on the {} customers fetched last:</p><ul class="names">{}</ul>',
            sampled,
            format_html_join("", "<li><code>{}</code> {}</li>", names.most_common()),
        )
