from datetime import timedelta

import pytest
from django.utils import timezone

from briefs.desk.tests.pages import text
from briefs.dossier.attributes import Attributes
from briefs.dossier.dossier import Dossier, Situation, dossiers
from briefs.dossier.loading import in_full, listed
from briefs.models import Brief, ResearchPolicy
from briefs.tests.factories import (
    make_brief,
    make_customer,
    make_persona,
    make_research,
    make_signal,
    make_step,
)
from personas.models import AttributeName

pytestmark = pytest.mark.django_db


@pytest.fixture
def connected(settings):
    settings.MAVERA_API_KEY = "key"
    return ResearchPolicy.current()


@pytest.mark.parametrize(
    ("brief", "research", "words"),
    [({"basis": "new"}, {"status": "done"}, "Research: new"),
     ({"basis": "shared", "is_sharing": True}, {"status": "done"}, "Research: shared, 3 h old"),
     ({}, {"status": "queued"}, "No research yet, waiting for its turn"),
     ({}, {"status": "running"}, "No research yet, under way"),
     ({}, {"status": "failed"}, "No research yet, failed, can be retried"),
     ({"is_waiting_for_profile": True}, None,
      "No research yet, waiting for the profile")],
)  # fmt: skip
def test_page_api_and_inbox_say_the_same_of_research(signed_in, connected, brief, research, words):
    if research:
        at = timezone.now() - timedelta(hours=3, minutes=30)
        brief = {**brief, "research": make_research(answer="Yes.", finished_at=at, **research)}
    brief = make_brief(**brief)
    as_people_read = words.replace("No research yet, ", "No research yet ")

    inbox = "/?state=waiting" if brief.is_waiting_for_profile else "/"
    assert as_people_read in text(signed_in.get(inbox))
    assert f"Research {as_people_read} " in text(signed_in.get(brief.get_absolute_url()))
    assert signed_in.get(f"/api/v1/briefs/{brief.pk}/").json()["basis_words"] == words


def test_dossier_queries_only_what_is_read(django_assert_num_queries):
    make_signal(brief=make_brief(research=make_research()))
    brief = in_full(Brief.objects.all()).get()

    with django_assert_num_queries(0):
        dossier = Dossier(brief)
        assert dossier.research.is_under_way


def test_rows_of_a_list_share_one_situation(connected, django_assert_num_queries):
    persona = make_persona()
    for _ in range(20):
        make_brief(persona=persona, research=make_research(persona=persona))
    ResearchPolicy.current()
    situation = Situation()
    situation.standstill.why(2, persona)

    make_step()
    # The briefs, the names of attributes, the first steps, and the customers' signals.
    with django_assert_num_queries(4):
        for dossier in dossiers(listed(Brief.objects.all()), situation):
            assert dossier.first_step == "Have the account owner call."
            assert dossier.research.words == "No research yet, waiting for its turn"
            assert dossier.attributes.missing == []


def test_signals_are_read_once_for_the_story_and_once_for_the_channels(django_assert_num_queries):
    brief = make_brief()
    make_signal(brief=brief, kind="spam_complaint")
    dossier = Dossier(brief)

    with django_assert_num_queries(2):
        assert len(dossier.happenings) == 1
        assert [route.answer for route in dossier.routes][:2] == ["no", "no"]


def test_only_staff_get_a_link_to_the_persona(admin_user, user):
    brief = make_brief()

    assert Dossier(brief, Situation(user)).persona_url == ""
    assert str(brief.persona_id) in Dossier(brief, Situation(admin_user)).persona_url


SHAPES = {
    "name": '{"first": "Ann", "last": "Lee"}',
    "plan": '{"name": "Pro", "id": 3}',
    "mrr": "null",
    "arr": '{"amount": "1200", "currency": "EUR"}',
    "industry": '["banking", "insurance"]',
    "company": '{"name": "Acme", "size": "big"}',
    "tags": '[{"label": "vip"}, {"seats": 3}]',
    "nothing": "[]",
}


def test_lists_and_objects_are_shown_in_words_on_page_and_inbox(signed_in, starter):
    brief = make_brief(customer=make_customer(attributes=SHAPES))

    page, inbox = text(signed_in.get(brief.get_absolute_url())), text(signed_in.get("/"))

    for words in ("Ann Lee", "Plan Pro", "Account value amount: 1200; currency: EUR"):
        assert words in page
    assert "Industry banking, insurance" in page
    assert "Company Acme" in page
    assert "vip, seats: 3" in page
    assert "Ann Lee" in inbox
    for shown in (page, inbox):
        assert '{"' not in shown
        assert '["' not in shown


def test_value_that_reads_null_is_not_filled_in(starter):
    customer = make_customer(attributes={"plan": "None", "mrr": "null", "industry": "[]"})

    attributes = Attributes(customer, AttributeName.objects.all())

    assert not attributes.mapped
    assert not attributes.others
    assert "Plan" in attributes.missing


def test_playbook_of_a_closed_brief_stays_as_it_was():
    persona = make_persona(playbook="## Do\n\nAs it was.")
    closed = make_brief(persona=persona)
    closed.close("no_response")

    persona.playbook = "## Do\n\nAs it is now."
    persona.save()

    closed.refresh_from_db()
    assert "As it was." in Dossier(closed).playbook
    assert "As it is now." in Dossier(make_brief(persona=persona)).playbook
