"""Documents follow every change, whoever makes it, and equal those of a rebuild."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from briefs.finding.search import search
from briefs.finding.words import indexing, matching
from briefs.finding.words.documents import of_answers, of_briefs, of_customers
from briefs.models import (
    Brief,
    BriefDocument,
    BulkAct,
    Comment,
    ContactLog,
    CustomerDocument,
    Offer,
    Research,
    ResearchDocument,
    SearchIndex,
    Signal,
    TextChange,
)
from briefs.models.watching import WORDS, install
from briefs.pipeline.inserting import insert
from briefs.pipeline.merging import merge
from briefs.reading import markdown
from briefs.tests.factories import (
    make_brief,
    make_customer,
    make_event,
    make_persona,
    make_reason,
    make_research,
    make_signal,
)
from briefs.triage import bulk, bulk_acting, bulk_undoing, closing, correcting, reopening, snoozing
from briefs.triage.closing import Ending
from briefs.triage.contacting import Contact
from briefs.triage.freshness import Seen
from briefs.triage.snoozing import Snooze
from personas.models import AttributeName, Customer, CustomerAlias
from personas.models.writing import write

pytestmark = pytest.mark.django_db


@pytest.fixture
def brief():
    """With its documents, and nothing marked."""
    made = make_brief(research=make_research())
    make_signal(brief=made, event=None)
    indexing.run()
    return made


def found(words):
    return list(search(Brief.objects.all(), words))


def stored(model):
    """The words of all documents of a kind."""
    table = model._meta.db_table
    words = "words::text" if matching.is_postgresql() else "a || b || c || d"
    source = table if matching.is_postgresql() else WORDS[table]
    key = "id" if matching.is_postgresql() else "rowid"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {key}, {words} FROM {source} ORDER BY 1")
        return cursor.fetchall()


def everything():
    columns = BriefDocument.objects.order_by("pk").values_list("pk", "research", "persona_kind")
    return [list(columns), *map(stored, (BriefDocument, CustomerDocument, ResearchDocument))]


# Each is done to the brief; what it says can be found after the next run.
ACTS = {
    "a comment": lambda brief, user: Comment.objects.create(brief=brief, actor=user, text="needle"),
    "a contact": lambda brief, user: ContactLog.objects.create(
        brief=brief, actor=user, channel="phone", is_reached=False, note="needle"
    ),
    "a signal": lambda brief, user: make_signal(brief=brief, message={"subject": "needle"}),
    "a signal read anew": lambda brief, user: Signal.objects.update(message={"subject": "needle"}),
    "a closing": lambda brief, user: brief.close("retained", "needle", user),
    "a reason": lambda brief, user: brief.close(
        "retained", "", user, closing_reason=make_reason("Needle")
    ),
    "why it was reopened": lambda brief, user: reopened(brief, user, why="needle"),
    "an ending before it was reopened": lambda brief, user: reopened(brief, user, note="needle"),
    "why it was put off again": lambda brief, user: snoozing.snooze(
        brief, user, str(Seen.of(brief)), Snooze("monday", why_moved="needle")
    ),
    "a note that was corrected": lambda brief, user: corrected(brief, user, note="needle"),
    "a source": lambda brief, user: Research.objects.update(
        sources=[{"title": "A needle", "url": "https://trends.example/1"}]
    ),
    "a claim without support": lambda brief, user: Research.objects.update(
        validation={"unsupported_claims": ["Prices fell by a needle"]}
    ),
    "words of an offer": lambda brief, user: Brief.objects.update(
        offer=Offer.objects.filter(asks="words").first() or Offer.objects.first(),
        offer_words="needle",
    ),
    "a persona": lambda brief, user: Brief.objects.update(persona=make_persona(name="Needle")),
    "a profile": lambda brief, user: Customer.objects.update(attributes={"name": "Needle"}),
    "a company": lambda brief, user: Customer.objects.update(company="Needle Ltd"),
    "raw SQL": lambda brief, user: write(Brief, ["company"], [changed(brief, company="Needle")]),
    "an address": lambda brief, user: brief.customer.__class__.objects.update(email="n@needle.org"),
    "a former id": lambda brief, user: CustomerAlias.objects.remember(
        brief.customer.pk, {"id": "needle-1"}
    ),
    "an answer": lambda brief, user: Research.objects.update(answer="A needle."),
    "another answer": lambda brief, user: Brief.objects.update(
        research=make_research(answer="A needle.")
    ),
    "why a brief that it took over was put off": lambda brief, user: took_over(
        brief,
        user,
        lambda other: snoozing.snooze(
            other, user, str(Seen.of(other)), Snooze("monday", why_moved="needle")
        ),
    ),
    "an ending of a brief that it took over": lambda brief, user: took_over(
        brief, user, lambda other: reopened(other, user, note="needle")
    ),
    "an ending of many that was undone": lambda brief, user: ended_with_others_and_undone(
        brief, user, note="needle"
    ),
    "a note of a contact with many that was undone": lambda brief, user: logged_and_undone(
        brief, user, note="needle"
    ),
    "a merge": lambda brief, user: merge(
        brief.customer.pk, make_customer(external_id="needle-2", cio_id=None).pk
    ),
}  # fmt: skip


def ended(brief, user, note):
    closing.close(brief, user, str(Seen.of(brief)), Ending("no_response", note))
    brief.refresh_from_db()


def reopened(brief, user, note="", why=""):
    ended(brief, user, note)
    reopening.reopen(brief, user, str(Seen.of(brief)), why)


def took_over(brief, user, act):
    brief.assign(user, user)
    other = make_brief(customer=make_customer(external_id="other", cio_id=None))
    act(other)
    merge(brief.customer.pk, other.customer.pk)


def ended_with_others_and_undone(brief, user, note):
    act = bulk.choose([brief.pk], user, BulkAct.Kind.CLOSE)
    bulk_acting.close(act, user, Ending("no_response", note))
    bulk_undoing.undo(act, user)


def logged_and_undone(brief, user, note):
    act = bulk.choose([brief.pk], user, BulkAct.Kind.CONTACT)
    bulk_acting.log(act, user, Contact("phone", True, note))
    bulk_undoing.undo(act, user)
    assert note in brief.activities.first().text  # as the page shows it


def corrected(brief, user, note):
    ended(brief, user, note)
    correcting.correct(brief, user, str(Seen.of(brief)), Ending("no_response", "Another one."))


def changed(row, **fields):
    for name, value in fields.items():
        setattr(row, name, value)
    return row


@pytest.mark.parametrize("act", ACTS)
def test_after_any_act_one_run_writes_what_a_rebuild_would(brief, user, act):
    assert found("needle") == []

    ACTS[act](brief, user)
    indexing.run()

    assert found("needle") == [brief]
    kept_up = everything()
    call_command("rebuild_search")
    assert everything() == kept_up
    assert not indexing.is_due()


VALUE = {
    "value_amount": 7_700, "value_currency": "SEK", "value_period": "month", "value_month": 7_700,
}  # fmt: skip


@pytest.mark.parametrize("model", [Brief, Customer])
@pytest.mark.parametrize(
    "after", [{}, {"value_currency": "NOK"}, {"value_amount": 9_000}, {"value_period": "year"}]
)
def test_value_is_found_after_any_change_of_it(brief, model, after):
    model.objects.update(**{**VALUE, **after})
    indexing.run()

    [one] = model.objects.all()
    assert found(f'"{one.value_words}"') == [brief]
    kept_up = everything()
    call_command("rebuild_search")
    assert everything() == kept_up


def test_of_an_answer_only_what_its_page_shows_is_found(brief):
    thought = "Perhaps a haystack. " * 2_000
    Research.objects.update(answer=f"<think>{thought}</think>\n\nLook for the needle.")
    indexing.run()

    assert found("needle") == [brief]
    assert found("haystack") == []


def test_all_that_a_page_shows_of_a_long_answer_is_found(brief):
    text = f"{'Newsletters ' * markdown.LONGEST}"[: markdown.LONGEST - 8] + " needle."
    Research.objects.update(answer=text)
    indexing.run()

    assert found("needle") == [brief]


@pytest.mark.parametrize(
    "text", ["a b c " * (markdown.LONGEST // 6 - 2), "解約" * 7_500], ids=["latin", "chinese"]
)
def test_all_of_a_long_answer_in_short_words_is_found(brief, text):
    """5,000 words were too few: each sign is one where no spaces are between words."""
    Research.objects.update(answer=f"{text} needle")
    indexing.run()

    assert found("needle") == [brief]


def test_rows_that_are_copied_are_marked_too(user):
    comments = [Comment(brief=make_brief(), actor=user, at="2026-11-23T12:00Z", text="needle")]
    indexing.run()

    insert(comments)
    indexing.run()

    assert len(found("needle")) == 1


def test_what_no_text_changes_marks_nothing(brief, user):
    brief.assign(user, user)
    Customer.objects.update(is_unsubscribed=True)

    assert not indexing.is_due()


def test_name_of_a_reason_is_found_after_it_is_changed(brief, user):
    reason = make_reason("Before")
    brief.close("retained", "", user, closing_reason=reason)
    indexing.run()

    reason.name = "Needle"
    reason.save()
    indexing.run()

    assert found("needle") == [brief]
    assert found("before") == []


def test_deleted_rows_leave_no_words(brief):
    other = make_brief()
    indexing.run()

    brief.customer.delete()

    assert [key for key, _ in stored(BriefDocument)] == [other.pk]
    assert [key for key, _ in stored(CustomerDocument)] == [other.customer_id]
    indexing.run()
    assert [key for key, _ in stored(BriefDocument)] == [other.pk]


def test_person_is_taken_out_at_once(brief):
    other = make_brief()
    indexing.run()

    indexing.forget(brief.customer_id)

    assert [key for key, _ in stored(BriefDocument)] == [other.pk]
    assert [key for key, _ in stored(CustomerDocument)] == [other.customer_id]


def test_other_attributes_make_all_documents_anew(brief):
    Customer.objects.update(attributes={"sector": "needle"})
    indexing.run()
    indexing.build(60)
    assert found("needle") == []

    AttributeName.objects.create(role="sector", label="Sector", names="sector")

    assert not indexing.is_built()
    indexing.sweep()
    assert found("needle") == [brief]
    assert indexing.is_built()


def test_rebuilding_goes_on_where_it_stopped(monkeypatch, capsys):
    monkeypatch.setattr(indexing, "BATCH", 1)
    old, new = make_brief(persona_why="needle"), make_brief(persona_why="needle")
    TextChange.objects.all().delete()

    indexing.write_next()

    assert found("needle") == [new]
    assert indexing.left() == 3  # one brief and two customers
    call_command("rebuild_search")
    assert set(found("needle")) == {old, new}
    assert "3 documents written." in capsys.readouterr().out


def test_documents_wait_for_a_backlog_for_a_minute(brief, monkeypatch):
    monkeypatch.setattr(indexing, "BUSY", 0)
    make_event()
    Brief.objects.update(persona_why="needle")

    assert indexing.run() == 0
    TextChange.objects.update(at="2026-11-01T12:00Z")
    assert indexing.run() > 0


def test_worker_that_writes_lets_an_event_in_after_each_batch(brief, monkeypatch):
    monkeypatch.setattr(indexing, "BATCH", 1)
    make_brief(
        customer=brief.customer, state="closed", outcome="retained", closed_at=timezone.now()
    )
    Brief.objects.update(persona_why="needle")
    make_event()

    indexing.run()

    assert indexing.is_due()


@pytest.mark.on_postgresql
def test_second_worker_leaves_the_documents_to_the_first(brief, monkeypatch):
    Brief.objects.update(persona_why="needle")
    monkeypatch.setattr(SearchIndex, "taken", classmethod(lambda cls: None))  # locked elsewhere

    assert indexing.run() == 0
    assert indexing.is_due()


def test_triggers_that_a_migration_dropped_are_made_again(brief):
    with connection.cursor() as cursor:
        on = " ON briefs_brief" if matching.is_postgresql() else ""
        source = "pg_trigger" if matching.is_postgresql() else "sqlite_master"
        name = "tgname" if matching.is_postgresql() else "name"
        cursor.execute(f"SELECT {name} FROM {source} WHERE {name} LIKE 'briefs_text_brief_update%'")
        cursor.execute(f"DROP TRIGGER {cursor.fetchone()[0]}{on}")

    install()
    install()  # changes nothing more

    Brief.objects.update(persona_why="needle")
    assert indexing.is_due()


def test_a_batch_reads_its_rows_in_few_queries(brief, django_assert_max_num_queries):
    briefs = [make_brief(customer=make_customer()) for _ in range(5)]
    keys = [one.pk for one in briefs]

    with django_assert_max_num_queries(7):
        assert len(of_briefs(keys)) == 5
    with django_assert_max_num_queries(3):
        assert len(of_customers([one.customer_id for one in briefs])) == 5
    with django_assert_max_num_queries(1):
        of_answers([brief.research_id])
