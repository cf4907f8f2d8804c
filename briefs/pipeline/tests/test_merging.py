"""Two rows that turn out to be one person become one row, with all their signals and briefs."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from briefs.models import Brief, Notification, Priority, Signal
from briefs.notifying import personal
from briefs.pipeline import draining, merging
from briefs.tests.factories import (
    make_brief,
    make_customer,
    make_event,
    make_payload,
    make_persona,
    make_research,
    make_signal,
)
from briefs.triage import closing
from briefs.triage.closing import Ending
from briefs.triage.freshness import Seen
from personas.models import Customer, Twin
from webhooks.models import WebhookEvent
from webhooks.tests.threads import Aside, at_once

pytestmark = pytest.mark.django_db


def two_rows(older=None, newer=None):
    """One person, known by id first and by cio_id later."""
    return (
        make_customer(cio_id=None, external_id="42", **(older or {})),
        make_customer(cio_id="c42", external_id=None, **(newer or {})),
    )


def event_of(**identifiers):
    return make_event(make_payload(data={"identifiers": identifiers}))


def reload(row):
    row.refresh_from_db()
    return row


def test_signals_and_briefs_move_to_the_older_row():
    older, newer = two_rows()
    signal = make_signal(brief=make_brief(customer=newer))

    assert merging.merge(older.pk, newer.pk) == older

    assert Customer.objects.get() == older
    assert (Signal.objects.get().customer, Brief.objects.get().customer) == (older, older)
    assert Signal.objects.get() == signal
    assert Brief.objects.get().is_open


def test_older_row_gets_the_identifiers_it_lacked():
    older, newer = two_rows(older={"email": ""}, newer={"email": "a@example.com"})

    merging.merge(older.pk, newer.pk)

    reload(older)
    assert (older.external_id, older.cio_id, older.email) == ("42", "c42", "a@example.com")


def test_profile_of_the_newer_row_serves_where_the_older_has_none():
    older, newer = two_rows(older={"fetched_at": None, "attributes": {}})

    merging.merge(older.pk, newer.pk)

    assert reload(older).attributes == newer.attributes
    assert older.fetched_at == newer.fetched_at


def test_profile_that_was_looked_up_later_is_kept():
    before = timezone.now() - timezone.timedelta(days=1)
    older, newer = two_rows(
        older={"attributes": {"plan": "pro"}},
        newer={"attributes": {"plan": "free"}, "fetched_at": before},
    )

    merging.merge(older.pk, newer.pk)

    assert reload(older).attributes == {"plan": "pro"}


def test_of_two_open_briefs_one_is_kept_with_the_signals_of_both():
    older, newer = two_rows()
    now, before = timezone.now(), timezone.now() - timezone.timedelta(hours=2)
    kept = make_brief(customer=older, priority=Priority.LOW, happened_at=now)
    why = [{"code": "top_tenth", "words": "It is in the top tenth: one up."}]
    doubled = make_brief(customer=newer, priority=Priority.URGENT, happened_at=before,
                         priority_reasons=why)  # fmt: skip
    signals = {make_signal(brief=kept), make_signal(brief=doubled)}

    merging.merge(older.pk, newer.pk)

    assert Brief.objects.open().get() == kept
    assert (reload(kept).priority, kept.happened_at) == (Priority.URGENT, before)
    assert kept.priority_reasons == why
    assert set(kept.signals.all()) == signals
    assert kept.activities.get().text == (
        f"took over the signals of brief {doubled.pk}: the same person"
    )
    assert (reload(doubled).outcome, doubled.customer) == ("withdrawn", older)
    assert f"in brief {kept.pk}" in doubled.closing_note


def test_of_two_open_briefs_the_one_that_somebody_has_taken_is_kept(user):
    older, newer = two_rows()
    make_brief(customer=older)
    taken = make_brief(customer=newer)
    taken.assign(user, user)

    merging.merge(older.pk, newer.pk)

    assert Brief.objects.open().get() == taken
    assert reload(taken).customer == older


def test_of_two_untouched_briefs_the_one_whose_persona_is_known_is_kept():
    older, newer = two_rows()
    make_brief(customer=older, persona=make_persona(is_unknown=True), is_waiting_for_profile=True)
    known = make_brief(customer=newer)

    merging.merge(older.pk, newer.pk)

    assert Brief.objects.open().get() == known


@pytest.mark.parametrize(("status", "basis"), [("done", "new"), ("queued", "playbook")])
def test_of_two_briefs_with_known_personas_the_one_with_research_is_kept(status, basis):
    older, newer = two_rows()
    make_brief(customer=older)
    researched = make_brief(customer=newer, research=make_research(status=status), basis=basis)

    merging.merge(older.pk, newer.pk)

    assert Brief.objects.open().get() == researched


def test_of_two_briefs_with_research_the_answered_one_is_kept():
    older, newer = two_rows()
    make_brief(customer=older, research=make_research())
    answered = make_brief(customer=newer, research=make_research(status="done"), basis="shared")

    merging.merge(older.pk, newer.pk)

    assert Brief.objects.open().get() == answered


def test_brief_that_somebody_has_taken_is_kept_even_without_research(user):
    older, newer = two_rows()
    taken = make_brief(customer=older, persona=make_persona(is_unknown=True))
    taken.assign(user, user)
    make_brief(customer=newer, research=make_research(status="done"), basis="new")

    merging.merge(older.pk, newer.pk)

    assert Brief.objects.open().get() == taken


def test_closed_briefs_move_as_they_are():
    older, newer = two_rows()
    make_brief(customer=newer).close("churned")
    make_brief(customer=older)

    merging.merge(older.pk, newer.pk)

    outcomes = older.briefs.order_by("pk").values_list("outcome", flat=True)
    assert list(outcomes) == ["churned", ""]


def test_row_that_was_merged_already_is_not_merged_again():
    older, newer = two_rows()
    merging.merge(older.pk, newer.pk)

    assert merging.merge(older.pk, newer.pk) is None
    assert Customer.objects.get() == older


def test_conflicting_cio_ids_are_never_merged():
    older, newer = make_customer(cio_id="c1"), make_customer(cio_id="c2")
    make_brief(customer=newer)

    with pytest.raises(ValueError, match="two people"):
        merging.merge(older.pk, newer.pk)

    assert Customer.objects.count() == 2
    assert Brief.objects.get().customer == newer


def merge_there(gone, living):
    """Merge as a look-up shows it: the first has become part of the second in Customer.io."""
    older, newer = sorted((gone, living), key=lambda row: row.pk)
    twin = Twin(living.pk, cio_id=living.cio_id, gone=gone.cio_id)
    return merging.merge(older.pk, newer.pk, twin)


@pytest.mark.parametrize("newer_lives", [True, False])
def test_people_who_were_merged_in_customer_io_are_one_row_under_both_cio_ids(newer_lives):
    rows = make_customer(cio_id="c1"), make_customer(cio_id="c2")
    gone, living = rows if newer_lives else reversed(rows)

    kept = merge_there(gone, living)

    assert kept == rows[0] == Customer.objects.get()
    assert reload(kept).cio_id == living.cio_id
    assert kept.aliases.filter(kind="cio_id").get().value == gone.cio_id


@pytest.mark.parametrize("twin", [("c2", "c9"), ("c9", "c1"), ("c2", "")])
def test_look_up_of_other_cio_ids_merges_nothing(twin):
    older, newer = make_customer(cio_id="c1"), make_customer(cio_id="c2")

    with pytest.raises(ValueError, match="two people"):
        merging.merge(older.pk, newer.pk, Twin(newer.pk, cio_id=twin[0], gone=twin[1]))

    assert Customer.objects.count() == 2


def test_brief_that_is_kept_has_the_history_of_both_and_one_owner(django_user_model):
    robin, kim = (django_user_model.objects.create_user(name) for name in ("robin", "kim"))
    older, newer = make_customer(cio_id="c1"), make_customer(cio_id="c2")
    first, second = make_brief(customer=older), make_brief(customer=newer)
    first.assign(robin, robin)
    first.log("called them: no answer", robin)
    second.assign(kim, kim)
    second.log("wrote to them", kim)

    merge_there(older, newer)

    assert Brief.objects.open().get() == first
    assert reload(first).assignee == robin
    assert [(entry.text, entry.actor) for entry in first.activities.all()] == [
        ("took it", robin),
        ("called them: no answer", robin),
        ("took it", kim),
        ("wrote to them", kim),
        (
            f"took over the signals of brief {second.pk}: the same person · that brief was kim's",
            None,
        ),
    ]


@pytest.mark.parametrize(
    ("states", "kept"),
    [
        (("new", "snoozed"), 1),
        (("snoozed", "in_progress"), 1),
        (("in_progress", "snoozed"), 0),
    ],
)
def test_brief_that_is_worked_on_is_kept_before_one_that_rests(user, states, kept):
    rows = make_customer(cio_id="c1"), make_customer(cio_id="c2")
    briefs = [
        make_brief(customer=row, state=state, assignee=None if state == "new" else user)
        for row, state in zip(rows, states, strict=True)
    ]

    merge_there(*rows)

    assert Brief.objects.open().get() == briefs[kept]


def test_assignee_is_told_when_a_merge_wakes_their_brief(user):
    personal.choose(user, "slack://aaaaaaaaa/bbbbbbbbb/cccccccccccccccccccccccc/#retention")
    older, newer = make_customer(cio_id="c1"), make_customer(cio_id="c2")
    until = timezone.now() + timedelta(days=3)
    make_brief(customer=older, state="snoozed", snoozed_until=until, assignee=user)
    make_brief(customer=newer)

    merge_there(older, newer)

    [told] = Notification.objects.all()
    assert told.body.startswith("This brief of yours woke up: it took over a brief")


def test_arrival_of_the_profile_is_told_by_the_kept_brief_alone():
    older, newer = make_customer(cio_id="c1"), make_customer(cio_id="c2")
    kept, doubled = make_brief(customer=older), make_brief(customer=newer)
    doubled.activities.create(text="the profile arrived", code="profile_arrived")

    merge_there(older, newer)

    assert not kept.activities.filter(code="profile_arrived").exists()
    assert kept.activities.count() == 2


def test_merge_that_is_interrupted_leaves_everything_as_it_was(monkeypatch):
    older, newer = make_customer(cio_id="c1"), make_customer(cio_id="c2")
    briefs = [make_brief(customer=row) for row in (older, newer)]
    briefs[1].log("wrote to them")

    def die(*arguments):
        raise SystemExit

    monkeypatch.setattr(merging.identity, "absorb", die)
    with pytest.raises(SystemExit):
        merge_there(older, newer)

    assert [brief.customer for brief in Brief.objects.open().order_by("pk")] == [older, newer]
    assert briefs[1].activities.get().text == "wrote to them"


def test_two_workers_who_merge_the_same_people_at_once_do_it_once(threaded_db):
    older, newer = make_customer(cio_id="c1"), make_customer(cio_id="c2")
    for row in (newer, older):  # the briefs' keys run against those of the rows
        make_brief(customer=row)

    results = at_once(2, lambda number: merge_there(older, newer))

    assert sorted(bool(result) for result in results) == [False, True]
    assert Brief.objects.open().count() == Customer.objects.count() == 1


def test_merge_while_people_take_both_briefs_leaves_one_brief_with_an_owner(
    threaded_db, django_user_model
):
    robin = django_user_model.objects.create_user("robin")
    older, newer = make_customer(cio_id="c1"), make_customer(cio_id="c2")
    briefs = [make_brief(customer=newer), make_brief(customer=older)]
    work = [
        lambda: briefs[0].assign(robin, robin),
        lambda: merge_there(older, newer),
        lambda: briefs[1].assign(robin, robin),
        lambda: Brief.objects.all().close("churned"),
    ]

    at_once(4, lambda number: work[number]())

    assert Customer.objects.count() == 1
    assert Brief.objects.open().count() <= 1
    assert Brief.objects.filter(customer_id=older.pk).count() == 2


@pytest.mark.on_postgresql
@pytest.mark.parametrize(
    "act",
    [
        lambda brief, person: brief.assign(person, person),
        lambda brief, person: closing.close(
            brief, person, str(Seen.of(brief)), Ending("no_response", is_persona_wrong=True)
        ),
    ],
    ids=["take", "close"],
)
def test_what_people_do_with_a_brief_does_not_wait_for_a_merge(threaded_db, user, act):
    brief = make_brief()

    with transaction.atomic():
        Customer.objects.select_for_update().get(pk=brief.customer_id)
        done = Aside(lambda: act(brief, user)).result

    assert done


# From the events ----------------------------------------------------------------------------------


def test_event_with_both_identifiers_merges_the_rows_and_joins_the_open_brief(starter):
    older, _ = two_rows()
    kept = make_brief(customer=older)
    make_signal(brief=kept, kind="spam_complaint", event=None)
    event = event_of(id="42", cio_id="c42")

    draining.drain()

    assert Customer.objects.get() == older
    assert kept.signals.count() == 2
    assert reload(event).status == "processed"


def test_batch_that_speaks_of_both_rows_before_they_are_merged_succeeds_at_once(starter):
    two_rows()
    events = [event_of(cio_id="c42"), event_of(id="42"), event_of(id="42", cio_id="c42")]

    draining.drain()

    assert Customer.objects.count() == Brief.objects.count() == 1
    assert Brief.objects.get().signals.count() == 3
    assert [reload(event).tries for event in events] == [1, 1, 1]


def test_id_that_moved_on_to_another_person_does_not_merge_them(starter):
    make_customer(cio_id="c1", external_id="42")
    make_customer(cio_id="c2", external_id=None)
    event_of(id="42", cio_id="c2")

    draining.drain()

    assert Customer.objects.count() == 2
    assert Brief.objects.get().customer.cio_id == "c2"


def test_row_whose_look_up_reveals_another_cio_id_is_not_merged(starter, sandbox):
    sandbox.people.add("42", cio_id="c9", attributes={"plan": "enterprise"})
    make_customer(cio_id=None, external_id="42", fetched_at=None)
    make_customer(cio_id="c42", external_id=None)
    event = event_of(id="42", cio_id="c42")

    draining.drain()
    assert "two people" in reload(event).status_reason
    WebhookEvent.objects.update(available_at=None)
    draining.drain()

    assert set(Customer.objects.values_list("cio_id", flat=True)) == {"c9", "c42"}
    assert Brief.objects.get().customer.cio_id == "c42"
