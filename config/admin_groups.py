"""The index and the side bar of the admin: groups of pages by what people do there.

*Rules* is what the team edits, *Work* what came of them, *Running Savedesk* what an engineer needs.
Each person sees the pages that they may open, and no group without one. To add a page to a group,
add its line here.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from briefs.permissions import RUNS_SAVEDESK


def _may_try(request: HttpRequest) -> bool:
    from briefs.admin import trying  # only once the apps are there

    return trying.may_try(request)


@dataclass(frozen=True, slots=True)
class Rows:
    """The list of a model, as `app.Model`. Its rights and addresses are those of its admin."""

    label: str
    about: str
    name: str = ""  # instead of the model's own


@dataclass(frozen=True, slots=True)
class Page:
    """A page that is no list of a model; `may` says whether whoever asks may open it."""

    name: str
    address: str  # the name of its URL
    about: str
    may: Callable[[HttpRequest], bool]

    def entry(self) -> dict[str, Any]:
        """As Django lists a model that nobody adds."""
        key = "".join(self.name.title().split())
        return {"name": self.name, "object_name": key, "admin_url": reverse(self.address),
                "add_url": None, "view_only": True}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Group:
    key: str
    name: str
    about: str
    pages: tuple[Rows | Page, ...]


RULES = Group(
    "rules",
    "Rules",
    "What the team has decided. Change it here; the next event is judged by it.",
    (
        Rows("personas.Persona", "Kinds of customers: whom each one serves, and its playbook."),
        Rows("personas.SignalRule", "Which events mean something, and how severe they are."),
        Rows("personas.FirstStep", "What a brief says is to be done first."),
        Rows("personas.AttributeName", "What your workspace calls plan, industry or value."),
        Page(
            "Try the rules",
            "admin:try_rules",
            "What they make of one customer or event; nothing is saved.",
            _may_try,
        ),
        Rows("personas.RuleVersion", "All rules after each change: undo, restore, export, import."),
        Rows("briefs.PriorityThreshold", "From which amount a customer is in the top tenth."),
        Rows("briefs.QuestionTemplate", "How Mave is asked.", name="Question to Mave"),
        Rows("briefs.ResearchPolicy", "What research may cost, and its pause."),
        Rows("briefs.ClosingReason", "Why customers stay or leave, to choose from when closing."),
        Rows("briefs.Offer", "What customers may be offered."),
        Rows("briefs.WorkingTime", "When the team works; first steps are due within it."),
        Rows("briefs.Holiday", "Days on which nobody works."),
        Rows("briefs.NotificationTarget", "Who is told of new briefs and of trouble."),
        Rows("briefs.LinkTemplate", "Links from a brief into the CRM, billing or support."),
    ),
)
WORK = Group(
    "work",
    "Work",
    "What came of the rules. People work on briefs on the desk; here they are looked up.",
    (
        Rows("briefs.Brief", "Customers who may be leaving, and what became of them."),
        Rows("briefs.Signal", "What customers did."),
        Rows("personas.Customer", "What Customer.io knows of them."),
        Rows("briefs.Research", "What was asked, and what Mave answered."),
        Rows("briefs.Cause", "Messages that made many people leave.", name="Incidents"),
        Rows("briefs.ContactLog", "Tries to reach a customer.", name="Contact log"),
        Rows("briefs.Comment", "What colleagues wrote about briefs."),
        Rows("briefs.Notification", "What was sent to whom."),
        Rows("briefs.ReprocessingJob", "Events and open briefs taken through the present rules."),
        Rows("briefs.ReprocessedBrief", "What such jobs did with open briefs."),
    ),
)
RUNNING = Group(
    "running",
    "Running Savedesk",
    "For whoever runs Savedesk.",
    (
        Rows("webhooks.WebhookEvent", "What Customer.io sent, and what came of it."),
        Page(
            "Webhook health",
            "operations:health",
            "Whether events arrive and are worked on.",
            lambda request: bool(request.user.has_perm("webhooks.view_health")),
        ),
        Rows("webhooks.RetentionPolicy", "After how many days what is removed."),
        Rows("briefs.MaveCall", "Each request to Mavera, and its price."),
        Rows("briefs.Alarm", "Which troubles rang, and whether they are over."),
        Rows("briefs.Erasure", "Who had somebody erased, and how much went."),
        Rows("briefs.SegmentMembership", "Whom Customer.io was told to have in the segment."),
        Rows("auth.User", "Log-ins. People are let in on the page “Team”."),
        Rows("auth.Group", "Roles, and groups that get briefs in turn."),
        Rows("axes.AccessAttempt", "Wrong passwords that count at present."),
        Rows("axes.AccessFailureLog", "Log-ins that failed."),
        Rows("axes.AccessLog", "Log-ins that succeeded."),
        Rows("django_q.Schedule", "What runs by the clock."),
        Rows("django_q.OrmQ", "Tasks that wait."),
        Rows("django_q.Success", "Tasks that ended well."),
        Rows("django_q.Failure", "Tasks that failed."),
    ),
)


def grouped(request: HttpRequest, apps: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The groups of this person, in the form of Django's list of apps.

    `apps`: Django's list, which has only what the person may open. A model that no group names
    stands last. Whoever does not run Savedesk has no third group; what their role lets them read of
    it, such as events, is part of their work.
    """
    left = {model["model"]._meta.label: model for app in apps for model in app["models"]}
    rules, work, running = (_group(group, left, request) for group in (RULES, WORK, RUNNING))
    running["models"] += left.values()
    if not request.user.has_perm(RUNS_SAVEDESK):
        work["models"] += [one for one in running["models"] if "perms" in one]
        running["models"] = []
    return [group for group in (rules, work, running) if group["models"]]


def _group(group: Group, left: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    return {
        "name": group.name,
        "app_label": group.key,
        "app_url": f"{reverse('admin:index')}#{group.key}",
        "has_module_perms": True,
        "about": group.about,
        "models": list(_entries(group, left, request)),
    }


def _entries(group: Group, left: dict[str, Any], request: HttpRequest) -> Iterator[dict[str, Any]]:
    """Takes what it yields out of `left`."""
    for page in group.pages:
        if isinstance(page, Page):
            if page.may(request):
                yield {**page.entry(), "about": page.about}
        elif model := left.pop(page.label, None):
            name = page.name or str(model["name"])
            yield {**model, "name": name[:1].upper() + name[1:], "about": page.about}
