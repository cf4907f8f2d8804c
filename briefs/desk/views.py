"""Saved views of the inbox: saved from the present address, renamed, removed."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from briefs.desk.forms import ViewForm
from briefs.desk.returning import list_address
from briefs.finding import asking
from briefs.models import SavedView
from briefs.permissions import needs


@needs("briefs.work_brief")
@require_http_methods(["GET", "HEAD", "POST"])
def save(request: HttpRequest) -> HttpResponse:
    """Keep what the list shows at present under a name."""
    if request.method != "POST":
        return redirect("briefs:inbox")
    form, asked = (
        ViewForm(request.POST),
        asking.checked(request.POST.get("query", ""), request.user),
    )
    if not form.is_valid():
        messages.error(request, f"The view was not saved. {_faults(form)}")
        return redirect(list_address(asked.query))
    if len(asked.query) > asking.LONGEST:
        messages.error(request, f"The view was not saved. {asking.TOO_LONG}")
        return redirect(list_address(asked.query))
    owner: Any = request.user
    view = SavedView(owner=owner, query=asked.query, **form.cleaned_data)
    if _is_written(request, view):
        messages.success(request, f"The view “{view}” is saved{' for the team' * view.is_team}.")
    if asked.left_out:
        messages.warning(request, f"Left out of the view: {'; '.join(asked.left_out)}.")
    return redirect(list_address(asked.query))


@needs("briefs.work_brief")
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the view another name, share it or not, or remove it."""
    view = get_object_or_404(SavedView.objects.seen_by(request.user), pk=pk)
    if request.method != "POST":
        return redirect(list_address(view.query))
    if not view.may_be_changed_by(request.user):
        raise PermissionDenied("briefs.change_savedview")
    if "remove" in request.POST:
        view.delete()
        messages.success(request, f"The view “{view}” is removed. Its briefs are as they were.")
        return redirect(list_address(view.query))
    form = ViewForm(request.POST)
    if not form.is_valid():
        messages.error(request, f"The view was not changed. {_faults(form)}")
        return redirect(list_address(view.query))
    view.name, view.is_team = form.cleaned_data["name"], form.cleaned_data["is_team"]
    if _is_written(request, view):
        messages.success(request, f"The view is called “{view}” now.")
    return redirect(list_address(view.query))


def _is_written(request: HttpRequest, view: SavedView) -> bool:
    """Save the view, unless its name is taken; tell which."""
    try:
        with transaction.atomic():
            if view.shares_its_name():
                raise IntegrityError
            view.save()
    except IntegrityError:
        whose = "The team has" if view.is_team else "You have"
        messages.error(request, f"{whose} a view called “{view}” already. Choose another name.")
        return False
    return True


def _faults(form: ViewForm) -> str:
    return " ".join(str(error) for errors in form.errors.values() for error in errors)
