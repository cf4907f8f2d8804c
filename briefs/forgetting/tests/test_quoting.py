"""A person is found in the midst of a text however they are spelled there, and nobody else is."""

import base64
import json
import unicodedata
from urllib.parse import quote, quote_plus

import pytest

from briefs.forgetting.quoting import Pattern, without
from webhooks.personal import Person

EMAIL, NAME = "zoë.o'hara+vip@example.com", "Zoë O'Hara"
PERSON = Person(
    {
        "email": frozenset({EMAIL}),
        "phone": frozenset({"+491715550123"}),
        "id": frozenset({"crm-8841", "42"}),
        "cio_id": frozenset({"beef01"}),
    },
    names=frozenset({NAME}),
)
PATTERN = Pattern.of(PERSON)
SPELLED = [
    EMAIL, EMAIL.upper(), quote(EMAIL), quote(quote(EMAIL, safe="")), json.dumps(EMAIL)[1:-1],
    unicodedata.normalize("NFD", EMAIL), quote_plus(NAME), NAME.upper(), "00491715550123",
    "+49 (171) 555-01 23", "%2B49%20171%205550123", "0171 / 555 01 23", "+49 (0)171 5550123",
    "Zoe O\u2019Hara", "o'hara, zoë", "crm-8841", "cio_beef01",
    base64.b64encode(f"to: {EMAIL}".encode()).decode(),
]  # fmt: skip


def test_every_spelling_is_replaced_and_the_text_around_it_stays():
    for spelled in SPELLED:
        assert without(f"told <{spelled}>, then", PATTERN) == "told <[erased]>, then", spelled


def test_what_only_looks_like_them_stays():
    for text in (
        f"mary.{EMAIL}", f"{EMAIL}.au", "491715550123456", "+44 171 5550123", "0044 (171) 5550123",
        "crm-88412", "42", "beef012", "Zoë", "O'Hara",
    ):  # fmt: skip
        assert without(text, PATTERN) == text


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("Jörg Weiß-Łukasz", "Joerg Weiss Lukasz"),
        ("Zoë van der Berg", "ZOE VAN DER BERG"),
        ("田中太郎", "田中太郎"),
        ("太郎 田中", "田中太郎"),
        ("김민준", "김민준"),
    ],
)
def test_name_is_found_as_people_write_it(name, spelled):
    pattern = Pattern.of(Person({}, names=frozenset({name})))

    assert without(f"今日{spelled}さん" if not spelled.isascii() else f"({spelled})", pattern) in (
        "今日[erased]さん",
        "([erased])",
    )


def test_number_is_found_as_it_is_dialled_within_its_country():
    for number, dialled in (
        ("+14155552671", "(415) 555-2671"),
        ("0035312345678", "01 234 5678"),
        ("+3531234567", "0123 4567"),
    ):
        pattern = Pattern.of(Person({"phone": frozenset({number})}))

        assert "[erased]" in without(f"call {dialled} today", pattern), dialled


def test_an_id_of_six_digits_may_mean_anything_and_one_of_seven_does_not():
    of_digits = Pattern.of(Person({"id": frozenset({"482131", "4821317"})}))

    assert without("482131, 4821317", of_digits) == "482131, [erased]"


def test_texts_within_lists_and_objects_are_replaced():
    told = {"who": [EMAIL, {EMAIL: 1}], "number": 7}

    assert without(told, PATTERN) == {"who": ["[erased]", {"[erased]": 1}], "number": 7}


def test_the_beginning_at_the_end_of_a_text_that_was_cut_is_replaced():
    cut = f"KeyError: {EMAIL}"[:20]

    assert without(cut, PATTERN, longest=20) == "KeyError: [erased]"
    assert without(cut, PATTERN, longest=300) == cut


@pytest.mark.django_db
def test_the_database_prefers_rows_that_could_hold_it():
    from briefs.forgetting import searching
    from briefs.tests.factories import make_brief
    from webhooks.personal import quotes

    brief = make_brief()
    for text in SPELLED[:-1]:
        brief.log(f"searched for {text}", None)
    brief.log("nothing of hers: Zoe, o'hara@example.com", None)
    entry = next(one for one in quotes() if one.table == "briefs.Activity")

    assert len(list(searching.quoting(entry, PATTERN))) == len(SPELLED) - 1
