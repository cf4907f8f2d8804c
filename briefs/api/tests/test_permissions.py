"""Routes of the API ask for permissions; personal data and payloads for one of their own."""

import pytest

from accounts.models import Role
from briefs.api.tests.acting import Program
from briefs.tests.factories import make_brief, make_customer, make_event, make_research, make_signal
from conftest import make_user

pytestmark = pytest.mark.django_db

WORD = "zanzibar"


@pytest.fixture
def as_role(client, django_user_model):
    def sign_in(role):
        client.force_login(make_user(django_user_model, "kim", role))
        return client

    return sign_in


@pytest.mark.parametrize(
    ("role", "path", "missing"),
    [
        ("", "briefs", "briefs.view_brief"),
        ("", "personas", "personas.view_persona"),
        ("Viewer", "customers", "personas.view_customer and personas.view_personal_data"),
        ("Agent", "events", "webhooks.view_webhookevent"),
    ],
)
def test_refusal_names_what_is_missing(as_role, role, path, missing):
    response = as_role(role).get(f"/api/v1/{path}/")

    assert response.status_code == 403
    assert f"needs {missing}:" in response.json()["detail"]


def make_telling_brief():
    """Every text that may quote a customer holds the word."""
    research = make_research(
        status="done", question=WORD, answer=WORD, validation={"unsupported_claims": [WORD]}
    )
    known = {"cio_id": WORD, "external_id": WORD, "email": f"{WORD}@example.com", "phone": WORD}
    customer = make_customer(attributes={"plan": WORD}, **known)
    said = {"persona_why": WORD, "question_facts": [WORD], "closing_note": WORD, "detail": WORD}
    brief = make_brief(customer=customer, research=research, basis="new", **said)
    make_signal(brief=brief, customer=customer, why=WORD, message={"subject": WORD}, detail=WORD)
    brief.log(WORD)
    return brief


@pytest.mark.parametrize("path", ["/api/v1/briefs/", "/api/v1/briefs/{}/"])
def test_viewer_gets_briefs_without_what_says_who_it_is(as_role, path):
    brief = make_telling_brief()

    answer = as_role("Viewer").get(path.format(brief.pk))

    assert answer.status_code == 200
    assert WORD not in answer.content.decode()


def test_agent_gets_them_in_full(as_role):
    brief = make_telling_brief()

    answer = as_role("Agent").get(f"/api/v1/briefs/{brief.pk}/").json()

    assert answer["customer"]["email"] == f"{WORD}@example.com"


def test_search_is_no_oracle(as_role):
    make_telling_brief()

    answer = as_role("Viewer").get("/api/v1/briefs/", {"q": WORD})

    assert answer.status_code == 403
    assert "personas.view_personal_data" in answer.json()["detail"]


def test_order_is_no_oracle_for_a_token_that_has_less_than_its_person(client, user):
    """By names it would tell of each customer between which others their name is."""
    answer = Program(client, user, Role.VIEWER).get("briefs/?ordering=customer")

    assert answer.status_code == 403
    assert "personas.view_personal_data" in answer.json()["detail"]


@pytest.mark.parametrize(("role", "is_shown"), [("Editor", False), ("Lead", True)])
def test_payload_needs_a_permission_of_its_own(as_role, role, is_shown):
    event = make_event()

    payload = as_role(role).get(f"/api/v1/events/{event.pk}/").json()["payload"]

    assert bool(payload) == is_shown
