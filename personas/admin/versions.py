"""Two people edit one row: the second is told what the first changed before anything is saved.

A page carries the version of the row that it was made from: the newest entries of its histories.
When the form is sent, the row is locked and the versions are compared.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse

VERSION = "_version"
_CONFLICT = "_conflict"  # of this request


@dataclass(frozen=True, slots=True)
class Difference:
    """One field as it is stored now, and as the form was filled in."""

    label: str
    theirs: str
    yours: str


@dataclass(slots=True)
class Conflict:
    """Who changed the row last since the page was made, and what differs."""

    row: Any
    change: Any  # an entry of a history
    differences: list[Difference] = field(default_factory=list)

    @property
    def by(self) -> str:
        user = self.change.history_user
        return str(user.get_full_name() or user.get_username()) if user else "Savedesk"


class ChecksVersion:
    """For a model with a history. Put it before the class of the admin in the bases.

    A form without a version comes from a page that was made before this was checked: it is saved.
    """

    model: Any

    def histories(self, keys: list[Any]) -> list[tuple[str, QuerySet[Any]]]:
        """The histories that make the version of these rows, and how each names the row's key."""
        name = self.model._meta.pk.attname
        return [(name, self.model.history.filter(**{f"{name}__in": keys}))]

    def related_differences(self, request: HttpRequest, row: Any) -> Iterator[Difference]:
        """What differs beside the row's own fields; may prepare request.POST to be shown again."""
        yield from ()

    # One row.

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        page: Callable[..., HttpResponse] = super().changeform_view  # type: ignore[misc]  # of the admin
        key = self._key(object_id)
        if key is None:
            return page(request, object_id, form_url, extra_context)
        if request.method != "POST":
            context = {"version": self.versions([key])[key], **(extra_context or {})}
            return page(request, object_id, form_url, context)
        with transaction.atomic():
            row = self.model.objects.order_by("pk").select_for_update().filter(pk=key).first()
            context = {"version": self.versions([key])[key], **(extra_context or {})}
            conflict = row and self.conflict(row, request.POST.get(VERSION))
            if conflict:
                conflict.differences += self.related_differences(request, row)
            setattr(request, _CONFLICT, conflict)
            return page(request, object_id, form_url, context)

    def _key(self, object_id: str | None) -> Any:
        try:
            return object_id and self.model._meta.pk.to_python(unquote(object_id))
        except ValidationError:  # the admin answers that there is no such row
            return None

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)  # type: ignore[misc]  # of the admin
        if not getattr(request, _CONFLICT, None):
            return form
        # Never valid, so that the admin shows the form as it was filled in instead of saving it.
        return type("StaleForm", (form,), {"is_valid": lambda form: False})

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if conflict := getattr(request, _CONFLICT, None):
            conflict.differences[:0] = differences(context["adminform"].form)
            context["conflicts"] = [conflict]
        page: HttpResponse = super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]  # of the admin
        return page

    # The list, where some of its fields can be edited.

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        page: Any = super().changelist_view  # type: ignore[misc]  # of the admin
        if not getattr(self, "list_editable", ()):
            return page(request, extra_context)
        if request.method != "POST" or "_save" not in request.POST:
            # Read before the rows: what is changed in between is told when the list is saved.
            return page(request, {"versions": self.versions(), **(extra_context or {})})
        conflicts: list[Conflict] = []
        setattr(request, _CONFLICT, conflicts)
        with transaction.atomic():
            list(self.model.objects.order_by("pk").select_for_update().values_list("pk", flat=True))
            context = {"versions": self.versions(), "conflicts": conflicts}
            response = page(request, {**context, **(extra_context or {})})
        if shown := getattr(response, "context_data", {}).get("cl"):
            # Django puts the first form beside the first row, but others may have moved the rows.
            places = {row.pk: place for place, row in enumerate(shown.result_list)}
            shown.formset.forms.sort(key=lambda form: places.get(form.instance.pk, len(places)))
        return response

    def get_changelist_formset(self, request: HttpRequest, **kwargs: Any) -> Any:
        formset = super().get_changelist_formset(request, **kwargs)  # type: ignore[misc]  # of the admin
        conflicts = getattr(request, _CONFLICT, None)
        if conflicts is None:
            return formset

        def is_valid(rows: Any) -> bool:
            conflicts.clear()  # Django may ask twice
            # A row that was deleted meanwhile would make the list impossible to save.
            rows.forms = [form for form in rows.forms if not form.instance._state.adding]
            for form in rows.forms:
                row = form.instance
                posted = request.POST.get(f"{VERSION}-{row.pk}")
                if form.has_changed() and (conflict := self.conflict(row, posted)):
                    conflict.differences += differences(form)
                    conflicts.append(conflict)
            return not conflicts and bool(formset.is_valid(rows))

        return type("CheckedFormSet", (formset,), {"is_valid": is_valid})

    # Versions.

    def versions(self, keys: list[Any] | None = None) -> dict[Any, str]:
        """The present version of each of these rows; of all rows if no keys are given."""
        if keys is None:
            keys = list(self.model.objects.values_list("pk", flat=True))
        parts = [
            dict(past.order_by().values_list(name).annotate(Max("history_id")))
            for name, past in self.histories(keys)
        ]
        return {key: "-".join(str(part.get(key, 0)) for part in parts) for key in keys}

    def conflict(self, row: Any, version: str | None) -> Conflict | None:
        """What was changed since this version; None if nothing was."""
        if version is None:
            return None
        known = [int(part) if part.isdecimal() else 0 for part in version[:60].split("-")]
        newer: list[Any] = []
        for seen, (_, past) in zip(known, self.histories([row.pk]), strict=False):
            newer += past.filter(history_id__gt=seen).select_related("history_user")[:1]
        change = max(newer, key=lambda entry: entry.history_date, default=None)
        return Conflict(row, change) if change else None


def differences(form: Any) -> Iterator[Difference]:
    """The fields in which the form differs from the row as it is now."""
    stored = {one.name for one in form._meta.model._meta.get_fields()}
    for name in form.changed_data:
        if name == "id":
            continue
        bound = form[name]
        if name in stored:
            theirs, yours = bound.initial, bound.value()
            yield Difference(bound.label, _shown(bound, theirs), _shown(bound, yours))
        else:  # such as the address of a target, which nobody may read
            yield Difference(bound.label, "not shown", "not shown")


def _shown(bound: Any, value: Any) -> str:
    labels = {str(key): str(label) for key, label in getattr(bound.field, "choices", ())}
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == "":
        return "empty"
    return labels.get(str(value), str(value))
