"""Webhook health: for the engineer who asks why no brief appears."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from briefs.links import absolute, may_follow
from briefs.permissions import needs, without_settings
from briefs.templatetags.charts import Column, Series
from briefs.times import length
from operations import figures as facts
from operations import sizes
from operations.pruning.endings import WORDS
from operations.troubles import ANY_AGE, TOLD_AFTER, Ages, Choice, Kind, Trouble, choose
from webhooks.models import Answer
from webhooks.replay import replay

TABLES_SHOWN = 10
ASK = "Ask whoever runs Savedesk for you: it is cured on its machine."
WINDOWS = {"24h": (24, "24 hours"), "48h": (48, "48 hours"), "7d": (168, "7 days")}
SERIES = (
    ("accepted", "Accepted", [Answer.STORED]),
    ("again", "Delivered again", [Answer.DUPLICATE]),
    ("quarantined", "Quarantined", [Answer.QUARANTINED]),
    (
        "rejected",
        "Rejected",
        [Answer.UNSIGNED, Answer.WRONG_SIGNATURE, Answer.TOO_OLD, Answer.TOO_LARGE],
    ),
    ("not-stored", "Could not store", [Answer.NOT_STORED]),
)

# All troubles except research that is paused or fails, which the inbox shows. What the supervisor
# may still repair is shown only after some minutes; events that nobody takes, after one.
CHOSEN: Choice = {
    Kind.NOT_STORED: ANY_AGE,
    Kind.NO_KEY: ANY_AGE,
    Kind.WRONG_SIGNATURE: ANY_AGE,
    Kind.OTHER_SIGNATURE: ANY_AGE,
    Kind.TOO_OLD: ANY_AGE,
    Kind.TOO_LARGE: ANY_AGE,
    Kind.REFUSED_BEFORE: ANY_AGE,
    Kind.UNSIGNED: ANY_AGE,
    Kind.SILENCE: ANY_AGE,
    Kind.QUIET: ANY_AGE,
    Kind.DELIVERED_AGAIN: ANY_AGE,
    Kind.QUARANTINED: ANY_AGE,
    Kind.LISTS: ANY_AGE,
    Kind.NO_EVENT_ID: ANY_AGE,
    Kind.UNVERIFIED: ANY_AGE,
    Kind.MAIL_REFUSED: ANY_AGE,
    Kind.SOME_MAIL_REFUSED: ANY_AGE,
    Kind.NO_BRIEFS: ANY_AGE,
    Kind.FEWER_BRIEFS: ANY_AGE,
    Kind.NOT_TAKEN: ANY_AGE,
    Kind.BEHIND: Ages(timedelta(minutes=10)),
    Kind.UNSWEPT: Ages(TOLD_AFTER),
    Kind.UNSCHEDULED: Ages(TOLD_AFTER),
    Kind.FAILED: ANY_AGE,
    Kind.JOB_FAILED: ANY_AGE,
    Kind.NOT_ASKED: ANY_AGE,
    Kind.SEGMENT: ANY_AGE,
    Kind.SEGMENT_ROWS: ANY_AGE,
    Kind.SEGMENT_UNCOMPARED: ANY_AGE,
    Kind.NOT_PRUNED: ANY_AGE,
    Kind.NOT_ERASED: ANY_AGE,
    Kind.FAILED_GO: ANY_AGE,
}


@needs("webhooks.view_health")
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    window = request.GET.get("window", "")
    if window not in WINDOWS:
        window = "24h"
    figures = facts.Figures()
    usual = figures.gaps.usual
    context = {
        "section": "health",
        "figures": figures,
        "usual_gap": length(usual) if usual else "",
        "is_connected": bool(figures.last_taken_at),
        "is_fresh": not figures.tallies and figures.newest is None,
        "receiver": absolute(reverse("webhooks:receive"), request),
        "troubles": _troubles(figures, request.user),
        "window": window,
        "windows": [(value, words) for value, (_, words) in WINDOWS.items()],
        "sizes": _sizes(figures),
        "may_retry": request.user.has_perm("webhooks.change_webhookevent"),
        **chart(figures, window),
    }
    return render(request, "operations/health.html", context)


def _sizes(figures: facts.Figures) -> dict[str, Any]:
    """The largest tables, with what they are called in the admin where they have a name there."""
    found = sizes.growing(figures.now)
    names = {one._meta.db_table: one._meta.verbose_name_plural for one in apps.get_models()}
    known = [one.a_day for one in found if one.a_day is not None]
    pruning = figures.pruning
    return {
        "tables": [(names.get(one.table, ""), one) for one in found[:TABLES_SHOWN]],
        "whole": sizes.whole(),
        "a_day": sum(known) if known else None,
        "pruning": pruning,
        "took": length(timedelta(seconds=pruning.seconds)) if pruning else "",
        "removed": [
            (WORDS.get(key, key), number) for key, number in pruning.removed.items() if number
        ]
        if pruning
        else [],
    }


def _troubles(figures: facts.Figures, user: Any) -> list[Trouble]:
    """The troubles, without the links into the admin that this user may not follow."""
    return [
        trouble
        if not trouble.url or may_follow(user, trouble.url)
        else replace(trouble, url="", link="")
        for trouble in (_told_to(user, trouble) for trouble in choose(figures, CHOSEN))
    ]


def _told_to(user: Any, trouble: Trouble) -> Trouble:
    """The cure without commands and settings, for those who can use neither."""
    text = without_settings(user, trouble.text) or Kind(trouble.kind).label
    cure = without_settings(user, trouble.cure)
    return replace(trouble, text=text, cure=cure if cure == trouble.cure else ASK)


def chart(figures: facts.Figures, window: str) -> dict[str, Any]:
    number, words = WINDOWS[window]
    hours = facts.hours(figures.now, number)
    return {
        "chart_title": f"Webhooks per hour, last {words}",
        "columns": [Column(f"{h:%d %b %H:%M}", _label(h.hour, f"{h:%a}", number)) for h in hours],
        "series": [
            Series(key, label, facts.per_hour(figures.tallies, hours, answers))
            for key, label, answers in SERIES
        ],
    }


def _label(hour: int, day: str, number: int) -> str:
    """For every 6th or 12th hour of a short window; midnight is labelled with its day."""
    if hour == 0:
        return day
    every = {24: 6, 48: 12}.get(number)
    return f"{hour:02}:00" if every and hour % every == 0 else ""


@needs("webhooks.change_webhookevent")
@require_http_methods(["GET", "HEAD", "POST"])
def retry(request: HttpRequest) -> HttpResponse:
    """Read again the quarantined events that the form names."""
    if request.method != "POST":
        return redirect("operations:health")
    keys = [key for key in request.POST.getlist("event") if key.isdecimal() and len(key) < 19]
    report = replay(facts.unreadable().filter(pk__in=keys[: facts.SHOWN]))
    reasons = "; ".join(f"{n} × {why}" for why, n in report.reasons.most_common(3))
    words = f"{report.words}." + (f" Not queued: {reasons}." if reasons else "")
    if report.queued and not report.failed:
        messages.success(request, words)
    else:
        messages.warning(request, words)
    return redirect("operations:health")
