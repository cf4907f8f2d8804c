"""What people wrote down about briefs, read-only: tries to reach a customer, and comments.

All other acts are in the log on the brief's page. People act on the desk.
"""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from briefs.admin.briefs import SEARCHED, of_brief
from briefs.admin.readonly import CUSTOMER_DETAILS, ReadOnlyAdmin, link
from briefs.models import Comment, ContactLog


class EntryAdmin(ReadOnlyAdmin):
    """Rows of one brief that say who wrote them and when."""

    names_people = True
    list_select_related = ("brief__customer", "actor")
    date_hierarchy = "at"
    ordering = ("-at", "-pk")
    search_fields = ("brief__id",)  # the search itself is in get_search_results
    search_help_text = SEARCHED

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        entries = super().get_queryset(request).select_related(*self.list_select_related)
        return entries.defer(*(f"brief__{column}" for column in CUSTOMER_DETAILS))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return of_brief(queryset, search_term, "brief__"), False

    @admin.display(description="brief", ordering="brief")
    def brief_link(self, entry: Any) -> SafeString | str:
        return link(entry.brief)


@admin.register(ContactLog)
class ContactLogAdmin(EntryAdmin):
    list_display = ("at", "actor", "channel", "is_reached", "next_date", "brief_link")
    list_filter = ("channel", "is_reached", ("actor", admin.RelatedOnlyFieldListFilter))
    fields = ("brief_link", "actor", "at", "channel", "is_reached", "note", "next_date")


@admin.register(Comment)
class CommentAdmin(EntryAdmin):
    list_display = ("at", "actor", "beginning", "brief_link")
    list_filter = (("actor", admin.RelatedOnlyFieldListFilter),)
    fields = ("brief_link", "actor", "at", "text", "mentioned")

    @admin.display(description="text")
    def beginning(self, comment: Comment) -> str:
        return Truncator(comment.text).chars(80)
