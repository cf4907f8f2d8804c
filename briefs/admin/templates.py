"""The versions of the question to Mave: edited, previewed and used again."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from briefs.admin.template_form import ChoiceForm, Preview, TemplateForm, chosen_preview
from briefs.models import QuestionTemplate, TemplateChoice
from briefs.models.wording import VARIABLES, Wording, tidy
from briefs.research.counting import count_at_present, too_long
from briefs.research.questions import Asker, built_in

PREVIEW = "_preview"  # the name of the button
CHOICES_SHOWN = 10
LIST = "admin:briefs_questiontemplate_changelist"


@admin.register(QuestionTemplate)
class QuestionTemplateAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # for the stubs only
    form = TemplateForm
    list_display = ("version_shown", "is_in_use", "beginning", "note", "created_at", "created_by")
    list_select_related = ("created_by",)
    list_per_page = 50
    search_fields = ("text", "note")
    readonly_fields = ("text_shown", "is_in_use", "created_at", "created_by")

    def get_queryset(self, request: HttpRequest) -> QuerySet[QuestionTemplate]:
        newest = TemplateChoice.objects.values("template")[:1]
        versions: QuerySet[QuestionTemplate] = super().get_queryset(request)
        return versions.annotate(chosen=Subquery(newest))

    # Nobody deletes a version. People who may change the question may add one.

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fieldsets(self, request: HttpRequest, obj: QuestionTemplate | None = None) -> Any:
        about = ("This version", {"fields": ("is_in_use", "created_at", "created_by")})
        if not self.has_change_permission(request, obj):
            return ((None, {"fields": ("text_shown", "note")}), about)
        words = (None, {"fields": ("text", "note", "based_on")})
        see = (
            "Preview",
            {
                "description": "Choose a persona and a signal, press “Preview” and see the "
                "question below, with facts that this persona's conditions can say. Nothing is "
                "saved by it.",
                "fields": ("persona", "signal"),
            },
        )
        return (words, about, see) if obj else (words, see)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form_class = super().get_form(request, obj, change=change, **kwargs)
        if not _is_preview(request):
            return form_class
        # Never valid, so that the admin shows the form as it was filled in and does not save it.
        attributes = {"is_preview": True, "is_valid": lambda form: False}
        return type("PreviewedForm", (form_class,), attributes)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("built-in/use/", view(self.use), name="briefs_questiontemplate_use_built_in"),
            path("<int:pk>/use/", view(self.use), name="briefs_questiontemplate_use"),
            *super().get_urls(),
        ]

    # Pages

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """The list of versions; above it, the text in use and how many questions it can ask."""
        in_use = Asker.load().wording
        choices = TemplateChoice.objects.select_related("template", "chosen_by")
        context = {
            "title": "Versions of the question to Mave",
            "in_use": in_use,
            "built_in": built_in(),
            "is_built_in": in_use.version == built_in().version,
            "may_change": self.has_change_permission(request),
            "choices": choices[:CHOICES_SHOWN],
            "too_long": too_long(in_use),
            "count": count_at_present(in_use),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        words, seen = self._seen(request, context["adminform"].form, context["original"])
        context |= {
            "can_be_previewed": True,
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
            "variables": VARIABLES,
            "preview": seen,
            "is_preview": _is_preview(request),
            "choice_form": ChoiceForm(request.GET),
            "count": count_at_present(words) if seen else None,
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def _seen(
        self, request: HttpRequest, form: Any, original: QuestionTemplate | None
    ) -> tuple[Wording, Preview | None]:
        """The wording that the page shows, and its preview; no preview if the text has mistakes."""
        if request.method == "POST":
            words = Wording("", tidy(request.POST.get("text", "")))
            return words, None if "text" in form.errors else chosen_preview(
                words, form.cleaned_data
            )
        words = original.wording if original else Asker.load().wording
        return words, ChoiceForm(request.GET).preview(words)

    # Saving and using a version

    def save_model(self, request: HttpRequest, obj: QuestionTemplate, *args: Any) -> None:
        """Save the edit as a new version; in the rest of the request `obj` is that version."""
        kept = QuestionTemplate.objects.write(obj.text, note=obj.note, by=request.user)
        obj.pk = kept.pk
        obj.refresh_from_db()

    def response_add(self, request: HttpRequest, obj: Any, *args: Any) -> HttpResponse:
        return self._saved(request, obj)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._saved(request, obj)

    def _saved(self, request: HttpRequest, version: QuestionTemplate) -> HttpResponse:
        self.message_user(
            request,
            f"{version} is saved, and the next brief asks by it. Answers to the earlier wording "
            "are no longer shared. Questions that wait already keep their words.",
            messages.SUCCESS,
        )
        return redirect(LIST)

    def use(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        """POST: put this version into use; without a pk, the built-in text."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_change_permission(request):
            raise PermissionDenied
        version = get_object_or_404(QuestionTemplate, pk=pk) if pk else None
        if version == QuestionTemplate.objects.in_use():
            self.message_user(request, "It is in use already.", messages.INFO)
            return redirect(LIST)
        if problems := too_long(version.wording if version else built_in()):
            self.message_user(request, f"Not changed. {problems[0]}", messages.ERROR)
            return redirect(LIST)
        self._use(request, version)
        return redirect(LIST)

    def _use(self, request: HttpRequest, version: QuestionTemplate | None) -> None:
        if version:
            version.use(request.user)
            self.log_change(request, version, "Made current again.")
        else:
            TemplateChoice.use_built_in(request.user)
        name = str(version or "The built-in text")
        self.message_user(request, f"{name} is in use: the next brief asks by it.")

    # Columns

    @admin.display(description="version", ordering="pk")
    def version_shown(self, version: QuestionTemplate) -> str:
        return version.version

    @admin.display(description="in use")
    def is_in_use(self, version: Any) -> str:
        return "yes" if version.chosen == version.pk else "no"

    @admin.display(description="begins with")
    def beginning(self, version: QuestionTemplate) -> str:
        return Truncator(" ".join(version.text.split())).chars(80)

    @admin.display(description="text")
    def text_shown(self, version: QuestionTemplate) -> SafeString:
        return format_html('<pre class="words">{}</pre>', version.text)


def _is_preview(request: HttpRequest) -> bool:
    return request.method == "POST" and PREVIEW in request.POST
