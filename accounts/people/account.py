"""One's own account: who one is here, and one's password."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse_lazy

from accounts.models import roles
from accounts.people import invitations
from accounts.people.forms import ChangePasswordForm, ForgottenForm
from accounts.people.zones import ZoneForm, chosen_zone
from briefs.links import absolute


@login_required
def account(request: HttpRequest) -> HttpResponse:
    form = ZoneForm(initial={"time_zone": chosen_zone(request.user)})
    context = {"role": roles.role_of(request.user), "leads": roles.leads(), "zone_form": form}
    return render(request, "accounts/account.html", context)


class ChangePassword(auth.PasswordChangeView):
    """Signs the person out everywhere else, as Django does."""

    form_class = ChangePasswordForm
    template_name = "accounts/change_password.html"
    success_url = reverse_lazy("accounts:account")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(
            self.request, "Your password is changed. You are signed out everywhere else."
        )
        return super().form_valid(form)


class Forgotten(auth.PasswordResetView):
    """Only where mail is configured. Says the same whether the address is known or not."""

    template_name = "accounts/forgotten.html"
    form_class = ForgottenForm
    token_generator = invitations.tokens
    email_template_name = "accounts/forgotten.txt"
    subject_template_name = "accounts/forgotten_subject.txt"
    success_url = reverse_lazy("accounts:reset_sent")

    def form_valid(self, form: Any) -> HttpResponse:
        base = absolute("/", self.request).rstrip("/")
        self.extra_email_context = {"base": base, "days": invitations.DAYS}
        return super().form_valid(form)

    def dispatch(self, *args: Any, **kw: Any) -> HttpResponseBase:
        if not settings.EMAIL_IS_CONFIGURED:
            raise Http404
        return super().dispatch(*args, **kw)


class SetPassword(auth.PasswordResetConfirmView):
    """Where an invitation and a reset link lead."""

    template_name = "accounts/set_password.html"
    token_generator = invitations.tokens
    success_url = reverse_lazy("accounts:password_set")

    def get_user(self, uidb64: str) -> Any:
        user = super().get_user(uidb64)
        return user if user and user.is_active else None  # of somebody who left, no link works
