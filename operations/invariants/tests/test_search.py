"""Documents that are missing, left over or old are told, unless they are to be written anew."""

import pytest

from briefs.finding.words import indexing
from briefs.models import Brief
from briefs.models.watching import WORDS
from briefs.tests.factories import make_brief
from operations.invariants import search
from operations.invariants.tests.breaking import execute, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def brief():
    """With documents of it and its customer."""
    made = make_brief(company="Example")
    indexing.sweep()
    return made


def forget_marks():
    execute("DELETE FROM briefs_textchange")


def test_brief_whose_document_is_gone_is_told_and_a_marked_one_is_not(brief):
    make_brief()  # marked by its triggers

    execute(f"DELETE FROM briefs_briefdocument WHERE id = {brief.pk}")

    words = f"brief {brief.pk}: it has no document: nobody finds it"
    assert told(search.document_is_there) == [words]


def test_document_of_a_customer_who_is_gone_is_told(brief):
    gone = brief.customer_id + 1

    execute(
        "INSERT INTO briefs_customerdocument (id, words) "
        f"SELECT {gone}, words FROM briefs_customerdocument"
    )

    words = f"customer {gone}: it is gone, and its document is left"
    assert told(search.document_is_there) == [words]


def test_document_that_names_another_persona_is_told(brief):
    execute("UPDATE briefs_briefdocument SET persona_kind = '0:other'")

    words = f"brief {brief.pk}: its document names another answer, persona or signal"
    assert told(search.document_says_what_its_row_says) == [words]


def test_document_with_the_words_of_before_is_told(brief):
    assert told(search.document_says_what_its_row_says) == []

    Brief.objects.update(company="Another")
    assert told(search.document_says_what_its_row_says) == []  # it is marked

    forget_marks()
    words = f"brief {brief.pk}: its document has other words"
    assert told(search.document_says_what_its_row_says) == [words]


def test_brief_whose_words_are_lost_is_told(brief):
    from django.db import connection

    if connection.vendor == "sqlite":
        execute(f"DELETE FROM {WORDS['briefs_briefdocument']}")
    else:
        execute("UPDATE briefs_briefdocument SET words = ''")

    words = f"brief {brief.pk}: its document has other words"
    assert told(search.document_says_what_its_row_says) == [words]
