"""What is said of an address that does not exist: a page to people, JSON to programs."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path_info.startswith("/api/"):
        return JsonResponse({"detail": "There is no such address."}, status=404)
    return defaults.page_not_found(request, exception)
