"""The page of the team: a lead adds people, gives roles, and lets people go."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.core import mail
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import ApiToken, Role, roles
from briefs.desk.tests.pages import messages, text
from briefs.models import Brief
from briefs.tests.factories import make_brief
from conftest import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.on_sqlite]
TEAM = reverse("accounts:team")
ADD = reverse("accounts:add_person")
ANN = {"name": "Ann  Maria Berg", "mail": "Ann@Example.com", "role": "Agent"}
LINK = re.compile(r"http://testserver(/password-reset/[^\"\s]+/)")


@pytest.fixture
def led(client, lead):
    """A client with a lead signed in."""
    client.force_login(lead)
    return client


@pytest.fixture
def by_mail(settings):
    settings.EMAIL_IS_CONFIGURED = True


@pytest.fixture
def superuser(django_user_model):
    return django_user_model.objects.create_superuser("root", "root@example.com", "a-password")


def page(name, user):
    return reverse(f"accounts:{name}", args=[user.pk])


def fields(user, **kw):
    """What the form of this person holds, with keywords in place of single fields."""
    role = roles.role_of(user)
    return {"name": user.get_full_name() or user.username, "mail": user.email,
            "role": role or "", **kw}  # fmt: skip


def test_list_shows_role_second_factor_and_tokens(led, user):
    TOTPDevice.objects.create(user=user, confirmed=True)
    ApiToken.objects.create(user=user, name="a")
    ApiToken.objects.create(user=user, name="b")

    words = text(led.get(TEAM))

    assert "robin robin@example.com Agent never yes 2" in words
    assert "lee You lee@example.com Lead just now no 0" in words


def test_second_factor_that_was_not_confirmed_does_not_count(led, user):
    TOTPDevice.objects.create(user=user, confirmed=False)

    assert "Agent never no 0" in text(led.get(TEAM))


def test_list_takes_the_same_queries_for_many_people(
    led, django_user_model, django_assert_max_num_queries
):
    for number in range(30):
        make_user(django_user_model, f"p{number}", "Agent")

    with django_assert_max_num_queries(14):
        led.get(TEAM)


def test_people_are_found_by_name_and_mail_and_in_their_tab(led, user, django_user_model):
    make_user(django_user_model, "ann", "")
    gone = make_user(django_user_model, "gone", "Agent")
    User.objects.filter(pk=gone.pk).update(is_active=False)

    def names(**asked):
        return [row.person.username for row in led.get(TEAM, asked).context["list"].rows]

    assert names() == ["ann", "lee", "robin"]
    assert names(q="ROBIN example") == ["robin"]
    assert names(show="without") == ["ann"]
    assert names(show="inactive") == ["gone"]
    assert names(q="zz\0", show="nonsense", page="99") == []
    assert "Nobody found" in text(led.get(TEAM, {"q": "zzz"}))


@pytest.mark.parametrize("words", ["ärz", "ÄRZ", "ö ÄR", "κώσ", "ΚΏΣ", "ΚΏΣΤΑΣ"])
def test_people_are_found_in_any_case_of_any_alphabet(led, user, words):
    User.objects.filter(pk=user.pk).update(first_name="Jörg Κώστας", last_name="Ärzte")

    [row] = led.get(TEAM, {"q": words}).context["list"].rows

    assert row.person == user


def test_link_to_the_team_is_shown_to_leads_alone(client, user, lead):
    for person, is_shown in ((user, False), (lead, True)):
        client.force_login(person)
        words = client.get(reverse("accounts:account")).content.decode()
        assert (f'href="{TEAM}"' in words) == is_shown


def test_new_person_has_the_role_and_signs_in_by_mail_address(led):
    response = led.post(ADD, ANN)

    ann = User.objects.get(username="ann@example.com")
    assert (ann.first_name, ann.last_name) == ("Ann Maria", "Berg")
    assert (ann.email, roles.role_of(ann)) == ("ann@example.com", Role.AGENT)
    assert not ann.has_usable_password()
    assert not ann.is_superuser
    assert not ann.is_staff
    assert "Pass this link on to Ann Maria Berg" in text(response)


def test_invitation_leads_to_a_password_and_to_the_desk(led, client):
    [path] = LINK.findall(led.post(ADD, ANN).content.decode())
    led.logout()

    form = client.get(path, follow=True)
    done = client.post(
        form.redirect_chain[-1][0],
        {"new_password1": "nine-green-bottles", "new_password2": "nine-green-bottles"},
        follow=True,
    )

    assert "Your password is saved" in text(done)
    typed = {"username": "ann@example.com", "password": "nine-green-bottles"}
    assert client.post(reverse("login"), typed).status_code == 302
    client.logout()
    assert "This link does not work any more" in text(client.get(path, follow=True))


def test_link_is_shown_only_in_the_answer_to_the_click(led):
    response = led.post(ADD, ANN)

    [path] = LINK.findall(response.content.decode())
    assert "no-store" in response.headers["Cache-Control"]
    ann = User.objects.get(username="ann@example.com")
    for later in (led.get(TEAM), led.get(page("person", ann))):
        assert path not in later.content.decode()
    assert not [entry for entry in LogEntry.objects.all() if "password-reset" in str(entry)]


def test_where_mail_is_configured_the_invitation_goes_by_mail(led, by_mail):
    response = led.post(ADD, ANN, follow=True)

    assert messages(response) == ["The invitation is on its way to ann@example.com."]
    assert not LINK.search(response.content.decode())
    [sent] = mail.outbox
    assert sent.to == ["ann@example.com"]
    assert "lee has made an account for you" in sent.body
    assert LINK.search(sent.body)


def test_mail_server_that_is_away_shows_the_link_instead(led, by_mail, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9

    response = led.post(ADD, ANN)

    assert "The mail could not be sent" in text(response)
    assert LINK.search(response.content.decode())


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"mail": "ROBIN@example.com"}, "This address belongs to Ömer."),
        ({"mail": "robin"}, "Enter a valid email address"),
        ({"name": "Lee"}, "There is already somebody called “Lee”"),
        ({"name": "ömer"}, "There is already somebody called “ömer”"),
        ({"name": " "}, "This field is required"),
        ({"role": ""}, "Choose a role"),
        ({"role": "Superuser"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(led, user, lead, typed, words):
    User.objects.filter(pk=lead.pk).update(first_name="Lee")
    User.objects.filter(pk=user.pk).update(first_name="Ömer")

    response = led.post(ADD, ANN | typed)

    assert response.status_code == 422
    assert words in text(response)
    assert User.objects.count() == 2


def test_address_of_somebody_deactivated_says_so(led, user):
    User.objects.filter(pk=user.pk).update(is_active=False)

    response = led.post(ADD, ANN | {"mail": user.email})

    assert "belongs to robin, who is deactivated: reactivate that account" in text(response)


@pytest.mark.parametrize("field", ["is_superuser", "is_staff", "groups", "user_permissions"])
def test_no_field_makes_a_superuser(led, user, field):
    led.post(ADD, ANN | {field: "1"})
    led.post(page("person", user), fields(user) | {field: "1"})

    assert not User.objects.filter(is_superuser=True).exists()
    assert not User.objects.filter(is_staff=True).exclude(username="lee").exists()


def test_role_is_changed_and_who_gave_it_is_told(led, user):
    led.post(page("person", user), fields(user, role="Editor"))

    user = User.objects.get(pk=user.pk)
    assert (roles.role_of(user), user.is_staff) == (Role.EDITOR, True)
    assert "lee: Role: Agent → Editor." in text(led.get(page("person", user)))


def test_role_can_be_taken_away(led, user):
    led.post(page("person", user), fields(user, role=""))

    assert roles.role_of(User.objects.get(pk=user.pk)) is None


def test_role_that_does_not_work_on_briefs_gives_them_back(led, user):
    brief = make_brief(assignee=user, state="in_progress")

    response = led.post(page("person", user), fields(user, role="Viewer"), follow=True)

    assert "1 brief is unassigned again" in messages(response)[0]
    assert Brief.objects.get(pk=brief.pk).assignee is None


def test_new_address_is_the_new_user_name_where_the_old_one_was(led, user):
    led.post(ADD, ANN)
    ann = User.objects.get(username="ann@example.com")

    led.post(page("person", ann), fields(ann, mail="berg@example.com"))
    led.post(page("person", user), fields(user, mail="r@example.com"))

    names = set(User.objects.values_list("username", "email"))
    assert {("berg@example.com",) * 2, ("robin", "r@example.com")} < names


def test_address_that_another_lead_gave_a_moment_earlier_is_said_at_its_field(
    led, user, lead, monkeypatch
):
    User.objects.filter(pk=user.pk).update(username=user.email)
    User.objects.filter(pk=lead.pk).update(username="ann@example.com")
    # The form looked before the other lead saved.
    monkeypatch.setattr("accounts.people.forms.PersonForm._others", lambda _: User.objects.none())

    answer = led.post(page("person", user), fields(user, mail="ann@example.com"))

    assert answer.status_code == 422
    assert "a moment ago" in text(answer)


def test_nobody_changes_their_own_role(led, lead, django_user_model):
    make_user(django_user_model, "other", "Lead")

    response = led.post(page("person", lead), fields(lead, role="Agent"))

    assert "You cannot change your own role" in text(response)
    assert roles.role_of(User.objects.get(pk=lead.pk)) == Role.LEAD


def test_lead_may_correct_their_own_name(led, lead):
    led.post(page("person", lead), fields(lead, name="Lee Moreau"))

    assert User.objects.get(pk=lead.pk).get_full_name() == "Lee Moreau"


def test_last_lead_stays(client, lead, user):
    """Somebody may manage people by a group of the team's own, without being a lead."""
    user.groups.set([own := Group.objects.create(name="Office")])
    own.permissions.set(Permission.objects.filter(group__name="Lead"))
    client.force_login(user)

    response = client.post(page("person", lead), fields(lead, role="Agent"))
    second = client.post(page("deactivate", lead), follow=True)

    assert "lee is the only lead. Give somebody else the role Lead first." in text(response)
    assert "lee is the only lead" in messages(second)[0]
    assert list(roles.leads()) == [lead]


