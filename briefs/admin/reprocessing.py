"""Reprocessing jobs: ordered here or from the list of events, watched until they are done.

Whoever may reprocess events may all of it. The pages work without JavaScript: while a job is under
way its page asks the browser to load it again.
"""

from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from briefs.admin.readonly import ReadOnlyAdmin
from briefs.models import ReprocessedBrief, ReprocessingJob
from briefs.reprocessing import ordering
from briefs.reprocessing.selecting import Selection

Change = ReprocessedBrief.Change


class OfReprocessing(ReadOnlyAdmin):
    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(ordering.PERMISSION)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ordering.PERMISSION)


@admin.register(ReprocessingJob)
class ReprocessingJobAdmin(OfReprocessing):
    list_display = ("id", "what", "which", "state", "progress", "actor", "created_at", "ended_at")
    list_filter = ("state", "kind", "is_dry_run")
    list_select_related = ("actor",)
    ordering = ("-pk",)
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("what", "which", "state", "reason", "progress", "came_to", "cost")}),
        ("What would change", {"fields": ("changes",)}),
        (
            "Who and when",
            {"fields": ("actor", "undone_or_undoes", "created_at", "started_at", "ended_at")},
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("reapply/", wrap(require_POST(self.reapply)),
                 name="briefs_reprocessingjob_reapply"),
            path("<int:pk>/turn/", wrap(require_POST(self.turn)),
                 name="briefs_reprocessingjob_turn"),
            *super().get_urls(),
        ]  # fmt: skip

    def reapply(self, request: HttpRequest) -> HttpResponse:
        """Look at what applying the present rules to open briefs would change."""
        return redirect(_page(ordering.reapply(request.user, is_dry_run=True)))

    def turn(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Do what a button of the job's page says."""
        if not request.user.has_perm(ordering.PERMISSION):
            raise PermissionDenied(ordering.PERMISSION)
        job = get_object_or_404(ReprocessingJob, pk=pk)
        wanted = request.POST.get("to", "")
        if wanted == "repeat" and job.is_dry_run:
            return redirect(_page(ordering.repeat_for_real(job, request.user)))
        if wanted == "undo" and (undoing := ordering.undo(job, request.user)):
            return redirect(_page(undoing))
        turns = {
            "pause": ReprocessingJob.pause,
            "resume": ordering.resume,
            "cancel": ReprocessingJob.cancel,
        }
        turn = turns.get(wanted)
        if turn is None or not turn(job):
            words = f"Nothing was done: this job is {job.get_state_display().lower()}."
            self.message_user(request, words, messages.WARNING)
        return redirect(_page(job))

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kw: Any) -> Any:
        job = self.get_object(request, object_id)
        kw["extra_context"] = {"job": job, **_buttons(job)} if job else {}
        return super().change_view(request, object_id, *args, **kw)

    @admin.display(description="what")
    def what(self, job: ReprocessingJob) -> str:
        dry = " (dry run)" if job.is_dry_run else ""
        return f"{job.get_kind_display()}{dry}"

    @admin.display(description="which")
    def which(self, job: ReprocessingJob) -> str:
        if job.kind == ReprocessingJob.Kind.EVENTS:
            return Selection.of(job.selectors).words
        return "all open briefs" if job.undoes_id is None else f"those of job {job.undoes_id}"

    @admin.display(description="progress")
    def progress(self, job: ReprocessingJob) -> str:
        if job.total is None:
            return "not begun"
        return f"{job.percent} %: {job.done:,} of {job.total:,}"

    @admin.display(description="came to")
    def came_to(self, job: ReprocessingJob) -> SafeString | str:
        rows = sorted(job.counts.items(), key=lambda one: -one[1])
        lines = ((f"{number:,}", words) for words, number in rows)
        return format_html_join("", "<p>{} {}</p>", lines) or "—"

    @admin.display(description="new questions")
    def cost(self, job: ReprocessingJob) -> str:
        words = ordering.credits_in_words(job.questions)
        return words if job.is_dry_run or job.questions else "—"

    @admin.display(description="changes")
    def changes(self, job: ReprocessingJob) -> SafeString | str:
        """The first events of a dry run; of briefs, a link to the list for each kind of change."""
        if job.kind == ReprocessingJob.Kind.EVENTS:
            lines = ((words,) for words in job.found.get("examples", ()))
            return format_html_join("", "<p>{}</p>", lines) or "—"
        of = job.undoes or job
        column = "undone" if job.undoes else "change"
        labels = dict((ReprocessedBrief.Undone if job.undoes else Change).choices)
        address = reverse("admin:briefs_reprocessedbrief_changelist")
        counted = of.briefs.exclude(**{column: ""}).values_list(column).annotate(Count("pk"))
        links = (
            (f"{address}?{urlencode({'job__id__exact': of.pk, f'{column}__exact': code})}",
             f"{number:,} {labels[code]}")
            for code, number in counted.order_by(column)
        )  # fmt: skip
        return format_html_join("", '<p><a href="{}">{}</a></p>', links) or "—"

    @admin.display(description="undo")
    def undone_or_undoes(self, job: ReprocessingJob) -> SafeString | str:
        other = job.undoes or getattr(job, "undone_by", None)
        if other is None:
            return "—"
        words = "undoes" if job.undoes else "is undone by"
        return format_html('{} <a href="{}">job {}</a>', words, _page(other), other.pk)


def _page(job: ReprocessingJob) -> str:
    return reverse("admin:briefs_reprocessingjob_change", args=[job.pk])


def _buttons(job: ReprocessingJob) -> dict[str, Any]:
    """What the page offers: the value that is sent, and the words."""
    State = ReprocessingJob.State
    buttons = []
    if job.is_dry_run and job.state == State.DONE:
        buttons.append(("repeat", "Do it"))
    if job.is_undoable:
        buttons.append(("undo", "Undo all of it"))
    if job.state in (State.PAUSED, State.FAILED):
        buttons.append(("resume", "Go on"))
    if job.is_under_way:
        buttons.append(("pause", "Pause"))
    if job.is_under_way or job.state in (State.PAUSED, State.FAILED):
        buttons.append(("cancel", "Cancel"))
    return {"buttons": buttons}


@admin.register(ReprocessedBrief)
class ReprocessedBriefAdmin(OfReprocessing):
    list_display = ("brief_link", "change", "persona", "priority", "step", "undone", "job")
    list_display_links = None
    list_filter = ("change", "undone", ("job", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("brief", "job")
    ordering = ("brief", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReprocessedBrief]:
        rows: QuerySet[ReprocessedBrief] = super().get_queryset(request)
        return rows.only("brief__id", "change", "before", "after", "undone", "job")

    @admin.display(description="brief", ordering="brief")
    def brief_link(self, row: ReprocessedBrief) -> SafeString:
        address = reverse("briefs:brief", args=[row.brief_id])
        return format_html('<a href="{}">Brief {}</a>', address, row.brief_id)

    @admin.display(description="persona")
    def persona(self, row: ReprocessedBrief) -> str:
        return _change(row, "persona")

    @admin.display(description="priority")
    def priority(self, row: ReprocessedBrief) -> str:
        return _change(row, "priority")

    @admin.display(description="first step")
    def step(self, row: ReprocessedBrief) -> str:
        return _change(row, "step")


def _change(row: ReprocessedBrief, name: str) -> str:
    before, after = row.before[name], row.after[name]
    return before if before == after else f"{before} → {after}"
