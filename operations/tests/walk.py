"""Walks every address as everybody, and writes who may do what as a table.

    .venv/bin/python -m operations.tests.walk

writes it into docs/operations.md; a test compares. Addresses come from the resolver, so a new one
appears by itself.
"""

import copy
import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
BEGIN, END = "<!-- who may do what: begin -->\n", "<!-- who may do what: end -->\n"
PEOPLE = ("nobody", "no role", "staff only", "Viewer", "Agent", "Editor", "Lead")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OF_THE_TABLE = ("GET", "POST")  # the other methods take minutes, and no cell depends on them
REFUSED = (401, 403, 405)
ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True)
class Address:
    path: str  # with its arguments filled in
    shown: str  # with their names
    namespace: str
    name: str

    @property
    def model(self) -> Any:
        """The model of a page of the admin, or of a route of the API."""
        from django.apps import apps

        if self.namespace == "admin":
            starts = {f"{m._meta.app_label}_{m._meta.model_name}_": m for m in apps.get_models()}
            return next((m for start, m in starts.items() if self.name.startswith(start)), None)
        word = self.name.split("-")[0]
        found = [m for m in apps.get_models() if m._meta.model_name in (word, f"webhook{word}")]
        return found[0] if self.namespace == "api" and found else None

    @property
    def page(self) -> str:
        """In words."""
        if self.namespace == "admin" and self.model:
            start = f"{self.model._meta.app_label}_{self.model._meta.model_name}_"
            return self.name.removeprefix(start).replace("_", " ").replace("changelist", "list")
        return self.name.replace("_", " ").replace("-", " ")


def addresses() -> Iterator[Address]:
    from django.urls import get_resolver

    yield from _below(get_resolver(), "/", "")


def _below(resolver: Any, prefix: str, namespace: str) -> Iterator[Address]:
    from django.contrib.admindocs.views import simplify_regex

    for one in resolver.url_patterns:
        route = str(one.pattern)
        if hasattr(one.pattern, "_regex"):
            route = simplify_regex(route.replace("([^/]+)", "<version_id>")).lstrip("/")
        if hasattr(one, "url_patterns"):
            yield from _below(one, prefix + route, one.namespace or namespace)
            continue
        address = Address("", prefix + route, namespace, one.name or "")
        yield Address(_filled(address), address.shown, namespace, address.name)


def _filled(address: Address) -> str:
    model = address.model
    if model is None and address.namespace == "briefs":
        from briefs.models import Brief
        from personas.models import Customer

        model = Customer if address.name == "customer" else Brief

    def sample(match: re.Match[str]) -> str:
        name = match.group(1)
        if name == "table":
            return "days"
        row = model._base_manager.order_by("pk").first() if model else None
        if name == "version_id":
            version = row and model.history.filter(**{model._meta.pk.attname: row.pk}).first()
            return str(version.pk if version else 1)
        return str(row.pk if row else 1)

    return ARGUMENT.sub(sample, address.shown)


_JUDGED = {"persona": "“Walked”", "priority": "Low", "step": "Walk."}


def make_rows() -> None:
    """A row of what most addresses name."""
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Group
    from django_otp.plugins.otp_totp.models import TOTPDevice

    from briefs.models import (
        Alarm,
        Holiday,
        LinkTemplate,
        MaveCall,
        Notification,
        NotificationTarget,
        QuestionTemplate,
        ReprocessedBrief,
        ReprocessingJob,
        ResearchPolicy,
        SegmentMembership,
        WorkingTime,
    )
    from briefs.tests.factories import make_brief, make_research, make_signal, make_threshold
    from personas import starter

    starter.load_if_empty()
    policy = ResearchPolicy.current()
    policy.save()
    research = make_research()
    brief = make_brief(research=research)
    make_signal(brief=brief)
    SegmentMembership.objects.create(customer=brief.customer)
    job = ReprocessingJob.objects.create(kind="briefs")
    ReprocessedBrief.objects.create(
        job=job, brief=brief, change="left", **dict.fromkeys(("before", "after"), _JUDGED)
    )
    make_threshold()
    MaveCall.objects.create(research=research, purpose=MaveCall.Purpose.CHAT)
    target = NotificationTarget(name="Walked")
    target.address = "json://127.0.0.1:9/walk"
    target.save()
    Notification.objects.create(target=target, kind=Notification.Kind.values[0], subject="Walked")
    Alarm.objects.create(kind="walked")
    WorkingTime.objects.create(pk=1)
    Holiday.objects.create(day="2026-12-25")
    LinkTemplate.objects.create(label="Walked", url="https://crm.example/{id}")
    TOTPDevice.objects.create(user=get_user_model().objects.create_user("walked"), name="walked")
    Group.objects.get_or_create(name="Walked")
    QuestionTemplate.objects.write("A question about {persona}.", note="", by=None)


def clients() -> dict[str, Any]:
    from django.contrib.auth import get_user_model
    from django.test import Client

    from accounts.models import Role, roles

    found = {}
    for number, who in enumerate(PEOPLE):
        found[who] = client = Client(raise_request_exception=False)
        if who == "nobody":
            continue
        user = get_user_model().objects.create_user(f"walker{number}", is_staff=who == "staff only")
        roles.give(user, Role(who) if who in Role.values else None)
        client.force_login(user)
    return found


