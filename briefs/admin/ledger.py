"""The ledger of requests to Mave, with the sum of the credits of the rows selected."""

from typing import Any

from django.contrib import admin
from django.db.models import Sum
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator

from briefs.admin.readonly import ReadOnlyAdmin, link, moment
from briefs.links import user_name
from briefs.models import MaveCall

SAVEDESK = "Savedesk"


class BuyerFilter(admin.RelatedOnlyFieldListFilter):
    """Only people who bought something, and nobody for what Savedesk bought."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "bought by"
        self.empty_value_display = mark_safe(SAVEDESK)  # noqa: S308  # a constant


def buyer(user: Any) -> str:
    """Who bought an answer by hand; Savedesk if no person did."""
    return user_name(user) if user else SAVEDESK


@admin.register(MaveCall)
class MaveCallAdmin(ReadOnlyAdmin):
    list_display = ("started", "purpose", "research_link", "outcome", "http_status", "credits",
                    "bought_by", "repeat", "detail")  # fmt: skip
    list_filter = ("purpose", "outcome", ("asked_by", BuyerFilter), "is_repeat",
                   "research__persona")  # fmt: skip
    list_select_related = ("research__persona", "asked_by")
    date_hierarchy = "started_at"
    ordering = ("-started_at",)
    search_fields = ("reference__exact", "detail")
    fields = ("purpose", "research_link", "reference", "started", "finished", "outcome",
              "http_status", "credits", "bought_by", "repeat", "detail")  # fmt: skip

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data:
            selected = response.context_data.get("cl")
            if selected is not None:
                credits = selected.queryset.aggregate(sum=Sum("credits", default=0))["sum"]
                response.context_data["credits"] = credits
        return response

    @admin.display(description="started (UTC)", ordering="started_at")
    def started(self, call: MaveCall) -> str:
        return moment(call.started_at)

    @admin.display(description="finished (UTC)")
    def finished(self, call: MaveCall) -> str:
        return moment(call.finished_at)

    @admin.display(description="bought by", ordering="asked_by__username")
    def bought_by(self, call: MaveCall) -> str:
        return buyer(call.asked_by) if call.purpose == MaveCall.Purpose.CHAT else "—"

    @admin.display(description="is repeat", ordering="is_repeat")
    def repeat(self, call: MaveCall) -> str:
        """In words, because the admin shows False as a red cross, and no repeat is no fault."""
        return "repeat" if call.is_repeat else "no"

    @admin.display(description="research")
    def research_link(self, call: MaveCall) -> SafeString | str:
        research = call.research
        words = Truncator(str(research.persona)).chars(24) if research else ""
        return link(research, f"{research.pk} · {words}" if research else "")
