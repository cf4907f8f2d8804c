"""A file that people or programs wrote: it is read, or refused in words, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personas.rules import documents
from personas.rules.parts import Unreadable

SIGNS = "[]{}:-&*!|>'\"\\ \n\t0aé"
ENDLESS = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]"


@given(st.one_of(st.text(), st.text(alphabet=SIGNS, min_size=1)))
def test_any_text_is_read_or_refused_in_words(text):
    with pytest.raises(Unreadable):
        documents.read(text)


@pytest.mark.parametrize(
    "text",
    [ENDLESS, "[" * 5_000, "? [1, 2]\n: x", "2026-99-99", '{"savedesk_rules": 1, "a": "\\u0000"}',
     '{"savedesk_rules": 1, "a": "\\ud800"}', "!!python/object:os.system {}"],
)  # fmt: skip
def test_strange_files_are_refused_in_words(text):
    with pytest.raises(Unreadable):
        documents.read(text)
