"""Rows that are inserted by the hundred are the rows that were given, whatever stands in them."""

import pytest
from django.db import DataError, ProgrammingError, connection, transaction
from django.db.models.functions import Now

from briefs.models import Activity, Brief, Priority, Signal
from briefs.pipeline.inserting import insert
from briefs.tests.factories import make_brief, make_customer, make_persona
from personas.models import Effect, Severity, SignalKind
from webhooks.clock import database_now

pytestmark = pytest.mark.django_db
STRANGE = "tab\t newline\n return\r backslash \\N \\. quote \"' “ü” 🙂 {a,b} NULL"
ON_POSTGRESQL = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite's rows go through bulk_create"
)


def a_brief(persona, **fields):
    now = database_now()
    return Brief(
        customer=make_customer(),
        persona=persona,
        kind=SignalKind.UNSUBSCRIBED,
        priority=Priority.HIGH,
        happened_at=now,
        created_at=now,
        last_signal_at=now,
        **fields,
    )


def a_signal(brief, **fields):
    return Signal(
        customer=brief.customer,
        brief=brief,
        kind=SignalKind.UNSUBSCRIBED,
        effect=Effect.OPENS_BRIEF,
        severity=Severity.HIGH,
        level="person",
        happened_at=brief.happened_at,
        created_at=brief.created_at,
        **fields,
    )


def columns(row):
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_rows_are_found_as_they_were_given():
    persona = make_persona()
    briefs = [
        a_brief(persona, persona_why=STRANGE, question_facts=[STRANGE, ""]),
        a_brief(persona, persona_why="", basis=Brief.Basis.SHARED, is_sharing=True),
    ]

    insert(briefs)

    assert [columns(brief) for brief in Brief.objects.order_by("pk")] == [
        columns(brief) for brief in briefs
    ]
    assert all(isinstance(brief.pk, int) for brief in briefs)


def test_rows_point_to_rows_that_got_their_keys_after_they_were_set():
    brief = a_brief(make_persona())
    first = a_signal(brief, message={"subject": STRANGE})
    echo = a_signal(brief, same_act_as=first)

    insert([brief])
    insert([first])
    insert([echo])

    found = Signal.objects.get(pk=echo.pk)
    assert (found.brief, found.same_act_as, echo.brief_id) == (brief, first, brief.pk)
    assert found.same_act_as.message == {"subject": STRANGE}


def test_inserted_rows_can_be_saved_again_and_keys_go_on():
    brief = make_brief()
    entries = [Activity(brief=brief, at=database_now(), text=str(n)) for n in range(30)]
    insert(entries)

    entries[0].text = "changed"
    entries[0].save()
    later = Activity.objects.create(brief=brief, text="later")

    texts = Activity.objects.filter(brief=brief).order_by("pk").values_list("text", flat=True)
    assert list(texts) == ["changed", *map(str, range(1, 30)), "later"]
    assert later.pk > max(entry.pk for entry in entries)


def test_nothing_to_insert_asks_the_database_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        insert([])


@ON_POSTGRESQL
def test_text_that_the_database_refuses_is_refused_and_leaves_nothing():
    with pytest.raises(DataError), transaction.atomic():
        insert([a_brief(make_persona(), persona_why="a\0b")])

    assert not Brief.objects.exists()


@ON_POSTGRESQL
def test_expression_is_refused():
    brief = a_brief(make_persona())
    brief.researched_at = Now()

    with pytest.raises(ProgrammingError), transaction.atomic():
        insert([brief])
