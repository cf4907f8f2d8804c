"""What runs Savedesk, in the admin: how long rows are kept, and the queue's pages.

Those are read-only: who could write there could run any function.
"""

from typing import Any, ClassVar

import django_q.admin  # noqa: F401 - registers its own pages, which are replaced here
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django_q.models import Failure, OrmQ, Schedule, Success

from briefs.admin.readonly import ReadOnlyAdmin
from personas.admin.history import ReadOnlyHistoryAdmin
from personas.admin.versions import ChecksVersion
from webhooks.models import RetentionPolicy

for model in (Schedule, Success, Failure, OrmQ):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


class QueueAdmin(ReadOnlyAdmin):
    """No arguments and no results: both may hold what nobody should read."""

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}


@admin.register(Schedule)
class ScheduleAdmin(QueueAdmin):
    """`manage.py doctor --repair` puts our schedule right."""

    list_display = fields = ("name", "func", "schedule_type", "minutes", "repeats", "cluster",
                             "next_run")  # fmt: skip


@admin.register(Success, Failure)
class TaskAdmin(QueueAdmin):
    list_display = fields = ("name", "func", "cluster", "started", "stopped", "success",
                             "attempt_count")  # fmt: skip
    list_filter: ClassVar[Any] = ("cluster",)
    ordering = ("-stopped",)


@admin.register(OrmQ)
class WaitingTaskAdmin(QueueAdmin):
    list_display = fields = ("id", "key", "lock")


@admin.register(RetentionPolicy)
class RetentionPolicyAdmin(ChecksVersion, ReadOnlyHistoryAdmin):
    object_history_list_template = "admin/rule_history_list.html"
    fieldsets = (
        (
            "What Customer.io sent",
            {
                "description": "What is older than this is removed at night, in small batches; "
                "manage.py prune --dry-run counts what would go now. Raw bodies are in backups "
                "for as long as those are kept.",
                "fields": ("body_days", "ignored_days", "event_days", "failed_days"),
            },
        ),
        (
            "What Savedesk noted",
            {
                "description": "Briefs, signals, customers, research and its price are kept for "
                "ever: all figures are counted from them.",
                "fields": ("notification_days", "login_days", "search_days", "task_days",
                           "rule_versions"),
            },
        ),
    )  # fmt: skip

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # the one row is made when the page is first opened

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the one row instead of a list."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        row, _ = RetentionPolicy.objects.get_or_create(pk=1)
        return redirect("admin:webhooks_retentionpolicy_change", row.pk)
