"""A list that is read part by part is the list, in every order that briefs may have."""

from datetime import timedelta
from itertools import chain

import pytest
from django.utils import timezone

from briefs.finding.keysets import Keyset
from briefs.finding.ordering import ORDERINGS, ordered
from briefs.models import Brief
from briefs.tests.factories import make_brief, make_customer, make_persona

pytestmark = pytest.mark.django_db


def parts(rows, size):
    keyset, behind = Keyset(rows), None
    while part := list(keyset.part(size, behind)):
        yield [key for key, _ in part]
        behind = keyset.read([value and str(value) for value in part[-1][1]])  # as in a cursor


@pytest.mark.parametrize("state", ["", "all"])
def test_parts_together_are_the_list(user, state):
    now, persona = timezone.now(), make_persona(name="The same")
    for number in range(7):  # some have what they are sorted by, and some are equal
        make_brief(
            persona=persona if number % 2 else make_persona(name=f"p{number}"),
            customer=make_customer(attributes={"name": f"N{number % 3}"}),
            assignee=user if number < 3 else None,
            plan="pro" if number % 2 else "",
            due_at=now + timedelta(hours=number - 3) if number < 5 else None,
            value_sort=number % 3,
            researched_at=now if number == 6 else None,
        )
    make_brief().close("retained")

    for word in (sign + name for name in ORDERINGS for sign in ("", "-")):
        rows = ordered(Brief.objects.all(), word, state=state, at=now)
        read = list(parts(rows, 3))

        assert [len(one) for one in read] == [3, 3, 2], word
        assert [*chain(*read)] == list(rows.values_list("pk", flat=True)), word
