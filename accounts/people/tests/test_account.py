"""One's own account: the password is changed here, and a forgotten one is set by mail."""

import re
import threading

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.urls import reverse

from briefs.desk.tests.pages import messages, text
from conftest import make_user

pytestmark = pytest.mark.django_db
ACCOUNT = reverse("accounts:account")
CHANGE = reverse("accounts:change_password")
FORGOTTEN = reverse("accounts:forgotten")
NEW = {"new_password1": "nine-green-bottles", "new_password2": "nine-green-bottles"}


@pytest.fixture
def by_mail(settings):
    settings.EMAIL_IS_CONFIGURED = True


def ask(client, address, **kw):
    """Ask for a new password, and wait until the mail is on its way."""
    response = client.post(FORGOTTEN, {"email": address}, follow=True, **kw)
    for thread in threading.enumerate():
        if thread.name == "reset mail":
            thread.join()
    return response


def test_account_shows_who_one_is_and_where_to_go(signed_in):
    response = signed_in.get(ACCOUNT)

    assert "Name robin Mail address robin@example.com User name robin Role Agent" in text(response)
    for address in (CHANGE, "/account/tokens/", "/account/second-factor/"):
        assert f'href="{address}"' in response.content.decode()


def test_account_is_open_to_somebody_without_a_role(client, django_user_model, lead):
    client.force_login(make_user(django_user_model, "ann", ""))

    words = text(client.get(ACCOUNT))

    assert "None yet, so you see nothing of the desk" in words
    assert "ask lee (lee@example.com)" in words


def test_password_manager_is_told_whose_password_changes(signed_in):
    page = signed_in.get(CHANGE).content.decode()

    assert '<input type="text" autocomplete="username" value="robin" hidden>' in page


def test_account_needs_a_sign_in(client):
    for address in (ACCOUNT, CHANGE):
        assert client.get(address).url == f"/login/?next={address}"


def test_new_password_ends_other_sessions_and_keeps_this_one(signed_in, user):
    other = Client()
    other.force_login(user)

    response = signed_in.post(CHANGE, {"old_password": "a-long-password", **NEW}, follow=True)

    assert messages(response) == ["Your password is changed. You are signed out everywhere else."]
    assert signed_in.get(ACCOUNT).status_code == 200
    assert other.get(ACCOUNT).status_code == 302


def test_old_password_is_asked_for(signed_in, user):
    response = signed_in.post(CHANGE, {"old_password": "wrong", **NEW})

    assert "Your old password was entered incorrectly" in text(response)
    assert User.objects.get(pk=user.pk).check_password("a-long-password")


def test_old_password_is_guessed_no_more_often_than_at_the_sign_in(signed_in, user):
    wrong = [signed_in.post(CHANGE, {"old_password": "wrong", **NEW}) for _ in range(10)]
    right = signed_in.post(CHANGE, {"old_password": "a-long-password", **NEW})

    assert [response.status_code for response in wrong] == [200] * 9 + [429]
    assert right.status_code == 429
    assert User.objects.get(pk=user.pk).check_password("a-long-password")


def test_admin_leads_to_the_same_page(client, lead):
    client.force_login(lead)

    assert client.get("/admin/password_change/").url == CHANGE


def test_who_has_no_password_is_not_asked_for_one(signed_in, user):
    user.set_unusable_password()
    user.save()
    signed_in.force_login(user)

    assert "you sign in through your organisation" in text(signed_in.get(ACCOUNT))
    assert "you sign in through your organisation" in text(signed_in.get(CHANGE))


def test_without_mail_the_sign_in_page_names_the_way(client):
    assert "Password forgotten? Ask a lead of your team for a link." in text(client.get("/login/"))
    assert client.get(FORGOTTEN).status_code == 404
    assert client.post(FORGOTTEN, {"email": "robin@example.com"}).status_code == 404


@pytest.mark.usefixtures("by_mail")
def test_forgotten_password_is_set_by_a_link_in_a_mail(client, user):
    assert f'href="{FORGOTTEN}"' in client.get("/login/").content.decode()
    assert "Mail address" in text(client.get(FORGOTTEN))

    ask(client, "Robin@Example.com")

    [sent] = mail.outbox
    [path] = re.findall(r"http://testserver(/password-reset/\S+)", sent.body)
    form = client.get(path, follow=True)
    client.post(form.redirect_chain[-1][0], NEW)
    typed = {"username": "robin", "password": "nine-green-bottles"}
    assert client.post(reverse("login"), typed).status_code == 302


@pytest.mark.usefixtures("by_mail")
def test_reset_form_does_not_tell_who_has_an_account(client, user, django_user_model):
    gone = make_user(django_user_model, "gone", "Agent")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    invited = make_user(django_user_model, "invited", "Agent")
    invited.set_unusable_password()
    invited.save()

    pages = [
        ask(client, f"{name}@example.com").content
        for name in ("robin", "gone", "invited", "stranger")
    ]

    assert len(set(pages)) == 1
    assert [sent.to for sent in mail.outbox] == [["robin@example.com"]]


@pytest.mark.usefixtures("by_mail")
def test_link_in_a_mail_uses_the_public_address_if_there_is_one(client, user, settings):
    settings.PUBLIC_URL = "https://desk.example.com:8443"

    ask(client, "robin@example.com", secure=True)

    assert "https://desk.example.com:8443/password-reset/" in mail.outbox[0].body
    assert "testserver" not in mail.outbox[0].body
