"""Admin lists of tables that grow for years: what they link to, and what they read for it."""

import re
from datetime import datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Preferences
from briefs.finding import tabs
from briefs.tests.factories import make_brief, make_research, make_signal

pytestmark = pytest.mark.django_db

LIST = reverse("admin:briefs_brief_changelist")
DAYS = ("2025-12-31T23:59:59", "2026-01-01T00:00:00", "2026-01-01T08:00:00", "2026-02-28T12:00:00",
        "2026-02-01T00:00:00", "2026-12-31T23:59:59")  # fmt: skip


@pytest.fixture
def briefs():
    for day in DAYS:
        moment = timezone.make_aware(datetime.fromisoformat(day))
        make_brief(created_at=moment)


def periods(client, **query) -> list[str]:
    """The words of the links to years, months or days."""
    html = client.get(LIST, query).content.decode()
    links = html.partition('<nav class="toplinks">')[2].partition("</nav>")[0]
    return re.findall(r'<a href="[^"]*">([^<]*)</a>', links)


@pytest.mark.parametrize("exact", [1_000, 0], ids=["short", "long"])
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({}, ["2025", "2026"]),
        ({"created_at__year": "2026"}, ["January 2026", "February 2026", "December 2026"]),
        ({"created_at__year": "2026", "created_at__month": "2"}, ["February 1", "February 28"]),
        ({"created_at__year": "2025"}, ["December 2025"]),
        ({"created_at__year": "2024"}, []),
    ],
)
def test_short_and_long_list_link_to_the_periods_that_have_rows(
    admin_client, briefs, monkeypatch, exact, query, words
):
    monkeypatch.setattr(tabs, "EXACT", exact)

    assert periods(admin_client, **query) == words


@pytest.mark.parametrize("exact", [1_000, 0], ids=["short", "long"])
def test_days_begin_at_midnight_of_the_reader(admin_client, admin_user, briefs, monkeypatch, exact):
    monkeypatch.setattr(tabs, "EXACT", exact)
    Preferences.objects.create(user=admin_user, time_zone="Asia/Tokyo")  # nine hours ahead

    january = periods(admin_client, created_at__year="2026", created_at__month="1")

    assert january == ["January 1"]  # also the last second of December, UTC
    assert periods(admin_client) == ["2026", "2027"]


def test_long_list_reads_no_row_for_each_period(
    admin_client, briefs, monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr(tabs, "EXACT", 0)
    admin_client.get(LIST)  # counts, for a minute

    with django_assert_num_queries(9) as asked:
        admin_client.get(LIST)

    assert not [query for query in asked if "DISTINCT" in query["sql"]]


def test_answers_are_listed_with_the_number_of_their_briefs_without_joining_them(
    admin_client, django_assert_num_queries
):
    research = make_research()
    for _ in range(2):
        make_brief(research=research)
    make_research()

    rows = admin_client.get(reverse("admin:briefs_research_changelist")).context["cl"].result_list

    assert [row.number for row in rows] == [0, 2]
    assert 'JOIN "briefs_brief"' not in str(rows.query)


def test_signals_are_filtered_by_level_without_reading_them_for_the_choices(admin_client):
    wanted = make_signal(level="person")
    make_signal(level="delivery")

    page = admin_client.get(reverse("admin:briefs_signal_changelist"), {"level": "person"})

    assert list(page.context["cl"].result_list) == [wanted]
    words = page.content.decode().partition("By level")[2]
    assert words.index(">All<") < words.index(">delivery<") < words.index(">person<")
