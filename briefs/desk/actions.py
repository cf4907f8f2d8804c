"""What a person does with a brief. Each action is a POST that ends in a redirect and a message.

Two people may act at the same time, or one person may click twice. The model's transition decides
who was first; the other person is told what happened, and what they wrote is kept.
"""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from briefs.desk.brief import find, page
from briefs.desk.forms import CloseForm
from briefs.links import user_name
from briefs.models import Brief
from briefs.research import renewal
from briefs.research import working as research_steps
from briefs.research.renewal import Renewal

Action = Callable[[HttpRequest, Brief], HttpResponse]


def _action(permission: str) -> Callable[[Action], Callable[[HttpRequest, int], HttpResponse]]:
    """By POST, for who has the permission. A GET, which follows a new sign-in, shows the brief."""

    def decorate(act: Action) -> Callable[[HttpRequest, int], HttpResponse]:
        @login_required
        @permission_required(permission, raise_exception=True)
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(act)
        def view(request: HttpRequest, pk: int) -> HttpResponse:
            brief = find(pk)
            return act(request, brief) if request.method == "POST" else redirect(brief)

        return view

    return decorate


@_action("briefs.work_brief")
@transaction.atomic
def assign(request: HttpRequest, brief: Brief) -> HttpResponse:
    """Take the brief, unless somebody took it since the page was loaded."""
    Brief.objects.select_for_update().get(pk=brief.pk)
    brief = find(brief.pk)
    if brief.is_open and brief.assignee == request.user:
        messages.info(request, "This brief is yours already.")
    elif brief.is_open and str(brief.assignee_id or "") != request.POST.get("seen", ""):
        who = f"{user_name(brief.assignee)} took" if brief.assignee else "somebody put back"
        messages.warning(request, f"Meanwhile {who} this brief. It was left as it is.")
    elif brief.assign(request.user, request.user):
        messages.success(request, "The brief is yours.")
    else:
        messages.warning(request, f"This brief was closed meanwhile: {_outcome(brief)}.")
    return redirect(brief)


@_action("briefs.work_brief")
def close(request: HttpRequest, brief: Brief) -> HttpResponse:
    form = CloseForm(request.POST)
    if not form.is_valid():
        return page(request, brief, form, status=422)
    outcome, note = form.cleaned_data["outcome"], form.cleaned_data["note"]
    with transaction.atomic():
        is_closed = brief.close(outcome, note, request.user)
        if is_closed and form.cleaned_data["is_persona_wrong"]:
            Brief.objects.filter(pk=brief.pk).update(is_persona_wrong=True)
            brief.log("said that the persona was wrong", request.user)
    if is_closed:
        messages.success(request, f"Closed: {_outcome(brief)}.")
    elif (brief.outcome, brief.closing_note) == (outcome, note):  # a second click on one button
        messages.info(request, f"This brief is closed already: {_outcome(brief)}.")
    else:
        brief.log(_too_late(form), request.user)
        messages.warning(
            request,
            f"Somebody closed this brief before you: {_outcome(brief)}. This is not changed; what "
            "you chose and wrote is kept in the timeline.",
        )
    return redirect(brief)


def _too_late(form: CloseForm) -> str:
    """For the timeline: what somebody entered after another person had closed the brief."""
    words = [f"meant to close it as well: {Brief.Outcome(form.cleaned_data['outcome']).label}"]
    if form.cleaned_data["is_persona_wrong"]:
        words.append("the persona was wrong")
    if note := form.cleaned_data["note"]:
        words.append(note)
    return " · ".join(words)


def _outcome(brief: Brief) -> str:
    return brief.get_outcome_display()


@_action("briefs.buy_research")
def retry_research(request: HttpRequest, brief: Brief) -> HttpResponse:
    """Queue a failed question again; like any other it waits for budget and pace."""
    if not brief.is_open:
        messages.warning(request, "This brief is closed: nobody waits for its research any more.")
        return redirect(brief)
    match renewal.restart(brief, request.user):
        case Renewal.ASKED:
            messages.success(request, "The research is queued again.")
        case Renewal.JOINED:
            messages.success(request, "Another brief has asked the same: its answer serves both.")
        case Renewal.ANSWERED:
            messages.success(request, "Another brief had the answer already: it is shared now.")
        case Renewal.UNDER_WAY:
            messages.info(request, "This question is under way or answered already.")
        case Renewal.NOT_POSSIBLE:
            messages.warning(request, "There is no research to retry.")
    # robust: if no worker can be woken, the row is queued all the same and the sweep finds it.
    transaction.on_commit(research_steps.wake, robust=True)
    return redirect(brief)


@_action("briefs.buy_research")
def renew(request: HttpRequest, brief: Brief) -> HttpResponse:
    """Ask the brief's question again; its present answer is shown until the fresh one arrives."""
    if not brief.is_open:
        messages.warning(request, "This brief is closed: nobody waits for a fresh answer.")
        return redirect(brief)
    level, words = _RENEWED[renewal.renew(brief, request.user)]
    # robust: if no worker can be woken, the row is queued all the same and the sweep finds it.
    transaction.on_commit(research_steps.wake, robust=True)
    messages.add_message(request, level, words)
    return redirect(brief)


_RENEWED = {
    Renewal.ASKED: (
        messages.SUCCESS,
        "A fresh answer was asked for. The present one stays until it is there.",
    ),
    Renewal.JOINED: (
        messages.SUCCESS,
        "The same question is being researched for another brief: its answer comes here as well, "
        "for 0 credits. The present one stays until then.",
    ),
    Renewal.ANSWERED: (
        messages.SUCCESS,
        "A newer answer to the same question was there already: the brief rests on it now, for 0 "
        "credits.",
    ),
    Renewal.UNDER_WAY: (messages.INFO, "A fresh answer is under way already."),
    Renewal.NOT_POSSIBLE: (
        messages.WARNING,
        "No fresh answer can be asked for: the brief stands on no answer, or its persona buys no "
        "research. It was left as it is.",
    ),
}
