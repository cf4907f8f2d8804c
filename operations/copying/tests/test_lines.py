"""A row of SQLite as PostgreSQL's COPY writes it."""

import pytest
from django.db import connection, models

from operations.copying.lines import Lines, NotCopied


class Typed(models.Field):
    """A column of this type of PostgreSQL."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    def db_type(self, connection):
        return self.kind


def lines(*kinds):
    return Lines([Typed(kind) for kind in kinds], connection)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("timestamp with time zone", "2026-11-30 05:46:49.120000", "2026-11-30 05:46:49.12+00"),
        ("timestamp with time zone", "2026-11-30 05:46:49.000", "2026-11-30 05:46:49+00"),
        ("numeric(16, 2)", 12.5, "12.50"),
        ("numeric(16, 2)", 100, "100.00"),
        ("boolean", 0, "f"),
        ("text", "a\tb\\\n\r\u2028 😀", "a\\tb\\\\\\n\\r\u2028 😀"),
        ("text", "", ""),
        ("text", None, "\\N"),
        ("varchar(3)", "\\N", "\\\\N"),
        ("bytea", b"\x00\\\xff", "\\\\x005cff"),
        ("uuid", "00112233445566778899aabbccddeeff", "00112233-4455-6677-8899-aabbccddeeff"),
        ("time", "09:00:00", "09:00:00"),
    ],
)
def test_value_is_written_as_postgresql_writes_it(kind, value, text):
    assert lines(kind).line([value]) == text


@pytest.mark.parametrize(
    ("kind", "sent", "arrived"),
    [
        ("jsonb", '{"b": 1e+22, "a": [1.0, "\\u00e9"]}',
         '{"a": [1.0, "é"], "b": 10000000000000000000000}'),
        ("jsonb", '"a\\nb"', '"a\\nb"'),
        ("double precision", 1e15, "1e+15"),
        ("inet", "::ffff:1.2.3.4", "::ffff:102:304"),
    ],
)  # fmt: skip
def test_same_value_in_two_spellings_has_one_digest(kind, sent, arrived):
    made = lines(kind)

    assert made.digest(made.line([sent])) == made.digest(lines("text").line([arrived]))


def test_another_value_has_another_digest():
    made = lines("jsonb", "text")

    digests = {made.digest(f"{one}\t{two}") for one in ("[1]", '["1"]', "[2]") for two in "ab"}
    assert len(digests) == 6


def test_what_postgresql_does_not_take_is_told_without_the_value():
    with pytest.raises(NotCopied, match="a text with a NUL, which"):
        lines("text").line(["secret\0"])


def test_column_of_an_unknown_type_is_not_guessed():
    with pytest.raises(NotCopied, match="hstore"):
        lines("hstore")
