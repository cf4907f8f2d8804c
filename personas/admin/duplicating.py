"""Copies a rule with all that belongs to it, to begin a similar one from."""

from copy import copy
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse

from personas.admin.ordering import OrderedAdmin, make_room_after
from personas.rules import versions


class DuplicatingAdmin(OrderedAdmin):
    """Adds the button “Duplicate” to the page of a row that has a name and a place in an order."""

    admin_site: Any
    copied: tuple[str, ...] = ("conditions",)  # the related rows that are copied with it

    def can_be_duplicated(self, row: Any) -> bool:
        return True

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.duplicate)
        own = path("<path:object_id>/duplicate/", view, name=f"{self._address}_duplicate")
        return [own, *super().get_urls()]  # type: ignore[misc]  # of the admin

    @property
    def _address(self) -> str:
        return f"{self.model._meta.app_label}_{self.model._meta.model_name}"

    def duplicate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """POST: copy the row, put the copy right after it, and open the copy for editing."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_add_permission(request):  # type: ignore[attr-defined]  # of the admin
            raise PermissionDenied
        row = self.get_object(request, object_id)  # type: ignore[attr-defined]  # of the admin
        if row is None or not self.can_be_duplicated(row):
            raise Http404
        with versions.change(request.user, f"Copied {row._meta.verbose_name} “{row}”"):
            made = self._copy(row)
        self.log_addition(request, made, f"Copied from “{row}”.")  # type: ignore[attr-defined]  # of the admin
        words = f"This is a copy of “{row}”, right after it in the order. Change what differs."
        self.message_user(request, words, messages.SUCCESS)  # type: ignore[attr-defined]  # of the admin
        return redirect(f"admin:{self._address}_change", made.pk)

    def _copy(self, row: Any) -> Any:
        made = _anew(row)
        made.name = self._free_name(row.name)
        made.position = make_room_after(row, self.placed().exclude(pk=row.pk))
        made.save()
        for name in self.copied:
            related = self.model._meta.get_field(name)
            for part in getattr(row, related.get_accessor_name()).all():
                part = _anew(part)
                setattr(part, related.field.name, made)
                part.save()
        return made

    def _free_name(self, name: str) -> str:
        longest = self.model._meta.get_field("name").max_length
        number = 1
        while True:
            end = f" ({number})" if number > 1 else ""
            tried = f"Copy of {name}"[: longest - len(end)].rstrip() + end
            if not self.model.objects.filter(name=tried).exists():
                return tried
            number += 1

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = context.get("original")
        may = self.has_add_permission(request)  # type: ignore[attr-defined]  # of the admin
        if row is not None and may and self.can_be_duplicated(row):
            context["duplicate_url"] = reverse(f"admin:{self._address}_duplicate", args=[row.pk])
        page: HttpResponse = super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]  # of the admin
        return page


def _anew(row: Any) -> Any:
    """The same row, not stored yet and without what was read for the stored one."""
    made = copy(row)
    made.pk, made._state = None, copy(row._state)
    made._state.adding, made._state.fields_cache = True, {}
    made.__dict__.pop("_prefetched_objects_cache", None)
    return made
