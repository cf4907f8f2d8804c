"""The lines of a rule: a field with suggestions, an operator, a value; and their history."""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from personas.admin import condition_rows
from personas.admin.recording import MakesVersions
from personas.admin.step_inline import LabelledRows
from personas.admin.trial import TrialAdmin
from personas.admin.versions import Difference
from personas.models.conditions import SEGMENTS, Condition, Operator
from personas.rules.serving import ValuesSeen

SUGGESTIONS_ID = "condition-fields"
HISTORY_SHOWN = 100


class ConditionForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the stubs only
    class Meta:
        fields = ("field", "operator", "value")
        help_texts: ClassVar[dict[str, str]] = {
            "field": "A role, an attribute, or a member of an object in it, as in company.plan. "
            "Empty for a segment.",
            "value": "For “is one of”: values separated by commas, or one a line. A value that "
            'holds a comma stands in quotation marks: "Design, Print". For “is more than”: a '
            "number. For “days ago”: a number of days. For “is before”: a date, such as "
            "2026-03-04. For a segment: its name or its id in Customer.io.",
        }
        widgets: ClassVar[dict[str, forms.Widget]] = {
            # The page carries the list itself: see rule_change_form.html.
            "field": forms.TextInput(
                attrs={"size": 22, "list": SUGGESTIONS_ID, "aria-label": "Field"}
            ),
            "operator": forms.Select(attrs={"aria-label": "Operator"}),
            "value": forms.Textarea(attrs={"rows": 2, "cols": 48, "aria-label": "Value"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["field"].required = False  # the condition asks for it, where it needs one
        if not self._meta.model.is_about_customer:
            choice: Any = self.fields["operator"]
            choice.choices = [one for one in Operator.choices if one[0] not in SEGMENTS]


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


class RuleAdmin(MakesVersions, TrialAdmin):
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

    def values_seen(self, fields: list[str]) -> ValuesSeen | None:
        """The commonest values of these fields; None where none are known of such facts."""
        return None

    def segments_seen(self) -> list[str]:
        """The segments that a condition may name."""
        return []

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
            # Called by the template, where there is one.
            "suggestions": self.suggestions,
            "suggestions_id": SUGGESTIONS_ID,
            "values_seen": lambda: self.values_seen(self._fields(request, object_id)),
            "segments_seen": self.segments_seen,
            **(extra_context or {}),
        }
        return super().changeform_view(request, object_id, form_url, context)

    def _fields(self, request: HttpRequest, object_id: str | None) -> list[str]:
        """The fields of the conditions that the page shows."""
        if request.method == "POST":
            rows = condition_rows.typed(request.POST)
            names = [row["field"] for row in rows if row["operator"] not in SEGMENTS]
        else:
            stored: Any = self.condition.objects  # type: ignore[attr-defined]  # of each subclass
            stored = stored.filter(**{self.rule_key: object_id}).exclude(operator__in=SEGMENTS)
            names = list(stored.values_list("field", flat=True))
        return list(dict.fromkeys(name.strip() for name in names if name.strip()))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Also say how numbers and dates can be read otherwise, and what is odd; in a trial too."""
        super().save_related(request, form, formsets, change)
        for condition in form.instance.conditions.order_by("pk"):  # as saved, not as prefetched
            if words := condition.reading_words:
                self.message_user(request, f"“{condition.words}” is {words}.", messages.WARNING)
        for words in self.notes(form.instance):
            self.message_user(request, words, messages.WARNING)

    def notes(self, rule: Any) -> Iterable[str]:
        """What is odd about the rule as it is stored now, in sentences."""
        return ()

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
    return joint.join(condition.brief_words for condition in conditions)
