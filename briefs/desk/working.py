"""What people do with a brief beside taking and closing it: each is a POST, as in `actions`."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme

from briefs.desk.actions import BASED_ON, action, closed_meanwhile, elsewhere, outcome
from briefs.desk.brief import find
from briefs.desk.forms import (
    AssignForm,
    CommentForm,
    ContactForm,
    CorrectForm,
    ReopenForm,
    SnoozeForm,
)
from briefs.desk.returning import to_brief
from briefs.dossier.dossier import Dossier, Situation
from briefs.links import user_name
from briefs.models import Brief
from briefs.permissions import needs
from briefs.triage import assigning, commenting, contacting, correcting, reopening, snoozing
from briefs.triage.assigning import Assigning, GivingBack
from briefs.triage.closing import Ending
from briefs.triage.contacting import Contact, Contacting
from briefs.triage.correcting import Correcting
from briefs.triage.freshness import Seen
from briefs.triage.reopening import Reopening
from briefs.triage.snoozing import Snooze, Snoozing, Waking

WORK = "briefs.work_brief"


def contact(request: HttpRequest, pk: int) -> HttpResponse:
    """GET: the form alone, to which the list leads. POST: log the contact."""
    return _log_contact(request, pk) if request.method == "POST" else _contact_page(request, pk)


@needs(WORK)
def _contact_page(request: HttpRequest, pk: int) -> HttpResponse:
    brief = find(pk)
    if not brief.is_open:
        messages.warning(request, closed_meanwhile(brief))
        return to_brief(request, brief)
    context = {
        "based_on": Seen.of(brief),
        "contact_form": ContactForm(brief),
        "dossier": Dossier(brief, Situation(request.user)),
        "next": request.GET.get("next", ""),
    }
    return render(request, "briefs/contact.html", context)


@action(WORK, ContactForm)
def _log_contact(request: HttpRequest, brief: Brief, entered: Contact) -> HttpResponse:
    logged = contacting.log(brief, request.user, request.POST.get(BASED_ON, ""), entered)
    if logged == Contacting.CLOSED:
        messages.warning(request, closed_meanwhile(find(brief.pk)))
    else:
        messages.success(request, "The contact is logged.")
    back = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure()):
        return redirect(back)
    return to_brief(request, brief)


@action(WORK, AssignForm)
def give(request: HttpRequest, brief: Brief, to: Any) -> HttpResponse:
    """Assign the brief to a colleague."""
    came = assigning.assign(brief, request.user, request.POST.get(BASED_ON, ""), to)
    match came:
        case Assigning.ASSIGNED:
            messages.success(request, f"The brief is {user_name(to)}'s.")
        case Assigning.SAME:
            messages.info(request, f"This brief is {user_name(to)}'s already.")
        case Assigning.CANNOT:
            messages.warning(request, f"{user_name(to)} does not work on briefs any more.")
        case Assigning.ELSEWHERE:
            messages.warning(request, elsewhere(find(brief.pk)))
        case Assigning.CLOSED:
            messages.warning(request, closed_meanwhile(find(brief.pk)))
    return to_brief(request, brief)


@action(WORK)
def give_back(request: HttpRequest, brief: Brief) -> HttpResponse:
    """Make the brief unassigned."""
    came = assigning.give_back(brief, request.user, request.POST.get(BASED_ON, ""))
    match came:
        case GivingBack.UNASSIGNED:
            messages.success(request, "The brief is unassigned.")
        case GivingBack.NOBODYS:
            messages.info(request, "This brief is unassigned already.")
        case GivingBack.ELSEWHERE:
            messages.warning(request, elsewhere(find(brief.pk)))
        case GivingBack.CLOSED:
            messages.warning(request, closed_meanwhile(find(brief.pk)))
    return to_brief(request, brief)


@action(WORK, SnoozeForm)
def snooze(request: HttpRequest, brief: Brief, entered: Snooze) -> HttpResponse:
    came = snoozing.snooze(brief, request.user, request.POST.get(BASED_ON, ""), entered)
    if came == Snoozing.CLOSED:
        messages.warning(request, closed_meanwhile(find(brief.pk)))
    else:
        messages.success(request, "The brief is snoozed. It wakes at once if they signal again.")
    return to_brief(request, brief)


@action(WORK)
def wake(request: HttpRequest, brief: Brief) -> HttpResponse:
    came = snoozing.wake(brief, request.user, request.POST.get(BASED_ON, ""))
    if came == Waking.ALREADY:
        messages.info(request, "This brief is not snoozed any more.")
    else:
        messages.success(request, "The brief is awake.")
    return to_brief(request, brief)


@action(WORK, CommentForm)
def comment(request: HttpRequest, brief: Brief, text: str) -> HttpResponse:
    said = commenting.comment(brief, request.user, request.POST.get(BASED_ON, ""), text)
    messages.success(request, "Your comment is there.")
    if said.unknown:
        names = ", ".join(f"@{name}" for name in said.unknown)
        messages.warning(
            request, f"Nobody is mentioned by {names}: it is not one person's name here."
        )
    return to_brief(request, brief)


@action(WORK, CorrectForm)
def correct(request: HttpRequest, brief: Brief, ending: Ending) -> HttpResponse:
    came = correcting.correct(brief, request.user, request.POST.get(BASED_ON, ""), ending)
    brief = find(brief.pk)
    match came:
        case Correcting.CORRECTED:
            messages.success(request, f"Corrected: it ended as {outcome(brief)}.")
        case Correcting.SAME:
            messages.info(request, "Nothing was changed: it says this already.")
        case Correcting.OPEN:
            messages.warning(request, "This brief was reopened meanwhile.")
        case Correcting.WITHDRAWN:
            messages.warning(request, "Savedesk withdrew this brief: nobody said how it ended.")
    return to_brief(request, brief)


@action(WORK, ReopenForm)
def reopen(request: HttpRequest, brief: Brief, why: str) -> HttpResponse:
    came = reopening.reopen(brief, request.user, request.POST.get(BASED_ON, ""), why)
    other = reopening.other_open(brief)
    if came == Reopening.ANOTHER and other:
        messages.warning(request, f"This customer has another open brief: it is brief {other.pk}.")
        return redirect(other)
    if came == Reopening.REOPENED:
        messages.success(request, "The brief is open again, and yours.")
    else:
        messages.info(request, "This brief is open already.")
    return to_brief(request, brief)
