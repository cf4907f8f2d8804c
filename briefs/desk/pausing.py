"""Pausing and resuming all research without the admin, for people who may change its policy."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from briefs.permissions import needs
from briefs.research import switching


@needs("briefs.change_researchpolicy")
@require_http_methods(["GET", "HEAD", "POST"])
def pause(request: HttpRequest) -> HttpResponse:
    """POST: stop all research. A GET, which follows a new sign-in, changes nothing."""
    if request.method == "POST":
        reason = request.POST.get("reason", "")
        messages.add_message(request, *switching.pause(request.user, reason))
    return redirect("briefs:insights")


@needs("briefs.change_researchpolicy")
@require_http_methods(["GET", "HEAD", "POST"])
def resume(request: HttpRequest) -> HttpResponse:
    """POST: resume research, no matter who paused it. A GET changes nothing."""
    if request.method == "POST":
        messages.add_message(request, *switching.resume(request.user))
    return redirect("briefs:insights")
