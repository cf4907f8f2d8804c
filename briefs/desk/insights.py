"""Insights: what research costs, for those who lead the team and those who pay for Mave."""

import csv
from collections.abc import Iterable
from datetime import UTC, date
from itertools import takewhile
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from briefs import times
from briefs.desk.notices import for_reader, research
from briefs.downloads import cells
from briefs.insights.costs import (
    DEFAULT,
    PERIODS,
    Cost,
    CostReport,
    Period,
    PersonaCost,
    cost_report,
    persona_costs,
)
from briefs.links import admin_url_for
from briefs.models import Brief, MaveCall
from briefs.permissions import needs
from briefs.research.switching import may_switch
from briefs.research.waiting import Standstill, count_waiting, why_not_asked
from briefs.templatetags.charts import Column, Series
from webhooks.clock import database_now

CREDITS = (
    ("cost-new", "New answers", "new_credits"),
    ("cost-repeat", "Paid again", "repeat_credits"),
    ("cost-unknown", "Outcome unknown", "unknown_credits"),
    ("cost-reserved", "Reserved, under way", "reserved_credits"),
)
BASES = (
    ("basis-new", "New", "new"),
    ("basis-shared", "Shared", "shared"),
    ("basis-playbook", "No research yet", "playbook"),
)
COLUMNS = (
    ("Research calls", "calls"),
    ("Answered", "answered"),
    ("Refused", "refused"),
    ("Outcome unknown", "unknown"),
    ("Under way", "pending"),
    ("Never sent", "not_sent"),
    ("Credits", "credits"),
    ("Credits for new answers", "new_credits"),
    ("Credits paid again", "repeat_credits"),
    ("Credits of unknown outcome", "unknown_credits"),
    ("Credits reserved", "reserved_credits"),
    ("Briefs opened", "briefs"),
    ("New", "new"),
    ("Shared", "shared"),
    ("No research yet", "playbook"),
    ("Briefs withdrawn", "withdrawn"),
    ("Credits per brief", "per_brief"),
    ("Credits saved by sharing", "saved"),
    ("Searches for lost answers", "threads"),
    ("Balance readings", "usage"),
)
TODAY = "today"
FOLDED_FROM = 3  # days without anything; fewer are listed one by one


@needs("briefs.view_insights")
@require_safe
def insights(request: HttpRequest) -> HttpResponse:
    standstill = Standstill()
    policy, now = standstill.policy, standstill.health.now.astimezone(UTC)
    period = _period(request, now.date())
    report = cost_report(period)
    waiting = count_waiting()
    held = standstill.reason(waiting.least).plainly
    personas = persona_costs(report, waiting.by_persona)
    context = {
        "section": "insights",
        "period": period,
        "periods": PERIODS,
        "is_new": report.total.is_idle and not _has_history(),
        "total": report.total,
        "personas": personas,
        **_days_of_table(report),
        "waiting": waiting,
        "notices": for_reader(request.user, research(request.user, standstill)),
        "policy": policy,
        "may_switch": may_switch(request.user),
        "why": why_not_asked(policy, waiting, held, now),
        "budgets": standstill.account,
        **_charts(report),
        **_persona_chart(personas),
        **_links(request.user, period),
    }
    return render(request, "briefs/insights.html", context)


def _period(request: HttpRequest, today: date) -> Period:
    asked = request.GET.get("days", "")
    return Period(today, int(asked) if asked in map(str, PERIODS) else DEFAULT)


def _has_history() -> bool:
    research = MaveCall.objects.filter(purpose=MaveCall.Purpose.CHAT)
    return Brief.objects.exists() or research.exists()


def _days_of_table(report: CostReport) -> dict[str, Any]:
    """The days of the table, the latest first; empty days at the beginning become one line."""
    days = list(report.by_day.items())
    empty = list(takewhile(lambda item: item[1] == Cost(), days[:-1]))
    if len(empty) < FOLDED_FROM:
        empty = []
    return {"days": days[len(empty) :][::-1], "empty_days": [day for day, _ in empty]}


def _charts(report: CostReport) -> dict[str, Any]:
    days = list(report.by_day)
    return {
        "columns": [
            Column(f"{day:%a} {times.day(day)}{', so far' * is_last}", label, is_last)
            for day, label in zip(days, _labels(days), strict=True)
            for is_last in [day == days[-1]]
        ],
        "credit_series": _series(CREDITS, report.by_day.values()),
        "brief_series": _series(BASES, report.by_day.values()),
    }


def _persona_chart(personas: list[PersonaCost]) -> dict[str, Any]:
    costly = [one for one in personas if one.cost.credits]
    return {
        "persona_names": [one.name for one in costly],
        "persona_series": _series(CREDITS, [one.cost for one in costly]),
    }


def _series(kinds: Iterable[tuple[str, str, str]], costs: Iterable[Cost]) -> list[Series]:
    return [Series(key, label, [getattr(one, name) for one in costs]) for key, label, name in kinds]


def _labels(days: list[date]) -> list[str]:
    """Labels for every day of a week, the Mondays of a month, the 1st and 15th of a longer time."""
    if len(days) <= 7:
        return [*(f"{day:%a}" for day in days[:-1]), TODAY]
    if len(days) <= 31:
        is_marked = [day.weekday() == 0 for day in days]
    else:
        is_marked = [day.day in (1, 15) for day in days]
    room = len(days) // 5  # on a phone, labels of these days would touch the label of today
    is_marked[-room:] = [False] * room
    marks = zip(days[:-1], is_marked, strict=False)
    return [*(times.short_day(day) if marked else "" for day, marked in marks), TODAY]


def _links(user: Any, period: Period) -> dict[str, str]:
    """Links into the admin: to the calls and to the policy; empty for who may not see them."""
    query = {
        "started_at__gte": period.start.isoformat(sep=" "),
        "started_at__lt": period.end.isoformat(sep=" "),
    }
    calls = admin_url_for(user, "briefs_mavecall_changelist")
    return {
        "ledger_url": f"{calls}?{urlencode(query)}" if calls else "",
        "policy_url": admin_url_for(user, "briefs_researchpolicy_change", 1),
    }


@needs("briefs.view_insights")
@require_safe
def download(request: HttpRequest, table: str) -> HttpResponse:
    """The sums by day or by persona, for a spreadsheet."""
    period = _period(request, database_now().astimezone(UTC).date())
    report = cost_report(period)
    if table == "days":
        rows = [(day.isoformat(), cost) for day, cost in report.by_day.items()]
    elif table == "personas":
        rows = [(one.name, one.cost) for one in persona_costs(report, {})]
    else:
        raise Http404
    name = f"savedesk-{table}-{period.days[0]}-to-{period.today}.csv"
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(response)
    writer.writerow(["Day (UTC)" if table == "days" else "Persona", *(head for head, _ in COLUMNS)])
    for first, cost in rows:
        writer.writerow([cells.text(first), *(_number(getattr(cost, name)) for _, name in COLUMNS)])
    return response


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.2f}"
