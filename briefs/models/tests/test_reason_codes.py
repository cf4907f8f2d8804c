"""The codes beside our sentences: filled for rows of the version before, unknown to its hosts."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from briefs.models import Activity, MaveHealth, Research, ResearchPolicy
from briefs.tests.factories import make_brief, make_research

pytestmark = pytest.mark.django_db
migration = import_module("briefs.migrations.0012_fill_reason_codes")
NEW = [
    (Activity, "code"),
    (MaveHealth, "breaker_code"),
    (MaveHealth, "held_code"),
    (Research, "mavera_code"),
    (Research, "reason_code"),
    (ResearchPolicy, "paused_code"),
    (ResearchPolicy.history.model, "paused_code"),
]
# As the version before wrote it; as it is read on the desk; Mavera's code.
SENTENCES = [
    ("Mavera answered 500 (internal_error)", "Mavera failed", "500 (internal_error)"),
    ("Mavera answered 503", "Mavera failed", "503"),
    ("Mavera answered 400 (a.b-c)", "Mavera refused the request", "400 (a.b-c)"),
    ("Mavera answered 429 (slow)", "Mavera asked to wait", "429 (slow)"),
    ("Mavera asked to wait: Mavera answered 429", "Mavera asked to wait", "429"),
    (
        "Mavera's credits are used up (Mavera answered 402 (none))",
        "Mavera's credits are used up",
        "402 (none)",
    ),
    (
        "Mavera answered 503 (busy) (try 8, the last)",
        "Mavera failed (try 8, the last)",
        "503 (busy)",
    ),
    (
        "Looking for a lost answer: Mavera answered 404",
        "Looking for a lost answer: Mavera refused the request",
        "404",
    ),
    ("Mavera answered broken JSON", "Mavera answered broken JSON", None),
    ("started again by hand", "started again by hand", None),
]


@pytest.mark.parametrize(("before", "words", "code"), SENTENCES)
def test_a_question_of_the_version_before_keeps_its_words_and_its_code(before, words, code):
    research = make_research(status="failed", status_reason=before)

    migration.fill(apps, None)
    migration.fill(apps, None)

    research.refresh_from_db()
    assert (research.status_reason, research.mavera_code) == (words, code)


@pytest.mark.parametrize(("_", "words", "code"), SENTENCES)
def test_going_back_puts_the_code_into_the_sentence_again(_, words, code):
    research = make_research(status="failed", status_reason=words, mavera_code=code)

    migration.empty(apps, None)

    in_full = research.reason_in_full
    research.refresh_from_db()
    assert research.status_reason == in_full
    assert migration.parted(in_full) == (words, code or "")


def test_questions_with_which_mave_asked_back_are_known_where_they_were_kept():
    words = "Mave asked back instead of answering: Which market?"
    kept, lost, other = (
        make_research(status="failed", status_reason=words, answer="Which market?"),
        make_research(status="failed", status_reason=words),
        make_research(status="done", answer="So it is."),
    )

    migration.fill(apps, None)

    codes = dict(Research.objects.values_list("pk", "reason_code"))
    assert codes == {kept.pk: "asked_back", lost.pk: None, other.pk: None}


def test_what_holds_research_back_keeps_its_words_and_its_code():
    MaveHealth.current()
    MaveHealth.objects.update(
        held_reason="Mavera asked to wait: Mavera answered 429 (slow)",
        breaker_reason="Mavera answered 500",
    )
    ResearchPolicy.current().pause("no credits (Mavera answered 402 (none))", 402)

    migration.fill(apps, None)

    health, policy = MaveHealth.current(), ResearchPolicy.current()
    assert (health.held_reason, health.held_code) == ("Mavera asked to wait", "429 (slow)")
    assert (health.breaker_reason, health.breaker_code) == ("Mavera failed", "500")
    assert (policy.paused_reason, policy.paused_code) == ("no credits", "402 (none)")

    migration.empty(apps, None)

    assert MaveHealth.current().breaker_reason == "Mavera failed (Mavera answered 500)"
    paused = ResearchPolicy.current().paused_reason
    assert paused == "no credits (Mavera answered 402 (none))"


def test_words_that_a_person_typed_stay_as_they_are():
    ResearchPolicy.current().pause("Mavera answered 500 all day; we wait")

    migration.fill(apps, None)

    policy = ResearchPolicy.current()
    assert (policy.paused_reason, policy.paused_code) == (
        "Mavera answered 500 all day; we wait",
        "",
    )


def test_entries_on_an_arrived_profile_are_known(user):
    brief = make_brief()
    brief.log("the profile arrived: persona “Enterprise”")
    brief.log("the profile arrived: I looked", user)
    brief.log("took it", user)

    migration.fill(apps, None)

    codes = [entry.code for entry in brief.activities.all()]
    assert codes == ["profile_arrived", None, None]


@pytest.mark.parametrize(("model", "name"), NEW)
def test_a_host_of_the_version_before_inserts_rows_without_the_new_columns(model, name):
    with connection.cursor() as cursor:
        table = connection.introspection.get_table_description(cursor, model._meta.db_table)

    (column,) = [column for column in table if column.name == name]
    assert column.null_ok or column.default is not None


def test_a_question_of_a_host_of_the_version_before_has_no_code():
    held = {field.column for field in Research._meta.concrete_fields}
    columns = ", ".join(sorted(held - {"id", "question_hash", "mavera_code", "reason_code"}))
    make_research()

    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO briefs_research (question_hash, {columns}) "
            f"SELECT 'another', {columns} FROM briefs_research"
        )

    research = Research.objects.get(question_hash="another")
    assert (research.mavera_code, research.reason_code) == (None, None)
