"""People sign in by name or by mail address, and learn nothing about others by trying."""

import pytest
from django.contrib.auth import hashers

from conftest import make_user

pytestmark = pytest.mark.django_db

PASSWORD = "a-long-password"


def sign_in(client, name, password=PASSWORD):
    return client.post("/login/", {"username": name, "password": password})


@pytest.mark.parametrize("name", ["robin", " robin ", "robin@example.com", "Robin@EXAMPLE.com"])
def test_name_or_mail_address_signs_in(client, user, name):
    assert sign_in(client, name).status_code == 302

    assert int(client.session["_auth_user_id"]) == user.pk


def test_sign_in_page_that_leads_on_to_itself_leads_to_the_inbox(client, user):
    client.force_login(user)

    for page in ("/login/", "/login/?next=/login/"):
        answer = client.get("/login/", {"next": page})
        assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_mail_address_of_several_people_signs_nobody_in(client, django_user_model, user):
    make_user(django_user_model, "other", "Agent")
    django_user_model.objects.update(email="shared@example.com")

    assert sign_in(client, "shared@example.com").status_code == 200
    assert sign_in(client, "robin").status_code == 302


def test_mail_address_is_that_of_the_active_one_of_two(client, django_user_model, user):
    gone = make_user(django_user_model, "gone", "Agent")
    django_user_model.objects.filter(pk=gone.pk).update(email=user.email, is_active=False)

    assert sign_in(client, user.email).status_code == 302


def test_name_goes_before_a_mail_address(client, django_user_model, user):
    other = make_user(django_user_model, "robin@example.com", "Agent")

    sign_in(client, "robin@example.com")

    assert int(client.session["_auth_user_id"]) == other.pk


def test_deactivated_person_does_not_sign_in(client, user):
    user.is_active = False
    user.save()

    assert sign_in(client, "robin").status_code == 200
    assert sign_in(client, "robin@example.com").status_code == 200


@pytest.mark.parametrize("name", ["robin", "nobody", "robin@example.com", "no@example.com", "gone"])
def test_every_failure_says_the_same_and_hashes_once(
    client, django_user_model, user, monkeypatch, name
):
    django_user_model.objects.create_user("gone", "", PASSWORD, is_active=False)
    hashed = []
    encode = hashers.MD5PasswordHasher.encode
    monkeypatch.setattr(
        hashers.MD5PasswordHasher,
        "encode",
        lambda self, *args, **kw: hashed.append(1) or encode(self, *args, **kw),
    )
    page = sign_in(client, name, "wrong").content.decode()

    assert "do not belong together" in page
    assert len(hashed) == 1


def test_session_from_before_goes_on(client, user):
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

    assert client.get("/").status_code == 200
