"""Tries a rule without keeping it: saves it, looks at the effect, rolls back, in one request."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from personas.admin.history import ReadOnlyHistoryAdmin
from personas.admin.versions import ChecksVersion
from personas.rules import taking

TRY = "_try"  # the name of the button


class TrialAdmin(ChecksVersion, ReadOnlyHistoryAdmin):
    """Adds the button “Try without saving” where a subclass says in `trial_words` what to look at.

    The form is saved inside a transaction, so the same code runs as for a saved rule. Then all is
    rolled back, and the form is shown again as it was filled in.
    """

    can_be_tried = False

    def trial_words(self, obj: Any) -> str:
        """What the rule, as saved at this moment, would do."""
        raise NotImplementedError

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {"can_be_tried": self.can_be_tried, **(extra_context or {})}
        if request.method != "POST" or TRY not in request.POST:
            return self._page(request, object_id, form_url, context)
        trial = _Trial()
        setattr(request, TRY, trial)
        with transaction.atomic(), taking.unsettled():
            response = self._page(request, object_id, form_url, context)
            transaction.set_rollback(True)
        if not trial.words:  # the form has mistakes, and the response names them
            return response
        self.message_user(request, f"Nothing is saved yet. {trial.words}", messages.INFO)
        trial.is_over = True
        return self._page(request, object_id, form_url, context)

    def _page(self, *args: Any) -> HttpResponse:
        response: HttpResponse = super().changeform_view(*args)
        return response

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form_class = super().get_form(request, obj, change=change, **kwargs)
        trial: _Trial | None = getattr(request, TRY, None)
        if trial is None or not trial.is_over:
            return form_class

        # Never valid, so that the admin shows the form as it was filled instead of saving it.
        return type("TriedForm", (form_class,), {"is_valid": lambda form: False})

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._tried(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._tried(request, obj) or super().response_change(request, obj)

    def _tried(self, request: HttpRequest, obj: Any) -> HttpResponse | None:
        trial: _Trial | None = getattr(request, TRY, None)
        if trial is None:
            return None
        trial.words = self.trial_words(obj)
        return HttpResponseRedirect(request.path)  # never sent


class _Trial:
    words = ""
    is_over = False
