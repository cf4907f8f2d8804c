"""Each column sorts, both ways; what has no value comes last either way."""

from datetime import timedelta

import pytest
from django.utils import timezone

from briefs.finding import ordering
from briefs.finding.ordering import ORDERINGS, ordered
from briefs.models import Brief
from briefs.tests.factories import make_brief, make_customer, make_persona

pytestmark = pytest.mark.django_db


def found(word):
    return list(ordered(Brief.objects.all(), word))


def named(name):
    return make_customer(attributes={"name": name})


def two(**values):
    """Two briefs that differ in one thing; the smaller one first."""
    [(name, (small, large))] = values.items()
    return make_brief(**{name: small}), make_brief(**{name: large})


def pairs(user, lead):
    now = timezone.now()
    lead.first_name = "Ada"
    lead.save()
    return {
        "priority": {"priority": (1, 4)},
        "customer": {"customer": (named("ada"), named("Berta"))},
        "signal": {"kind": ("bounced", "unsubscribed")},
        "persona": {"persona": (make_persona(name="a"), make_persona(name="B"))},
        "research": {"basis": ("new", "playbook")},
        "assignee": {"assignee": (lead, user)},  # Ada before robin
        "age": {"created_at": (now, now - timedelta(days=1))},
        "due": {"due_at": (now, now + timedelta(days=1))},
    }


@pytest.mark.parametrize("name", [name for name in ORDERINGS if name != "closed"])
def test_column_sorts_both_ways(user, lead, name):
    small, large = two(**pairs(user, lead)[name])

    assert found(name) == [small, large]
    assert found(f"-{name}") == [large, small]


@pytest.mark.parametrize("word", ["assignee", "-assignee"])
def test_what_has_no_value_comes_last_either_way(user, word):
    nobodys, users = make_brief(assignee=None), make_brief(assignee=user)

    assert found(word) == [users, nobodys]


def test_customer_without_a_name_is_sorted_by_what_is_shown():
    by_id = make_brief(customer=make_customer(attributes={}, external_id="b-1"))
    by_mail = make_brief(customer=make_customer(attributes={}, external_id=None, email="c@e.com"))
    by_name = make_brief(customer=named("Ada"))

    assert found("customer") == [by_name, by_id, by_mail]


def test_equal_rows_come_by_urgency():
    low, urgent = make_brief(priority=1), make_brief(priority=4)

    assert found("signal") == found("-signal") == [urgent, low]


def test_closed_ones_sort_by_their_closing():
    first, last = make_brief(), make_brief()
    for brief in (last, first):
        brief.close("retained")
    Brief.objects.filter(pk=last.pk).update(closed_at=timezone.now() - timedelta(days=1))

    assert found("-closed") == [first, last]


def test_click_on_the_sorted_column_turns_it_and_on_another_begins_there():
    assert ordering.next_word("priority", "-priority") == "priority"
    assert ordering.next_word("customer", "-priority") == "customer"
    assert ordering.next_word("age", "customer") == "-age"
