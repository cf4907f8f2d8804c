"""What a lead decides about signing in: who must have a second factor, who is unlocked."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from accounts.models import SignInPolicy, roles
from accounts.signing_in import factors, lock_out
from briefs.permissions import needs

PAGE = "accounts:sign_in_policy"
manages_people = needs("accounts.manage_people")


class PolicyForm(forms.ModelForm):  # type: ignore[type-arg]  # no subscript when it runs
    class Meta:
        model = SignInPolicy
        fields = ["second_factor"]
        widgets = {"second_factor": forms.RadioSelect}


@manages_people
def policy(request: HttpRequest) -> HttpResponse:
    form = PolicyForm(request.POST or None, instance=SignInPolicy.current())
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect(PAGE)
    context = {"section": "team", "form": form, "locked": lock_out.locked_names()}
    return render(request, "accounts/sign_in_policy.html", context)


@require_POST
@manages_people
def unlock(request: HttpRequest) -> HttpResponse:
    name = request.POST.get("name", "")
    if lock_out.unlock(name):
        messages.success(request, f"{name} may try again now.")
    return redirect(PAGE)


@require_POST
@manages_people
def remove_second_factor(request: HttpRequest, pk: int) -> HttpResponse:
    """For a colleague who lost the app and the recovery codes."""
    user: Any = get_object_or_404(get_user_model(), pk=pk)
    if user == request.user:  # theirs is removed with password and code only
        return redirect("accounts:second_factor")
    if not (request.user.is_superuser or roles.may_change(user, request.user)):
        raise PermissionDenied("Only a superuser can change this account, in the admin.")
    if factors.remove(user, by=request.user):
        messages.success(request, f"The second factor of {user.get_username()} is removed.")
    else:
        messages.info(request, f"{user.get_username()} has no second factor.")
    return redirect(PAGE)
