"""The tabs: what each holds, and that their numbers are true and cost one query."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from briefs.finding import counting, tabs
from briefs.models import Brief
from briefs.tests.factories import make_brief, make_customer

pytestmark = pytest.mark.django_db


def closed(**kw):
    return make_brief(state="closed", outcome="retained", closed_at=timezone.now(), **kw)


@pytest.fixture
def one_of_each(user, lead):
    """By name; `mine` and `theirs` are assigned."""
    return {
        "new": make_brief(),
        "mine": make_brief(assignee=user, state="in_progress"),
        "theirs": make_brief(assignee=lead, state="in_progress"),
        "late": make_brief(assignee=lead, due_at=timezone.now() - timedelta(minutes=1)),
        "in time": make_brief(assignee=lead, due_at=timezone.now() + timedelta(hours=1)),
        "snoozed": make_brief(assignee=user, state="snoozed", due_at=timezone.now()),
        "waiting": make_brief(is_waiting_for_profile=True),
        "closed": closed(assignee=user),
    }


HOLDS = {
    "open": ["new", "mine", "theirs", "late", "in time"],
    "mine": ["mine"],
    "unassigned": ["new"],
    "overdue": ["late"],
    "snoozed": ["snoozed"],
    "waiting": ["waiting"],
    "closed": ["closed"],
    "all": ["new", "mine", "theirs", "late", "in time", "snoozed", "waiting", "closed"],
}


@pytest.mark.parametrize("value", HOLDS)
def test_each_tab_holds_its_briefs(one_of_each, user, value):
    found = tabs.of_state(value, Brief.objects.all(), user)

    assert {brief.pk for brief in found} == {one_of_each[name].pk for name in HOLDS[value]}


def test_every_tab_is_counted_in_one_query(one_of_each, user, django_assert_num_queries):
    with django_assert_num_queries(1):
        numbers = tabs.true_counts(Brief.objects.all(), user)

    assert {value: numbers[value] for value in HOLDS} == {
        value: len(names) for value, names in HOLDS.items()
    }


def test_tabs_of_filtered_briefs_are_counted_the_same(one_of_each, user, django_assert_num_queries):
    """The open ones at once, which no index of a tab finds, and the closed ones up to EXACT."""
    filtered = Brief.objects.filter(kind=one_of_each["new"].kind)
    with django_assert_num_queries(2):
        numbers = tabs.true_counts(filtered, user)

    assert numbers == {value: len(names) for value, names in HOLDS.items()}
    assert not any(tabs.true_counts(Brief.objects.filter(kind="bounced"), user).values())


def test_closed_ones_of_filtered_briefs_are_kept_for_a_minute_beyond_the_exact_ones(monkeypatch):
    monkeypatch.setattr(tabs, "EXACT", 2)
    for _ in range(3):
        closed()
    make_brief()
    filtered = Brief.objects.filter(priority__gte=1)
    assert tabs.true_counts(filtered, None)["all"] == 4

    closed()
    make_brief(customer=make_customer())

    numbers = tabs.true_counts(filtered, None)
    assert (numbers["closed"], numbers["open"], numbers["all"]) == (3, 2, 5)


def test_somebody_who_is_not_signed_in_has_none(one_of_each):
    assert tabs.true_counts(Brief.objects.all(), None)["mine"] == 0


def test_number_beyond_the_exact_ones_is_true_and_kept_for_a_minute(user, monkeypatch):
    monkeypatch.setattr(tabs, "EXACT", 2)
    for _ in range(4):
        make_brief()

    assert tabs.true_counts(Brief.objects.all(), user)["open"] == 4
    Brief.objects.first().delete()
    assert tabs.true_counts(Brief.objects.all(), user)["open"] == 4
    cache.clear()  # as after a minute
    assert tabs.true_counts(Brief.objects.all(), user)["open"] == 3


def test_number_up_to_the_exact_ones_is_never_old(user, monkeypatch):
    monkeypatch.setattr(tabs, "EXACT", 2)
    briefs = [make_brief() for _ in range(3)]
    assert tabs.true_counts(Brief.objects.all(), user)["open"] == 3

    briefs[0].delete()

    assert tabs.true_counts(Brief.objects.all(), user)["open"] == 2


def test_kept_numbers_of_two_lists_are_kept_apart(user, monkeypatch):
    monkeypatch.setattr(tabs, "EXACT", 1)
    for kind in ("bounced", "bounced", "unsubscribed"):
        make_brief(kind=kind)

    everything = tabs.true_counts(Brief.objects.all(), user)["open"]
    bounced = tabs.true_counts(Brief.objects.filter(kind="bounced"), user)["open"]

    assert (everything, bounced) == (3, 2)


def test_kept_numbers_of_two_people_are_kept_apart(user, lead, monkeypatch):
    monkeypatch.setattr(tabs, "EXACT", 1)
    for holder, number in ((user, 2), (lead, 3)):
        for _ in range(number):
            make_brief(customer=make_customer(), assignee=holder)

    assert [tabs.true_counts(Brief.objects.all(), one)["mine"] for one in (user, lead)] == [2, 3]


def test_minute_is_a_minute():
    assert timedelta(seconds=counting.KEPT_SECONDS) <= timedelta(minutes=1)
