"""What of an address is kept: only what the inbox knows."""

import pytest

from briefs.finding import asking
from briefs.tests.factories import make_persona

pytestmark = pytest.mark.django_db


def test_only_known_names_are_kept_in_one_order():
    given = {"page": "3", "utm": "x", "state": "mine", "q": "a&b", "next": "https://evil.example"}

    assert asking.kept(given) == "q=a%26b&state=mine&page=3"


def test_what_is_the_default_needs_no_words():
    assert asking.kept({"state": "open", "page": "1", "kind": ""}) == ""


def test_unknown_filter_and_value_are_left_out_with_a_word_each(user):
    query = "state=closed&kind=nonsense&colour=red&persona=999&ordering=shoe"

    asked = asking.checked(query, user)

    assert asked.query == "state=closed"
    said = "; ".join(asked.left_out)
    for words in ("“colour” is no filter", "Signal: “nonsense” is none of", "No persona has this",
                  "not sorted by “shoe”"):  # fmt: skip
        assert words in said


def test_what_is_known_stays(user):
    query = f"persona={make_persona().pk}&priority=urgent&state=mine&ordering=-customer"

    asked = asking.checked(query, user)

    assert sorted(asked.query.split("&")) == sorted(query.split("&"))
    assert asked.left_out == []


@pytest.mark.parametrize("query", ["&" * 3000, "=" * 3000, "%00=%ff", "a" * 9000, "?&;=", "q=%zz"])
def test_any_text_is_read_without_an_error(user, query):
    asking.checked(query, user)
