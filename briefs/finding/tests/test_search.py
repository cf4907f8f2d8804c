import pytest

from briefs.finding.search import search
from briefs.models import Brief
from briefs.tests.factories import make_brief, make_customer, make_persona, make_research
from personas.models import Customer, CustomerAlias

pytestmark = pytest.mark.django_db


@pytest.fixture
def brief():
    customer = make_customer(
        external_id="acme-1004",
        cio_id="0a1b2c",
        email="henrik@fjord.example",
        attributes={"name": "Henrik Sand", "plan": "enterprise"},
    )
    persona = make_persona(name="Enterprise, active", playbook="Call the treasurer.")
    make_brief()
    return make_brief(
        customer=customer,
        persona=persona,
        kind="spam_complaint",
        persona_why="industry is “banking”",
        research=make_research(persona=persona, status="done", answer="Cap the newsletters."),
        state="closed",
        outcome="retained",
        closed_at="2026-11-23T12:00Z",
        closing_note="Moved to a digest.",
    )


@pytest.mark.parametrize(
    "words",
    [
        "acme-1004",
        "0A1B2",
        "henrik@fjord",
        "henrik sand",
        "enterprise,",
        "complaint",
        "treasurer",
        "BANKING",
        "digest",
        "newsletters",
        "sand complaint digest newsletters",
    ],
)
def test_finds_by(brief, words):
    assert list(search(Brief.objects.all(), words)) == [brief]


@pytest.mark.parametrize("words", ["old-id", "OLD@example", "aa11", "555-0100", "sand 5550100"])
def test_finds_by_a_number_and_by_identifiers_of_before(brief, words):
    Customer.objects.filter(pk=brief.customer.pk).update(phone="+15550100")
    former = {"cio_id": "aa11", "id": "old-id-1", "email": "old@example.com"}
    CustomerAlias.objects.remember(brief.customer.pk, former)

    assert list(search(Brief.objects.all(), words)) == [brief]


@pytest.mark.parametrize("words", ["acme-9999", "henrik treasurer nobody", "100%", "_"])
def test_every_word_must_occur_and_wildcards_are_plain_signs(brief, words):
    assert not search(Brief.objects.filter(pk=brief.pk), words).exists()


def test_no_words_find_everything(brief):
    assert search(Brief.objects.all(), "  ").count() == 2
