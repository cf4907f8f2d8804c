"""The lines of a rule: a field with suggestions, an operator, a value; and their history."""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from personas.admin import condition_rows
from personas.admin.step_inline import LabelledRows
from personas.admin.trial import TrialAdmin
from personas.admin.versions import Difference
from personas.models import listing
from personas.models.conditions import LISTED, NUMERIC, Condition, Operator

SUGGESTIONS_ID = "condition-fields"
HISTORY_SHOWN = 100
VALUES_SHOWN = 2


class ConditionForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the stubs only
    class Meta:
        fields = ("field", "operator", "value")
        help_texts: ClassVar[dict[str, str]] = {
            "field": "A role, an attribute, or a member of an object in it, as in company.plan.",
            "value": "For “is one of”: values separated by commas, or one a line. A value that "
            'holds a comma stands in quotation marks: "Design, Print". For “is more than”: a '
            "number.",
        }
        widgets: ClassVar[dict[str, forms.Widget]] = {
            # The page carries the list itself: see rule_change_form.html.
            "field": forms.TextInput(
                attrs={"size": 22, "list": SUGGESTIONS_ID, "aria-label": "Field"}
            ),
            "operator": forms.Select(attrs={"aria-label": "Operator"}),
            "value": forms.Textarea(attrs={"rows": 2, "cols": 48, "aria-label": "Value"}),
        }


class ConditionInline(admin.TabularInline):  # type: ignore[type-arg]  # as above
    form = ConditionForm
    formset = LabelledRows
    extra = 1
    verbose_name = "condition"
    verbose_name_plural = "Conditions"


class RowForm(forms.ModelForm):  # type: ignore[type-arg]  # as above
    """One row of a list that is edited in place. Django gives its boxes no label."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = f"{field.label} of {self.instance}"


class RuleAdmin(TrialAdmin):
    """A rule with its conditions in place, fields suggested, and one history of both."""

    change_form_template = "admin/rule_change_form.html"
    object_history_template = "admin/rule_history.html"
    object_history_list_template = "admin/rule_history_list.html"

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> type[Any]:
        form: type[Any] = super().get_changelist_form(request, **{"form": RowForm, **kwargs})
        return form

    def suggestions(self) -> list[tuple[str, str]]:
        """Fields that conditions may name, each with a short explanation."""
        raise NotImplementedError

    condition: type[Condition]  # the model of its conditions
    rule_key: str  # the column in which a condition names its rule

    def condition_history(self, keys: Iterable[Any]) -> QuerySet[Any]:
        """The history of these rules' conditions, also of deleted ones."""
        history: Any = self.condition.history  # type: ignore[attr-defined]  # of each subclass
        past: QuerySet[Any] = history.filter(**{f"{self.rule_key}__in": list(keys)})
        return past

    def histories(self, keys: list[Any]) -> list[tuple[str, QuerySet[Any]]]:
        """A rule and its conditions are one version."""
        return [*super().histories(keys), (self.rule_key, self.condition_history(keys))]

    def related_differences(self, request: HttpRequest, row: Any) -> Iterator[Difference]:
        stored = list(row.conditions.all())
        theirs = [condition.words for condition in stored]
        yours = condition_rows.words(condition_rows.typed(request.POST), self.condition)
        if f"{condition_rows.PREFIX}-TOTAL_FORMS" not in request.POST:
            return  # a persona without conditions of its own
        request.POST = condition_rows.put_right(request.POST, stored)  # type: ignore[assignment]  # Django lets it be replaced
        if theirs != yours:
            shown = ("\n".join(lines) or "none" for lines in (theirs, yours))
            yield Difference("Conditions", *shown)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {
            "suggestions": self.suggestions,  # called by the template, where there is one
            "suggestions_id": SUGGESTIONS_ID,
            **(extra_context or {}),
        }
        return super().changeform_view(request, object_id, form_url, context)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Also say how a number is read that could be read in another way; in a trial too."""
        super().save_related(request, form, formsets, change)
        for condition in form.instance.conditions.filter(operator__in=NUMERIC):
            if words := condition.number_words:
                self.message_user(request, f"“{condition.words}” is {words}.", messages.WARNING)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        past = self.condition_history([object_id]).select_related("history_user")[:HISTORY_SHOWN]
        context = {"condition_changes": past, **(extra_context or {})}
        response: HttpResponse = super().history_view(request, object_id, context)
        return response


def words(conditions: Iterable[Condition], match: str) -> str:
    """All conditions in one line, as lists show them: long lists of values are shortened."""
    joint = "; and " if match == "all" else "; or "
    return joint.join(_briefly(condition) for condition in conditions)


def _briefly(condition: Condition) -> str:
    values = condition.values
    if condition.operator not in LISTED or len(values) <= VALUES_SHOWN:
        return condition.words
    begun = listing.written(values[:VALUES_SHOWN])
    label = Operator(condition.operator).label
    return f"{condition.field} {label} {begun} and {len(values) - VALUES_SHOWN} more"
