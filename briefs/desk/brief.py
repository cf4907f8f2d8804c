"""The page of one brief: who, what happened, what to do, and why."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from briefs.desk.forms import ActForm, forms_of
from briefs.desk.returning import brief_address, list_address, origin
from briefs.dossier.dossier import Dossier, Situation
from briefs.dossier.loading import in_full
from briefs.dossier.research import WAITING
from briefs.downloads import brief as downloads
from briefs.finding import asking, known_values, tabs
from briefs.models import Brief
from briefs.permissions import needs
from briefs.triage.freshness import News, Seen


@needs("briefs.view_brief")
@require_safe
def brief(request: HttpRequest, pk: int) -> HttpResponse:
    return page(request, find(pk))


def find(pk: int) -> Brief:
    return get_object_or_404(in_full(Brief.objects.all()), pk=pk)


def page(
    request: HttpRequest,
    brief: Brief,
    sent: ActForm | None = None,
    status: int = 200,
    news: News | None = None,
) -> HttpResponse:
    """The page; with what arrived since the page before it, if that made a form come back.

    `sent` is the form that comes back, with what was entered and its faults.
    """
    # Before the rest is read: what arrives in between is told when a form is sent.
    based_on = Seen.of(brief)
    dossier = Dossier(brief, Situation(request.user))
    here = origin(request)
    context = {
        "dossier": dossier,
        "why_no_thresholds": known_values.why_no_thresholds() if brief.is_open else "",
        "news": news,
        "based_on": based_on,
        "from": here,
        "here": brief_address(request, brief.pk),
        "back": list_address(here),
        "next": request.POST.get("next", ""),  # a form that comes back leads on as it did
        "back_label": tabs.label_of(asking.pairs(here).get("state", "")),
        "sent_form": sent,
        **(forms_of(brief, sent) if request.user.has_perm("briefs.work_brief") else {}),
    }
    return render(request, "briefs/brief.html", context, status=status)


@needs("briefs.view_brief")
@require_safe
def download(request: HttpRequest, pk: int) -> HttpResponse:
    """What the page shows, as Markdown."""
    return downloads.response(Dossier(find(pk), Situation(request.user)), request)


def research(request: HttpRequest, pk: int) -> HttpResponse:
    """The research section alone, for the page to poll. Answers 204 if nothing is new.

    A profile that arrived also changes the head and the playbook, so then the page is reloaded.
    The forms in the section stay based on what the page around it shows.
    """
    if not request.user.is_authenticated:  # the login page must not be shown inside the section
        return HttpResponseClientRefresh()
    return _section(request, pk)


@needs("briefs.view_brief")
@require_safe
def _section(request: HttpRequest, pk: int) -> HttpResponse:
    # A profile that arrived also changes the head and the playbook: then the page is reloaded.
    dossier = Dossier(find(pk), Situation(request.user))
    shown = request.GET.get("seen")
    if shown == dossier.research.seen:
        return HttpResponse(status=204)
    if shown == WAITING:
        return HttpResponseClientRefresh()
    context = {
        "dossier": dossier,
        "based_on": request.GET.get("based_on", ""),
        "from": origin(request),
    }
    return render(request, "briefs/_research_arrived.html", context)
