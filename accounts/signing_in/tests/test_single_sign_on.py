"""Single sign-on against a provider over HTTP: who comes in, as whom, with which role."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.core.cache import cache

from accounts.models import Identity, roles
from briefs.tests.factories import make_brief

pytestmark = [pytest.mark.django_db, pytest.mark.on_sqlite]

COMPLETE_BUT_OF_ANOTHER = json.dumps(
    dict.fromkeys(("authorization_endpoint", "token_endpoint", "jwks_uri"), "https://other.example")
    | {"issuer": "https://other.example"}
)
BEGIN, CALLBACK = "/login/single-sign-on/", "/login/single-sign-on/callback/"
PASSWORD = "a-long-password"


@pytest.fixture(autouse=True)
def forgotten():
    cache.clear()


@pytest.fixture(scope="module")
def server():
    """A provider, for all tests: to make its key takes a fifth of a second."""
    from oidc_provider_mock import run_server_in_thread  # here: it takes a second of each worker

    with run_server_in_thread(require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


_described = set()


@pytest.fixture
def provider(server, settings):
    """The address of a provider that signs in whoever `enter` names, and knows nothing of them."""
    settings.OIDC_ISSUER = server
    settings.OIDC_RP_CLIENT_ID = "savedesk"
    settings.OIDC_RP_CLIENT_SECRET = "shared-with-the-provider"
    settings.OIDC_ROLES = {"retention-leads": "Lead", "retention": "Agent", "all": "Viewer"}
    yield server
    for subject in list(_described):
        describe(server, subject)
    _described.clear()


def describe(provider, subject, **claims):
    requests.put(f"{provider}/users/{subject}", json=claims, timeout=60).raise_for_status()
    _described.add(subject)


def at_provider(client, subject="kim", **query):
    """Begin, sign in at the provider; returns the address that it leads back to."""
    begun = client.get(BEGIN, query)
    data = {"sub": subject} if subject else {"action": "deny"}
    back = requests.post(begun["Location"], data=data, allow_redirects=False, timeout=60)
    return back.headers["Location"]


def enter(client, subject="kim", **query):
    return client.get(at_provider(client, subject, **query))


def who(client):
    from django.contrib.auth import get_user

    request = client.get("/livez").wsgi_request
    request.session = client.session
    return get_user(request)


# Coming in ----------------------------------------------------------------------------------------


def test_unknown_person_gets_a_user_of_their_own_with_a_role(client, provider):
    describe(
        provider,
        "kim",
        email="kim@example.com",
        email_verified=True,
        given_name="Kim",
        family_name="Ray",
        preferred_username="kim.ray@corp",
        groups=["retention", "canteen"],
    )

    assert enter(client)["Location"] == "/"

    user = who(client)
    assert (user.username, user.email, user.get_full_name()) == (
        "kim.ray",
        "kim@example.com",
        "Kim Ray",
    )
    assert roles.role_of(user) == "Agent"
    assert not user.has_usable_password()
    assert client.get("/insights/").status_code == 200


def test_person_is_known_again_by_subject_also_under_another_address(client, provider):
    describe(provider, "kim", email="kim@example.com", email_verified=True)
    enter(client)
    first = who(client)
    client.logout()
    describe(provider, "kim", email="new@example.com", email_verified=True)

    enter(client)

    assert who(client) == first
    assert Identity.objects.get().subject == "kim"


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        (["all", "retention-leads", "retention"], "Lead"),
        (["all"], "Viewer"),
        ("retention", "Agent"),
        (["canteen"], None),
        ([], None),
        (None, None),
        ([{"name": "retention-leads"}], None),
    ],
)
def test_groups_give_the_highest_role_at_every_sign_in(client, provider, groups, role):
    describe(provider, "kim", groups=["retention"])
    enter(client)
    client.logout()
    describe(provider, "kim", groups=groups)

    enter(client)

    assert roles.role_of(who(client)) == role
    assert not who(client).is_superuser
    assert who(client).is_staff == (role == "Lead")


@pytest.mark.parametrize(
    ("groups", "is_kept"), [(["all"], False), ([], False), (["retention-leads"], True)]
)
def test_briefs_of_who_may_no_longer_work_on_them_are_unassigned(client, provider, groups, is_kept):
    describe(provider, "kim", groups=["retention"])
    enter(client)
    brief = make_brief(assignee=who(client), state="in_progress")
    client.logout()
    describe(provider, "kim", groups=groups)

    enter(client)

    brief.refresh_from_db()
    assert (brief.assignee is not None) == is_kept


def test_without_groups_in_the_settings_a_lead_gives_roles(client, provider, settings, user):
    settings.OIDC_ROLES = {}
    describe(provider, "kim", email=user.email, email_verified=True, groups=["retention-leads"])

    enter(client)

    assert roles.role_of(who(client)) == "Agent"


def test_session_needs_no_second_factor_of_ours(client, provider):
    from accounts.models import SignInPolicy

    SignInPolicy.objects.update_or_create(pk=1, defaults={"second_factor": "everybody"})
    describe(provider, "kim", groups=["retention"])

    enter(client)

    assert client.get("/insights/").status_code == 200


@pytest.mark.parametrize(
    ("page", "leads_to"),
    [("/insights/", "/insights/"), ("https://evil.example/", "/"), ("//evil.example", "/")],
)
def test_it_leads_on_to_pages_of_ours_only(client, provider, page, leads_to):
    assert enter(client, next=page)["Location"] == leads_to


# Whose user ---------------------------------------------------------------------------------------


def test_verified_mail_address_finds_the_user_that_is_there(client, provider, user):
    describe(provider, "kim", email="ROBIN@example.com", email_verified=True, groups=["all"])

    enter(client)

    assert who(client) == user
    assert roles.role_of(who(client)) == "Viewer"


@pytest.mark.parametrize("verified", [False, None, "yes"])
def test_mail_address_that_is_not_verified_finds_nobody(client, provider, user, verified):
    describe(provider, "kim", email=user.email, email_verified=verified)

    enter(client)

    assert who(client) != user
    assert who(client).email == ""


def give_factor(user):
    user.totpdevice_set.create(name="app")


@pytest.mark.parametrize(
    "change",
    [
        lambda user: roles.give(user, roles.Role.LEAD),
        lambda user: type(user).objects.update(is_superuser=True),
        give_factor,
        lambda user: user.identities.create(issuer=settings_issuer(), subject="another"),
    ],
    ids=["lead", "superuser", "second factor", "linked before"],
)
def test_mail_address_alone_is_not_enough_for_some(client, provider, user, change):
    change(user)
    describe(provider, "kim", email=user.email, email_verified=True)

    enter(client)

    assert who(client) != user
    assert who(client).username == "robin-2"
    assert who(client).email == ""  # so that the address still signs its owner in


def settings_issuer():
    from django.conf import settings

    return settings.OIDC_ISSUER


def test_superuser_stays_what_they_are(client, provider, admin_user):
    Identity.objects.create(user=admin_user, issuer=provider, subject="kim")
    describe(provider, "kim", groups=["all"])

    enter(client)

    assert who(client).is_superuser
    assert who(client).is_staff
    assert not who(client).groups.exists()


@pytest.mark.parametrize("is_linked", [True, False])
def test_deactivated_person_does_not_come_in(client, provider, user, is_linked):
    if is_linked:
        Identity.objects.create(user=user, issuer=provider, subject="kim")
    type(user).objects.update(is_active=False)
    describe(provider, "kim", email=user.email, email_verified=True, groups=["retention"])

    page = enter(client)

    assert (page.status_code, "deactivated" in page.content.decode()) == (403, True)
    assert type(user).objects.count() == 1


def test_deactivating_ends_the_session(client, provider):
    describe(provider, "kim", groups=["retention"])
    enter(client)
    user = who(client)
    type(user).objects.update(is_active=False)

    assert client.get("/insights/").status_code == 302


# What is not believed -----------------------------------------------------------------------------


def test_request_carries_state_nonce_and_pkce(client, provider):
    sent = parse_qs(urlsplit(client.get(BEGIN)["Location"]).query)

    assert sent["code_challenge_method"] == ["S256"]
    assert sent.keys() >= {"state", "nonce", "code_challenge"}
    assert sent["scope"] == ["openid email profile"]
    assert sent["redirect_uri"] == [f"http://testserver{CALLBACK}"]


def test_way_back_is_under_the_public_url_where_the_proxy_names_no_port(
    client, provider, settings, monkeypatch
):
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = "https://desk.example:8443", ["desk.example"]
    client.defaults |= {"HTTP_HOST": "desk.example", "HTTP_X_FORWARDED_PROTO": "https"}
    asked = []
    post = requests.post
    monkeypatch.setattr("requests.post", lambda *a, **kw: asked.append(kw) or post(*a, **kw))

    back = at_provider(client)
    client.get(back)

    assert back.startswith(f"https://desk.example:8443{CALLBACK}?")
    assert asked[-1]["data"]["redirect_uri"] == f"https://desk.example:8443{CALLBACK}"
    assert who(client).is_authenticated


def is_refused(answer, status=400):
    return answer.status_code == status and "not signed in" in answer.content.decode()


def test_answer_to_another_browser_is_not_taken(client, provider, client_class):
    theirs = at_provider(client_class())

    assert is_refused(client.get(theirs))
    client.get(BEGIN)
    assert is_refused(client.get(theirs))
    assert who(client).is_anonymous


@pytest.fixture
def client_class():
    from django.test import Client

    return Client


def test_answer_is_not_taken_twice(client, provider):
    back = at_provider(client)
    client.get(back)
    client.logout()

    assert is_refused(client.get(back))


def test_wrong_nonce_is_not_taken(client, provider):
    back = at_provider(client)
    session = client.session
    for state in session["oidc_states"].values():
        state["nonce"] = "another"
    session.save()

    assert is_refused(client.get(back))


def test_refusal_of_the_provider_is_told_and_signs_nobody_out(client, provider, user):
    page = enter(client, subject="")
    assert is_refused(page, 403)
    client.force_login(user)

    assert is_refused(client.get(CALLBACK, {"error": "<script>access_denied"}), 403)
    assert who(client) == user


@pytest.mark.parametrize("query", [{}, {"code": "1"}, {"code": "1", "state": "2"}])
def test_answer_that_nobody_asked_for_is_not_taken(client, provider, query):
    assert is_refused(client.get(CALLBACK, query))


# When it cannot work ------------------------------------------------------------------------------


def test_provider_that_is_down_is_told_and_the_password_still_works(client, settings, user):
    settings.OIDC_ISSUER = "http://localhost:9"

    assert is_refused(client.get(BEGIN), 502)
    client.post("/login/", {"username": "robin", "password": PASSWORD})
    assert who(client) == user


def test_provider_that_goes_down_in_between_is_told(client, provider, monkeypatch):
    back = at_provider(client)

    def is_down(*args, **kw):
        raise requests.ConnectTimeout

    monkeypatch.setattr("mozilla_django_oidc.auth.requests.post", is_down)

    assert is_refused(client.get(back), 502)


@pytest.mark.parametrize(
    "described",
    ["<html>", "[]", "{}", '{"issuer": "https://other.example"}', COMPLETE_BUT_OF_ANOTHER],
)
def test_description_that_cannot_be_used_is_told(client, settings, monkeypatch, described):
    settings.OIDC_ISSUER = "https://id.example"
    answer = requests.Response()
    answer.status_code, answer._content = 200, described.encode()
    monkeypatch.setattr("accounts.signing_in.provider.requests.get", lambda *args, **kw: answer)

    assert is_refused(client.get(BEGIN), 502)


def test_provider_is_asked_once_an_hour_and_never_by_a_page(client, provider, monkeypatch, user):
    asked = []
    get = requests.get
    monkeypatch.setattr(
        "accounts.signing_in.provider.requests.get",
        lambda *args, **kw: asked.append(kw["timeout"]) or get(*args, **kw),
    )
    client.force_login(user)
    client.get("/")
    client.logout()
    client.get("/login/")
    assert asked == []

    client.get(BEGIN)
    client.get(BEGIN)
    assert asked == [(2, 3)]


def test_button_is_there_only_where_it_works(client, provider, settings):
    button = "Sign in with single sign-on"
    page = client.get("/login/?next=/insights/%3Fdays%3D30").content.decode()
    assert button in page
    assert f'href="{BEGIN}?next=%2Finsights%2F%3Fdays%3D30"' in page
    settings.OIDC_ISSUER = ""

    assert button not in client.get("/login/").content.decode()
    assert client.get(BEGIN).status_code == client.get(CALLBACK).status_code == 404


def test_lock_out_does_not_count_single_sign_on(client, provider, user):
    for number in range(30):
        client.post("/login/", {"username": f"name-{number}", "password": "wrong"})

    assert enter(client).status_code == 302


def test_nothing_secret_is_logged(client, provider, caplog):
    describe(provider, "kim", email="kim@example.com", email_verified=True, groups=["retention"])
    with caplog.at_level("DEBUG"):
        back = at_provider(client)
        client.get(back)
        client.get(back)

    ours = [record.getMessage() for record in caplog.records if record.name.startswith("accounts")]
    assert "single sign-on failed: SuspiciousOperation" in ours
    for secret in (parse_qs(urlsplit(back).query)["code"][0], "kim@example.com", "shared-with"):
        assert not any(secret in line for line in ours)
