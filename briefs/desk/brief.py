"""One brief: who, what happened, what to do, and what all of it rests on."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from django_htmx.http import HttpResponseClientRefresh

from briefs.desk.forms import CloseForm
from briefs.desk.inbox import amount, rows
from briefs.desk.notices import app_api_trouble
from briefs.desk.story import happenings, person_url, profile_arrived_at, timeline
from briefs.models import Brief, MaveCall, Research
from briefs.reading import answer, channels, markdown
from briefs.research import renewal, spending
from briefs.research.reasons import without_codes
from briefs.research.state import is_put_off
from briefs.research.waiting import Standstill
from briefs.templatetags.desk import clock
from personas.models import AttributeName, Customer, playbooks
from personas.rules.matching import CustomerFacts
from providers import mavera_validation
from providers.plain import visible

MOST_SIGNALS = 300  # of one customer; nobody reads further back on this page
# What a joined row drags along and the page never shows.
_UNSHOWN = (
    "research__raw_reply", "renewal__raw_reply", "renewal__question", "renewal__answer",
    "renewal__sources", "renewal__personas_used", "renewal__validation",
)  # fmt: skip
WAITING = "waiting"  # for the profile: nothing of the section is decided yet
_STANDING_STILL = (Research.Status.QUEUED, Research.Status.RECOVERING)
_ASKED_BACK = re.compile(r"(Mave asked back[^:\n]*):\s*(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Advice:
    title: str
    html: SafeString
    is_warning: bool


@dataclass(frozen=True, slots=True)
class Attribute:
    label: str
    name: str
    value: str


@login_required
def brief(request: HttpRequest, pk: int) -> HttpResponse:
    return page(request, find(pk), CloseForm())


def find(pk: int) -> Brief:
    related = Brief.objects.select_related("customer", "persona", "research", "renewal", "assignee")
    related = related.annotate(has_later_answers=renewal.has_later_answers())
    return get_object_or_404(related.defer(*_UNSHOWN), pk=pk)


def page(
    request: HttpRequest, brief: Brief, close_form: CloseForm, status: int = 200
) -> HttpResponse:
    customer = brief.customer
    recent = customer.signals.order_by("-happened_at", "-pk")
    signals = list(recent[:MOST_SIGNALS])
    activities = list(brief.activities.select_related("actor"))
    roles = list(AttributeName.objects.all())
    has_more_signals = len(signals) == MOST_SIGNALS
    # What the page reads anyway says it as well, unless that is not all there is.
    telling = customer.signals.about_channels() if has_more_signals else signals
    routes = channels.routes(customer, telling)
    context = {
        "brief": brief,
        "customer": customer,
        "row": rows([brief], roles)[0],
        "happenings": happenings(s for s in signals if s.brief_id == brief.pk),
        "person_url": person_url(customer),
        "routes": routes,
        "advice": advice(brief.persona.playbook),
        "profile_arrived_at": profile_arrived_at(activities),
        "timeline": timeline(brief, signals, activities),
        "has_more_signals": has_more_signals,
        "brief_signals": [s for s in signals if s.brief_id == brief.pk],
        "calls": brief.research.calls.order_by("-started_at") if brief.research else [],
        "close_form": close_form,
        "trouble": without_codes(app_api_trouble()) if brief.is_waiting_for_profile else "",
        **attributes(customer, roles),
        **research_context(brief, routes),
    }
    return render(request, "briefs/brief.html", context, status=status)


def advice(playbook: str) -> list[Advice]:
    """The playbook's sections as HTML; what not to do is marked as a warning."""
    return [
        Advice(
            title=section.title,
            html=markdown.render(section.body),
            is_warning=section.title.casefold().startswith(("do not", "don't", "what not")),
        )
        for section in playbooks.sections(playbook)
    ]


def attributes(customer: Customer, roles: list[AttributeName]) -> dict[str, Any]:
    """What each role found, and every attribute that plays none."""
    facts = CustomerFacts(customer.attributes, {role.role: role.name_list for role in roles})
    found = [(role, facts.find(role.role)) for role in roles]
    mapped = [Attribute(role.label, at.name, amount(at.value)) for role, at in found if at.value]
    used = {attribute.name for attribute in mapped}
    rest = [
        Attribute(name, name, str(value)[:1000])
        for name, value in sorted(customer.attributes.items())
        if name not in used and str(value).strip()
    ]
    missing = [role.label for role, at in found if not at.value]
    return {"mapped": mapped, "other_attributes": rest, "missing": missing}


