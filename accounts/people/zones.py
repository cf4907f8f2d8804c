"""Each person sees times in their own time zone, on all pages; programs get UTC."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.models import Preferences
from accounts.models.preferences import zone

PROGRAMS = ("/api/", "/livez", "/readyz", "/metrics")  # probes answer without the database


class ZoneMiddleware:
    """After the session: it asks who the reader is, with the query that pages need anyway."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = "" if _is_for_programs(request) else chosen_zone(request.user)
        with timezone.override(zone(chosen) or timezone.get_default_timezone()):
            return self.get_response(request)


def _is_for_programs(request: HttpRequest) -> bool:
    has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
    return not has_session or request.path.startswith(PROGRAMS)


def chosen_zone(user: object) -> str:
    """The name of the time zone that somebody chose; empty if they chose none."""
    preferences = getattr(user, "preferences", None)  # read with the user, in one query
    return preferences.time_zone if preferences else ""


@lru_cache(maxsize=1)
def choices() -> list[tuple[str, str]]:
    """All zones that are named after a place, and UTC."""
    named = sorted(name for name in available_timezones() if "/" in name and name[0].isupper())
    places = [name for name in named if not name.startswith(("Etc/", "SystemV/", "US/"))]
    default = f"As Savedesk is set up: {settings.TIME_ZONE}"
    return [("", default), ("UTC", "UTC"), *((name, name.replace("_", " ")) for name in places)]


class ZoneForm(forms.Form):
    time_zone = forms.ChoiceField(choices=choices, required=False, label="Time zone")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest) -> HttpResponse:
    form = ZoneForm(request.POST)
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["time_zone"]
        user: Any = request.user
        Preferences.objects.update_or_create(user=user, defaults={"time_zone": name})
        words = name.replace("_", " ") or "as Savedesk is set up"
        messages.success(request, f"Times are shown in your time zone from now on: {words}.")
    elif request.method == "POST":
        messages.error(request, "There is no time zone of this name, so nothing was changed.")
    return redirect("accounts:account")
