"""Whether single keys do something on the pages: each person may switch them off (WCAG 2.1.4)."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.models import Preferences


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest) -> HttpResponse:
    """A box that is not ticked is not sent: then the keys are off."""
    if request.method == "POST":
        user: Any = request.user
        are_on = "keys" in request.POST
        Preferences.objects.update_or_create(user=user, defaults={"is_without_keys": not are_on})
        messages.success(
            request,
            "Single keys work on the pages from now on."
            if are_on
            else "Single keys do nothing any more.",
        )
    return redirect("accounts:account")
