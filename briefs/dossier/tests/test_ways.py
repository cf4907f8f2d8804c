"""Mail, call and copy: only where the channel is open, and only for who may know the address."""

import pytest
from django.utils import timezone

from briefs.dossier.dossier import Dossier, Situation
from briefs.models import LinkTemplate
from briefs.tests.factories import make_brief, make_customer, make_signal
from conftest import make_user

pytestmark = pytest.mark.django_db


def ways(user, **fields):
    brief = make_brief(customer=make_customer(**fields))
    return {way.name: way.href for way in Dossier(brief, Situation(user)).ways}


def test_open_mail_and_number_are_links(user):
    found = ways(user, email="ann+x@example.com", phone="+44 20 7946-0000")

    assert found == {
        "E-mail address": "mailto:ann%2Bx%40example.com",
        "Phone number": "tel:+442079460000",
    }


def test_number_of_an_attribute_counts(user):
    assert ways(user, email="", attributes={"mobile_phone": "020 1"})["Phone number"] == "tel:0201"


def test_mail_to_somebody_who_unsubscribed_is_no_link(user):
    assert "E-mail address" not in ways(user, is_unsubscribed=True)


@pytest.mark.parametrize("kind", ["spam_complaint", "address_gone", "mailbox_full"])
def test_mail_that_may_not_or_would_not_arrive_is_no_link(user, kind):
    brief = make_brief()
    make_signal(brief=brief, kind=kind, happened_at=timezone.now())

    assert Dossier(brief, Situation(user)).ways == []


def test_deleted_person_has_no_ways(user):
    assert ways(user, phone="+44 20", is_deleted=True) == {}


def test_viewer_gets_neither_links_nor_buttons_to_copy(client, django_user_model):
    LinkTemplate.objects.create(label="Our CRM", url="https://crm.example/{email}")
    brief = make_brief(customer=make_customer(phone="+44 20"))
    client.force_login(make_user(django_user_model, "vi", "Viewer"))

    page = client.get(brief.get_absolute_url()).content.decode()

    for words in ("mailto:", "tel:", "data-copy", "Our CRM"):
        assert words not in page


def test_button_to_copy_is_hidden_until_a_script_shows_it(signed_in):
    page = signed_in.get(make_brief().get_absolute_url()).content.decode()

    assert 'data-copy="customer-' in page
    assert page.count("data-copy=") == page.count(" hidden>Copy")


@pytest.mark.parametrize(
    ("readers", "is_shown"),
    [("personas.view_personal_data", True), ("accounts.manage_people", False)],
)
def test_link_into_another_tool_is_shown_to_whom_it_is_for(signed_in, readers, is_shown):
    LinkTemplate.objects.create(
        label="Our CRM", url="https://crm.example/?q={email}", readers=readers
    )
    brief = make_brief(customer=make_customer(email="ann@example.com"))

    page = signed_in.get(brief.get_absolute_url()).content.decode()

    assert ('href="https://crm.example/?q=ann%40example.com"' in page) == is_shown