def remembered(people: dict[str, Any], keys: dict[str, str]) -> Callable[[Any], Any]:
    """In place of reading who signed in from the database, thousands of times: half of the time.

    Each request gets a copy, which has its permissions already.
    """
    from django.contrib.auth import get_user
    from django.contrib.auth.models import AnonymousUser
    from django.http import HttpRequest

    users = {}
    for who in filter(keys.get, people):
        request = HttpRequest()
        request.session = people[who].session
        users[keys[who]] = user = get_user(request)
        user.get_all_permissions()

    def get(request: Any) -> Any:
        return copy.copy(users.get(request.COOKIES.get("sessionid", ""), AnonymousUser()))

    return get


def answer(client: Any, session: str, method: str, path: str) -> int:
    """The status; 401 in place of a redirect to the login. Nothing is kept."""
    from django.db import transaction

    if session:
        client.cookies["sessionid"] = session
    with transaction.atomic():
        response = client.generic(method, path)
        transaction.set_rollback(True)
    to = response.get("Location", "") or response.get("HX-Refresh", "")
    if to == "/admin/" and path.endswith("/history/"):
        return 403  # the admin's words for a row that is not there, before it asks for permissions
    return 401 if "/login/?next=" in to or to == "true" else response.status_code


def walk(methods: Iterable[str] = OF_THE_TABLE) -> dict[Address, dict[str, dict[str, int]]]:
    """For each address and each person: what each of these methods answers."""
    logging.disable(logging.CRITICAL)  # of every refusal there is a line
    try:
        return _walked(tuple(methods))
    finally:
        logging.disable(logging.NOTSET)


def _walked(methods: tuple[str, ...]) -> dict[Address, dict[str, dict[str, int]]]:
    from django.test import override_settings

    with ExitStack() as patches:
        # Each request reads its session, which takes an eighth of the time in the database.
        in_memory = override_settings(SESSION_ENGINE="django.contrib.sessions.backends.cache")
        patches.enter_context(in_memory)
        for target, value in (
            ("django.template.backends.django.Template.render", lambda *a, **k: ""),  # quicker
            ("webhooks.tallying.Tallying.start", lambda self: None),
            ("webhooks.bell.Ringer.start", lambda self: None),
            ("briefs.admin.notifications.WAIT_SECONDS", 0),
        ):
            patches.enter_context(patch(target, value))
        make_rows()
        people = clients()
        keys = {who: c.cookies["sessionid"].value if c.cookies else "" for who, c in people.items()}
        patches.enter_context(patch("django.contrib.auth.get_user", remembered(people, keys)))
        return {
            address: {
                who: {m: answer(client, keys[who], m, address.path) for m in methods}
                for who, client in people.items()
            }
            for address in addresses()
        }


def cell(address: Address, answers: dict[str, int]) -> str:
    """`yes`; `reads` if the page is shown and its form refused; else a dash.

    A list of the admin takes every form and does nothing with it without an action.
    """
    if answers["GET"] in REFUSED and answers["POST"] in REFUSED:
        return "–" if (answers["GET"], answers["POST"]) != (405, 405) else "never"
    is_form = address.name.endswith(("_change", "_add", "_delete"))
    return "reads" if is_form and answers["POST"] == 403 else "yes"


def actions() -> Iterator[tuple[str, list[str]]]:
    """The actions of the lists in the admin, and who is offered them."""
    from django.contrib import admin
    from django.contrib.auth import get_user_model
    from django.test import RequestFactory

    users = {who: get_user_model().objects.filter(username=f"walker{number}").first()
             for number, who in enumerate(PEOPLE)}  # fmt: skip
    for model, site_admin in sorted(admin.site._registry.items(), key=lambda i: i[0]._meta.label):
        offered: dict[str, set[str]] = {}
        for who, user in users.items():
            request = RequestFactory().get("/")
            request.user = user
            if user and user.is_staff and site_admin.has_view_or_change_permission(request):
                for name in site_admin.get_actions(request):
                    offered.setdefault(name, set()).add(who)
        for name, whom in offered.items():
            yield (
                f"Admin, {model._meta.verbose_name}: action “{name.replace('_', ' ')}”",
                ["yes" if who in whom else "–" for who in PEOPLE],
            )


def table(walked: dict[Address, dict[str, dict[str, int]]]) -> str:
    rows: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for address, people in walked.items():
        cells = tuple(cell(address, people[who]) for who in PEOPLE)
        if not address.page:  # the old addresses of the admin, which lead to the new ones
            continue
        if address.namespace == "admin" and address.model:
            head = f"Admin, {address.model._meta.verbose_name}"
            rows.setdefault((head, cells), []).append(address.page)
        else:
            rows.setdefault((f"`{address.shown}`", cells), []).append(address.page)
    lines = ["| page or action | " + " | ".join(PEOPLE) + " |", "|---" * (len(PEOPLE) + 1) + "|"]
    for (head, cells), pages in rows.items():
        lines.append(f"| {head}: {', '.join(dict.fromkeys(pages))} | {' | '.join(cells)} |")
    lines += [f"| {words} | {' | '.join(cells)} |" for words, cells in actions()]
    return "\n".join(lines) + "\n"


def written(document: str, made: str) -> str:
    before, rest = document.split(BEGIN)
    return before + BEGIN + made + END + rest.split(END)[1]


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")
    django.setup()
    from django.test.utils import setup_databases, setup_test_environment, teardown_databases

    setup_test_environment()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        made = table(walk())
    finally:
        teardown_databases(databases, verbosity=0)
    DOCUMENT.write_text(written(DOCUMENT.read_text(), made))


if __name__ == "__main__":
    main()
