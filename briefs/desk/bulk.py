"""One act on many briefs: chosen in the list, counted on a page, done from there, and undone.

It works without JavaScript: ticks and one form in the list, then one page for each act.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from briefs.desk.forms import ActForm, AssignForm, CloseForm, ContactForm, SnoozeForm
from briefs.desk.returning import list_address
from briefs.finding import asking, folds, tabs
from briefs.finding.filters import BriefFilter
from briefs.finding.listing import listing
from briefs.models import Brief, BulkAct, BulkPart
from briefs.models.queryset import BriefQuerySet
from briefs.permissions import needs
from briefs.triage import bulk, bulk_acting, bulk_undoing
from briefs.triage.bulk_undoing import Undoing
from webhooks.clock import database_now

Kind = BulkAct.Kind
_FORMS: dict[str, type[ActForm]] = {
    Kind.ASSIGN: AssignForm, Kind.SNOOZE: SnoozeForm, Kind.CONTACT: ContactForm,
    Kind.CLOSE: CloseForm,
}  # fmt: skip
_DONE = {
    Kind.ASSIGN: "assigned", Kind.SNOOZE: "snoozed", Kind.CONTACT: "in hand, contact logged",
    Kind.CLOSE: "closed",
}  # fmt: skip


@needs(bulk.PERMISSION)
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest) -> HttpResponse:
    """Keep what was chosen in the list, and show how many briefs that are."""
    query = asking.kept(asking.pairs(request.POST.get("query", "")))
    kind, which = request.POST.get("kind", ""), request.POST.get("which", "")
    if request.method != "POST" or kind not in Kind.values:
        return redirect(list_address(query))
    if len(query) > asking.LONGEST:  # cut off, it would be another list
        messages.warning(request, asking.TOO_LONG)
        return redirect(list_address(query))
    keys, causes = request.POST.getlist("brief"), request.POST.getlist("fold")
    if which == "page":
        keys = request.POST.get("shown", "").split(",")
        causes = request.POST.getlist("shown_fold")
    found, matching = _numbers(keys), 0
    if causes:
        folded = folds.of_causes(_list(request, query), _numbers(causes)).by_urgency()
        found += folded.values_list("pk", flat=True)
    if which == "all":
        found, matching = _all_that_match(request, query)
    if not found:
        messages.warning(request, "No brief was chosen. Tick some, or take the page.")
        return redirect(list_address(query))
    act = bulk.choose(found, request.user, kind, query, matching)
    return redirect("briefs:bulk_act", act.pk)


def _all_that_match(request: HttpRequest, query: str) -> tuple[list[int], int]:
    """The open briefs of the list, in its order, as many as one act takes; and how many match.

    A search's newest come first.
    """
    briefs = _list(request, query)
    ordered = listing(asking.pairs(query), request).ordered(briefs)
    keys = list(ordered.values_list("pk", flat=True)[: bulk.MOST])
    return keys, briefs.count() if len(keys) == bulk.MOST else len(keys)


def _list(request: HttpRequest, query: str) -> BriefQuerySet:
    """The open briefs of the list."""
    asked = {"state": tabs.DEFAULT, **asking.pairs(query)}
    briefs: BriefQuerySet = BriefFilter(asked, queryset=Brief.objects.open(), request=request).qs
    return briefs


def _numbers(given: Iterable[str]) -> list[int]:
    """The keys among these words."""
    return [int(key) for key in given if key.isascii() and key.isdigit() and len(key) < 19]


@needs(bulk.PERMISSION)
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest, pk: int) -> HttpResponse:
    """The number first, with what is asked for; then what was done."""
    chosen = get_object_or_404(BulkAct, pk=pk, actor=request.user)
    if chosen.begun_at is not None:
        is_second_click = request.method == "POST"
        return redirect("briefs:bulk_act", pk) if is_second_click else _page(request, chosen)
    form = _FORMS[chosen.kind](_stand_in(chosen), request.POST or None)
    if request.method != "POST":
        return _page(request, chosen, form)
    try:
        if form.is_valid():
            bulk_acting.ACTS[chosen.kind](chosen, request.user, form.entered)
            return redirect("briefs:bulk_act", chosen.pk)
    except ValidationError as error:
        form.add_error(None, error)
    return _page(request, chosen, form, status=422)


def _stand_in(chosen: BulkAct) -> Brief:
    """A brief that asks for what any of these asks for."""
    moment = database_now() if bulk.is_any_moved(chosen) else None
    return Brief(due_at=moment, due_moved_at=moment)


@needs(bulk.PERMISSION)
@require_http_methods(["GET", "HEAD", "POST"])
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    done = get_object_or_404(BulkAct, pk=pk, actor=request.user)
    if request.method == "POST":
        match bulk_undoing.undo(done, request.user):
            case Undoing.ALREADY:
                messages.info(request, "This was undone already.")
            case Undoing.TOO_LATE:
                messages.warning(
                    request, "The minute is over, so nothing was undone. Open a brief to change it."
                )
            case Undoing.UNDONE:
                pass  # the page says it
    return redirect("briefs:bulk_act", done.pk)


def _page(
    request: HttpRequest, chosen: BulkAct, form: ActForm | None = None, status: int = 200
) -> HttpResponse:
    status_of = BulkPart.Status
    context: dict[str, Any] = {
        "section": "inbox",
        "act": chosen,
        "form": form,
        "chosen": bulk.number(chosen, status_of.CHOSEN),
        "done": bulk.number(chosen, status_of.DONE),
        "undone": bulk.number(chosen, status_of.UNDONE),
        "done_words": _DONE[Kind(chosen.kind)],
        "left_out": bulk.left_alone(chosen, BulkPart.LEFT_OUT),
        "kept": bulk.left_alone(chosen, BulkPart.KEPT),
        "undo_until": chosen.undo_until,
        "back": list_address(chosen.query),
        "most": bulk.MOST,
    }
    return render(request, "briefs/bulk.html", context, status=status)
