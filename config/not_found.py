"""What is said of an address that does not exist: a page to people, a problem to programs."""

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from briefs.api import problems


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path_info.startswith("/api/"):
        return problems.refusal(404, "There is no such address.")
    return defaults.page_not_found(request, exception)
