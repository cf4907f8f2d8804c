"""The customer's page, with the persona of today, the briefs, and a link to the desk."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from briefs.admin.erasing import ErasesCustomers
from briefs.admin.readonly import link
from briefs.admin.trying import LinksToTry
from briefs.dossier.customers import personas_of
from briefs.finding.search import Search
from briefs.finding.words.matching import among
from personas.admin import CustomerAdmin
from personas.models import Customer

MOST_BRIEFS = 20

admin.site.unregister(Customer)


@admin.register(Customer)
class CustomerWithBriefsAdmin(LinksToTry, ErasesCustomers, CustomerAdmin):
    actions = (*CustomerAdmin.actions, "erase")
    search_help_text = f"{CustomerAdmin.search_help_text[:-1]}; or any words, as in the inbox."
    fieldsets: ClassVar[Any] = (
        ("On the desk", {"fields": ("desk_link", "persona_link", "brief_links")}),
        *CustomerAdmin.fieldsets,
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Customer], search_term: str
    ) -> tuple[QuerySet[Customer], bool]:
        """By an identifier; by words where it is none."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        if search_term.strip() and not found.exists():
            found = among(queryset, Search(search_term).customer_keys)
        return found, may_repeat

    @admin.display(description="page")
    def desk_link(self, customer: Customer) -> SafeString:
        url = reverse("briefs:customer", args=[customer.pk])
        return format_html('<a href="{}">This customer on the desk</a>', url)

    @admin.display(description="persona of today")
    def persona_link(self, customer: Customer) -> SafeString | str:
        match = personas_of([customer]).get(customer.pk)
        return link(match.persona if match else None)

    @admin.display(description="briefs")
    def brief_links(self, customer: Customer) -> SafeString | str:
        """The newest first."""
        briefs = customer.briefs.order_by("-pk")[:MOST_BRIEFS]
        rows = (
            (link(one, f"Brief {one.pk}"), one.title,
             one.get_outcome_display() or one.get_state_display())
            for one in briefs
        )  # fmt: skip
        return format_html_join("", "<p>{}: {}, {}</p>", rows) or "none"