def test_nobody_deactivates_themselves(led, lead):
    response = led.post(page("deactivate", lead), follow=True)

    assert messages(response) == ["You cannot deactivate your own account. Ask another lead."]
    assert User.objects.get(pk=lead.pk).is_active


def test_deactivating_and_reactivating(led, user):
    make_brief(assignee=user, state="in_progress")

    gone = led.post(page("deactivate", user), follow=True)
    back = led.post(page("reactivate", user), follow=True)

    assert messages(gone) == [
        "robin can no longer sign in. 1 brief is unassigned again, 0 API tokens are ended."
    ]
    assert messages(back) == ["robin can sign in again, with the role of before."]
    assert roles.role_of(User.objects.get(pk=user.pk)) == Role.AGENT


def test_new_link_is_for_active_people(led, user):
    assert LINK.search(led.post(page("new_link", user)).content.decode())

    User.objects.filter(pk=user.pk).update(is_active=False)

    assert led.post(page("new_link", user)).status_code == 404


def test_link_of_somebody_who_left_does_not_work(led, user, client):
    [path] = LINK.findall(led.post(page("new_link", user)).content.decode())
    led.post(page("deactivate", user))

    assert "This link does not work any more" in text(client.get(path, follow=True))


def test_link_from_before_somebody_became_a_superuser_does_not_work(led, user, client):
    shown = led.post(page("new_link", user))
    link = LINK.search(shown.content.decode()).group(1)

    User.objects.filter(pk=user.pk).update(is_superuser=True)

    assert not client.get(link, follow=True).context["validlink"]


