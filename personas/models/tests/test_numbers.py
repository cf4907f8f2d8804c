"""Numbers in the ways in which people and programs write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personas.models.numbers import number, reading, spelled


@pytest.mark.parametrize(
    "text",
    [
        "1200.5", "1,200.50", "1.200,50", "1 200,50", "1 200.50", "1'200.50", "1\u2019200,50",
        "1\u00a0200,50", "1\u202f200,50", "1\u2009200.5", "1_200.5", "$1,200.50", "$ 1200.50",
        "1.200,50 €", "€1.200,50", "1200,5 EUR", "eur 1200,5", "R$ 1.200,50", "1 200,50 kr",
        "kr. 1.200,50", "Rs. 1,200.50", "Rs1,200.5", "US$1,200.50", "1.200,50 zł", "₹1,200.50",
        "1200,50 %", "1.2005e3", "+1200.5", "１２００．５", "١٢٠٠٫٥", "١٬٢٠٠٫٥", "1.2005k",
    ],
)  # fmt: skip
def test_one_number_is_read_however_it_is_written(text):
    assert number(text) == 1200.5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12,34,567.50", 1234567.5),
        ("1,234,567", 1234567),
        ("1.234.567", 1234567),
        ("1.234.567,89", 1234567.89),
        ("1 234 567", 1234567),
        ("kr 1.200,-", 1200),
        ("4,5", 4.5),
        ("1234,567", 1234.567),
        ("1234.567", 1234.567),
        ("0,123", 0.123),
        (".5", 0.5),
        ("12.", 12),
        ("1e5", 100000),
        ("-$5", -5),
        ("$-5", -5),
        ("\u22125 €", -5),
        ("45%", 45),
        ("1.5M", 1500000),
        ("1,2k", 1200),
        ("2 bn", 2000000000),
        ("$$5", 5),
    ],
)
def test_separators_signs_and_scales(text, expected):
    assert number(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "-", "$", "k", "12 seats", "5m", "5 MB", "1.2.3", "1,2,3", "12 34", "1,23,4", "10.0.0.1",
     "2026-11-28", "1.234,5.6", "1,200e3", "--5", "-$-5", "5²", "12:30", "1e999", "inf", "NaN",
     "0x10", "€", "XYZ 5", "1" * 61],
)  # fmt: skip
def test_what_nobody_means_as_a_number_is_none(text):
    assert number(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,234", "read as 1,234, not 1.234"),
        ("1.234", "read as 1.234, not 1,234"),
        ("€ 1.234", "read as 1,234, not 1.234"),
        ("1.234 kr", "read as 1,234, not 1.234"),
        ("$1,234", "read as 1,234, not 1.234"),
        ("-1.234", "read as -1.234, not -1,234"),
        ("$1.234M", "read as 1,234,000, not 1,234,000,000"),
        ("1.2k", "read as 1,200"),
        ("4.200,50", "read as 4,200.5"),
        ("1.234.567", "read as 1,234,567"),
        ("0,5", "read as 0.5"),
        ("12", ""),
        ("1200.50", ""),
        ("$1,200.50", ""),
        ("0.123", ""),
        ("1234.567", ""),
    ],
)
def test_choice_between_two_readings_is_told(text, words):
    assert reading(text).words == words


AMOUNTS = st.integers(-(10**11), 10**11).map(lambda cents: cents / 100)
STYLES = {
    "us": (",", "."),
    "de": (".", ","),
    "fr": ("\u202f", ","),
    "ch": ("'", "."),
    "si": (" ", "."),
}


@given(AMOUNTS, st.sampled_from(sorted(STYLES)))
def test_amount_with_two_decimals_is_read_back_in_every_style(amount, style):
    thousands, point = STYLES[style]
    text = f"{amount:,.2f}".translate({ord(","): thousands, ord("."): point})

    assert number(text) == amount


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_what_a_program_writes_with_an_exponent_is_exact(value):
    assert number(f"{value:.17e}") == value


@given(st.text(max_size=80))
def test_no_text_is_too_odd_to_be_read(text):
    read = reading(text)

    assert read is None or isinstance(read.words, str)


def test_numbers_are_spelled_with_commas_and_a_point():
    assert [spelled(1234567.5), spelled(0.1), spelled(-12), spelled(1e20)] == [
        "1,234,567.5", "0.1", "-12", "1e+20",
    ]  # fmt: skip
