"""Events that are read anew under other rules: what becomes of the briefs they led to."""

import json

import pytest

from briefs.models import Brief, Signal
from briefs.pipeline import draining
from briefs.pipeline.previewing import preview
from briefs.tests.factories import make_event, make_payload
from personas.models import Customer, SignalRule
from webhooks.models import WebhookEvent

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("starter"),
    pytest.mark.begins_at("2026-12-01T12:00"),
]

PERSON = "enterprise-logistics-low-1"
NOON = 1_796_040_000  # 30 November 2026, 12:00 UTC


def event_of(person=PERSON, metric="bounced", object_type="email", after=0, **data):
    payload = make_payload(
        object_type=object_type,
        metric=metric,
        timestamp=NOON + after,
        data={"identifiers": {"id": person}, **data},
    )
    return make_event(payload)


def bounced(person=PERSON, after=0, text="550 5.1.1 user unknown"):
    event = event_of(person, after=after, failure_message=text, subject="News")
    draining.drain()
    event.refresh_from_db()
    return event


def unsubscribed(person=PERSON, after=0):
    event = event_of(person, "unsubscribed", "customer", after=after)
    draining.drain()
    event.refresh_from_db()
    return event


def read_anew(*events):
    for event in events:
        event.refresh_from_db()
        assert event.replay()
    draining.drain()
    for event in events:
        event.refresh_from_db()


def mean(event, **fields):
    """From now on the rule of this event means something else."""
    assert SignalRule.objects.filter(pk=event.signal.rule_id).update(**fields)


def log(brief):
    return [activity.text for activity in brief.activities.all()]


OURS = {"kind": "blocked", "effect": "notice"}


def test_brief_on_our_own_fault_is_withdrawn_with_the_reason(sandbox):
    event = bounced()
    brief = Brief.objects.get()
    mean(event, **OURS)

    read_anew(event)

    brief.refresh_from_db()
    assert (brief.state, brief.outcome) == ("closed", "withdrawn")
    assert brief.closing_note == (
        "read anew: “Address gone” of 30 Nov 2026 is “Blocked by policy”, so there is nothing to do"
    )
    assert brief.closing_note in log(brief)[-1]
    assert event.status == "processed"
    assert event.status_reason.endswith(f"· brief {brief.pk} was withdrawn")
    signal = Signal.objects.get()
    assert (signal.kind, signal.effect, signal.brief) == ("blocked", "notice", None)


def test_brief_that_another_signal_carries_stays_and_is_about_that_one(sandbox):
    gone, left = bounced(), unsubscribed(after=60)
    brief = Brief.objects.get()
    assert brief.kind == "address_gone"
    mean(gone, **OURS)

    read_anew(gone)

    brief.refresh_from_db()
    assert (brief.state, brief.kind) == ("new", "unsubscribed")
    assert brief.research.kind == "unsubscribed"
    assert brief.priority == 3  # as urgent as the one that carries it
    assert "“Address gone” of 30 Nov 2026 is “Blocked by policy”" in log(brief)[-1]
    assert left.signal.brief == brief


def test_brief_that_two_signals_carried_is_withdrawn_once_neither_does(sandbox):
    first, second = bounced(), bounced(after=60, text="550 5.1.1 no such user")
    mean(first, **OURS)

    read_anew(first, second)

    assert Brief.objects.get().outcome == "withdrawn"
    assert not Signal.objects.exclude(brief=None).exists()


@pytest.mark.parametrize("by", ["assign", "snooze"])
def test_brief_that_somebody_works_on_stays_and_gets_a_line(sandbox, user, by):
    event = bounced()
    brief = Brief.objects.get()
    if by == "assign":
        brief.assign(user, user)
    else:
        Brief.objects.update(state="snoozed", snoozed_until="2027-01-01T00:00Z")
    mean(event, **OURS)

    read_anew(event)

    brief.refresh_from_db()
    assert brief.is_open
    assert brief.kind == "address_gone"
    assert log(brief)[-1] == (
        "read anew: “Address gone” of 30 Nov 2026 is “Blocked by policy”. "
        "The brief stays, because somebody works on it"
    )
    assert event.signal.brief == brief


def test_line_is_written_once_however_often_an_event_is_read(sandbox, user):
    event = bounced()
    brief = Brief.objects.get()
    brief.assign(user, user)
    mean(event, **OURS)

    read_anew(event)
    lines = log(brief)
    read_anew(event)

    assert log(brief) == lines


