"""One brief: who, what happened, what to do, and what all of it rests on."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.safestring import SafeString
from django_htmx.http import HttpResponseClientRefresh

from briefs import reach
from briefs.asking import budget, pacing
from briefs.forms import CloseForm
from briefs.models import Brief, Research, ResearchPolicy
from briefs.notices import app_api_trouble
from briefs.reading import answer, markdown, validation
from briefs.reading.plain import visible
from briefs.views.inbox import amount, rows
from briefs.views.story import happenings, person_url, timeline
from personas import playbooks
from personas.matching import CustomerFacts
from personas.models import AttributeName, Customer

MOST_SIGNALS = 300  # of one customer; nobody reads further back on this page
# What a joined row drags along and the page never shows.
_UNSHOWN = (
    "research__raw_reply", "renewal__raw_reply", "renewal__question", "renewal__answer",
    "renewal__sources", "renewal__personas_used", "renewal__validation",
)  # fmt: skip
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
    return get_object_or_404(related.defer(*_UNSHOWN), pk=pk)


def page(
    request: HttpRequest, brief: Brief, close_form: CloseForm, status: int = 200
) -> HttpResponse:
    customer = brief.customer
    recent = customer.signals.order_by("-happened_at", "-pk")
    signals = list(recent[:MOST_SIGNALS])
    activities = list(brief.activities.select_related("actor"))
    roles = list(AttributeName.objects.all())
    routes = reach.routes(customer, signals)
    context = {
        "brief": brief,
        "customer": customer,
        "row": rows([brief], roles)[0],
        "happenings": happenings(s for s in signals if s.brief_id == brief.pk),
        "person_url": person_url(customer),
        "routes": routes,
        "advice": advice(brief.persona.playbook),
        "timeline": timeline(brief, signals, activities),
        "has_more_signals": len(signals) == MOST_SIGNALS,
        "brief_signals": [s for s in signals if s.brief_id == brief.pk],
        "calls": brief.research.calls.order_by("-started_at") if brief.research else [],
        "close_form": close_form,
        "trouble": app_api_trouble() if brief.is_waiting_for_profile else "",
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
    """The research section alone. Answers 204 while nothing is new, so that nothing flickers."""
    if not request.user.is_authenticated:  # a login page must not land inside the section
        return HttpResponseClientRefresh()
    brief = find(pk)
    if request.GET.get("seen") == seen(brief):
        return HttpResponse(status=204)
    signals = brief.customer.signals.order_by("-happened_at", "-pk")[:MOST_SIGNALS]
    routes = reach.routes(brief.customer, signals)
    context = {"brief": brief, **research_context(brief, routes)}
    return render(request, "briefs/_research_arrived.html", context)


def seen(brief: Brief) -> str:
    """What the section shows, in short: it is sent again only when this has changed."""
    parts = [brief.basis, brief.research.status if brief.research else "none"]
    if brief.renewal:
        parts += ["renewal", brief.renewal.status]
    return "-".join(parts)


def research_context(brief: Brief, routes: Iterable[reach.Route]) -> dict[str, Any]:
    """What the research section shows: the answer, or in words why there is none."""
    research = brief.research
    is_answered = brief.basis != Brief.Basis.PLAYBOOK and research is not None
    context: dict[str, Any] = {
        "research": research,
        "is_answered": is_answered,
        "is_under_way": not is_answered and research is not None and research.is_active,
        "seen": seen(brief),
    }
    if research is None:
        return context
    if is_answered:
        context["reading"] = answer.read(research.answer, research.sources, reach.closed(routes))
        context["validation"] = validation.read(research.validation)
        context["has_arrived_late"] = _has_arrived_late(brief)
        return context | renewal_context(brief)
    context["reason"], context["questions"] = reason(research)
    if research.status == Research.Status.QUEUED:
        context["why_waiting"] = pacing.why_waiting(
            ResearchPolicy.current(), research.priority, brief.persona
        )
    return context


def reason(research: Research) -> tuple[str, str]:
    """Why there is no answer, and the questions with which Mave asked back, if it did."""
    words = visible(research.status_reason)
    if found := _ASKED_BACK.fullmatch(words):
        return found[1], found[2].strip()
    return words, ""


def renewal_context(brief: Brief) -> dict[str, Any]:
    """Whether a fresh answer is on its way, or what one would cost."""
    renewal = brief.renewal
    if not brief.is_open:
        return {}
    if renewal and renewal.is_active:
        why = ""
        if renewal.status == Research.Status.QUEUED:
            why = pacing.why_waiting(ResearchPolicy.current(), renewal.priority)
        return {"is_renewing": True, "why_waiting": why}
    if not brief.persona.buys_research:
        return {}
    is_failed = renewal is not None and renewal.status != Research.Status.DONE
    return {
        "can_renew": True,
        "renewal_trouble": reason(renewal)[0] if renewal and is_failed else "",
        "usual_cost": budget.usual_cost(brief.persona),
        "left_today": budget.left_today(),
    }


def _has_arrived_late(brief: Brief) -> bool:
    """Whether anybody could have seen the brief without its research."""
    if brief.researched_at is None:
        return False
    return (brief.researched_at - brief.created_at).total_seconds() > 2
