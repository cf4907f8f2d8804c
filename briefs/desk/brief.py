"""The page of one brief: who, what happened, what to do, and why."""

from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from briefs.desk.forms import CloseForm
from briefs.dossier.dossier import Dossier, Situation, in_full
from briefs.dossier.research import WAITING
from briefs.models import Brief


@login_required
@permission_required("briefs.view_brief", raise_exception=True)
@require_safe
def brief(request: HttpRequest, pk: int) -> HttpResponse:
    return page(request, find(pk), CloseForm())


def find(pk: int) -> Brief:
    return get_object_or_404(in_full(Brief.objects.all()), pk=pk)


def page(
    request: HttpRequest, brief: Brief, close_form: CloseForm, status: int = 200
) -> HttpResponse:
    dossier = Dossier(brief, Situation(request.user))
    context = {"dossier": dossier, "close_form": close_form}
    return render(request, "briefs/brief.html", context, status=status)


def research(request: HttpRequest, pk: int) -> HttpResponse:
    """The research section alone, for the page to poll. Answers 204 if nothing is new."""
    if not request.user.is_authenticated:  # the login page must not be shown inside the section
        return HttpResponseClientRefresh()
    return _section(request, pk)


@permission_required("briefs.view_brief", raise_exception=True)
@require_safe
def _section(request: HttpRequest, pk: int) -> HttpResponse:
    # A profile that arrived also changes the head and the playbook: then the page is reloaded.
    dossier = Dossier(find(pk), Situation(request.user))
    shown = request.GET.get("seen")
    if shown == dossier.research.seen:
        return HttpResponse(status=204)
    if shown == WAITING:
        return HttpResponseClientRefresh()
    return render(request, "briefs/_research_arrived.html", {"dossier": dossier})
