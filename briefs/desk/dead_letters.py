"""Dead letters: what was given up, grouped by reason, and tried again by whoever may."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from briefs.dead_letters import letters, replaying
from briefs.dead_letters.letters import Choice, Kind
from briefs.permissions import needs

PAGE_SIZE = 25
LONGEST = 200  # characters of the words of a filter


@needs(replaying.PERMISSION)
@require_http_methods(["GET", "HEAD", "POST"])
def dead_letters(request: HttpRequest) -> HttpResponse:
    """GET: the list. POST: what a replay would do, or with `sure` the replay itself."""
    if request.method != "POST":
        return _list(request)
    choice = _choice(request.POST)
    if not request.POST.get("sure"):
        return _page(request, choice, prospect=replaying.look(choice, request.user))
    outcome = replaying.replay_letters(choice, request.user)
    level = messages.SUCCESS if outcome.number and not outcome.left else messages.WARNING
    messages.add_message(request, level, _words(outcome))
    return redirect("briefs:dead_letters")


def _words(outcome: replaying.Outcome) -> str:
    if not outcome.number and not outcome.left:
        return "Nothing was replayed: it was already, or somebody else did."
    return outcome.words


def _list(request: HttpRequest) -> HttpResponse:
    choice = _choice(request.GET)
    return _page(request, choice)


def _page(
    request: HttpRequest, choice: Choice, prospect: replaying.Outcome | None = None
) -> HttpResponse:
    groups = choice.groups()
    opened = groups[0] if choice.group and groups else None
    context: dict[str, Any] = {
        "section": "health",
        "choice": choice,
        "kinds": Kind.choices,
        "groups": groups,
        "number": sum(group.number for group in groups),
        "opened": opened,
        "tests": letters.tests().count(),
        "prospect": prospect,
        "is_filtered": choice != Choice(),
        "here": reverse("briefs:dead_letters"),
    }
    if opened:
        rows = choice.rows(opened.kind).values_list("pk", flat=True)
        page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
        told = letters.letters(opened.kind, page.object_list)
        context |= {"page": page, "letters": [told[key] for key in page if key in told]}
    return render(request, "briefs/dead_letters.html", context)


def _choice(given: QueryDict) -> Choice:
    """What address or form say; what they say wrongly is left out."""
    kinds = [Kind(one) for one in given.getlist("kind") if one in Kind.values]
    return Choice(
        kinds=tuple(kinds),
        words=given.get("reason", "").strip()[:LONGEST].replace("\0", ""),
        group=given.get("group", "")[:16],
        names=tuple(given.getlist("id")[:PAGE_SIZE]),
    )
