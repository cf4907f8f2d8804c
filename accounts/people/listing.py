"""The list of the team: found by name, in three tabs."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group, User
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.http import QueryDict
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import ApiToken, Role, roles
from personas.models.letters import has_part

ON_A_PAGE = 50
SEARCH_FROM = 8  # people; fewer are seen at a glance
TABS = {"active": "Active", "without": "Active, without a role", "inactive": "Deactivated"}


@dataclass(frozen=True, slots=True)
class Row:
    person: Any
    role: Role | None
    is_self: bool


class TeamList:
    def __init__(self, asked: QueryDict, reader: Any) -> None:
        self.words = asked.get("q", "").replace("\0", "").strip()
        self.tab = asked.get("show", "")
        if self.tab not in TABS:
            self.tab = "active"
        pages = Paginator(_in_tab(self._found(), self.tab), ON_A_PAGE)
        self.page = pages.get_page(asked.get("page"))
        self.pages = pages.get_elided_page_range(self.page.number)
        self.rows = [
            Row(person, roles.role_of(person), person == reader) for person in self.page.object_list
        ]
        found = self._found()
        self.tabs = [(key, words, _in_tab(found, key).count()) for key, words in TABS.items()]
        self.is_searched = bool(self.words) or User.objects.count() >= SEARCH_FROM

    def _found(self) -> QuerySet[User]:
        """Every word must occur in the name, the user name or the address."""
        tokens = ApiToken.objects.filter(user=OuterRef("pk")).order_by().values("user")
        factors = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
        people: QuerySet[User] = User.objects.annotate(
            tokens=Subquery(tokens.annotate(count=Count("pk")).values("count")),
            has_second_factor=Exists(factors),
        )
        for word in self.words.split():
            people = people.filter(
                has_part("first_name", word)
                | has_part("last_name", word)
                | has_part("username", word)
                | has_part("email", word)
            )
        return people.prefetch_related("groups").order_by("first_name", "last_name", "username")


def _in_tab(people: QuerySet[User], tab: str) -> QuerySet[User]:
    if tab == "inactive":
        return people.filter(is_active=False)
    people = people.filter(is_active=True)
    with_role = Group.objects.filter(name__in=Role.values, user=OuterRef("pk"))
    if tab == "without":
        return people.filter(~Exists(with_role), is_superuser=False)
    return people
