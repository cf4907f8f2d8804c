"""The offers in the admin: a lead adds, renames, orders, switches off and deletes them."""

import pytest

from briefs.models import Offer
from briefs.tests.factories import make_brief

pytestmark = pytest.mark.django_db
LIST = "/admin/briefs/offer/"
CALL = {"code": "product-call", "name": "A call with the product team", "asks": "words",
        "position": "15", "is_active": "on"}  # fmt: skip


@pytest.fixture
def leading(client, lead):
    client.force_login(lead)
    return client


def test_lead_adds_an_offer_in_its_place(leading):
    leading.post(f"{LIST}add/", CALL)

    names = list(Offer.objects.values_list("name", flat=True))
    assert names[:3] == ["Nothing", "A call with the product team", "Help"]


@pytest.mark.parametrize("code", ["help", "product call", ""])
def test_code_that_is_taken_or_unfit_for_programs_is_refused(leading, code):
    page = leading.post(f"{LIST}add/", {**CALL, "code": code})

    assert "code" in page.context["adminform"].form.errors
    assert Offer.objects.count() == 5


def test_lead_renames_and_switches_off_but_keeps_the_code_and_what_it_asks_for(leading):
    changed = {"code": "rebate", "name": "A rebate", "asks": "words", "position": "1"}

    leading.post(f"{LIST}discount/change/", changed)

    offer = Offer.objects.get(code="discount")
    assert (offer.name, offer.position, offer.is_active) == ("A rebate", 1, False)
    assert offer.asks == "percent"
    assert offer.history.get().history_user.username == "lee"
    assert Offer.objects.count() == 5


def test_offer_of_a_closed_brief_is_not_deleted(leading):
    make_brief().close("retained", offer_id="help")

    refused = leading.post(f"{LIST}help/delete/", {"post": "yes"})
    leading.post(f"{LIST}pause/delete/", {"post": "yes"})

    assert "Cannot delete offer" in refused.content.decode()
    assert Offer.objects.filter(code="help").exists()
    assert not Offer.objects.filter(code="pause").exists()
