"""Erasing customers from the admin: a page shows what would go, and asks."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from briefs.admin.readonly import ReadOnlyAdmin
from briefs.forgetting import ordering
from briefs.links import user_name
from briefs.models import Erasure
from personas.models import Customer

MOST_AT_ONCE = 20


def _in_words(counts: Mapping[str, int]) -> Iterator[tuple[int, str]]:
    """How many of what. Of a table that a later release has no more, its name says it."""
    for label, number in sorted(counts.items()):
        try:
            names = apps.get_model(label)._meta
        except LookupError:
            yield number, label
        else:
            yield number, str(names.verbose_name if number == 1 else names.verbose_name_plural)


class ErasesCustomers:
    """What the admin of customers has besides."""

    message_user: Any
    admin_site: Any

    def has_erase_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ordering.PERMISSION)

    @admin.action(description="Erase for ever…", permissions=["erase"])
    def erase(self, request: HttpRequest, queryset: QuerySet[Customer]) -> TemplateResponse | None:
        """Show what would go; order it once that page was sent."""
        customers = list(queryset[: MOST_AT_ONCE + 1])
        if len(customers) > MOST_AT_ONCE:
            self.message_user(request, f"Select {MOST_AT_ONCE} customers at most.", messages.ERROR)
            return None
        if "erase" in request.POST:
            for customer in customers:
                ordering.order(customer, request.user, Erasure.Way.ADMIN)
            number = len(customers)
            words = "1 customer is" if number == 1 else f"{number} customers are"
            self.message_user(request, f"{words} erased within a minute or two.", messages.SUCCESS)
            return None
        told = [(customer, list(_in_words(ordering.foresee(customer)))) for customer in customers]
        context = {
            **self.admin_site.each_context(request),
            "title": "Erase for ever",
            "told": told,
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/personas/customer/erase.html", context)


@admin.register(Erasure)
class ErasureAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "begun_at", "who", "way", "ended_at", "rows")
    list_filter = ("way", ("begun_at", admin.DateFieldListFilter))
    list_select_related = ("made_by",)
    ordering = ("-pk",)
    fields = ("begun_at", "who", "way", "ended_at", "counted", "still")

    @admin.display(description="who")
    def who(self, erasure: Erasure) -> str:
        return user_name(erasure.made_by) if erasure.made_by else str(erasure.get_way_display())

    @admin.display(description="rows")
    def rows(self, erasure: Erasure) -> int:
        return sum(erasure.counts.values())

    @admin.display(description="rows of each table")
    def counted(self, erasure: Erasure) -> SafeString | str:
        return format_html_join("", "<p>{} {}</p>", _in_words(erasure.counts)) or "none"

    @admin.display(description="what still names the person")
    def still(self, erasure: Erasure) -> SafeString | str:
        return format_html_join("", "<p>{}</p>", ((one,) for one in erasure.left)) or "nothing"
