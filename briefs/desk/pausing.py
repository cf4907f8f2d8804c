"""Pausing and resuming all research without the admin, for whoever may change its policy."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from briefs.models import ResearchPolicy
from briefs.research import working
from briefs.research.switching import may_switch


@login_required
def pause(request: HttpRequest) -> HttpResponse:
    """POST: stop all research, for the reason that was typed."""
    reason = request.POST.get("reason", "").strip()
    return _switch(request, lambda policy: _pause(request, policy, reason))


@login_required
def resume(request: HttpRequest) -> HttpResponse:
    """POST: let research go on, whoever paused it."""
    return _switch(request, lambda policy: _resume(request, policy))


def _switch(request: HttpRequest, switch: Callable[[ResearchPolicy], None]) -> HttpResponse:
    """Do it under the policy's lock. A GET, as it comes after signing in again, changes nothing."""
    if not may_switch(request.user):
        raise PermissionDenied
    if request.method == "POST":
        with transaction.atomic():
            switch(ResearchPolicy.locked())
            transaction.on_commit(working.wake, robust=True)
    return redirect("briefs:insights")


def _pause(request: HttpRequest, policy: ResearchPolicy, reason: str) -> None:
    if not reason:
        messages.error(request, "Say why, so that others understand it.")
    elif policy.pause(reason):
        messages.success(request, "Research is paused.")
    else:
        messages.warning(request, f"Research was paused already: {policy.paused_reason}")


def _resume(request: HttpRequest, policy: ResearchPolicy) -> None:
    policy.resume()
    messages.success(request, "Research goes on.")
