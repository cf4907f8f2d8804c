"""A list narrowed down by a part of a company's name, however many names or briefs have it."""

import pytest

from briefs.finding import companies, filters
from briefs.finding.filters import BriefFilter
from briefs.models import Brief
from briefs.tests.factories import make_brief

pytestmark = pytest.mark.django_db

NAMES = ("Acme", "ACME Ltd", "100%_Acme", "Globex", "Ünal", "ÜNAL SA", 'A "quoted" one', "")
WAYS = {
    "few names, few briefs": {},
    "few names, many briefs": {(filters, "MOST_OF_COMPANIES"): 1},
    "many names": {(companies, "MOST"): 1},
    "more names than are gone through one by one": {(companies, "STEPS"): 3},
    "as many": {(companies, "STEPS"): len(NAMES)},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("acm", {"Acme", "ACME Ltd", "100%_Acme"}),
        ("Ltd", {"ACME Ltd"}),
        ("%", {"100%_Acme"}),
        ("_", {"100%_Acme"}),
        ("\\", set()),
        ("unheard of", set()),
        ("ünal", {"Ünal", "ÜNAL SA"}),
        ("nal S", {"ÜNAL SA"}),
        ('"acme"', {"Acme"}),
        ('"ünal"', {"Ünal"}),
        ('"cme"', set()),
        ('"A "quoted" one"', {'A "quoted" one'}),
        ('"q', {'A "quoted" one'}),
    ],
)
def test_company_is_found_by_a_part_of_its_name_in_any_case(monkeypatch, way, part, found):
    for (place, name), value in WAYS[way].items():
        monkeypatch.setattr(place, name, value)
    for company in NAMES:
        make_brief(company=company)

    shown = BriefFilter({"company": part}, Brief.objects.all()).qs

    assert {brief.company for brief in shown} == found


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("ÄRZTE", {"Ärzte", "ärzte"}),
        ("ärzte", {"Ärzte", "ärzte"}),
        ("ΟΔΟΣ", {"οδος"}),  # a sigma at the end
        ("PRO", {"Pro", "pro"}),
        ("pr%", set()),
        ("rzte", set()),
    ],
)
def test_plan_is_found_in_any_case_of_any_alphabet(typed, found):
    for plan in ("Ärzte", "ärzte", "οδος", "Pro", "pro", "Prö", ""):
        make_brief(plan=plan)

    shown = BriefFilter({"plan": typed}, Brief.objects.all()).qs

    assert {brief.plan for brief in shown} == found


@pytest.mark.on_postgresql
def test_too_many_names_are_gone_through_once_a_minute(monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(companies, "STEPS", 1)
    for company in ("Acme", "Globex"):
        make_brief(company=company)

    with django_assert_num_queries(2):
        assert companies.named("acm") == ["acme"]
    with django_assert_num_queries(1):
        assert companies.named("glob") == ["globex"]
