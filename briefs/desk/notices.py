"""Notices above the inbox: what is wrong at present and what to do, one sentence each."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

from django.conf import settings
from django.core.cache import cache as kept
from django.urls import reverse

from briefs.dossier.dossier import Situation
from briefs.finding import counting, known_values
from briefs.finding.counting import KEPT_SECONDS
from briefs.finding.known_values import NEEDED
from briefs.links import admin_url, admin_url_for, may_follow
from briefs.models import Brief, Cause, MaveHealth, PriorityThreshold, Research, ResearchPolicy
from briefs.permissions import RUNS_SAVEDESK
from briefs.reading.incidents import Extent
from briefs.research import balance
from briefs.research.accounts import WORTH_A_NOTICE
from briefs.research.switching import may_switch
from briefs.research.waiting import Standstill
from personas.models import Customer, Persona, PersonaCondition
from personas.models.attributes import CustomerFacts
from webhooks.models import WebhookEvent

RECENT = 50  # customers that are looked at; if there are fewer than ENOUGH, nothing is said
ENOUGH = 5
MOST_INCIDENTS = 3  # named above the list; their own list has all
_WITHOUT = "Briefs go without research"


@dataclass(frozen=True, slots=True)
class Notice:
    level: str  # "problem": something does not work; "hint": something could work better
    text: str
    url: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Numbers:
    """How many rows there are of what notices tell of."""

    dead_events: int
    failed_questions: int  # of open briefs: nothing starts them again by itself, so people must
    open_incidents: int
    thresholds: int

    @classmethod
    def read(cls) -> Self:
        """In one query."""
        return cls(**counting.counted(_asked()))


@cache
def _asked() -> dict[str, counting.Sql]:
    """Always the same: to write it takes Django longer than the database to answer it."""
    failed = Brief.objects.open().filter(
        basis=Brief.Basis.PLAYBOOK, research__status=Research.Status.FAILED
    )
    rows: dict[str, Any] = {
        "dead_events": WebhookEvent.objects.filter(status=WebhookEvent.Status.DEAD).values("pk"),
        "failed_questions": failed.values("research").distinct(),
        "open_incidents": Cause.objects.incidents().current().values("pk"),
        "thresholds": PriorityThreshold.objects.values("pk"),
    }
    return {name: some.order_by().query.sql_with_params() for name, some in rows.items()}


def notices(user: Any, situation: Situation, numbers: Numbers) -> list[Notice]:
    """All notices that apply at present, with the links that this user may follow."""
    found = [*_dead_events(numbers.dead_events), *_failed_questions(user, numbers.failed_questions)]
    found += _app_api(user, situation.lookup_trouble)
    found += [*research(user, situation.standstill), *_unfilled_roles(situation)]
    if not numbers.thresholds:
        found += _thresholds(user)
    if numbers.open_incidents:
        found += _incidents()
    return for_reader(user, found)


def _incidents() -> Iterator[Notice]:
    """Open incidents that nobody owns, the latest first."""
    rows = Cause.objects.incidents().current().filter(assignee=None).order_by("-incident_at")
    causes = list(rows[:MOST_INCIDENTS])
    extents = Extent.of_all(causes) if causes else {}
    for cause in causes:
        words = f"“{cause.name}”: {cause.get_kind_display()}, {extents[cause.pk].words}"
        url = cause.get_absolute_url()
        yield Notice("problem", f"Incident {words}. Nobody owns it yet.", url, "Open the incident")


def _thresholds(user: Any) -> Iterator[Notice]:
    """That enough values are known to set thresholds, for those who may; none are set yet."""
    url = admin_url_for(user, "briefs_prioritythreshold_add")
    if url and known_values.count_known() >= NEEDED:
        yield Notice("hint", known_values.why_no_thresholds(), url, "Set thresholds")


def for_reader(user: Any, found: Iterable[Notice]) -> list[Notice]:
    """The same notices, without the links that this user may not follow."""
    return [
        notice
        if not notice.url or may_follow(user, notice.url)
        else Notice(notice.level, notice.text)
        for notice in found
    ]


def _app_api(user: Any, trouble: str) -> Iterator[Notice]:
    if not settings.CIO_APP_KEY:
        yield Notice(
            "problem",
            "Every brief opens on “Profile unknown”, because the App API of Customer.io is not "
            f"connected: {_asked_of(user, 'set CIO_APP_KEY to an App API key')}.",
        )
    elif trouble:
        yield Notice(
            "problem",
            f"Profiles may be out of date, because {trouble}; check the key and Customer.io's "
            "status page if this lasts.",
        )


def _asked_of(user: Any, cure: str) -> str:
    """What to do, for who can do it; others are told whom to ask."""
    return cure if user.has_perm(RUNS_SAVEDESK) else "ask whoever runs Savedesk for you"


def research(user: Any, standstill: Standstill) -> Iterator[Notice]:
    """What holds research back or soon will, and what this user can do about it."""
    policy, health = standstill.policy, standstill.health
    why = standstill.reason().plainly
    if not settings.MAVERA_API_KEY:
        cure = _asked_of(user, "set MAVERA_API_KEY to start research")
        yield Notice("hint", f"{_WITHOUT}, because {why}: {cure}.")
        return
    account = standstill.account
    high = [one for one in account if one.level >= WORTH_A_NOTICE]
    # If it is about a budget, the budget's own notice says it, with figures.
    if why and not (high and _is_about_budget(policy, health)):
        cure = _cure(policy, health, user)
        yield _about_policy(user, f"{_WITHOUT}, because {why}; {cure}.")
    for one in high:
        yield _about_policy(user, one.words)
    yield from _used_up_personas(standstill.used_up_personas)
    if wrong := balance.present_trouble(account, health.now):
        trouble, cure = wrong
        yield _about_policy(user, f"{trouble}; {cure}.")


def _is_about_budget(policy: ResearchPolicy, health: MaveHealth) -> bool:
    return not policy.paused_at and not health.why_held


def _cure(policy: ResearchPolicy, health: MaveHealth, user: Any) -> str:
    if policy.paused_at:
        return _cure_of_a_pause(policy.is_paused_by_mavera, may_switch(user))
    if _is_about_budget(policy, health):
        return "raise the budget or wait until it begins anew"
    return "it goes on by itself"


def _cure_of_a_pause(is_by_mavera: bool, may_resume: bool) -> str:
    if is_by_mavera and may_resume:
        return "resume it yourself to try at once"
    if is_by_mavera:
        return "anybody who may change the research policy can resume it to try at once"
    if may_resume:
        return "resume it once that is settled"
    return "resume it through somebody who may change the research policy, once that is settled"


def _used_up_personas(personas: Iterable[Persona]) -> Iterator[Notice]:
    for persona in personas:
        url = admin_url("personas_persona_change", persona.pk)
        yield Notice(
            "hint",
            f"The month's research budget of “{persona}” is used up: new briefs of this persona "
            "go without research. Raise it, or wait until the next month begins.",
            url,
            f"Persona “{persona}”" if url else "",
        )


def _about_policy(user: Any, text: str) -> Notice:
    """A notice with a link to a page where this user can change or read the policy, if any."""
    if url := admin_url_for(user, "briefs_researchpolicy_change", 1):
        return Notice("hint", text, url, "Research policy")
    if may_switch(user) and user.has_perm("briefs.view_insights"):
        url = reverse("briefs:insights") + "#switch"
        return Notice("hint", text, url, "Pause or resume research")
    return Notice("hint", text)


def _dead_events(count: int) -> Iterator[Notice]:
    if not count:
        return
    words = "1 event" if count == 1 else f"{count:,} events"
    url = admin_url("webhooks_webhookevent_changelist")
    yield Notice(
        "problem",
        f"{words} failed on every try and led to nothing: read why, then retry.",
        f"{url}?status__exact={WebhookEvent.Status.DEAD}" if url else "",
        "Failed events" if url else "",
    )


def _failed_questions(user: Any, count: int) -> Iterator[Notice]:
    if not count:
        return
    words = (
        "1 question failed and its briefs have no research: read why, then start it again."
        if count == 1
        else f"{count:,} questions failed and their briefs have no research: read why, then "
        "start them again."
    )
    if url := admin_url_for(user, "briefs_research_changelist"):
        yield Notice(
            "problem", words, f"{url}?status__exact={Research.Status.FAILED}", "Failed questions"
        )
    else:
        url = f"{reverse('briefs:inbox')}?research=failed"
        yield Notice("problem", words, url, "Their briefs")


def _unfilled_roles(situation: Situation) -> Iterator[Notice]:
    """Roles that decide who gets a brief, but for which no recent customer has a value.

    Looked at once a minute, and again when the team has edited the names.
    """
    names = situation.role_names
    key = "unfilled:" + hashlib.sha256(repr(names).encode()).hexdigest()
    known: Any = kept.get_or_set(key, lambda: _unfilled(names), KEPT_SECONDS)
    number, unfilled = known
    for role in situation.roles:
        if role.role in unfilled:
            url = admin_url("personas_attributename_change", role.pk)
            yield Notice(
                "hint",
                f"None of the last {number} customers has a value for “{role.label}”: name "
                "the attribute in which your workspace keeps it.",
                url,
                f"Attribute names of “{role.label}”" if url else "",
            )


def _unfilled(names: dict[str, list[str]]) -> tuple[int, set[str]]:
    """How many recent customers there are, and the deciding roles of which none has a value."""
    known = Customer.objects.filter(is_deleted=False, fetched_at__isnull=False)
    recent = list(known.order_by("-fetched_at").values_list("attributes", flat=True)[:RECENT])
    if len(recent) < ENOUGH:
        return len(recent), set()
    # Only roles that decide: another role may have no value, as when nobody is marked internal.
    conditions = PersonaCondition.objects.filter(persona__opens_brief=True)
    deciding = {field.strip().lower() for field in conditions.values_list("field", flat=True)}
    facts = [CustomerFacts(attributes, names) for attributes in recent]
    unfilled = {role for role in names if not any(fact.find(role).value for fact in facts)}
    return len(recent), unfilled & deciding
