"""A session that has not shown its second factor reaches nothing; codes work once."""

import re

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.urls import reverse
from django_otp.oath import totp
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import SignInPolicy
from accounts.signing_in import factors
from conftest import make_user
from webhooks.tests.clock import clock

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.on_sqlite,
    pytest.mark.begins_at("2026-12-01T12:00"),
]

PASSWORD = "a-long-password"
CODE_PAGE = "/login/code/"
SET_UP_PAGE = "/account/second-factor/"


def give_factor(user):
    """A second factor that is in use."""
    return TOTPDevice.objects.create(user=user, name="app")


def code_of(device):
    return f"{totp(device.bin_key):06}"


def wrong_code(device):
    return f"{(totp(device.bin_key) + 1) % 1000000:06}"


def sign_in(client, name="robin", **query):
    return client.post("/login/", {"username": name, "password": PASSWORD, **query})


def is_free(client):
    return client.get("/insights/").status_code == 200


@pytest.fixture
def factor(user):
    return give_factor(user)


@pytest.fixture
def pending(client, factor):
    """A client that has shown the password only."""
    sign_in(client)
    return client


def require(who):
    SignInPolicy.objects.update_or_create(pk=1, defaults={"second_factor": who})


# Showing it ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/insights/",
        "/webhook-health/",
        "/admin/",
        "/admin/password_change/",
        "/login/",
        "/account/second-factor/",
        "/team/sign-in/",
        "/briefs/1/",
    ],
)
def test_password_alone_reaches_no_page(pending, path):
    answer = pending.get(path)

    assert answer.status_code == 302
    assert answer["Location"].startswith(CODE_PAGE)


def test_password_alone_reads_nothing_by_the_api(pending):
    answer = pending.get("/api/v1/briefs/")

    assert (answer.status_code, answer.json()) == (
        403,
        {"detail": "The second factor has not been shown."},
    )


def test_password_alone_changes_nothing(pending):
    assert pending.post(reverse("accounts:second_factor_begin")).status_code == 302
    assert pending.post(reverse("accounts:unlock"), {"name": "lee"}).status_code == 302


def test_live_page_of_a_pending_session_goes_to_the_code_page(pending):
    answer = pending.get("/", HTTP_HX_REQUEST="true")

    assert answer["HX-Redirect"] == CODE_PAGE


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_probes_stay_open(pending, path):
    assert pending.get(path).status_code in (200, 503)


def test_pending_session_may_log_out(pending):
    pending.post("/logout/")

    assert "_auth_user_id" not in pending.session


def test_code_lets_in_and_leads_to_the_page_that_was_asked_for(pending, factor):
    asked = pending.get("/insights/?days=30")
    before = pending.session.session_key

    answer = pending.post(asked["Location"], {"code": code_of(factor)})

    assert answer["Location"] == "/insights/?days=30"
    assert is_free(pending)
    assert pending.session.session_key != before


@pytest.mark.parametrize(
    "page", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "insights", "é"]
)
def test_code_page_leads_to_no_foreign_page(pending, factor, page):
    answer = pending.post(CODE_PAGE, {"code": code_of(factor), "next": page})

    assert answer["Location"] == "/"


@pytest.mark.parametrize("code", ["", "000", "12345678", "abcd-efgh", "٣٣٣٣٣٣"])
def test_wrong_code_lets_nobody_in(pending, code):
    assert "wrong" in pending.post(CODE_PAGE, {"code": code}).content.decode()

    assert not is_free(pending)


def test_code_with_a_space_is_the_code(pending, factor):
    code = code_of(factor)
    pending.post(CODE_PAGE, {"code": f" {code[:3]} {code[3:]} "})

    assert is_free(pending)


def test_used_code_is_not_taken_again(pending, client, factor):
    code = code_of(factor)
    pending.post(CODE_PAGE, {"code": code})
    client.logout()
    sign_in(client)

    assert "used before" in client.post(CODE_PAGE, {"code": code}).content.decode()
    assert not is_free(client)


def test_wrong_codes_make_one_wait_even_for_the_right_one(pending, factor):
    for minute in range(5):
        clock.set(f"2026-12-01T12:0{minute + 1}")
        pending.post(CODE_PAGE, {"code": wrong_code(factor)})
    page = pending.post(CODE_PAGE, {"code": code_of(factor)}).content.decode()
    assert "Try again in 16 seconds" in page
    assert not is_free(pending)

    clock.set("2026-12-01T12:06")
    pending.post(CODE_PAGE, {"code": code_of(factor)})
    assert is_free(pending)


