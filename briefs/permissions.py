"""How pages ask for a named permission, and what they tell only some people."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django_htmx.http import HttpResponseClientRedirect

View = Callable[..., HttpResponse]
PERSONAL_DATA = "personas.view_personal_data"  # of thousands of people at once
RUNS_SAVEDESK = "webhooks.run_savedesk"  # in no role: those who can use commands and settings
# The part of a sentence that names a command or a variable of the environment, up to its end.
_TECHNICAL = re.compile(r"\s*[:;,(]?[^:;,(]*(?:\bmanage\.py\b|\b[A-Z]{2,}_[A-Z_]{2,}\b).*", re.S)


def people_who(permission: str) -> QuerySet[Any]:
    """The active people who have this permission, in no order."""
    people: Any = get_user_model()._default_manager
    # There are several backends; this one knows groups.
    found: QuerySet[Any] = people.with_perm(
        permission, backend="django.contrib.auth.backends.ModelBackend"
    )
    return found


def without_settings(user: Any, words: str) -> str:
    """The words without what only those can use who run Savedesk, for all others."""
    if user is not None and user.has_perm(RUNS_SAVEDESK):
        return words
    return _TECHNICAL.sub("", words)


def needs(permission: str) -> Callable[[View], View]:
    """For people who are signed in and have this permission; others are sent to the sign-in.

    The view raises PermissionDenied with the permission's name, by which the page of the refusal
    tells which role has it.
    """

    def decorate(view: View) -> View:
        @login_required
        @wraps(view)
        def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.has_perm(permission):
                raise PermissionDenied(permission)
            return view(request, *args, **kwargs)

        @wraps(asked)
        def first(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            response = asked(request, *args, **kwargs)
            is_part = getattr(request, "htmx", False) and not request.user.is_authenticated
            # Or the list would be looked for in the sign-in, not be found, and vanish.
            return HttpResponseClientRedirect(response["Location"]) if is_part else response

        return first

    return decorate