def as_it_is(brief):
    row = Brief.objects.filter(pk=brief.pk).values().get()
    return (
        row,
        list(brief.activities.values()),
        list(brief.signals.values_list("event", "customer")),
    )


@pytest.mark.parametrize(
    "meaning", [OURS, {"effect": "ignore"}, {"kind": "bounced"}, {"is_active": False}]
)
def test_closed_brief_stays_exactly_as_it_is(sandbox, user, meaning):
    event = bounced()
    brief = Brief.objects.get()
    brief.close("retained", "called them", user)
    before = as_it_is(brief)
    mean(event, **meaning)

    read_anew(event)

    assert as_it_is(brief) == before
    assert Brief.objects.count() == 1
    assert event.status == "processed"
    assert f"brief {brief.pk}" in event.status_reason
    assert "closed" in event.status_reason


@pytest.mark.parametrize("meaning", [{"effect": "ignore"}, {"is_active": False}])
def test_event_that_is_no_signal_any_more_leaves_its_brief(sandbox, signed_in, meaning):
    event = bounced()
    brief = Brief.objects.get()
    SignalRule.objects.filter(metrics__contains="bounced").update(**meaning)

    read_anew(event)

    brief.refresh_from_db()
    assert brief.outcome == "withdrawn"
    assert "is no churn signal, so there is nothing to do" in brief.closing_note
    assert not Signal.objects.exists()
    assert event.status == "ignored"
    assert signed_in.get(f"/briefs/{brief.pk}/").status_code == 200
    assert signed_in.get(f"/api/v1/briefs/{brief.pk}/").status_code == 200


def test_event_that_is_a_signal_again_opens_a_new_brief(sandbox):
    event = bounced()
    rule = SignalRule.objects.filter(pk=event.signal.rule_id)
    rule.update(**OURS)
    read_anew(event)
    rule.update(kind="address_gone", effect="opens_brief")

    read_anew(event)

    assert list(Brief.objects.order_by("pk").values_list("state", flat=True)) == ["closed", "new"]
    assert event.signal.brief == Brief.objects.open().get()


def test_ignored_event_that_means_something_now_opens_a_brief(sandbox):
    SignalRule.objects.filter(metrics__contains="bounced").update(is_active=False)
    event = bounced()
    assert event.status == "ignored"
    SignalRule.objects.filter(metrics__contains="bounced").update(is_active=True)

    read_anew(event)

    assert Brief.objects.get().signals.get().event == event


def test_untouched_brief_is_renamed_with_its_signal_and_asks_what_fits(sandbox):
    event = bounced()
    brief = Brief.objects.get()
    question = brief.research_id
    mean(event, kind="channel_opt_out", severity=1)

    read_anew(event)

    brief.refresh_from_db()
    assert brief.kind == "channel_opt_out"
    assert brief.research.kind == "channel_opt_out"
    assert brief.research_id != question
    assert brief.priority == 2
    assert "is “Channel opt-out”" in log(brief)[-1]


def test_rename_puts_away_an_answer_to_the_former_question(sandbox):
    from briefs.research.working import run_next

    event = bounced()
    assert run_next()
    assert Brief.objects.get().basis == "new"
    mean(event, kind="channel_opt_out")

    read_anew(event)

    brief = Brief.objects.get()
    assert (brief.basis, brief.researched_at, brief.research.status) == ("playbook", None, "queued")


@pytest.mark.parametrize("is_taken", [False, True])
def test_untouched_brief_takes_over_a_time_that_is_read_otherwise(sandbox, user, is_taken):
    event = bounced()
    brief = Brief.objects.get()
    Brief.objects.update(happened_at="1970-01-01T00:00Z", detail="x")
    Signal.objects.update(happened_at="1970-01-01T00:00Z", detail="x")
    if is_taken:
        brief.assign(user, user)

    read_anew(event)

    brief.refresh_from_db()
    assert brief.happened_at.year == (1970 if is_taken else 2026)
    assert brief.detail == ("x" if is_taken else "")


def moved(event, person):
    """From now on the event is read as one about somebody else."""
    WebhookEvent.objects.filter(pk=event.pk).update(identifiers={"id": person})
    body = make_payload(
        event_id=event.event_id, object_type="email", metric="bounced", timestamp=NOON,
        data={"identifiers": {"id": person}, "failure_message": "550 5.1.1 user unknown"},
    )  # fmt: skip
    WebhookEvent.objects.filter(pk=event.pk).update(body=json.dumps(body).encode())


