"""Numbers on pages, counted once more in a plainer way."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Count, Q, Sum

from briefs.dead_letters.letters import Choice, Kind
from briefs.dossier.companies import Company
from briefs.finding import tabs
from briefs.finding.folds import Folds
from briefs.insights.costs import DEFAULT, Period, cost_report
from briefs.models import (
    Brief,
    Cause,
    MaveCall,
    Notification,
    Priority,
    ReprocessingJob,
    Research,
)
from briefs.models.causes import FOLDED_FROM
from briefs.reading.incidents import Extent
from operations.figures import MOST_COUNTED, Figures
from operations.invariants.promises import Broken, promise
from personas.models.letters import Folded
from webhooks.clock import database_now
from webhooks.models import WebhookEvent

_CURE = (
    "A page tells a wrong number: tell us, with the output of this command. If an index is "
    "damaged, as after a change of the machine's C library, REINDEX DATABASE puts it right."
)
COMPANIES = 20
Row = tuple[str, bool, int | None, int]  # state, waits for a profile, assignee, how many


@promise("The numbers of the inbox's tabs are those of their briefs", Brief, _CURE)
def tab_has_its_number(now: datetime) -> Iterator[Broken]:
    """Beyond tabs.EXACT a number may be a minute old."""
    rows = list(
        Brief.objects.order_by()
        .values_list("state", "is_waiting_for_profile", "assignee")
        .annotate(number=Count("pk"))
    )
    plain = _by_tab(rows)
    shown = tabs.true_counts(Brief.objects.all(), None)
    yield from _differ("tab", plain, {tab: shown[tab] for tab in plain}, up_to=tabs.EXACT)
    awake = Q(state__in=("new", "in_progress"), is_waiting_for_profile=False)
    due = Brief.objects.filter(awake)
    overdue = (due.filter(due_at__lt=at).count() for at in (now, database_now()))
    fewest, most = overdue  # some became due while the tabs were counted
    if most <= tabs.EXACT and not fewest <= shown["overdue"] <= most:
        yield Broken("tab", "overdue", f"{shown['overdue']} are shown, {fewest} to {most} are due")
    held = _by_person(rows)
    for user in get_user_model()._default_manager.filter(pk__in=held):
        number = tabs.of_state("mine", Brief.objects.all(), user).count()
        yield from _differ(f"tab “Mine” of user {user.pk}", {"": held[user.pk]}, {"": number})


def _by_tab(rows: Iterable[Row]) -> dict[str, int]:
    plain: Counter[str] = Counter(dict.fromkeys(
        ("open", "unassigned", "snoozed", "waiting", "closed", "all"), 0
    ))  # fmt: skip
    for state, is_waiting, assignee, number in rows:
        is_awake = _is_awake(state, is_waiting)
        plain["open"] += number * is_awake
        plain["unassigned"] += number * (is_awake and assignee is None)
        plain["snoozed"] += number * (state == "snoozed")
        plain["waiting"] += number * (is_waiting and state != "closed")
        plain["closed"] += number * (state == "closed")
        plain["all"] += number
    return plain


def _by_person(rows: Iterable[Row]) -> Counter[int]:
    held: Counter[int] = Counter()
    for state, is_waiting, assignee, number in rows:
        if assignee is not None:
            held[assignee] += number * _is_awake(state, is_waiting)
    return held


def _is_awake(state: str, is_waiting: bool) -> bool:
    return not is_waiting and state in ("new", "in_progress")


@promise(
    "Each fold of the inbox holds the briefs that it counts, and all others have a line",
    lambda: Brief.objects.open().filter(cause__isnull=False),
    _CURE,
)
def fold_has_its_number(_now: datetime) -> Iterator[Broken]:
    briefs = tabs.of_state("open", Brief.objects.all(), None)
    folds = Folds.of(briefs)
    columns = ("cause", "assignee", "returned_from", "priority")
    rows: Any = briefs.filter(cause__isnull=False).order_by().values_list(*columns)
    plain = Counter(
        cause
        for cause, assignee, returned_from, priority in rows
        if assignee is None and returned_from is None and priority < Priority.URGENT
    )
    folded = {cause: number for cause, number in plain.items() if number >= FOLDED_FROM}
    yield from _differ("fold of incident or message", folded, folds.numbers)
    lines, in_all = folds.lines(briefs).count(), briefs.count()
    if lines + folds.hidden != in_all:
        words = f"{lines} lines and {folds.hidden} in folds, of {in_all} briefs"
        yield Broken("list", "of open briefs", words)


@promise("Each incident has as many briefs as its page says", Cause.objects.incidents, _CURE)
def incident_has_its_number(_now: datetime) -> Iterator[Broken]:
    incidents = list(Cause.objects.incidents().only("pk"))
    rows = Brief.objects.filter(cause__in=incidents).order_by().values_list("cause", "state")
    in_all, open_ = Counter[Any](), Counter[Any]()
    for cause, state in rows:
        in_all[cause] += 1
        open_[cause] += state != "closed"
    for cause, extent in Extent.of_all(incidents).items():
        if (extent.briefs, extent.open) != (in_all[cause], open_[cause]):
            words = f"it says {extent.briefs} briefs, {extent.open} of them open: there are "
            yield Broken("incident", cause, f"{words}{in_all[cause]} and {open_[cause]}")


@promise("A company has as many briefs as its page says", Brief, _CURE)
def company_has_its_numbers(_now: datetime) -> Iterator[Broken]:
    """The companies with the most briefs are looked at."""
    briefs = Brief.objects.exclude(company="").order_by().annotate(named=Folded("company"))
    counted = briefs.values_list("named").annotate(
        open=Count("pk", filter=~Q(state="closed")), past=Count("pk", filter=Q(state="closed"))
    )
    for name, open_, past in counted.order_by("-open", "-past", "named")[:COMPANIES]:
        company = Company(name)
        plain = {"open": open_, "past": past}
        shown = {"open": company.open_count, "past": company.past_count}
        yield from _differ(f"number of briefs of “{name}”,", plain, shown)


@promise("All that failed for good is among the dead letters", WebhookEvent, _CURE)
def dead_letters_are_all_told(_now: datetime) -> Iterator[Broken]:
    events = WebhookEvent.objects.order_by()
    tests = Q(reason_code=WebhookEvent.Reason.SIGNED_TEST)
    plain = {
        Kind.EVENT: events.filter(status="dead").count(),
        Kind.QUARANTINED: events.filter(status="quarantined").exclude(tests).count(),
        Kind.RESEARCH: Research.objects.filter(status="failed").count(),
        Kind.MESSAGE: Notification.objects.filter(status="failed").count(),
        Kind.JOB: ReprocessingJob.objects.filter(state="failed").count(),
    }
    shown = Counter[Any](dict.fromkeys(Kind, 0))
    for group in Choice().groups():
        shown[group.kind] += group.number
    yield from _differ("dead letters of kind", plain, shown)


@promise("The figures of Insights are the sums of the ledger and of the briefs", MaveCall, _CURE)
def insights_add_up(now: datetime) -> Iterator[Broken]:
    period = Period(now.date(), DEFAULT)
    report = cost_report(period)
    calls = MaveCall.objects.filter(period.covers("started_at"))
    plain = {
        "credits": calls.aggregate(sum=Sum("credits", default=0))["sum"],
        "opened": Brief.objects.filter(period.covers("created_at")).count(),
    }
    for name, costs in {
        "in all": [report.total],
        "day by day": report.by_day.values(),
        "by persona": report.by_persona.values(),
    }.items():
        shown = {what: sum(getattr(cost, what) for cost in costs) for what in plain}
        yield from _differ(f"figure of Insights {name}", plain, shown)


@promise("The numbers of the health page are those of its events", WebhookEvent, _CURE)
def health_page_has_its_numbers(now: datetime) -> Iterator[Broken]:
    figures = Figures(now)
    states = WebhookEvent.objects.order_by().values_list("status").annotate(number=Count("pk"))
    by_state = Counter(dict(states))
    tests = WebhookEvent.objects.filter(status="quarantined", reason_code="signed_test").count()
    plain = {
        "waiting": by_state["pending"],
        "dead": by_state["dead"],
        "quarantined": by_state["quarantined"] - tests,
    }
    shown = {name: getattr(figures, name).number for name in plain}
    yield from _differ("figure of the health page", plain, shown, up_to=MOST_COUNTED)


def _differ(
    kind: str, plain: Mapping[Any, int], shown: Mapping[Any, int], up_to: int | None = None
) -> Iterator[Broken]:
    """What is shown and what is there, where both differ; beyond `up_to` nothing is compared."""
    for key in {**plain, **shown}:
        there, said = plain.get(key, 0), shown.get(key, 0)
        if there != said and (up_to is None or there <= up_to):
            yield Broken(kind, key, f"{said} are shown, {there} are there")
