"""A company: who belongs to it, who of them signalled lately, and what its page counts."""

from datetime import timedelta

import pytest
from django.utils import timezone

from briefs.dossier import companies
from briefs.models import ContactLog
from briefs.tests.factories import make_brief, make_customer, make_signal

pytestmark = pytest.mark.django_db


def person(company="Acme", **kw):
    return make_customer(company=company, **kw)


def days_ago(number):
    return timezone.now() - timedelta(days=number)


def signalled(customer, days=1, **kw):
    return make_signal(customer=customer, event=None, happened_at=days_ago(days), **kw)


# Others who signalled.


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, ""),
        (1, "One more person of this company signalled in the last 30 days"),
        (2, "Two more people of this company signalled in the last 30 days"),
        (10, "Ten more people of this company signalled in the last 30 days"),
        (11, "11 more people of this company signalled in the last 30 days"),
    ],
)
def test_others_are_told_in_words_up_to_ten(number, words):
    customer = person()
    signalled(customer)
    for _ in range(number):
        one = person("ACME")
        signalled(one), signalled(one)

    assert companies.others_in_words(customer) == words


@pytest.mark.parametrize(
    "other",
    [
        {"days": 31},
        {"effect": "good_news", "kind": "subscribed"},
        {"effect": "timeline", "kind": "mailbox_full"},
    ],
)
def test_old_signals_good_news_and_mere_entries_do_not_count(other):
    customer = person()
    signalled(person(), **other)

    assert companies.others_in_words(customer) == ""


def test_what_a_link_scanner_did_does_not_count():
    customer, other = person(), person()
    make_signal(brief=make_brief(customer=other, kind="scanner"))

    assert companies.others_in_words(customer) == ""


def test_customers_without_a_company_are_no_company():
    customer = person("")
    signalled(person(""))

    assert companies.others_in_words(customer) == ""


# The company.


@pytest.mark.parametrize("name", ["", "Acm", "Acme Ltd", "%", "A_me"])
def test_only_the_whole_name_finds_a_company(name):
    person("Acme"), person("")

    assert companies.find(name) is None


def test_name_is_found_in_any_case_and_shown_as_most_profiles_write_it():
    person("ACME"), person("Acme"), person("Acme")

    assert companies.find("aCME").name == "Acme"


def test_name_is_found_in_any_case_of_any_alphabet():
    person("ÜNAL"), person("Ünal"), person("Ünal"), person("Unal")

    company = companies.find("üNAL")

    assert (company.name, company.people.count()) == ("Ünal", 3)


def test_company_that_only_briefs_name_is_found():
    make_brief(customer=person("Bolt"), company="Acme")

    company = companies.find("acme")

    assert (company.name, company.people.count(), company.open_count) == ("Acme", 0, 1)


def test_people_with_an_open_brief_come_first_then_by_their_last_signal():
    silent, old, young, at_work = person(), person(), person(), person()
    signalled(old, 9), signalled(young, 2), signalled(at_work, 20)
    make_brief(customer=at_work)

    order = list(companies.find("Acme").people_in_order())

    assert order == [one.pk for one in (at_work, young, old, silent)]


def test_person_is_shown_with_the_open_brief_or_else_the_last_that_ended(starter):
    gone, at_work = person(), person()
    first, last = make_brief(customer=gone), None
    first.close("retained")
    last = make_brief(customer=gone)
    last.close("churned")
    make_brief(customer=at_work).close("retained")
    open_ = make_brief(customer=at_work)
    signal = signalled(at_work)

    one, other = companies.find("Acme").shown([gone.pk, at_work.pk])

    assert (one.brief, one.last_signal) == (last, None)
    assert (other.brief, other.last_signal) == (open_, signal)
    assert one.persona.name == "Enterprise, low usage"


def test_signals_of_a_year_count_each_act_once():
    one, other = person(), person()
    act = signalled(one, 3)
    signalled(one, 3, same_act_as=act, level="delivery")
    signalled(other, 5)
    signalled(other, 6, kind="spam_complaint")
    signalled(one, 400)
    signalled(person("Bolt"))

    found = companies.find("Acme").signals_of_a_year

    assert [(kind.label, kind.acts, kind.people) for kind in found] == [
        ("Unsubscribed", 2, 2),
        ("Spam complaint", 1, 1),
    ]
    assert found[0].last_at == act.happened_at


def test_outcomes_briefs_and_contacts_are_those_of_the_companys_briefs(user):
    for outcome in ("churned", "churned", "retained"):
        make_brief(customer=person(), company="Acme").close(outcome)
    open_ = make_brief(customer=person(), company="acme")
    contact = ContactLog.objects.create(brief=open_, actor=user, channel="phone", is_reached=True)
    make_brief(company="Bolt")

    company = companies.find("Acme")

    assert company.outcomes == [("Retained", 1), ("Churned", 2)]
    assert (company.open_count, company.past_count) == (1, 3)
    assert company.open_briefs == [open_]
    assert [one.brief.outcome for one in company.past_briefs] == ["retained", "churned", "churned"]
    assert company.contacts == [contact]
