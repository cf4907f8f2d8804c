"""The history pages of the admin: they show what was, and never write."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404
from simple_history.admin import SimpleHistoryAdmin


class ReadOnlyHistoryAdmin(SimpleHistoryAdmin):  # type: ignore[misc]  # the package is not typed
    """Every admin page with a history derives from this class.

    The package's own page of a version saves what is posted to it, also for people who may only
    look, and its settings hide no more than the button.
    """

    object_history_form_template = "admin/past_version.html"

    def revert_disabled(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def history_form_view(
        self,
        request: HttpRequest,
        object_id: str,
        version_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show one version. Any method that could write is refused, whatever settings say."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not self.has_view_history_or_change_history_permission(request):
            raise PermissionDenied  # before it is told whether there is such a version
        past = self._version(object_id, version_id)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{past.instance}, as it was",
            "opts": self.model._meta,
            "original": past.instance,
            "object_id": object_id,
            "past": past,
            "rows": list(self._rows(past.instance)),
            **(extra_context or {}),
        }
        response: HttpResponse = self.render_history_view(
            request, self.object_history_form_template, context
        )
        return response

    def _version(self, object_id: str, version_id: str) -> Any:
        versions = self.model.history.select_related("history_user")
        key = self.model._meta.pk.attname
        try:
            return get_object_or_404(versions, **{key: object_id, "history_id": version_id})
        except (ValueError, ValidationError, OverflowError):  # an address that names no number
            raise Http404 from None

    def _rows(self, instance: Any) -> Iterator[tuple[str, Any]]:
        """What people edit, by the names that its form has. Sealed values are never editable."""
        kept = {field.name for field in self.model.history.model.tracked_fields}
        for field in self.model._meta.concrete_fields:
            if field.editable and field.name in kept:
                shown = getattr(instance, f"get_{field.name}_display", None)
                value = shown() if shown else getattr(instance, field.name)
                yield str(field.verbose_name), _words(value)


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "—" if value in (None, "") else str(value)
