"""The pages of the team, for those who may manage people."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from django_otp import user_has_device

from accounts.models import roles
from accounts.people import changing, diary, invitations
from accounts.people.changing import Refused
from accounts.people.forms import PersonForm
from accounts.people.listing import TeamList
from briefs.links import user_name
from briefs.permissions import needs


def _for_leads(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    return never_cache(needs("accounts.manage_people")(view))  # a page may show a password's link


@_for_leads
def team(request: HttpRequest) -> HttpResponse:
    context = {"section": "team", "list": TeamList(request.GET, request.user)}
    return render(request, "accounts/team.html", context)


@_for_leads
def add(request: HttpRequest) -> HttpResponse:
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            person = changing.add(**form.cleaned_data, by=request.user)
        except IntegrityError:  # another lead was a moment earlier
            form.add_error("mail", JUST_TAKEN)
        except Refused as why:
            form.add_error("role", str(why))
        else:
            return _pass_on(request, person)
    context = {"section": "team", "form": form}
    return render(request, "accounts/add.html", context, status=422 if form.errors else 200)


@_for_leads
def person(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(User, pk=pk)
    may_change = roles.may_change(found, request.user)
    role = roles.role_of(found)
    before = {"name": user_name(found), "mail": found.email, "role": role or ""}
    form = PersonForm(request.POST or None, person=found, initial=before)
    if request.method == "POST" and form.is_valid():
        try:
            found, released = changing.change(found.pk, **form.cleaned_data, by=request.user)
        except Refused as why:
            form.add_error("role", str(why))
        except IntegrityError:  # as above
            form.add_error("mail", JUST_TAKEN)
        else:
            messages.success(request, _saved(found, released))
            return redirect("accounts:team")
    context = {
        "section": "team",
        "form": form,
        "person": get_object_or_404(User, pk=pk),  # as stored, not as typed
        "role": role,
        "may_change": may_change,
        "is_self": found == request.user,
        "has_second_factor": user_has_device(found),
        "entries": diary.entries(found),
        "further": [] if found.is_superuser else roles.further(found),
    }
    return render(request, "accounts/person.html", context, status=422 if form.errors else 200)


JUST_TAKEN = "Somebody else was given this address a moment ago."


def _saved(person: User, released: int) -> str:
    words = f"{user_name(person)} is saved."
    if released:
        noun = "brief is" if released == 1 else "briefs are"
        words += f" {released} {noun} unassigned again: the new role does not work on briefs."
    return words


@_for_leads
@require_POST
def new_link(request: HttpRequest, pk: int) -> HttpResponse:
    """A new invitation, or a link for a new password."""
    found = get_object_or_404(User, pk=pk, is_active=True)
    if not roles.may_change(found, request.user) or found == request.user:
        raise PermissionDenied("Only a superuser can change this account, in the admin.")
    return _pass_on(request, found)


def _pass_on(request: HttpRequest, person: User) -> HttpResponse:
    """Send the link. If that is not possible, show it: in this answer only, and stored nowhere."""
    by: Any = request.user
    url = invitations.link(person, request)
    kind = "link for a new password" if person.has_usable_password() else "invitation"
    if invitations.is_sent(person, url, by):
        diary.note(person, by, f"Sent: {kind}.")
        messages.success(request, f"The {kind} is on its way to {person.email}.")
        return redirect("accounts:team")
    diary.note(person, by, f"Shown: {kind}.")
    context = {"section": "team", "person": person, "url": url, "days": invitations.DAYS}
    return render(request, "accounts/link.html", context)


@_for_leads
@require_POST
def deactivate(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(User, pk=pk)
    try:
        found, left = changing.deactivate(pk, request.user)
    except Refused as why:
        messages.error(request, str(why))
        return redirect("accounts:person", pk)
    messages.success(request, f"{user_name(found)} can no longer sign in. {left}")
    return redirect("accounts:team")


@_for_leads
@require_POST
def reactivate(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(User, pk=pk)
    found = changing.reactivate(pk, request.user)
    messages.success(request, f"{user_name(found)} can sign in again, with the role of before.")
    return redirect("accounts:person", pk)