@pytest.mark.parametrize("name", ["person", "new_link", "deactivate", "reactivate"])
def test_lead_cannot_touch_a_superuser(led, superuser, name):
    response = led.post(page(name, superuser), fields(superuser, name="Mallory", role="Viewer"))

    assert response.status_code == 403
    assert "/password-reset/" not in response.content.decode()
    again = User.objects.get(pk=superuser.pk)
    assert (again.get_full_name(), again.is_active, again.is_superuser) == ("", True, True)


@pytest.mark.parametrize("is_active", [True, False])
def test_lead_cannot_touch_somebody_with_more_rights(led, user, is_active):
    user.user_permissions.add(Permission.objects.get(codename="change_user"))
    User.objects.filter(pk=user.pk).update(is_active=is_active)

    response = led.post(page("person", user), fields(user, mail="mine@example.com"))

    assert response.status_code == 403
    assert User.objects.get(pk=user.pk).email == "robin@example.com"
    assert "rights that you do not have" in text(led.get(page("person", user)))


@pytest.fixture
def office(client, django_user_model, lead):
    """A Viewer who manages people: a right that a team gave besides the role."""
    person = make_user(django_user_model, "olga", "Viewer")
    person.user_permissions.add(Permission.objects.get(codename="manage_people"))
    client.force_login(person)
    return client


def test_nobody_gives_a_role_with_more_rights_than_they_have(office, django_user_model):
    viewer = make_user(django_user_model, "vera", "Viewer")

    added = office.post(ADD, {**ANN, "role": "Lead"})
    changed = office.post(page("person", viewer), fields(viewer, role="Agent"))

    assert added.status_code == changed.status_code == 422
    assert "you cannot give the role" in text(added)
    assert not User.objects.filter(email="ann@example.com").exists()
    assert roles.role_of(viewer) == Role.VIEWER


def test_role_without_further_rights_can_be_given_by_who_has_them(office):
    office.post(ADD, {**ANN, "role": "Viewer"})

    assert roles.role_of(User.objects.get(email="ann@example.com")) == Role.VIEWER


def test_rights_besides_the_role_are_shown(led, user):
    user.user_permissions.add(Permission.objects.get(codename="view_payload"))

    assert "webhooks.view_payload" in text(led.get(page("person", user)))


@pytest.mark.parametrize("role", ["", "Viewer", "Agent", "Editor"])
@pytest.mark.parametrize("name", ["person", "new_link", "deactivate", "reactivate"])
def test_who_is_no_lead_changes_nobody(client, user, django_user_model, role, name):
    client.force_login(make_user(django_user_model, "ann", role))

    for response in (client.post(page(name, user), fields(user, role="Lead")), client.get(TEAM)):
        assert response.status_code == 403
    again = User.objects.get(pk=user.pk)
    assert (again.is_active, roles.role_of(again)) == (True, Role.AGENT)


@pytest.mark.parametrize("name", ["new_link", "deactivate", "reactivate"])
def test_acts_are_posts(led, user, name):
    assert led.get(page(name, user)).status_code == 405
