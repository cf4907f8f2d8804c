"""Every save of a rule in the admin makes one version of all rules, or none if nothing differs.

What guards say of it is shown with a tick, above the form as it was filled in; sent again with the
tick, it is saved.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.messages.storage import default_storage
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from personas.admin.trial import TRY
from personas.rules import versions

ACCEPTED = "_accepted"  # the tick; its value is the fingerprint of what is accepted
WHY = "_why"
_REFUSAL = "_refusal"  # of this request: what must be accepted first


class MakesVersions:
    """Put it before the class of the admin in the bases."""

    object_history_template = "admin/versions_history.html"

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        page: Callable[..., HttpResponse] = super().changeform_view  # type: ignore[misc]  # of the admin
        context = {"asks_why": True, "why": request.POST.get(WHY, ""), **(extra_context or {})}
        return self._recorded(request, lambda: page(request, object_id, form_url, context))

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        page: Callable[..., HttpResponse] = super().delete_view  # type: ignore[misc]  # of the admin
        return self._recorded(request, lambda: page(request, object_id, extra_context))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        page: Callable[..., HttpResponse] = super().changelist_view  # type: ignore[misc]  # of the admin
        return self._recorded(request, lambda: page(request, extra_context))

    def _recorded(self, request: HttpRequest, page: Callable[[], HttpResponse]) -> HttpResponse:
        if request.method != "POST" or TRY in request.POST:
            return page()
        why, accepted = (request.POST.get(name, "").strip() for name in (WHY, ACCEPTED))
        try:
            with versions.change(request.user, "", why=why, accepted=accepted):
                return page()
        except versions.NotAccepted as error:
            refusal = error
        # What was said of the save is not so.
        request._messages = default_storage(request)  # type: ignore[attr-defined]  # of the messages
        if "post" in request.POST or ("action" in request.POST and "_save" not in request.POST):
            return self._asked(request, refusal)
        setattr(request, _REFUSAL, refusal)
        shown: Any = page()
        shown.context_data["refusal"] = refusal
        return shown  # type: ignore[no-any-return]

    def _asked(self, request: HttpRequest, refusal: versions.NotAccepted) -> HttpResponse:
        """A page that asks for the tick, and sends once more all that was sent."""
        sent = [
            (name, value)
            for name, values in request.POST.lists()
            for value in values
            if name not in ("csrfmiddlewaretoken", ACCEPTED)
        ]
        admin: Any = self
        context = {
            **admin.admin_site.each_context(request),
            "title": "Are you sure?",
            "opts": admin.model._meta,
            "refusal": refusal,
            "sent": sent,
        }
        return TemplateResponse(request, "admin/refused.html", context)

    # Never valid after a refusal, so that the form is shown as it was filled in.

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)  # type: ignore[misc]  # of the admin
        return _never_valid(form) if hasattr(request, _REFUSAL) else form

    def get_changelist_formset(self, request: HttpRequest, **kwargs: Any) -> Any:
        rows = super().get_changelist_formset(request, **kwargs)  # type: ignore[misc]  # of the admin
        return _never_valid(rows) if hasattr(request, _REFUSAL) else rows


def _never_valid(form: Any) -> Any:
    return type("RefusedForm", (form,), {"is_valid": lambda form: False})
