"""What the text of an attribute holds, and how it is shown."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personas.models import shapes


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('["insurance"]', ("insurance",)),
        (' [ "a" , "b" ] ', ("a", "b")),
        ('["a", null, "", "a"]', ("a",)),
        ("[1, 2.50, true]", ("1", "2.50", "true")),
        ('[["a"], ["b", ["c"]]]', ("a", "b", "c")),
        ('["\\"quoted\\""]', ("quoted",)),
        ('"[\\"a\\", \\"b\\"]"', ("a", "b")),
        ("['a', 'b', None, True]", ("a", "b", "true")),
        ('"pro"', ("pro",)),
        ('{"id": 3, "Name": "Pro"}', ("Pro",)),
        ('[{"name": "a"}, {"title": "b"}, {"label": "c"}]', ("a", "b", "c")),
        ('["Caf\\u00e9"]', ("Caf\u00e9",)),
        ("a, b", ("a, b",)),
        ("a;b", ("a;b",)),
        ("[draft] pro", ("[draft] pro",)),
        ("{{ customer.plan }}", ("{{ customer.plan }}",)),
        ('15" screen', ('15" screen',)),
    ],
)
def test_parts_are_what_a_condition_compares(text, parts):
    assert shapes.parts(text) == parts


def test_object_without_a_name_is_compared_as_a_whole():
    assert shapes.parts('{"seats": 3}') == ('{"seats": 3}',)


@pytest.mark.parametrize(
    "text",
    ["", " \t", "null", "NULL", "None", "undefined", "nan", "NaN", "[]", "{}", "[ ]", '""', "''",
     "-", "--", "\u2014", "[null]", '[""]', '["null", []]', '{"a": null}', '[{"a": {}}]', "[NaN]",
     "[None]", '"null"'],
)  # fmt: skip
def test_what_programs_write_for_nothing_is_missing(text):
    assert shapes.is_missing(text)
    assert shapes.shown(text) == ""


@pytest.mark.parametrize("text", ["\u200b", " \u2060\u200b ", "\u3164"])
def test_what_nobody_can_see_is_missing_for_rules_as_for_pages(text):
    assert shapes.is_missing(text)
    assert shapes.shown(text) == ""


@pytest.mark.parametrize("text", ["none", "Null", "Nan", "0", "false", "n/a", "no", "[0]", "-1"])
def test_words_that_say_something_are_not_missing(text):
    assert not shapes.is_missing(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('["a", "b"]', "a, b"),
        ('{"name": "Acme", "id": 3}', "Acme"),
        ('{"plan": "pro", "seats": [1, 2], "gone": null}', "plan: pro; seats: 1, 2"),
        ('{"owner": {"title": "Dr"}, "x": {"y": {"z": 1}}}', "owner: Dr; x: y: z: 1"),
        ('[{"name": "a"}, {"seats": 2}]', "a, seats: 2"),
        ('["cut", "of', "cut , of"),
        ("[draft] pro", "[draft] pro"),
        ("plain", "plain"),
    ],
)
def test_people_read_words_and_no_json(text, words):
    assert shapes.shown(text) == words


def test_what_is_long_is_cut():
    assert shapes.shown("x" * 50, 10) == "x" * 10
    assert shapes.shown(json.dumps(["abc"] * 50), 10) == "abc, abc,…"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("plan", "Pro"),
        ("PLAN", "Pro"),
        ("owner.email", "ann@example.com"),
        ("subs.plan", '["a", "b"]'),
        ("subs.seats", "3"),
        ("tags", '["x", "y"]'),
        ("dotted.key", "here"),
        ("plan.name", ""),
        ("nothing", ""),
        ("gone", ""),
    ],
)
def test_path_finds_the_member_of_an_object(path, value):
    text = json.dumps(
        {
            "Plan": "Pro",
            "owner": json.dumps({"email": "ann@example.com"}),
            "subs": [{"plan": "a", "seats": 3}, {"plan": "b"}, {"plan": None}],
            "tags": ["x", "y"],
            "dotted.key": "here",
            "gone": None,
        }
    )

    assert shapes.inside(text, path.split(".")) == value


@pytest.mark.parametrize("text", ["[" * 100_000, "{" * 100_000, '{"a":' * 500 + "1" + "}" * 500])
def test_what_is_nested_too_deeply_breaks_nothing(text):
    shapes.parts(text)

    assert not set("[]{}") & set(shapes.shown(text))


SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet="ab -,é", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner),
    max_leaves=8,
)


@given(SHAPES)
def test_list_or_object_is_missing_exactly_if_nothing_is_shown(value):
    text = json.dumps(value)

    assert shapes.is_missing(text) == (shapes.shown(text) == "")


@given(SHAPES, st.sampled_from([json.dumps, str]))
def test_nothing_shown_looks_like_json(value, written):
    words = shapes.shown(written(value), 1000)

    assert not set("[]{}") & set(words)
