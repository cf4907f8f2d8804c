"""What becomes of a brief when the profile that it waited for arrives."""

import pytest

from briefs import profiles
from briefs.models import Priority
from briefs.tests.factories import make_brief, make_customer, make_signal
from personas.models import Persona

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter", "sandbox")]


@pytest.fixture
def waiting():
    """A brief of an enterprise customer whose profile was not to be had."""
    return make_brief(
        customer=make_customer(
            external_id="enterprise-retail-low-1", cio_id=None, fetched_at=None, attributes={}
        ),
        persona=Persona.objects.get(is_unknown=True),
        is_waiting_for_profile=True,
        priority=Priority.MEDIUM,
    )


def decided(brief):
    assert profiles.catch_up() == 1
    brief.refresh_from_db()
    assert not brief.is_waiting_for_profile
    assert brief.persona.name == "Enterprise, low usage"
    return brief


def test_most_severe_signal_decides_the_priority(waiting):
    make_signal(brief=waiting, severity=1)
    make_signal(brief=waiting, severity=3)

    assert decided(waiting).priority == Priority.URGENT


def test_signal_that_opens_no_brief_has_no_say_in_the_priority(waiting):
    make_signal(brief=waiting, severity=1)
    make_signal(brief=waiting, severity=3, effect="timeline", kind="mailbox_full")

    assert decided(waiting).priority == Priority.MEDIUM  # low, one step up for high value


def test_brief_whose_signals_are_gone_is_decided_all_the_same(waiting):
    assert decided(waiting).priority == Priority.HIGH
