"""Each person chooses on their account's page how they are told."""

import pytest
from django.urls import reverse

from briefs.desk.tests.pages import messages, text
from briefs.models import NotificationTarget
from conftest import make_user

pytestmark = pytest.mark.django_db
TELLING = reverse("accounts:telling")
ACCOUNT = reverse("accounts:account")
CHAT = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"


def choose(client, **data):
    return client.post(TELLING, data, follow=True)


def test_nobody_is_told_who_chose_nothing(signed_in):
    page = signed_in.get(ACCOUNT)

    assert page.context["telling_form"].initial == {"how": "none"}
    assert not NotificationTarget.objects.exists()


def test_chat_is_chosen_and_its_address_never_shown(signed_in, user):
    page = choose(signed_in, how="chat", address=CHAT)

    assert messages(page) == ["You are told in your chat from now on."]
    assert "A1BRTD4JD" not in page.content.decode()
    assert NotificationTarget.objects.get(person=user).address == CHAT


def test_empty_address_keeps_the_one_that_is_stored(signed_in):
    choose(signed_in, how="chat", address=CHAT)

    choose(signed_in, how="chat", address="")

    assert NotificationTarget.objects.get().address == CHAT


def test_chat_without_an_address_is_refused(signed_in):
    page = choose(signed_in, how="chat")

    assert messages(page) == ["Nothing was changed. Enter the address of your chat."]
    assert not NotificationTarget.objects.exists()


def test_address_that_is_no_chat_is_refused(signed_in):
    page = choose(signed_in, how="chat", address="jsons://example.org/")

    assert "It must begin with one of slack://" in messages(page)[0]


def test_mail_is_offered_where_it_can_be_sent(signed_in, user, settings):
    settings.EMAIL_IS_CONFIGURED = False
    user.email = "robin@example.com"
    user.save()
    assert "By mail" not in text(signed_in.get(ACCOUNT))
    assert "Nothing was changed." in messages(choose(signed_in, how="mail"))[0]
    settings.EMAIL_IS_CONFIGURED = True

    page = choose(signed_in, how="mail")

    assert "By mail to robin@example.com" in text(page)
    assert NotificationTarget.objects.get(person=user).scheme == "account"


def test_not_at_all_ends_it(signed_in):
    choose(signed_in, how="chat", address=CHAT)

    choose(signed_in, how="none")

    target = NotificationTarget.objects.get()
    assert (target.is_active, target.scheme) == (False, "account")


def test_somebody_who_sees_no_briefs_has_no_choice(client, django_user_model):
    client.force_login(make_user(django_user_model, "kim", ""))

    assert "What you are told" not in text(client.get(ACCOUNT))
    assert client.post(TELLING, {"how": "none"}).status_code == 403
