"""Priority and order over whole populations: that of the demo, and three random ones."""

import pytest

from benchmarks import priority
from briefs.models import Brief

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]
POPULATIONS = {
    "demo": priority.demo,
    **{str(n): lambda n=n: priority.at_random(n) for n in (1, 2, 3)},
}


@pytest.mark.parametrize("name", POPULATIONS)
def test_at_most_a_tenth_is_urgent_and_the_most_valuable_severe_signal_is_first(name):
    priority.fill(POPULATIONS[name]())
    assert priority.now().urgent == 0  # until a lead sets thresholds

    priority.set_thresholds()

    found = priority.now()
    assert found.briefs > 100
    assert 0 < found.urgent <= found.briefs / 10
    assert found.row == 1


def test_before_most_of_the_demo_was_urgent():
    priority.fill(priority.demo())

    found = priority.before()

    assert found.urgent > found.briefs / 2


def test_unknown_values_are_sorted_just_after_the_median_of_their_persona():
    priority.fill(priority.at_random(1))

    for brief in Brief.objects.filter(value_month=None):
        alike = Brief.objects.filter(persona=brief.persona, value_month__isnull=False)
        above = alike.filter(value_month__gt=brief.value_sort).count()
        assert above >= alike.count() / 2 or not alike
