"""The queue's pages in the admin, read-only: who could write there could run any function."""

from typing import Any, ClassVar

import django_q.admin  # noqa: F401 - registers its own pages, which are replaced here
from django.contrib import admin
from django.http import HttpRequest
from django_q.models import Failure, OrmQ, Schedule, Success

from briefs.admin.readonly import ReadOnlyAdmin

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