def test_nobody_waits_longer_than_nine_minutes(pending, factor):
    TOTPDevice.objects.update(
        throttling_failure_count=500, throttling_failure_timestamp="2026-12-01T11:51:20Z"
    )

    pending.post(CODE_PAGE, {"code": code_of(factor)})

    assert is_free(pending)


def test_code_of_a_colleague_lets_nobody_in(pending, lead):
    pending.post(CODE_PAGE, {"code": code_of(give_factor(lead))})

    assert not is_free(pending)


def test_session_of_before_needs_the_code_as_soon_as_there_is_a_factor(client, user):
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert is_free(client)

    give_factor(user)

    assert not is_free(client)


def test_standing_takes_no_query(client, user, django_assert_num_queries):
    client.force_login(user)

    with django_assert_num_queries(2):  # session and person
        client.get(CODE_PAGE)


# Recovery codes -----------------------------------------------------------------------------------


def test_recovery_code_works_once_and_says_how_many_are_left(pending, user):
    code = factors.new_codes(user)[3]

    page = pending.post(CODE_PAGE, {"code": code.upper()}, follow=True).content.decode()

    assert "You have 9 left." in page
    assert is_free(pending)
    pending.logout()
    sign_in(pending)
    pending.post(CODE_PAGE, {"code": code})
    assert not is_free(pending)


def test_recovery_code_without_a_factor_is_worth_nothing(user):
    code = factors.new_codes(user)[0]

    assert factors.show(user, code).device is None


# Setting up, renewing, removing ------------------------------------------------------------------


def set_up(client):
    client.post(reverse("accounts:second_factor_begin"))
    device = TOTPDevice.objects.get(confirmed=False)
    return client.post(reverse("accounts:second_factor_confirm"), {"code": code_of(device)})


def test_person_sets_up_a_factor_and_sees_ten_codes_once(signed_in, user):
    page = set_up(signed_in)

    codes = re.findall(r"<code>(\w{4}-\w{4})</code>", page.content.decode())
    assert len(set(codes)) == 10
    assert "no-store" in page["Cache-Control"]
    assert is_free(signed_in)
    assert codes[0] not in signed_in.get(SET_UP_PAGE).content.decode()
    assert factors.codes_left(user) == 10


def test_set_up_page_shows_picture_and_secret(signed_in):
    page = signed_in.post(reverse("accounts:second_factor_begin"), follow=True).content.decode()

    device = TOTPDevice.objects.get()
    assert factors.secret_of(device) in page
    assert 'src="data:image/svg+xml' in page
    assert "issuer=Savedesk" in device.config_url


def test_wrong_first_code_sets_up_nothing(signed_in, user):
    signed_in.post(reverse("accounts:second_factor_begin"))
    device = TOTPDevice.objects.get()
    signed_in.post(reverse("accounts:second_factor_confirm"), {"code": wrong_code(device)})

    assert factors.app_of(user) is None


def test_other_sessions_need_the_code_once_a_factor_is_set_up(
    signed_in, client, user, client_class
):
    other = client_class()
    other.force_login(user)

    set_up(signed_in)

    assert is_free(signed_in)
    assert not is_free(other)


@pytest.fixture
def client_class():
    from django.test import Client

    return Client


@pytest.fixture
def free(pending, factor):
    """A client that has shown password and code, a minute ago."""
    pending.post(CODE_PAGE, {"code": code_of(factor)})
    clock.set("2026-12-01T12:01")
    return pending


@pytest.mark.parametrize(
    ("password", "is_right"), [("wrong", True), (PASSWORD, False), ("", True), (PASSWORD, True)]
)
def test_removing_takes_password_and_code(free, user, factor, password, is_right):
    code = code_of(factor) if is_right else wrong_code(factor)
    free.post(reverse("accounts:second_factor_remove"), {"password": password, "code": code})

    assert (factors.app_of(user) is None) == (password == PASSWORD and is_right)


def test_password_is_not_guessed_by_removing(free, factor):
    answers = [
        free.post(reverse("accounts:second_factor_remove"), {"password": "no", "code": "1"})
        for _ in range(10)
    ]

    assert answers[-1].status_code == 429


def test_new_recovery_codes_take_a_code_and_end_the_old_ones(free, user, factor):
    factors.new_codes(user)
    before = set(StaticToken.objects.values_list("token", flat=True))
    renew = reverse("accounts:second_factor_codes")
    free.post(renew, {"code": wrong_code(factor)})
    assert set(StaticToken.objects.values_list("token", flat=True)) == before
    clock.set("2026-12-01T12:02")

    assert "Recovery codes" in free.post(renew, {"code": code_of(factor)}).content.decode()
    assert not before & set(StaticToken.objects.values_list("token", flat=True))


