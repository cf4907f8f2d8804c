"""The links from a brief into the team's other tools."""

from django.contrib import admin

from briefs.models import LinkTemplate
from personas.admin.history import ReadOnlyHistoryAdmin


@admin.register(LinkTemplate)
class LinkTemplateAdmin(ReadOnlyHistoryAdmin):
    list_display = ("label", "kind", "url", "readers", "position")
    list_filter = ("kind",)
    search_fields = ("label", "url")
    fields = ("kind", "label", "url", "readers", "position")
