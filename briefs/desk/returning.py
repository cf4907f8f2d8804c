"""The way back from a brief to the list that led to it: its tab, filters, order and page.

Only what the inbox knows travels, and never an address, so that nobody can be led elsewhere.
"""

import re
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from briefs.finding import asking
from briefs.models import Brief

NAME = "from"
_BRIEF = re.compile(r"/briefs/\d{1,18}/(?:\w+/)?")


def origin(request: HttpRequest) -> str:
    """The query string of the list from which somebody came; empty if it is not known."""
    given = request.POST.get(NAME) or request.GET.get(NAME) or _of_the_page_before(request)
    return asking.kept(asking.pairs(given))


def _of_the_page_before(request: HttpRequest) -> str:
    """For forms that do not name it: the browser does."""
    before = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(before, {request.get_host()}):
        return ""
    parts = urlsplit(before)
    if parts.path == reverse("briefs:inbox"):
        return parts.query
    if _BRIEF.fullmatch(parts.path):
        asked = asking.pairs(parts.query)
        return asked.get(NAME) or urlsplit(asked.get("next", "")).query  # the form to log a contact
    return ""


def list_address(query: str) -> str:
    return reverse("briefs:inbox") + (f"?{query}" if query else "")


def brief_address(request: HttpRequest, pk: int) -> str:
    """Of the brief's page, which still knows the list that led to it."""
    query = origin(request)
    address = reverse("briefs:brief", args=[pk])
    return address + (f"?{urlencode({NAME: query})}" if query else "")


def to_brief(request: HttpRequest, brief: Brief) -> HttpResponse:
    return redirect(brief_address(request, brief.pk))
