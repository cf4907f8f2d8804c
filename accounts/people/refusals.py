"""The page of every refusal: what is missing, in words, and whom to ask for it."""

from collections.abc import Iterator

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.models import Role, roles

# The acts of admin pages, by the last word of their names.
ACTS = {"add": "add", "change": "change", "delete": "delete", "changelist": "view"}


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answers every PermissionDenied outside the REST API, which has its own JSON."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if request.headers.get("HX-Request"):
        # The page that asked was open when the right was taken away: load it anew, in full.
        return HttpResponse(status=403, headers={"HX-Refresh": "true"})
    context = {
        "reader": request.user,
        "role": roles.role_of(request.user),
        "needed": next(iter(_needed(request, exception)), ""),
        "words": _words(exception),
        "leads": roles.leads().exclude(pk=request.user.pk),
    }
    return render(request, "403.html", context, status=403)


def lowest(permission: str) -> Role | None:
    """The first role that has this permission."""
    return next((role for role in Role if permission in roles.ADDED[role]), None)


def _needed(request: HttpRequest, exception: Exception) -> Iterator[Role]:
    """The role that is missing, where the exception or the address names a permission."""
    asked = [str(word) for word in exception.args]
    match = request.resolver_match
    if match and match.namespace == "admin":
        model, _, act = (match.url_name or "").rpartition("_")
        app, _, name = model.partition("_")
        asked.append(f"{app}.{ACTS.get(act, 'change')}_{name}")
        if not request.user.is_staff:
            yield next(role for role in Role if role.enters_admin)
    for permission in asked:
        role = lowest(permission)
        if role and not request.user.has_perm(permission):
            yield role


def _words(exception: Exception) -> str:
    """A sentence of ours that the exception carries; a permission's name is none."""
    words = str(exception.args[0]) if exception.args else ""
    return words if " " in words else ""
