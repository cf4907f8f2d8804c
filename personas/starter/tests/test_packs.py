"""The packs of starter rules: one is chosen while nobody has changed the rules."""

from collections import Counter
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from personas import starter
from personas.models import Customer, Persona, RuleVersion
from personas.models.playbooks import sections
from personas.rules import documents, taking, versions
from personas.rules.rulebook import Rulebook

pytestmark = [pytest.mark.django_db, pytest.mark.on_sqlite]

SHOP = starter.PACKS["ecommerce"].document()


@pytest.fixture(scope="module")
def shop():
    return Rulebook.of(SHOP)


def test_rules_that_an_empty_database_gets_are_the_pack_for_software(starter):
    from personas.starter import PACKS

    assert documents.take() == PACKS["saas"].document()


def test_shop_is_chosen_on_first_use():
    call_command("load_starter_rules", pack="ecommerce", stdout=StringIO())

    assert documents.take() == SHOP
    assert RuleVersion.objects.get().what == "Loaded the starter rules: Online shop"


def test_packs_replace_each_other_while_nobody_changed_them():
    starter.load_if_empty()

    assert starter.choose("ecommerce")
    assert not starter.choose("ecommerce")
    assert starter.choose("saas")

    assert documents.take() == starter.PACKS["saas"].document()


def test_rules_that_somebody_changed_are_not_replaced():
    starter.load_if_empty()
    with versions.change(None, ""):
        Persona.objects.get(name="Trial").delete()

    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("load_starter_rules", pack="ecommerce", stdout=StringIO())

    assert Persona.objects.filter(name="Enterprise, active").exists()


def test_pack_is_chosen_in_the_admin(admin_client):
    from briefs.desk.tests.pages import text

    starter.load_if_empty()
    url = "/admin/personas/ruleversion/starter/"
    assert "Choose the starter rules" in text(admin_client.get("/admin/personas/ruleversion/"))
    assert "Online shop" in text(admin_client.get(url))
    seen = admin_client.get(f"{url}?pack=ecommerce").context["seen"]

    admin_client.post(f"{url}?pack=ecommerce", {"based_on": seen.head, "_confirm": "Yes"})

    assert documents.take() == SHOP
    assert taking.head().who == "admin"


def test_pack_is_offered_no_more_once_rules_were_changed(admin_client):
    starter.load_if_empty()
    Persona.objects.filter(name="Trial").update(value="high")

    assert admin_client.get("/admin/personas/ruleversion/starter/").status_code == 404


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("Staff and test orders", {"is_staff": "true", "orders_count": "9"}),
        ("Account closed", {"account_status": "closed", "orders_count": "9"}),
        ("Top customer, going quiet", {"loyalty_tier": "Gold", "days_since_last_order": "61"}),
        ("Top customer, buying", {"loyalty_tier": "VIP", "days_since_last_order": "60"}),
        ("Subscription box", {"box_status": "paused", "orders_count": "1"}),
        ("Buys on sale only", {"orders_count": "4", "discount_share": "85"}),
        ("Sends nearly everything back", {"orders_count": "4", "return_rate": "70"}),
        ("Regular, going quiet", {"orders_count": "3", "days_since_last_order": "91"}),
        ("Regular, buying", {"orders_count": "12", "days_since_last_order": "20"}),
        ("First orders", {"orders_count": "1"}),
        ("Never bought", {"orders_count": "0"}),
        ("Everyone else", {"loyalty_tier": "bronze"}),
        ("Profile unknown", {"favourite_colour": "green"}),
    ],
)
def test_each_persona_of_the_shop_takes_its_customers(shop, name, attributes):
    customer = Customer(attributes=attributes, fetched_at=timezone.now())

    assert shop.persona_for(customer).persona.name == name


def test_every_persona_that_opens_briefs_has_a_step_for_unsubscribed():
    steps = {step.get("persona") for step in SHOP["first_steps"] if step["kind"] == "unsubscribed"}

    assert {row["name"] for row in SHOP["personas"] if row["opens_brief"]} <= steps


def test_no_paragraph_of_the_shop_serves_two_personas():
    parts = [
        paragraph
        for row in SHOP["personas"]
        for section in sections(row["playbook"])
        for paragraph in section.body.split("\n\n")
    ]

    assert max(Counter(parts).values()) == 1


def test_playbooks_of_the_shop_have_the_four_sections():
    for row in SHOP["personas"]:
        titles = [section.title for section in sections(row["playbook"])]
        assert titles == ["Before you start", "Channel", "How far an offer may go", "Do not"]
