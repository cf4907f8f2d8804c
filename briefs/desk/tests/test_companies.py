"""The page of a company, and what the page of a brief tells of it."""

import html
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from briefs.desk.tests.pages import queries_of, text
from briefs.models import ContactLog
from briefs.tests.factories import make_brief, make_customer, make_reason, make_signal
from conftest import make_user

pytestmark = pytest.mark.django_db


def worth(month, company="Acme", level="company"):
    return {"company": company, "value_amount": month, "value_month": month,
            "value_currency": "USD", "value_period": "month", "value_level": level}  # fmt: skip


def leaver(name="Ada", days=1, month=900, level="company", **kw):
    """Somebody of the company with an open brief."""
    value = worth(month, level=level, **kw)
    brief = make_brief(customer=make_customer(attributes={"name": name}, **value), **value)
    make_signal(brief=brief, happened_at=timezone.now() - timedelta(days=days))
    return brief


def page(client, **query):
    return client.get("/companies/", query or {"name": "Acme"})


def test_two_leavers_of_a_company_are_on_one_page_and_its_value_counts_once(signed_in):
    leaver("Ada"), leaver("Bo", month=800)

    words = text(page(signed_in))

    assert "Value USD 900 a month People 2 Signalled in the last 30 days 2 Open briefs 2" in words
    assert "The company counts once: the largest value" in words
    assert "Ada" in words
    assert "Bo" in words


def test_where_values_are_a_persons_they_are_added_up(signed_in):
    leaver(month=900, level="person"), leaver(month=800, level="person")
    make_customer(company="Acme")

    words = text(page(signed_in))

    assert "Value USD 1,700 a month" in words
    assert "The values of its people together. Of 1 person no value is known." in words


def test_unknown_value_is_said_to_be_unknown(signed_in):
    make_customer(company="Acme")

    assert "Value Unknown People 1" in text(page(signed_in))


def test_past_briefs_say_how_why_and_with_which_offer_they_ended(signed_in, user):
    brief = leaver("Ada")
    ending = {"closing_reason": make_reason("Too dear"), "offer_id": "discount",
              "offer_percent": 10}  # fmt: skip
    brief.close("churned", "Went to a rival.", user, **ending)

    words = text(page(signed_in))

    assert "Open briefs None at present." in words
    assert "Past briefs Churned 1 Unsubscribed · Ada: Churned" in words
    assert "Reason: Too dear. Offered: A discount, 10 %. Note: Went to a rival." in words
    assert "by robin" in words


def test_contact_log_of_all_briefs_is_shown_with_whom_it_was(signed_in, user):
    brief = leaver("Ada")
    ContactLog.objects.create(
        brief=brief, actor=user, channel="phone", is_reached=True, note="They look elsewhere."
    )

    words = text(page(signed_in))

    assert f"robin Phone, reached: Ada, Brief {brief.pk} They look elsewhere." in words


@pytest.mark.parametrize(("number", "has_more"), [(10, False), (11, True)])
def test_contact_log_says_that_there_are_older_ones_where_there_are(
    signed_in, user, number, has_more
):
    brief = leaver("Ada")
    for _ in range(number):
        ContactLog.objects.create(brief=brief, actor=user, channel="phone", is_reached=True)

    words = text(page(signed_in))

    assert ("Older ones stand in the timelines" in words) == has_more
    assert words.count("robin Phone, reached") == 10


def test_signals_are_counted_by_kind(signed_in):
    leaver(), leaver()

    words = text(page(signed_in))

    assert "Signal Times People Last Unsubscribed 2 2 1 d ago" in words


def test_long_lists_are_cut_and_lead_to_the_inbox_of_this_company(signed_in):
    for _ in range(26):
        leaver()
        leaver().close("retained")

    leaver(company="Acme Holding").close("retained")

    links = dict(
        re.findall(r'<a href="([^"]+)">([^<]* in the inbox)<', page(signed_in).content.decode())
    )

    assert list(links.values()) == ["Open and closed ones in the inbox", "Closed ones in the inbox"]
    for link, number in zip(links, (52, 26), strict=True):
        shown = signed_in.get(html.unescape(link)).context
        assert shown["found"] == number


def test_people_are_paged_and_the_next_page_is_of_the_same_company(signed_in):
    for _ in range(26):
        make_customer(company="A & B")

    response = page(signed_in, name="a & b", page="2")

    assert len(response.context["people"]) == 1
    assert '<a href="?name=a+%26+b&amp;page=1" rel="prev">' in response.content.decode()


def test_queries_do_not_grow_with_the_company(signed_in, user):
    def grow():
        brief = leaver()
        ContactLog.objects.create(brief=brief, actor=user, channel="phone", is_reached=True)
        leaver().close("churned", actor=user)

    grow()
    before = queries_of(signed_in, "/companies/?name=Acme")
    for _ in range(10):
        grow()

    assert queries_of(signed_in, "/companies/?name=Acme") == before <= 28


@pytest.mark.parametrize("name", ["Bolt", "Acme\0\ud800 x", "\u202eemcA", "x" * 3_000, "%"])
def test_unknown_company_says_what_to_do(signed_in, name):
    make_customer(company="Acme")

    response = page(signed_in, name=name.encode("utf-8", "surrogatepass"))

    assert response.status_code == 404
    assert "Look for a part of the name in the inbox" in text(response)
    assert "\u202e" not in text(response)


@pytest.mark.parametrize("query", [{"name": ""}, {"name": " "}, {"company": "Acme"}])
def test_without_a_name_it_says_where_the_page_opens_from(signed_in, query):
    make_customer(company="")

    response = page(signed_in, **query)

    assert response.status_code == 404
    assert "The page of a company opens from the brief of one of its people." in text(response)


def test_signs_that_mislead_are_left_out_of_the_name(signed_in):
    make_customer(company="Ac\u202eme")

    assert "\u202e" not in text(page(signed_in, name="Ac\u202eme"))


def test_viewer_reads_it(client, django_user_model):
    make_customer(company="Acme")
    client.force_login(make_user(django_user_model, "kim", "Viewer"))

    assert page(client).status_code == 200


# The page of a brief.


def test_brief_says_who_else_of_the_company_signalled_and_leads_there(signed_in):
    brief = leaver(company="Société & Co")
    leaver(company="SOCIÉTÉ & CO".replace("É", "é")), leaver(company="société & co")

    html = signed_in.get(brief.get_absolute_url()).content.decode()

    address = "/companies/?name=Soci%C3%A9t%C3%A9+%26+Co"
    words = "Two more people of this company signalled in the last 30 days"
    assert f'<a href="{address}">{words}</a>' in html
    assert f'<dt>Company</dt><dd><a href="{address}">Société &amp; Co</a></dd>' in html
    assert f'<h1><a href="/customers/{brief.customer_id}/">Ada</a></h1>' in html
    assert signed_in.get(address).status_code == 200


def test_brief_of_a_customer_without_a_company_says_nothing_of_one(signed_in):
    brief = leaver(company="")
    leaver(company="")

    words = text(signed_in.get(brief.get_absolute_url()))

    assert "Company" not in words
    assert "of this company" not in words


def test_brief_costs_one_query_more_for_the_company(signed_in):
    brief = leaver(company="")
    before = queries_of(signed_in, brief.get_absolute_url())
    type(brief.customer).objects.update(company="Acme")

    assert queries_of(signed_in, brief.get_absolute_url()) == before + 1
