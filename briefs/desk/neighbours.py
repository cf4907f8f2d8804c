"""Which brief comes after one in the list that led to it, so that one can go on with it."""

from django.http import HttpRequest

from briefs.desk.inbox import PAGE_SIZE
from briefs.desk.lines import of_open_fold
from briefs.desk.returning import origin
from briefs.finding import asking
from briefs.finding.listing import Listing, listing
from briefs.models import Brief


def after(request: HttpRequest, brief: Brief) -> int | None:
    """The key of the next open brief; None if this is the last, or not near its page any more.

    Ask before the brief is closed, while it is in the list. Only its page and the pages beside it
    are read: to read a list of 200,000 takes a second.
    """
    query = asking.pairs(origin(request))
    number = query.get("page", "")
    page = int(number) if number.isascii() and number.isdigit() and len(number) < 7 else 1
    first = PAGE_SIZE * max(page - 2, 0)
    shown = listing(query, request)
    lines = list(shown.keys[first : PAGE_SIZE * (page + 1)])
    keys = _unfolded(lines, shown, query.get(asking.UNFOLDED, ""))
    below = keys[keys.index(brief.pk) + 1 :] if brief.pk in keys else []
    open_ones = set(Brief.objects.open().filter(pk__in=below).values_list("pk", flat=True))
    return next((key for key in below if key in open_ones), None)


def _unfolded(lines: list[int], shown: Listing, cause: str) -> list[int]:
    """With the briefs of the open fold in the place of its line, as the page shows them."""
    firsts = shown.folds.firsts
    of_fold = next((key for key in lines if key in firsts and str(firsts[key]) == cause), None)
    if of_fold is None:
        return lines
    place = lines.index(of_fold)
    own = of_open_fold(shown.found.qs, int(cause)).values_list("pk", flat=True)
    return [*lines[:place], *own, *lines[place + 1 :]]
