"""Attribute names: how a workspace names the attributes that conditions use."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from personas.admin.recording import MakesVersions
from personas.admin.trial import TRY, TrialAdmin
from personas.models import AttributeName, Customer, Terms, ValueReading
from personas.models.value import ROLES
from personas.rules.serving import names_seen

_AMOUNTS = (
    "What an amount means",
    {
        "description": "A brief shows the customer’s value, and its place in the list and its "
        "priority go by it. An amount that cannot be read is unknown, and never 0.",
        "fields": ("currency", "currency_attribute", "period", "other_period_names", "level",
                   "progress"),
    },
)  # fmt: skip


@admin.register(AttributeName)
class AttributeNameAdmin(MakesVersions, TrialAdmin):
    object_history_list_template = "admin/rule_history_list.html"
    list_display = ("role", "label", "names_shown", "help")
    search_fields = ("role", "label", "names")
    readonly_fields = ("seen", "progress")
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

    def get_fieldsets(self, request: HttpRequest, obj: AttributeName | None = None) -> Any:
        """What amounts mean, only of the role whose values are amounts."""
        shown = super().get_fieldsets(request, obj)
        return [*shown, _AMOUNTS] if obj and obj.role == "value" else shown

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if obj.role in ROLES and form.changed_data and TRY not in request.POST:
            self.message_user(
                request,
                "The values of all customers and briefs are read anew by this, in the background. "
                "Priorities stay as they are until the open briefs are judged anew.",
            )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in ("names", "other_period_names"):
            rows = 10 if db_field.name == "names" else 3
            kwargs["widget"] = forms.Textarea(attrs={"rows": rows, "cols": 40})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description="names")
    def names_shown(self, item: AttributeName) -> str:
        return ", ".join(item.name_list)

    @admin.display(description="read anew")
    def progress(self, item: AttributeName) -> str:
        """How far the sweep has come with reading all values by the present terms."""
        row = ValueReading.objects.filter(pk=1).first()
        if row is None or row.fingerprint != Terms.load().fingerprint:
            return "Begins within a minute."
        if row.finished_at:
            return "All customers are read by these terms."
        left = Customer.objects.filter(pk__gt=row.done_to).count()
        return "Nearly done." if row.since else f"{left:,} customers are still to be read."

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
