"""Questions to Mave and their answers, read-only but for starting a question again."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from briefs.admin.ledger import BuyerFilter, buyer
from briefs.admin.readonly import PERSONA_DETAILS, ReadOnlyAdmin, ReadOnlyInline, moment
from briefs.models import Brief, MaveCall, Research
from briefs.research.working import wake
from providers import plain

HEAVY = ("question", "answer", "sources", "personas_used", "validation", "raw_reply")


class MaveCallInline(ReadOnlyInline):
    model = MaveCall
    template = "admin/briefs/research/calls.html"
    fields = ("purpose", "started", "finished", "outcome", "http_status", "credits", "bought_by",
              "is_repeat", "detail")  # fmt: skip
    readonly_fields = ("started", "finished", "bought_by")
    ordering = ("started_at",)
    verbose_name_plural = "Requests to Mave"

    def get_queryset(self, request: HttpRequest) -> QuerySet[MaveCall]:
        calls: QuerySet[MaveCall] = super().get_queryset(request)
        return calls.select_related("asked_by")

    @admin.display(description="started (UTC)")
    def started(self, call: MaveCall) -> str:
        return moment(call.started_at)

    @admin.display(description="finished (UTC)")
    def finished(self, call: MaveCall) -> str:
        return moment(call.finished_at)

    @admin.display(description="bought by")
    def bought_by(self, call: MaveCall) -> str:
        return buyer(call.asked_by) if call.purpose == MaveCall.Purpose.CHAT else "—"


@admin.register(Research)
class ResearchAdmin(ReadOnlyAdmin):
    names_people = True  # a question quotes attributes, and so may its answer
    list_display = ("id", "persona", "kind", "status", "reason", "priority", "tries",
                    "briefs_shown", "credits", "asked_by_shown", "created_at",
                    "finished_at")  # fmt: skip
    list_filter = ("status", "kind", "priority", "persona", ("asked_by", BuyerFilter))
    list_select_related = ("persona", "asked_by")
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-pk")
    search_fields = ("question", "status_reason", "mavera_code")
    search_help_text = "Words of the question, or of why it failed."
    actions = ("start_again",)
    inlines = (MaveCallInline,)
    fieldsets = (
        (
            None,
            {"fields": ("persona", "kind", "priority", "status", "reason_shown", "tries",
                        "available_at", "created_at", "started_at", "finished_at",
                        "asked_by_shown", "briefs_shown")},
        ),
        ("Question", {"fields": ("question_shown", "template_version", "question_hash")}),
        (
            "Answer",
            {"fields": ("answer_shown", "sources_shown", "personas_used_shown", "confidence_shown",
                        "credits", "thread_id")},
        ),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Research]:
        rows = super().get_queryset(request).select_related("persona", "asked_by")
        # Counted for the rows of the page alone; a join would count for all answers.
        of_one = Brief.objects.filter(research=OuterRef("pk")).order_by().values("research")
        number = Coalesce(Subquery(of_one.values(number=Count("pk"))), 0)
        counted: QuerySet[Research] = rows.annotate(number=number)
        return counted.defer(*HEAVY, *PERSONA_DETAILS)

    def has_start_again_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("briefs.change_research")

    @admin.action(description="Start again", permissions=["start_again"])
    def start_again(self, request: HttpRequest, queryset: QuerySet[Research]) -> None:
        started = sum(research.retry(request.user) for research in queryset)
        skipped = queryset.count() - started
        if started:
            wake()
        why = " Only what failed or was cancelled can be started again." if skipped else ""
        self.message_user(
            request,
            f"{started} started, {skipped} skipped.{why}",
            messages.SUCCESS if started else messages.WARNING,
        )

    @admin.display(description="why")
    def reason(self, research: Research) -> str:
        return Truncator(plain.visible(research.reason_in_full)).chars(80)

    @admin.display(description="status reason")
    def reason_shown(self, research: Research) -> str:
        return plain.visible(research.reason_in_full) or "—"

    @admin.display(description="briefs", ordering="number")
    def briefs_shown(self, research: Any) -> SafeString:
        address = f"{reverse('admin:briefs_brief_changelist')}?research__id__exact={research.pk}"
        return format_html('<a href="{}">{}</a>', address, research.number)

    @admin.display(description="bought by", ordering="asked_by__username")
    def asked_by_shown(self, research: Research) -> str:
        return buyer(research.asked_by)

    @admin.display(description="question")
    def question_shown(self, research: Research) -> SafeString:
        return _words(plain.visible(research.question))

    @admin.display(description="answer")
    def answer_shown(self, research: Research) -> SafeString:
        return _words(plain.visible(research.answer) or "none yet")

    @admin.display(description="sources")
    def sources_shown(self, research: Research) -> SafeString | str:
        return format_html_join("", "<p>{}</p>", ((_source(s),) for s in research.sources)) or "—"

    @admin.display(description="personas that Mave asked")
    def personas_used_shown(self, research: Research) -> str:
        return plain.visible(", ".join(research.personas_used)) or "—"

    @admin.display(description="confidence")
    def confidence_shown(self, research: Research) -> str:
        return "not said" if research.confidence is None else f"{research.confidence} %"


def _words(text: str) -> SafeString:
    """The text in a box that scrolls, also with the keyboard."""
    return format_html('<pre class="words" tabindex="0">{}</pre>', text)


def _source(source: dict[str, str]) -> SafeString | str:
    title, url = (plain.visible(source.get(key) or "") for key in ("title", "url"))
    link = plain.safe_link(url)
    if not link:  # a model wrote the address: link it only if it is plain https
        return title or url
    return format_html('<a href="{}" rel="noopener noreferrer">{}</a>', link, title or link)