def research(request: HttpRequest, pk: int) -> HttpResponse:
    """The research section alone. Answers 204 while nothing is new, so that nothing flickers.

    A profile that arrived changes the head and the playbook too: then the page is loaded anew.
    """
    if not request.user.is_authenticated:  # a login page must not land inside the section
        return HttpResponseClientRefresh()
    brief = find(pk)
    shown = request.GET.get("seen")
    if shown == seen(brief, Standstill()):
        return HttpResponse(status=204)
    if shown == WAITING:
        return HttpResponseClientRefresh()
    routes = channels.routes(brief.customer, brief.customer.signals.about_channels())
    context = {"brief": brief, **research_context(brief, routes)}
    return render(request, "briefs/_research_arrived.html", context)


def seen(brief: Brief, standstill: Standstill) -> str:
    """What the section shows, in short: it is sent again only when this has changed."""
    if brief.is_waiting_for_profile:
        return WAITING
    parts = [brief.basis, brief.research.status if brief.research else "none"]
    if brief.renewal:
        parts += ["renewal", brief.renewal.status]
    for asked in (brief.research, brief.renewal):
        if asked and asked.status in _STANDING_STILL:
            parts.append(standstill.briefly(asked.priority, brief.persona))
    return "-".join(part for part in parts if part)


def research_context(brief: Brief, routes: Iterable[channels.Route]) -> dict[str, Any]:
    """What the research section shows: the answer, or in words why there is none."""
    research = brief.research
    standstill = Standstill()
    is_answered = brief.basis != Brief.Basis.PLAYBOOK and research is not None
    context: dict[str, Any] = {
        "research": research,
        "is_answered": is_answered,
        "is_under_way": not is_answered and research is not None and research.is_active,
        "seen": seen(brief, standstill),
        "standstill": standstill,
    }
    if research is None:
        return context
    context["paid"] = paid(research)
    if is_answered:
        context["reading"] = answer.read(research.answer, research.sources, channels.closed(routes))
        context["validation"] = mavera_validation.read(research.validation)
        context["has_arrived_late"] = _has_arrived_late(brief)
        return context | renewal_context(brief, standstill)
    context["reason"], context["questions"] = reason(research)
    if research.status in Research.GIVEN_UP:
        return context | (price(brief, standstill) if brief.is_open else {})
    if research.status == Research.Status.QUEUED:
        why = context["why_waiting"] = standstill.why(research.priority, brief.persona)
        context["stands_because"] = why.partition(";")[0] or _put_off(research)
    context["why_search_waits"] = standstill.why_search_waits(research, brief.persona)
    return context


def _put_off(research: Research) -> str:
    if research.available_at is None or not is_put_off(research):
        return ""
    why = reason(research)[0]
    until = f"put off until {strip_tags(clock(research.available_at))} UTC"
    return f"{until}: {why}" if why else until


def paid(research: Research) -> dict[str, Any]:
    """How often a question may have been paid for, and with what."""
    unsure = (MaveCall.Outcome.PENDING, MaveCall.Outcome.UNKNOWN)
    sums = research.calls.maybe_paid().aggregate(
        times=Count("pk"), credits=Sum("credits", default=0),
        is_unsure=Count("pk", filter=Q(outcome__in=unsure)),
    )  # fmt: skip
    times = sums["times"]
    return {**sums, "often": "twice" if times == 2 else f"{times} times"}


def price(brief: Brief, standstill: Standstill) -> dict[str, Any]:
    """What one more question would cost, and why it would wait."""
    return {
        "usual_cost": spending.usual_cost(brief.persona),
        "left_today": standstill.account.left,
        "would_wait": standstill.why(brief.priority, brief.persona),
    }


def reason(research: Research) -> tuple[str, str]:
    """Why there is no answer, and the questions with which Mave asked back, if it did."""
    words = without_codes(visible(research.status_reason))
    if found := _ASKED_BACK.fullmatch(words):
        return found[1], found[2].strip()
    return words, ""


def renewal_context(brief: Brief, standstill: Standstill) -> dict[str, Any]:
    """Whether a fresh answer is on its way, or what one would cost."""
    asked = brief.renewal
    if not brief.is_open:
        return {}
    if asked and asked.is_active:
        why = ""
        if asked.status == Research.Status.QUEUED:
            why = standstill.why(asked.priority, brief.persona)
        return {"is_renewing": True, "why_waiting": why}
    if not brief.persona.buys_research:
        return {}
    is_failed = asked is not None and asked.status != Research.Status.DONE
    return {
        "can_renew": True,
        "renewal_trouble": reason(asked)[0] if asked and is_failed else "",
        "newer_answer": renewal.newer_answer(brief) if vars(brief)["has_later_answers"] else None,
        **price(brief, standstill),
    }


def _has_arrived_late(brief: Brief) -> bool:
    """Whether anybody could have seen the brief without its research."""
    if brief.researched_at is None:
        return False
    return (brief.researched_at - brief.created_at).total_seconds() > 2
