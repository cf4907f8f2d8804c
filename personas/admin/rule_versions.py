"""The versions of the rules: what each changed, its undo, and what can be restored from it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse

from personas.admin.recording import ACCEPTED, WHY
from personas.models import RuleVersion
from personas.rules import documents, restoring, taking
from personas.rules.applying import Refused
from personas.rules.differences import differences
from personas.rules.documents import Document
from personas.rules.parts import PARTS, Part, Row, Unreadable
from personas.rules.versions import NotAccepted

LARGEST_FILE = 500_000  # bytes; the starter rules take 45,000


@dataclass(frozen=True, slots=True)
class Shown:
    """A row of a version, as its page shows it."""

    part: Part
    row: Row

    @property
    def label(self) -> str:
        return self.part.label(self.row)

    @property
    def text(self) -> str:
        return documents.written(self.row)

    @property
    def name(self) -> list[str]:
        return list(self.part.name(self.row))


@dataclass(slots=True)
class Proposal:
    """Rules to be put in place of the present ones, once somebody has seen what that does."""

    document: Document
    title: str
    what: str
    restores: int | None = None
    text: str = ""  # of an uploaded file, which is sent again


class UploadForm(forms.Form):
    file = forms.FileField(label="File of rules", help_text="As it was downloaded here.")

    def clean_file(self) -> Document:
        given: UploadedFile[Any] = self.cleaned_data["file"]
        if (given.size or 0) > LARGEST_FILE:
            raise forms.ValidationError("This file is larger than 500 kB: it cannot be rules.")
        try:
            return documents.read(given.read().decode())
        except (UnicodeDecodeError, Unreadable) as error:
            is_text = isinstance(error, Unreadable)
            words = str(error) if is_text else "This file is no text in UTF-8."
            raise forms.ValidationError(words) from error


@admin.register(RuleVersion)
class RuleVersionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the stubs only
    change_list_template = "admin/rule_versions.html"
    list_display = ("number", "made_at", "who", "told", "why")
    list_select_related = ("made_by",)
    search_fields = ("what", "why", "made_by_name")
    date_hierarchy = "made_at"

    @admin.display(description="what", ordering="what")
    def told(self, version: RuleVersion) -> str:
        return f"{version.what} (reconstructed)" if version.is_reconstructed else version.what

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("document")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        taking.settle()  # what was changed elsewhere counts as a version too
        return super().changelist_view(request, extra_context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[Any]:
        view: Callable[..., Any] = self.admin_site.admin_view
        pages = [
            path("import/", view(self.import_view), name="personas_ruleversion_import"),
            path("<int:number>/restore/", view(self.restore_view),
                 name="personas_ruleversion_restore"),
            path("<int:number>/download/", view(self.download_view),
                 name="personas_ruleversion_download"),
        ]  # fmt: skip
        return pages + super().get_urls()

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """What the version changed, all of its rules, and how they differ from the present ones."""
        version = self._version(request, object_id)
        newest = taking.head() or version
        before = RuleVersion.objects.filter(number=version.number - 1).first()
        then = before.document if before else {}
        is_newest = version.number == newest.number
        context = {
            **self.admin_site.each_context(request),
            "title": str(version),
            "opts": self.model._meta,
            "version": version,
            "before": before,
            "newest": newest,
            "is_newest": is_newest,
            "changed": differences(then, version.document) if before else [],
            "since": [] if is_newest else differences(version.document, newest.document),
            "parts": [
                (part, [Shown(part, row) for row in documents.rows(version.document, part.key)])
                for part in PARTS
            ],
        }
        return TemplateResponse(request, "admin/rule_version.html", context)

    def download_view(self, request: HttpRequest, number: int) -> HttpResponse:
        version = self._whole(request, number)
        return HttpResponse(
            documents.written(version.document),
            content_type="application/yaml; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="rules-{number}.yaml"'},
        )

    def restore_view(self, request: HttpRequest, number: int) -> HttpResponse:
        """Bring back everything of a version, or the one row that the address names."""
        version, newest = self._whole(request, number), taking.head()
        key, name = request.GET.get("part", ""), request.GET.getlist("name")
        if not key:
            is_undo = newest is not None and number == newest.number - 1
            title = f"Undo version {number + 1}" if is_undo else f"Restore version {number}"
            what = f"Undid version {number + 1}" if is_undo else f"Restored version {number}"
            return self.confirmed(request, Proposal(version.document, title, what, number))
        if newest is None or key not in {part.key for part in PARTS} or not name:
            raise Http404
        try:
            document = restoring.only(key, name, version.document, newest.document)
        except LookupError as error:
            raise Http404(str(error)) from error
        what = f"{name[-1]}” as in version {number}"
        return self.confirmed(
            request, Proposal(document, f"Restore “{what}", f"Restored “{what}", number)
        )

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Take a file, show what it would change, and put it in place once that is confirmed."""
        self.check_view_permission(request)
        text = request.POST.get("text", "")
        if text:
            try:
                document = documents.read(text)
            except Unreadable as error:
                raise Http404 from error  # nobody but a program sends this
            return self.confirmed(request, _imported(document))
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            return self.confirmed(request, _imported(form.cleaned_data["file"]))
        context = {
            **self.admin_site.each_context(request),
            "title": "Import rules",
            "opts": self.model._meta,
            "form": form,
        }
        return TemplateResponse(request, "admin/import_rules.html", context)

    def check_view_permission(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _version(self, request: HttpRequest, number: int | str) -> RuleVersion:
        self.check_view_permission(request)
        taking.settle()
        try:
            versions = RuleVersion.objects.select_related("made_by")
            return get_object_or_404(versions, number=int(number))
        except (ValueError, OverflowError):
            raise Http404 from None

    def _whole(self, request: HttpRequest, number: int) -> RuleVersion:
        version = self._version(request, number)
        if version.document_ended_at:
            raise Http404("the rules of this version are no longer kept")
        return version

    def confirmed(self, request: HttpRequest, proposal: Proposal) -> HttpResponse:
        """Show what the proposal does and, once that was confirmed, do it."""
        errors: list[str] = []
        seen = None
        try:
            seen = restoring.preview(proposal.document)
        except Refused as error:
            errors = error.errors
        lacking = seen.lacking(request.user) if seen else []
        is_confirmed = "_confirm" in request.POST
        is_fresh = seen is not None and request.POST.get("based_on") == str(seen.head)
        if seen and is_confirmed and is_fresh and seen.differences and not lacking:
            try:
                version = restoring.put_in_place(
                    proposal.document, request.user, proposal.what,
                    why=request.POST.get(WHY, "").strip(),
                    accepted=request.POST.get(ACCEPTED, ""), restores=proposal.restores,
                )  # fmt: skip
            except (Refused, NotAccepted):
                pass  # the page says it
            else:
                messages.success(request, f"{proposal.what}: {version} is in use now.")
                return HttpResponseRedirect(reverse("admin:personas_ruleversion_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": proposal.title,
            "opts": self.model._meta,
            "proposal": proposal,
            "seen": seen,
            "errors": errors,
            "lacking": lacking,
            "refusal": seen and seen.refusal,
            "is_late": is_confirmed and not is_fresh,
            "why": request.POST.get(WHY, ""),
        }
        return TemplateResponse(request, "admin/rules_proposal.html", context)


def _imported(document: Document) -> Proposal:
    text = documents.written(document)
    return Proposal(document, "Import rules", "Imported a file", text=text)