def test_signal_of_another_person_moves_to_that_person(sandbox):
    event = bounced()
    brief = Brief.objects.get()
    moved(event, "enterprise-insurance-high-1")

    read_anew(event)

    brief.refresh_from_db()
    assert brief.outcome == "withdrawn"
    assert "of another person" in brief.closing_note
    signal = Signal.objects.get()
    assert signal.customer.external_id == "enterprise-insurance-high-1"
    assert signal.brief == Brief.objects.open().get()
    assert signal.brief.customer == signal.customer


@pytest.mark.parametrize(
    ("object_type", "recipient"),
    [("slack", "@general"), ("webhook", "https://ann:secret@hooks.example.com/in"),
     ("email", "a@example.com, b@example.com")],
)  # fmt: skip
def test_brief_of_somebody_who_is_no_person_is_withdrawn(sandbox, object_type, recipient):
    SignalRule.objects.filter(metrics="converted").update(effect="opens_brief")
    event = make_event(
        make_payload(
            object_type=object_type,
            metric="converted",
            data={"identifiers": {"id": None}, "recipient": recipient},
        )
    )
    # As an earlier version had read it: whatever has an @ is the person's address.
    WebhookEvent.objects.filter(pk=event.pk).update(identifiers={"email": recipient})
    draining.drain()
    brief = Brief.objects.get()

    read_anew(event)

    brief.refresh_from_db()
    assert brief.outcome == "withdrawn"
    assert "is about no person, so there is nothing to do" in brief.closing_note
    assert brief.customer.email == ""
    assert not Signal.objects.exists()
    assert event.status == "ignored"


def test_signal_of_a_closed_brief_stays_with_its_person(sandbox):
    event = bounced()
    brief = Brief.objects.get()
    brief.close("retained")
    moved(event, "enterprise-insurance-high-1")
    before = as_it_is(brief)

    read_anew(event)

    assert as_it_is(brief) == before
    assert event.signal.customer == brief.customer


def test_echo_of_a_closed_brief_that_is_an_act_of_its_own_opens_a_brief(sandbox):
    first = unsubscribed()
    brief = Brief.objects.get()
    brief.close("retained")
    later = unsubscribed(after=7200)
    # As an earlier version had read it: the same act.
    Brief.objects.open().get().signals.update(brief=brief, same_act_as=first.signal)
    Brief.objects.exclude(pk=brief.pk).delete()
    before = Brief.objects.filter(pk=brief.pk).values().get()

    read_anew(later)

    assert Brief.objects.filter(pk=brief.pk).values().get() == before
    assert later.signal.same_act_as is None
    assert later.signal.brief == Brief.objects.open().get()


@pytest.mark.parametrize("was_read_as", [None, "1970-01-01T00:00Z"])
def test_two_reports_of_one_act_stay_one(sandbox, was_read_as):
    person = unsubscribed()
    message = event_of(
        metric="unsubscribed", object_type="email", after=5, recipient="x@example.com"
    )
    draining.drain()
    message.refresh_from_db()
    assert message.signal.same_act_as == person.signal
    if was_read_as:
        Signal.objects.update(happened_at=was_read_as)

    read_anew(message, person)

    assert message.signal.same_act_as == person.signal
    assert message.signal.brief == person.signal.brief == Brief.objects.get()


def test_change_of_preferences_that_cannot_be_seen_again_keeps_its_signal(sandbox):
    sandbox.people.add("ann", email="ann@example.com", attributes={"plan": "enterprise"})
    event = unsubscribed("ann")
    WebhookEvent.objects.filter(pk=event.pk).update(
        metric="cio_subscription_preferences_changed", object_type="customer"
    )
    Signal.objects.update(kind="topic_opt_out")
    body = make_payload(event_id=event.event_id, timestamp=NOON,
                        metric="cio_subscription_preferences_changed",
                        data={"identifiers": {"id": "ann"}})  # fmt: skip
    WebhookEvent.objects.filter(pk=event.pk).update(body=json.dumps(body).encode())

    read_anew(event)

    assert event.status == "processed"
    assert event.status_reason.startswith(
        "stays “Topic opt-out”, as an earlier run read it, because what was compared then"
    )
    assert Brief.objects.get().is_open


def test_first_reading_of_events_costs_no_query_for_the_past(sandbox):
    from briefs.pipeline import rereading
    from briefs.pipeline.drafts import Draft

    event = event_of()

    assert rereading.look_back([Draft(event, {}, "")]) == {}


