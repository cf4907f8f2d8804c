"""The buttons of a brief. Each is a POST that ends in a redirect and a message.

What is done, and what becomes of two people who act at once, is in briefs/triage/. A form that is
based on an old page comes back with what arrived since, and keeps what was entered.
"""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods

from briefs.desk import neighbours
from briefs.desk.brief import find, page
from briefs.desk.forms import ActForm, CloseForm
from briefs.desk.returning import brief_address, list_address, origin, to_brief
from briefs.links import user_name
from briefs.models import Brief
from briefs.permissions import needs
from briefs.research.renewal import Renewal
from briefs.triage import closing, freshness, researching, taking
from briefs.triage.closing import Closing, Ending
from briefs.triage.freshness import Stale
from briefs.triage.taking import Taking

Action = Callable[..., HttpResponse]
BASED_ON = "based_on"  # the field that says what the page showed


def action(
    permission: str, form_class: type[ActForm] | None = None
) -> Callable[[Action], Callable[[HttpRequest, int], HttpResponse]]:
    """By POST, for who has the permission. A GET, which follows a new sign-in, shows the brief.

    The act gets the brief, and what was entered if it has a form. A form with a fault comes back.
    """

    def decorate(act: Action) -> Callable[[HttpRequest, int], HttpResponse]:
        @needs(permission)
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(act)
        def view(request: HttpRequest, pk: int) -> HttpResponse:
            brief = find(pk)
            if request.method != "POST":
                return to_brief(request, brief)
            form = form_class(brief, request.POST) if form_class else None
            try:
                if form is None:
                    return act(request, brief)
                if form.is_valid():
                    return act(request, brief, form.entered)
            except Stale as stale:
                return page(request, find(pk), form, status=409, news=stale.news)
            except ValidationError as error:
                if form is None:
                    raise
                form.add_error(None, error)
            # Or the next try would not tell what arrived.
            news = freshness.since(brief, request.user, request.POST.get(BASED_ON, ""))
            return page(request, brief, form, status=422, news=news)

        return view

    return decorate


@action("briefs.work_brief")
def assign(request: HttpRequest, brief: Brief) -> HttpResponse:
    """Take the brief, unless somebody took it since the page was loaded."""
    taken = taking.take(brief, request.user, request.POST.get(BASED_ON, ""))
    brief = find(brief.pk)
    match taken:
        case Taking.TAKEN:
            messages.success(request, "The brief is yours.")
        case Taking.YOURS:
            messages.info(request, "This brief is yours already.")
        case Taking.ELSEWHERE:
            messages.warning(request, elsewhere(brief))
        case Taking.CLOSED:
            messages.warning(request, closed_meanwhile(brief))
    return to_brief(request, brief)


def elsewhere(brief: Brief) -> str:
    who = f"{user_name(brief.assignee)} took" if brief.assignee else "somebody put back"
    return f"Meanwhile {who} this brief. It was left as it is."


def closed_meanwhile(brief: Brief) -> str:
    return f"This brief was closed meanwhile: {outcome(brief)}."


@action("briefs.work_brief", CloseForm)
def close(request: HttpRequest, brief: Brief, ending: Ending) -> HttpResponse:
    following = neighbours.after(request, brief)
    closed = closing.close(brief, request.user, request.POST.get(BASED_ON, ""), ending)
    brief = find(brief.pk)
    match closed:
        case Closing.CLOSED:
            messages.success(request, _closed(request, brief))
            if following is None:
                return redirect(list_address(origin(request)))
            return redirect(brief_address(request, following))
        case Closing.ALREADY:
            messages.info(request, f"This brief is closed already: {outcome(brief)}.")
        case Closing.TOO_LATE:
            messages.info(  # after a warning a page keeps what was typed, as not sent
                request,
                f"Somebody closed this brief before you: {outcome(brief)}. This is not changed; "
                "what you chose and wrote is kept in the timeline.",
            )
    return to_brief(request, brief)


def _closed(request: HttpRequest, brief: Brief) -> str:
    """Shown on the page of another brief, so it names this one, and leads back to it."""
    return format_html(
        'Closed: {}. <a href="{}#reopen-form">{}: look at it or reopen it</a>',
        outcome(brief),
        brief_address(request, brief.pk),
        brief.customer.name or brief.customer,
    )


def outcome(brief: Brief) -> str:
    return brief.get_outcome_display()


@action("briefs.buy_research")
def retry_research(request: HttpRequest, brief: Brief) -> HttpResponse:
    """Queue a failed question again; like any other it waits for budget and pace."""
    retried = researching.retry(brief, request.user, request.POST.get(BASED_ON, ""))
    messages.add_message(request, *_RETRIED[retried])
    return to_brief(request, brief)


_RETRIED = {
    Renewal.ASKED: (messages.SUCCESS, "The research is queued again."),
    Renewal.JOINED: (
        messages.SUCCESS,
        "Another brief has asked the same: its answer serves both.",
    ),
    Renewal.ANSWERED: (
        messages.SUCCESS,
        "Another brief had the answer already: it is shared now.",
    ),
    Renewal.UNDER_WAY: (messages.INFO, "This question is under way or answered already."),
    Renewal.CLOSED: (
        messages.WARNING,
        "This brief is closed: nobody waits for its research any more.",
    ),
    Renewal.NOT_POSSIBLE: (messages.WARNING, "There is no research to retry."),
}


@action("briefs.buy_research")
def renew(request: HttpRequest, brief: Brief) -> HttpResponse:
    """Ask the brief's question again; its present answer is shown until the fresh one arrives."""
    asked = researching.renew(brief, request.user, request.POST.get(BASED_ON, ""))
    if asked == Renewal.TOO_YOUNG:
        messages.info(request, researching.too_young_words(find(brief.pk)))
    else:
        messages.add_message(request, *_RENEWED[asked])
    return to_brief(request, brief)


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
        "A newer answer to the same question was there already: the brief shows it now, for 0 "
        "credits.",
    ),
    Renewal.UNDER_WAY: (messages.INFO, "A fresh answer is under way already."),
    Renewal.CLOSED: (
        messages.WARNING,
        "This brief is closed: nobody waits for a fresh answer.",
    ),
    Renewal.NOT_POSSIBLE: (
        messages.WARNING,
        "No fresh answer can be asked for: the brief has no answer, or its persona buys no "
        "research. It was left as it is.",
    ),
}
