import re

import pytest
from django.template import Context, Template

from briefs.templatetags.charts import PLOT, THINNEST, Column, Series, ticks

COLUMNS = [Column("13:00"), Column("14:00", "14:00"), Column("15:00")]


def drawn(*rows, columns=COLUMNS, options=""):
    """The chart of three columns, one series a row."""
    series = [Series(f"s{n}", f"Series {n}", row) for n, row in enumerate(rows)]
    tag = f"{{% stacked_bars 'Calls' columns series {options} %}}"
    page = Template("{% load charts %}" + tag)
    return page.render(Context({"columns": columns, "series": series}))


def heights(page, key):
    found = re.findall(
        rf'<rect class="series-{key}" x="[^"]*" y="([^"]*)"[^>]* height="([^"]*)"', page
    )
    return [(float(y), float(height)) for y, height in found]


@pytest.mark.parametrize(
    ("highest", "expected"),
    [
        (0, [0, 1]),
        (1, [0, 1]),
        (5, [0, 1, 2, 3, 4, 5]),
        (6, [0, 2, 4, 6]),
        (4200, [0, 1000, 2000, 3000, 4000, 5000]),
        (5001, [0, 2000, 4000, 6000]),
    ],
)
def test_ticks_are_round_and_reach_the_highest_bar(highest, expected):
    assert ticks(highest) == expected


def test_the_highest_bar_reaches_the_highest_tick():
    assert heights(drawn([0, 5, 0]), "s0") == [(14.0, PLOT)]


def test_a_series_stands_on_the_one_before_it():
    page = drawn([4, 0, 0], [1, 0, 0])

    [(below, _)], [(y, height)] = heights(page, "s0"), heights(page, "s1")
    assert y + height == pytest.approx(below, abs=0.2)


def test_one_among_thousands_is_thick_enough_to_be_seen():
    assert heights(drawn([9000, 0, 0], [1, 0, 0]), "s1")[0][1] == THINNEST


def test_the_table_has_the_numbers_and_leaves_out_empty_rows():
    page = drawn([1234, 0, 2], [0, 0, 5])

    rows = re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', page)
    cells = [(name, re.findall("<td>(.*?)</td>", row)) for name, row in rows]
    assert cells == [("13:00", ["1,234", "0", "1,234"]), ("15:00", ["2", "5", "7"])]


def test_the_sums_are_said_to_those_who_do_not_see_the_chart():
    assert 'aria-label="Calls: 3 series 0, 4 series 1"' in drawn([1, 0, 2], [4, 0, 0])


def test_a_chart_of_nothing_says_so_and_is_drawn():
    page = drawn([0, 0, 0])

    assert "Nothing was received." in page
    assert "<svg" in page


def test_a_unit_is_said_above_the_chart_and_with_every_number():
    page = drawn([1234, 0, 0], options="unit='credits'")

    assert '<p class="chart-unit" aria-hidden="true">credits</p>' in page
    assert "Series 0: 1,234 credits</title>" in page


def test_a_label_stands_at_the_beginning_of_its_hour_and_in_the_middle_of_its_day():
    assert 'class="chart-label" x="33.333%"' in drawn([1, 2, 3])
    assert 'class="chart-label" x="50.000%"' in drawn([1, 2, 3], options="spans=True")


def test_a_table_that_is_on_the_page_already_is_linked():
    page = drawn([1, 2, 3], options="table='by-day'")

    assert '<a href="#by-day">The same as a table</a>' in page
    assert "<table" not in page


def test_a_column_that_is_not_over_is_marked_and_explained():
    columns = [*COLUMNS[:2], Column("15:00", is_running=True)]

    page = drawn([1, 2, 3], columns=columns)

    assert page.count('class="chart-bar running"') == 1
    assert "still running" in page
    assert "still running" not in drawn([1, 2, 3])


def test_a_chart_carries_no_style_of_its_own():
    assert "style" not in drawn([1, 2, 3])
    assert "fill=" not in drawn([1, 2, 3])


# Across -------------------------------------------------------------------------------------------


def across(names, *rows):
    series = [Series(f"s{n}", f"Series {n}", row) for n, row in enumerate(rows)]
    tag = "{% stacked_rows 'Credits' names series unit='credits' table='by-name' %}"
    page = Template("{% load charts %}" + tag)
    return page.render(Context({"names": names, "series": series}))


def test_rows_are_as_wide_as_their_part_of_the_longest_and_follow_each_other():
    page = across(["Dear", "Cheap"], [60, 20], [40, 0])

    parts = re.findall(r'<rect class="series-(\w+)" x="([^"]*)" y="0" width="([^"]*)"', page)
    assert parts == [
        ("s0", "0.00%", "60.00%"),
        ("s1", "60.00%", "40.00%"),
        ("s0", "0.00%", "20.00%"),
    ]


def test_rows_are_named_summed_and_lead_to_their_table():
    page = across(["Dear <b>"], [1060], [40])

    assert "Dear &lt;b&gt;" in page
    assert "<strong>1,100</strong>" in page
    assert 'aria-label="Credits: 1,060 series 0, 40 series 1"' in page
    assert '<a href="#by-name">The same as a table</a>' in page


def test_least_piece_of_a_row_can_still_be_seen():
    assert 'width="0.50%"' in across(["Dear", "Cheap"], [90000, 1])


def test_rows_of_nothing_can_be_drawn():
    assert "<rect" not in across(["Idle"], [0]).split("chart-legend")[0]