# What would change


def everything():
    models = (Brief, Signal, Customer, WebhookEvent)
    rows = [list(model.objects.order_by("pk").values()) for model in models]
    return rows, [log(brief) for brief in Brief.objects.order_by("pk")]


@pytest.fixture
def nobody_asked(monkeypatch):
    """Fails the test if a request is sent or a task is queued."""
    import requests

    from webhooks import waking

    def refuse(*args, **kwargs):
        raise AssertionError("a preview asks and wakes nobody")

    monkeypatch.setattr(requests.Session, "send", refuse)
    monkeypatch.setattr(waking, "async_task", refuse)


def test_preview_says_what_reading_anew_then_does(sandbox):
    gone, also = bounced(), bounced("enterprise-insurance-high-1")
    closed = bounced("business-retail-high-1")
    closed.signal.brief.close("retained")
    mean(gone, **OURS)
    before = everything()

    seen = preview(WebhookEvent.objects.all())

    assert everything() == before
    assert (seen.read, seen.changed) == (3, 3)
    assert seen.kinds == {
        "Address gone → Blocked by policy, withdraws brief": 2,
        "Address gone → Blocked by policy": 1,
    }
    first = seen.examples[0]
    assert (first.event, first.brief) == (gone.pk, f"withdraws brief {gone.signal.brief_id}")
    assert "rule “" in first.why
    read_anew(gone, also, closed)
    assert [b.outcome for b in Brief.objects.order_by("pk")] == ["withdrawn"] * 2 + ["retained"]
    assert preview(WebhookEvent.objects.all()).changed == 0


def test_preview_asks_wakes_and_writes_nothing(sandbox, nobody_asked):
    event = event_of()
    other = event_of("a-new-person", "unsubscribed", "customer", after=60)
    WebhookEvent.objects.update(status="ignored")
    before = everything()

    seen = preview(WebhookEvent.objects.filter(pk__in=[event.pk, other.pk]))

    assert everything() == before
    assert not Customer.objects.exists()
    assert seen.kinds == {
        "no signal → Bounced, cause unclear, opens a brief": 1,
        "no signal → Unsubscribed, opens a brief": 1,
    }


def test_preview_names_the_person_that_a_signal_would_move_to(sandbox):
    event = bounced()
    moved(event, "enterprise-insurance-high-1")

    seen = preview(WebhookEvent.objects.all())

    [change] = seen.examples
    assert change.before == f"Address gone, customer {event.signal.customer_id}"
    assert change.after.startswith("Address gone, customer ")
    assert list(seen.kinds) == [
        "Address gone → Address gone, another customer, withdraws brief and opens a brief"
    ]
    assert change.brief == f"withdraws brief {event.signal.brief_id} and opens a brief"


def test_preview_names_a_brief_that_would_be_renamed(sandbox):
    event = bounced()
    mean(event, kind="channel_opt_out")
    Signal.objects.update(detail="Newsletter")

    [change] = preview(WebhookEvent.objects.all()).examples

    assert change.before == "Address gone (Newsletter)"
    assert change.kind == "Address gone → Channel opt-out, renames brief to “Channel opt-out”"
    assert change.brief == f"renames brief {event.signal.brief_id} to “Channel opt-out”"


def test_preview_counts_what_waits_and_leaves_out_what_breaks(sandbox, monkeypatch):
    from briefs.pipeline import understanding

    good, bad, waiting = bounced(), bounced("other"), event_of("third")
    understand = understanding.understand

    def break_on_bad(events, rulebook):
        if bad in events:
            raise ValueError("broken")
        return understand(events, rulebook)

    monkeypatch.setattr(understanding, "understand", break_on_bad)
    mean(good, **OURS)

    seen = preview(WebhookEvent.objects.all())

    assert seen.failed == {"ValueError": 1}
    assert seen.skipped == {"it is waiting to be processed already": 1}
    assert seen.read == 1
    assert waiting.status == "pending"


def test_preview_reads_chunk_by_chunk(sandbox, monkeypatch):
    from briefs.pipeline import previewing

    events = [bounced(f"person-{n}") for n in range(5)]
    mean(events[0], **OURS)
    monkeypatch.setattr(previewing, "CHUNK", 2)
    done = []

    seen = preview(WebhookEvent.objects.all(), progress=done.append)

    assert done == [2, 4, 5]
    assert seen.changed == 5