def test_recovery_code_beside_a_wrong_password_is_written_down_nowhere(pending, factor, user):
    pending.post(CODE_PAGE, {"code": code_of(factor)})
    recovery = factors.new_codes(user)[0]

    pending.post(reverse("accounts:second_factor_remove"), {"password": "no", "code": recovery})

    kept = AccessAttempt.objects.get()
    assert "code=*" in kept.post_data
    assert recovery not in kept.post_data


@pytest.mark.parametrize("name", ["begin", "confirm", "codes", "remove"])
def test_a_link_changes_nothing(signed_in, name):
    assert signed_in.get(reverse(f"accounts:second_factor_{name}")).status_code == 405


# Who must -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "must"),
    [
        ("nobody", set()),
        ("leads", {"Lead", "superuser"}),
        ("editors", {"Editor", "Lead", "superuser"}),
        ("everybody", {"", "Viewer", "Agent", "Editor", "Lead", "superuser"}),
    ],
)
@pytest.mark.parametrize("role", ["", "Viewer", "Agent", "Editor", "Lead", "superuser"])
def test_policy_says_who_must_set_one_up(client, django_user_model, who, must, role):
    someone = make_user(django_user_model, "someone", "" if role == "superuser" else role)
    django_user_model.objects.filter(pk=someone.pk).update(is_superuser=role == "superuser")
    require(who)
    sign_in(client, "someone")

    is_led = client.get("/insights/").headers.get("Location", "").startswith(SET_UP_PAGE)

    assert is_led == (role in must)


def test_who_must_set_one_up_reaches_nothing_else_and_goes_on_afterwards(client, user):
    require("everybody")
    sign_in(client)
    asked = client.get("/insights/")
    assert client.get(asked["Location"]).status_code == 200
    assert client.get("/api/v1/briefs/").status_code == 403
    assert client.post(reverse("accounts:second_factor_remove")).status_code == 302

    page = set_up(client)
    assert page.status_code == 200
    assert is_free(client)


def test_token_needs_no_second_factor(client, user, factor):
    require("everybody")

    answer = client.get("/api/v1/briefs/", HTTP_AUTHORIZATION="Token unknown")

    assert answer.status_code == 401  # refused as a token, and not for want of a code


# What a lead does ---------------------------------------------------------------------------------


def removal(user):
    return reverse("accounts:remove_second_factor", args=[user.pk])


def test_lead_removes_the_lost_factor_of_a_colleague(client, lead, user, factor, caplog):
    client.force_login(lead)
    with caplog.at_level("INFO", "accounts"):
        client.post(removal(user))

    assert factors.app_of(user) is None
    assert f"second factor of user {user.pk} removed by {lead.pk}" in caplog.text
    assert lead.logentry_set.get().object_id == str(user.pk)


def test_lead_removes_no_superusers_factor_and_not_their_own(client, lead, admin_user):
    for person in (admin_user, lead):
        give_factor(person)
    client.force_login(lead)
    session = client.session
    session["second_factor"] = factors.app_of(lead).pk
    session.save()

    assert client.post(removal(admin_user)).status_code == 403
    client.post(removal(lead))
    assert factors.app_of(admin_user)
    assert factors.app_of(lead)


def test_lead_removes_no_factor_of_somebody_with_more_rights(client, lead, user):
    user.user_permissions.add(Permission.objects.get(codename="add_user"))
    give_factor(user)
    client.force_login(lead)

    assert client.post(removal(user)).status_code == 403
    assert factors.app_of(user)


def test_agent_removes_nobodys_factor_and_sets_no_policy(signed_in, lead):
    give_factor(lead)

    assert signed_in.post(removal(lead)).status_code == 403
    assert signed_in.post("/team/sign-in/", {"second_factor": "everybody"}).status_code == 403
    assert factors.app_of(lead)


def test_lead_sets_the_policy(client, lead):
    client.force_login(lead)
    client.post("/team/sign-in/", {"second_factor": "anything"})
    assert SignInPolicy.current().second_factor == "nobody"

    assert client.post("/team/sign-in/", {"second_factor": "editors"}).status_code == 302
    assert SignInPolicy.current().second_factor == "editors"


def test_command_removes_a_factor_by_name_or_mail_address(user, factor, capsys):
    call_command("remove_second_factor", user.email)

    assert factors.app_of(user) is None
    assert "is removed" in capsys.readouterr().out
    with pytest.raises(CommandError, match="nobody called"):
        call_command("remove_second_factor", "somebody")
