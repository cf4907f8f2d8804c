import pytest
from django.test import Client
from django.urls import reverse
from django.views.defaults import permission_denied, server_error

from briefs.desk.tests.pages import text
from briefs.tests.factories import make_brief

pytestmark = pytest.mark.django_db
LOGIN = reverse("login")


def test_signing_in_leads_to_the_inbox(client, user):
    response = client.post(LOGIN, {"username": "robin", "password": "a-long-password"})

    assert response.status_code == 302
    assert response.url == reverse("briefs:inbox")


def test_a_wrong_password_is_refused_in_words(client, user):
    response = client.post(LOGIN, {"username": "robin", "password": "wrong"})

    assert "This name and this password do not belong together." in text(response)


def test_signing_in_leads_back_to_the_page_asked_for(client, user):
    brief = make_brief()
    asked = client.get(brief.get_absolute_url())

    response = client.post(
        asked.url,
        {"username": "robin", "password": "a-long-password", "next": brief.get_absolute_url()},
    )

    assert response.url == brief.get_absolute_url()


@pytest.mark.parametrize("path", ["/?unfold=1", "/?state=all&q=ada"])
def test_part_of_a_page_leads_all_of_it_to_the_sign_in(client, path):
    response = client.get(path, headers={"HX-Request": "true", "HX-Target": "list"})

    assert response.headers["HX-Redirect"] == client.get(path).url


def test_too_many_wrong_passwords_lock_the_sign_in(client, user):
    for _ in range(10):
        response = client.post(LOGIN, {"username": "robin", "password": "wrong"})

    assert response.status_code == 429
    assert "You can try again in 15 minutes" in text(response)


def test_logging_out_is_a_post_and_leads_to_sign_in(signed_in):
    assert signed_in.get(reverse("logout")).status_code == 405

    response = signed_in.post(reverse("logout"), follow=True)

    assert "Sign in" in text(response)
    assert signed_in.get(reverse("briefs:inbox")).status_code == 302


@pytest.mark.parametrize("name", ["brief", "research", "assign", "close", "retry"])
def test_no_page_can_be_read_without_signing_in(client, name):
    brief = make_brief()
    url = reverse(f"briefs:{name}", args=[brief.pk])

    for response in (client.get(url), client.post(url)):
        assert brief.customer.email not in response.content.decode()
        assert response.status_code == 302 or response.headers.get("HX-Refresh") == "true"


def test_a_poll_after_signing_out_reloads_the_page_rather_than_showing_a_form_inside(client):
    response = client.get(reverse("briefs:research", args=[make_brief().pk]))

    assert response.headers["HX-Refresh"] == "true"
    assert response.content == b""


def test_a_missing_page_says_so(signed_in):
    response = signed_in.get("/briefs/999999/")

    assert response.status_code == 404
    assert "Nothing here" in text(response)


def test_refusals_and_faults_have_a_page_that_needs_no_context(rf):
    request = rf.get("/")

    assert b"That went wrong" in server_error(request).content
    assert b"Not allowed" in permission_denied(request, Exception()).content


def test_a_form_without_a_token_is_refused_in_words(user):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user)

    response = strict.post(reverse("briefs:assign", args=[make_brief().pk]))

    assert response.status_code == 403
    assert "Please send it again" in text(response)


def test_pages_carry_no_inline_script_or_style(signed_in):
    for url in ("/", make_brief().get_absolute_url()):
        response = signed_in.get(url)

        page = response.content.decode()
        assert "style=" not in page
        assert "<style" not in page
        assert page.count("<script") == page.count("<script src=")
        assert "default-src 'self'" in response.headers["Content-Security-Policy"]
