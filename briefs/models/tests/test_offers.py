"""What customers are offered: rows that the team keeps, and what closed briefs say of them."""

import pytest
from django.core.management import call_command
from django.db.models import ProtectedError
from django.utils import timezone

from briefs.models import Brief, Offer
from briefs.tests.factories import make_brief
from operations.tests import unsquashed


@pytest.mark.django_db
def test_team_begins_with_the_offers_that_programs_know():
    assert list(Offer.objects.values_list("code", "name", "asks")) == [
        ("nothing", "Nothing", "nothing"),
        ("help", "Help", "nothing"),
        ("pause", "A pause", "nothing"),
        ("discount", "A discount", "percent"),
        ("other", "Something else", "words"),
    ]


@pytest.mark.parametrize(
    ("asks", "words"),
    [("nothing", "A trip"), ("percent", "A trip, 20 %"), ("words", "A trip, to Rome")],
)
def test_brief_says_of_its_offer_what_that_asks_for(asks, words):
    offer = Offer(code="trip", name="A trip", asks=asks)

    brief = Brief(offer=offer, offer_percent=20, offer_words="to Rome")

    assert brief.offer_in_words == words


def test_brief_without_an_offer_says_nothing():
    assert Brief().offer_in_words == ""


@pytest.mark.django_db
def test_brief_says_the_new_name_of_an_offer_that_was_renamed():
    brief = make_brief()
    brief.close("retained", offer_id="help")
    Offer.objects.filter(code="help").update(name="Training")

    assert Brief.objects.get().offer_in_words == "Training"


@pytest.mark.django_db
def test_offer_of_a_closed_brief_cannot_be_deleted():
    make_brief().close("retained", offer_id="help")

    with pytest.raises(ProtectedError):
        Offer.objects.get(code="help").delete()
    Offer.objects.get(code="pause").delete()

    assert set(Offer.objects.values_list("code", flat=True)) == {
        "nothing",
        "help",
        "discount",
        "other",
    }


@pytest.mark.long  # all migrations from none, as operations/tests/test_upgrade.py runs them always
def test_upgrade_keeps_what_was_offered_and_the_release_before_goes_on_writing_it(empty_database):
    executor = unsquashed.executor()
    others = [node for node in executor.loader.graph.leaf_nodes() if node[0] != "briefs"]
    before = executor.migrate([*others, ("briefs", "0025_median_counted_at")]).apps
    now = timezone.now()
    before.get_model("briefs", "Brief").objects.create(
        customer=before.get_model("personas", "Customer").objects.create(email="ann@example.com"),
        persona=before.get_model("personas", "Persona").objects.create(name="All", position=1),
        kind="unsubscribed", priority=1, happened_at=now, state="closed", outcome="churned",
        closed_at=now, offer="discount", offer_percent=20,
    )  # fmt: skip

    call_command("migrate", verbosity=0)

    assert Brief.objects.get().offer_in_words == "A discount, 20 %"
    before.get_model("briefs", "Brief").objects.update(offer="pause", offer_percent=None)
    assert Brief.objects.get().offer_in_words == "A pause"
