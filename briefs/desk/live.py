"""What changed since a page was made. Open pages ask every few seconds (static/live.js).

Nearly every answer is “nothing changed” (304), so this is decided before all else, by a few rows
that are found by their keys. Nothing is told before the permission is asked for.
"""

import hashlib
import re
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_safe

from briefs.desk.lines import fold_state
from briefs.finding import asking, folds
from briefs.finding.filters import BriefFilter
from briefs.finding.listing import listing
from briefs.finding.tabs import EXACT
from briefs.links import user_name
from briefs.models import Activity, Brief, Cause, CauseEntry
from briefs.permissions import needs
from briefs.times import span
from briefs.triage.freshness import Seen

NEWEST_SECONDS = 1.5  # for so long all pages of a process share one look at the newest rows
MOST_SHOWN = 200  # rows of a page that are looked at
LONGEST = 120  # characters of an entry of the log
_ROW = re.compile(r"([0-9]{1,18}):([0-9]{1,9})")
_FOLD = re.compile(r"([0-9]{1,18}):([0-9]{1,9}-[0-9]{1,18}-[01])")
_ADDRESS = re.compile(r"/(?:briefs/([0-9]{1,18})/)?live/")
_COUNT = re.compile(r"[0-9]{1,9}")


class UnchangedMiddleware:
    """Answers 304 before the session and the person are read, which takes three times as long.

    Whoever has the tag got it with an answer, in the same session, and learns no more than that
    this answer is still true. A tag is good for a minute at most: so long it takes to notice that
    a session was ended elsewhere.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        said = request.headers.get("If-None-Match")
        asked = _ADDRESS.fullmatch(request.path_info) if said and request.method == "GET" else None
        if asked and said == (_brief_tag(request, asked[1]) if asked[1] else _list_tag(request)):
            return HttpResponseNotModified(headers={"ETag": said})
        return self.get_response(request)


def address(request: HttpRequest, count: int, rendered_at: datetime) -> str:
    """Where the page of a list asks; the script adds which rows it shows.

    count: how many briefs the list has; rendered_at: when that was so.
    """
    query = asking.kept(request.GET.dict())
    said = urlencode({"count": count, "at": rendered_at.isoformat()})
    return f"{reverse('briefs:live')}?{query}{'&' * bool(query)}{said}"


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """JSON: how many briefs the list has that it had not, and which of the shown lines changed."""
    if not request.user.is_authenticated:
        return _signed_out()
    return _list(request)


@needs("briefs.view_brief")
def _list(request: HttpRequest) -> HttpResponse:
    tag = _list_tag(request)  # before the rows are read: what comes in between is told next time
    at = _moment(request.GET.get("at", ""))
    shown, rows = _shown(request), _rows(request)
    # The state of each row that changed; empty if the brief is gone.
    changed = {
        pk: rows[pk][1] if pk in rows else ""
        for pk, revision in shown.items()
        if pk not in rows or rows[pk][0] != revision
    }
    latest = Activity.objects.filter(brief__in=list(changed), at__gt=at).select_related("actor")
    said = {entry.brief_id: _said(entry) for entry in latest.order_by("pk")}
    words: dict[int | str, dict[str, str]] = {
        pk: {"mark": _MARKS.get(state, "Changed"), "said": said.get(pk, "")}
        for pk, state in changed.items()
    }
    found = listing(request.GET, request).found
    words |= _folds(request, found)
    number = _new(request, found, list(shown), at)
    news = [f"{number} new"] if number else []
    if words:
        news.append(f"{len(words)} row{'s' * (len(words) > 1)} changed")
    answer = {"news": " · ".join(news), "rows": words}
    return JsonResponse(answer, headers={"ETag": tag})


_MARKS = {"": "Gone", Brief.State.CLOSED.value: "Closed"}


def _folds(request: HttpRequest, found: BriefFilter) -> dict[int | str, dict[str, str]]:
    """The folds that the page shows and that are others now: more briefs, fewer, another owner."""
    shown = {int(pk): state for pk, state in _FOLD.findall(request.GET.get("folds", ""))}
    if not shown:
        return {}
    counted = folds.of_causes(found.qs, shown).order_by().values("cause").annotate(n=Count("pk"))
    numbers = dict(counted.values_list("cause", "n"))
    return {
        f"fold-{pk}": {"mark": "Changed", "said": f"{numbers.get(pk, 0):,} now"}
        for pk, cause in Cause.objects.in_bulk(shown).items()
        if fold_state(cause, numbers.get(pk, 0)) != shown[pk]
    }


def _new(request: HttpRequest, found: BriefFilter, shown: list[int], at: datetime) -> int:
    """How many briefs came into the list: at least so many, and exactly if it is a single page.

    What a search would find is not counted: it reads every text.
    """
    if request.GET.get("q"):
        return 0
    briefs = found.qs.order_by()
    opened = briefs.filter(created_at__gt=at).exclude(pk__in=shown).count()
    before = request.GET.get("count", "")
    if not _COUNT.fullmatch(before) or int(before) > EXACT:
        return int(opened)
    now = briefs.values("pk")[: EXACT + 1].count()
    went = len(shown) - briefs.filter(pk__in=shown).count()
    return int(max(opened, now - int(before) + went))


@require_safe
def brief(request: HttpRequest, pk: int) -> HttpResponse:
    """JSON: what was done with the brief since its page was made, in words."""
    if not request.user.is_authenticated:
        return _signed_out()
    return _brief(request, pk)


@needs("briefs.view_brief")
def _brief(request: HttpRequest, pk: int) -> HttpResponse:
    headers = {"ETag": _brief_tag(request, pk)}
    revision = _revision(pk)
    if revision is None:
        raise Http404
    seen = Seen.read(request.GET.get("based_on", ""))
    if seen is None or seen.revision == revision:
        return JsonResponse({"news": ""}, headers=headers)
    entries = Activity.objects.filter(brief=pk, pk__gt=seen.newest_activity)
    found = list(entries.select_related("actor").order_by("pk"))
    # What has no entry is shown where it belongs: research that arrived asks for itself.
    if not found:
        return JsonResponse({"news": ""}, headers=headers)
    words = f"{_said(found[-1])}, {_ago(found[-1].at)}"
    if len(found) > 1:
        words += f", and {len(found) - 1} more"
    return JsonResponse({"news": words}, headers=headers)


def _said(entry: Activity) -> str:
    text = " ".join(entry.text.split())
    text = f"{text[:LONGEST]}…" if len(text) > LONGEST else text
    return f"{user_name(entry.actor) if entry.actor else 'Savedesk'} {text}"


def _ago(at: datetime) -> str:
    words = span(timezone.now() - at)
    return "just now" if words == "now" else f"{words} ago"


def _signed_out() -> HttpResponse:
    return HttpResponse(status=401)


def _shown(request: HttpRequest) -> dict[int, int]:
    """The rows of the page by their keys, with the revision that each shows: `12:3,13:7`."""
    found = _ROW.findall(request.GET.get("shown", ""))[:MOST_SHOWN]
    return {int(pk): int(revision) for pk, revision in found}


def _rows(request: HttpRequest) -> dict[int, tuple[int, str]]:
    """These rows as they are now: revision and state."""
    rows = Brief.objects.filter(pk__in=_shown(request)).values_list("pk", "revision", "state")
    return {pk: (revision, state) for pk, revision, state in rows}


def _revision(pk: int | str) -> int | None:
    """Of the brief as it is now; None if it is gone."""
    return Brief.objects.filter(pk=pk).values_list("revision", flat=True).first()


def _moment(text: str) -> datetime:
    """What the page says of when it was made; now if that is no moment."""
    try:
        said = parse_datetime(text)
    except ValueError:
        said = None
    return said if said and timezone.is_aware(said) else timezone.now()


def _list_tag(request: HttpRequest) -> str:
    newest = cache.get_or_set("live:newest", _newest, NEWEST_SECONDS)
    return _tag(request, sorted(_rows(request).items()), newest)


def _brief_tag(request: HttpRequest, pk: int | str) -> str:
    return _tag(request, _revision(pk))


def _newest() -> list[int]:
    """Changes if a brief was opened or an entry written, also about an incident."""
    return [
        model.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        for model in (Brief, Activity, CauseEntry)
    ]


def _minute() -> int:
    return int(time.time() // 60)


def _tag(request: HttpRequest, *now: Any) -> str:
    """Stands for what was answered: to this session and address, in view of these rows.

    The minute: some changes have no entry, and some briefs become overdue by themselves.
    """
    session = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    said = repr((session, request.get_full_path(), now, _minute()))
    return f'"{hashlib.sha256(said.encode()).hexdigest()[:32]}"'
