"""The list of all briefs in each order, and how the beginning of one is found without sorting."""

from datetime import timedelta
from itertools import product

import pytest
from django.core.cache import cache
from django.utils import timezone

from briefs.finding import archive
from briefs.finding.archive import Keys
from briefs.finding.listing import listing
from briefs.finding.ordering import NEWEST, ordered
from briefs.models import Brief
from briefs.tests.factories import make_brief, make_customer, make_persona

pytestmark = pytest.mark.django_db

WORDS = [sign + name for name in archive._OF_FEW_VALUES for sign in ("", "-")]


@pytest.fixture
def briefs(user, lead):
    """Of two values each, and one brief without any."""
    personas = make_persona(name="Basic"), make_persona(name="Pro")
    rows = product((1, 4), ("bounced", "unsubscribed"), personas, ("Basic", "Pro"))
    who = [user, lead, None] * 6
    for (priority, kind, persona, plan), assignee in zip(rows, who, strict=False):
        make_brief(
            customer=make_customer(attributes={"plan": plan}),
            priority=priority, kind=kind, persona=persona, plan=plan, assignee=assignee,
        )  # fmt: skip
    make_brief(plan="")


def sorted_by(word):
    return ordered(Brief.objects.all(), word, state="all")


def keys_of(word):
    return list(sorted_by(word).values_list("pk", flat=True))


def test_equal_rows_come_newest_first():
    urgent, low = make_brief(priority=4), make_brief(priority=1)

    assert list(sorted_by("signal")) == [low, urgent]


def test_due_time_of_a_closed_brief_decides_nothing():
    """No row shows it, and most briefs are closed: they would come first."""
    now = timezone.now()
    late, early = (make_brief(due_at=now + timedelta(days=days)) for days in (2, 1))
    closed, never = make_brief(due_at=now), make_brief(due_at=None)
    closed.close("retained")

    assert list(sorted_by("due")) == [early, late, never, closed]
    assert list(sorted_by("-due")) == [late, early, never, closed]


@pytest.mark.parametrize("word", [*WORDS, "due", "-due", "customer", "-age"])
@pytest.mark.parametrize("read", [0, 10**9], ids=["sorted", "walked"])
def test_each_part_is_that_of_the_whole(briefs, monkeypatch, word, read):
    monkeypatch.setattr(archive, "READ", read)
    whole, keys = keys_of(word), Keys(Brief.objects.all(), word)

    assert keys.count() == len(whole)
    for begin, end in ((0, 2), (2, 4), (0, len(whole)), (3, len(whole))):
        assert keys[begin:end] == whole[begin:end]


@pytest.mark.parametrize("word", WORDS)
def test_beginning_is_found_among_the_newest(briefs, monkeypatch, word):
    monkeypatch.setattr(archive, "READ", 10**9)
    beginning = Keys(Brief.objects.all(), word).beginning(2)

    assert beginning.query.order_by == NEWEST
    assert list(beginning.values_list("pk", flat=True)) == keys_of(word)[: beginning.count()]


def test_value_that_few_briefs_have_is_not_looked_for(briefs):
    """All of the archive would be read before a page is full."""
    Brief.objects.update(priority=1)
    Brief.objects.filter(pk=make_brief().pk).update(priority=4)

    assert Keys(Brief.objects.all(), "-priority").beginning(archive.READ) is None
    assert Keys(Brief.objects.all(), "priority").beginning(archive.READ // 2) is not None


def test_new_brief_with_a_value_that_none_had_is_first_at_once(briefs):
    """What comes first of all is looked for once a minute."""
    Brief.objects.update(priority=2)
    keys = Keys(Brief.objects.all(), "-priority")
    assert keys[0:2]

    new = make_brief(priority=4)

    assert keys[0:1] == [new.pk]


def test_list_of_none_begins_with_nothing():
    for word in (*WORDS, "due"):
        assert Keys(Brief.objects.all(), word)[0:25] == []


def test_plans_that_differ_in_case_alone_are_equal():
    cache.clear()
    old, new = make_brief(plan="Pro"), make_brief(plan="pRO")

    assert Keys(Brief.objects.all(), "plan")[0:2] == [new.pk, old.pk]


def test_list_of_all_is_read_so_unless_it_is_filtered(briefs, user, rf):
    request = rf.get("/")
    request.user = user
    asked = {"state": "all", "ordering": "signal"}

    assert isinstance(listing(asked, request).keys, Keys)
    assert not isinstance(listing({**asked, "plan": "Pro"}, request).keys, Keys)
    assert list(listing(asked, request).briefs.values_list("pk", flat=True)) == keys_of("signal")
