"""The first steps of one persona, edited on its page."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest, QueryDict

from personas.admin.versions import Difference
from personas.models import FirstStep, SignalKind, StepChannel

Row = dict[str, list[str]]  # the values of each field, as they are posted
PREFIX = "first_steps"
FIELDS = ("kind", "position", "text", "channels", "is_wait", "within_hours")


class StepFields:
    """How the fields of a step are entered, wherever it is edited."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "channels":
            return forms.MultipleChoiceField(
                choices=StepChannel.choices,
                widget=forms.CheckboxSelectMultiple,
                required=False,
                help_text=db_field.help_text,
            )
        if db_field.name == "text":
            kwargs["widget"] = forms.Textarea(attrs={"rows": 3, "cols": 70})
        return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]  # of the admin


class LabelledRows(forms.BaseInlineFormSet):  # type: ignore[type-arg]  # generic for the stubs only
    """Rows whose boxes say what they are for. Django gives them no label below a column's head."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        row = form.instance if form.instance.pk else f"a new {form._meta.model._meta.verbose_name}"
        for name, field in form.fields.items():
            if not isinstance(field.widget, forms.CheckboxSelectMultiple):  # each box has its own
                label = "Delete" if name == "DELETE" else field.label or name
                field.widget.attrs.setdefault("aria-label", f"{label}: {row}")


class FirstStepInline(StepFields, admin.TabularInline):  # type: ignore[type-arg]  # as above
    model = FirstStep
    formset = LabelledRows
    fields = FIELDS
    ordering = ("kind", "position", "pk")
    extra = 0
    classes = ("collapse",)
    verbose_name_plural = "First steps for this persona"
    is_previewed: ClassVar[bool] = True  # the preview stands below it


def shown_steps(formset: Any) -> list[FirstStep]:
    """The steps as the form has them, also unsaved ones; not those that are to be deleted."""
    gone = {id(form) for form in getattr(formset, "deleted_forms", ())}
    return [
        form.instance
        for form in formset.forms
        if id(form) not in gone and (form.instance.pk or form.has_changed())
    ]


def differences(request: HttpRequest, persona: Any) -> Iterator[Difference]:
    """What differs in its steps; the form's data is put right, so that it can be saved."""
    stored = list(persona.first_steps.order_by(*FirstStepInline.ordering))
    if f"{PREFIX}-TOTAL_FORMS" not in request.POST:
        return
    yours = [words for row in _rows(request.POST) if "DELETE" not in row and (words := _words(row))]
    request.POST = put_right(request.POST, stored)  # type: ignore[assignment]  # Django lets it be replaced
    theirs = [_words(_posted(step)) for step in stored]
    if theirs != yours:
        shown = ("\n".join(lines) or "none" for lines in (theirs, yours))
        yield Difference("First steps", *shown)


def put_right(data: QueryDict, stored: list[FirstStep]) -> QueryDict:
    """The form's data so that it can be saved, where somebody else changed these steps meanwhile.

    As with conditions: a step that was deleted is a new one, and one that was added is shown too.
    """
    rows = _rows(data)
    keys = {str(step.pk) for step in stored}
    kept = [row for row in rows if row.get("id", [""])[0] in keys]
    new = [row | {"id": [""]} for row in rows if row not in kept and "DELETE" not in row]
    there = {row["id"][0] for row in kept}
    added = [_posted(step) for step in stored if str(step.pk) not in there]
    changed = data.copy()
    for name in [name for name in changed if name.startswith(f"{PREFIX}-")]:
        del changed[name]
    changed[f"{PREFIX}-INITIAL_FORMS"] = str(len(kept) + len(added))
    changed[f"{PREFIX}-TOTAL_FORMS"] = str(len(kept) + len(added) + len(new))
    for number, row in enumerate([*kept, *added, *new]):
        for name, values in row.items():
            changed.setlist(f"{PREFIX}-{number}-{name}", values)
    return changed


def _words(row: Row) -> str:
    """The step in one line; empty for a row that is not filled in."""
    kind, text = (row.get(name, [""])[0] for name in ("kind", "text"))
    label = dict(SignalKind.choices).get(kind, kind)
    return f"{label}: {text}" if text else ""


def _rows(data: QueryDict) -> list[Row]:
    total = data.get(f"{PREFIX}-TOTAL_FORMS", "")
    return [_row(data, n) for n in range(min(int(total), 1000) if total.isdecimal() else 0)]


def _row(data: QueryDict, number: int) -> Row:
    start = f"{PREFIX}-{number}-"
    return {name[len(start) :]: data.getlist(name) for name in data if name.startswith(start)}


def _posted(step: FirstStep) -> Row:
    """The step as an unchanged row of the form."""
    values: dict[str, list[Any]] = {"id": [step.pk], "persona": [step.persona_id]}
    for name in FIELDS:
        value = getattr(step, name)
        values[name] = value if isinstance(value, list) else [value]
    posted = {name: [str(one) for one in given if one not in (None, False)]
              for name, given in values.items()}  # fmt: skip
    return {name: given for name, given in posted.items() if given}
