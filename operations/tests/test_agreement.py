"""Page, alarm, doctor and `/readyz` report the same troubles and never contradict each other."""

import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

import pytest
from django.db import transaction
from django.utils import timezone
from django_q.models import Schedule
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from briefs.models import Alarm, MaveHealth, ResearchPolicy, Signal
from briefs.tests.factories import make_brief, make_event, make_events, make_research
from briefs.times import length
from config import settings as project
from operations import alarms, troubles
from operations.doctor import Verdict, work
from operations.figures import Figures
from operations.tests.openings import lead
from operations.troubles import Kind
from operations.views import health, probes
from personas.models import Customer
from webhooks.models import Answer, Bell, Tally

pytestmark = [pytest.mark.django_db, pytest.mark.on_sqlite, pytest.mark.first]

DOCTOR = {
    work.schedule: work.SCHEDULE,
    work.sweep: work.SWEEPS,
    work.events: work.EVENTS,
    work.failed_events: work.FAILED_EVENTS,
    work.jobs: work.JOBS,
    work.deliveries: work.DELIVERIES,
    work.our_mail: work.OUR_MAIL,
    work.briefs: work.OPENINGS,
    work.research: work.RESEARCH,
    work.segment: work.SEGMENT,
}
READYZ = {"oldest_waiting": probes.LATE, "clusters": probes.STUCK}
names = count()
# Each reads every page. make test-all has twenty times as many.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "15"))


# Histories: what happened, in whole minutes before now


@dataclass
class History:
    rhythm: int | None = None  # a webhook every so many minutes for 8 hours
    silence: int = 0  # since the last one of it
    answers: tuple = ()  # (answer, how often, how long ago)
    due: tuple = ()  # since when events are due: (minutes, whether after a failed try)
    finished: int | None = None  # since when the last event is finished
    looked: int | None = 0  # since when a worker last looked for work; None if a first bell rings
    sweep_due: int = 0
    failed: int | None = None
    question: int | None = None
    paused: int | None = None  # the answer of Mavera that paused it; 0 if a person did
    mave_fails: int | None = None
    led: tuple = ()  # how many signals led to briefs some days ago, and came to none lately
    bounced: tuple = ()  # (how many customers' mail was refused, how many bounced otherwise)

    def write(self):
        """Write the rows, each half a minute off a full minute, so that none is at a threshold."""
        if self.rhythm:
            times = range(self.silence, self.silence + 8 * 60, self.rhythm)
            make_events(map(ago, times))
        for answer, number, minutes in self.answers:
            Tally.objects.create(
                hour=ago(minutes), answer=answer, count=number, last_at=ago(minutes)
            )
        for minutes, is_retry in self.due:
            retry = {"available_at": ago(minutes), "tries": 1} if is_retry else {}
            at = ago(minutes + 60 * is_retry)
            make_event(received_at=at, last_received_at=at, **retry)
        if self.finished is not None:
            at = ago(self.finished)
            make_event(status="processed", received_at=at, last_received_at=at, finished_at=at)
        times = {"rung_at": ago(6)} if self.looked is None else {"silenced_at": ago(self.looked)}
        Bell.objects.create(pk=1, **times)
        Schedule.objects.update(next_run=ago(self.sweep_due))
        if self.failed is not None:
            at = ago(self.failed)
            make_event(status="dead", received_at=at, last_received_at=at, finished_at=at)
        if self.question is not None:
            make_brief(research=make_research(created_at=ago(self.question)))
        if self.paused is not None:
            ResearchPolicy.current().pause("enough", self.paused or None)
        if self.mave_fails is not None:
            MaveHealth.current()
            MaveHealth.objects.update(opened_at=ago(self.mave_fails), breaker_reason="answered 500")
        if self.led:
            write_led(*self.led)
        if self.bounced:
            write_bounces(*self.bounced)


def write_led(then, lately):
    lead([timezone.now() - timedelta(days=2 + number % 20) for number in range(then)])
    lead([ago(20)] * lately, is_led=False)


def write_bounces(refused, others):
    people = Customer.objects.bulk_create(
        Customer(external_id=f"bounced {next(names)}") for _ in range(refused + others)
    )
    meant = [("blocked", "notice")] * refused + [("address_gone", "opens_brief")] * others
    Signal.objects.bulk_create(
        Signal(customer=who, kind=kind, effect=effect, severity=1, level="delivery",
               happened_at=ago(30), message={"failure_message": "550 5.7.1 looks like spam"})
        for who, (kind, effect) in zip(people, meant, strict=True)
    )  # fmt: skip


def ago(minutes):
    return timezone.now() - timedelta(minutes=minutes, seconds=30)


def minutes(most):
    return st.none() | st.integers(0, most)


HISTORIES = st.builds(
    History,
    rhythm=st.sampled_from([None, 5, 20, 60]),
    silence=st.integers(0, 40) | st.integers(0, 600),
    answers=st.lists(
        st.tuples(st.sampled_from(Answer.values), st.sampled_from([1, 2, 3, 40]),
                  st.integers(0, 20) | st.integers(0, 1500)),
        max_size=4, unique_by=(lambda seen: (seen[0]), lambda seen: (seen[2])),
    ).map(tuple),
    due=st.lists(st.tuples(st.integers(0, 15), st.booleans()), max_size=2).map(tuple),
    finished=minutes(3),
    looked=minutes(6),
    sweep_due=st.integers(0, 6),
    failed=minutes(5),
    question=minutes(5),
    paused=st.sampled_from([None, None, 0, 402]),
    mave_fails=minutes(15),
    led=st.sampled_from([(), (), (0, 20), (200, 2), (200, 20), (400, 40)]),
    bounced=st.sampled_from([(), (), (1, 0), (9, 0), (10, 9), (10, 10), (0, 3)]),
)  # fmt: skip


# What each reader reports


@pytest.fixture
def readers(signed_in, monkeypatch, settings):
    """Ask every reader which kinds it reports, each with the choice by which it did."""
    settings.MAVERA_API_KEY = "mvra_live_of_the_tests"
    # In the test's own thread, where its transaction is.
    monkeypatch.setattr(probes, "look_in_time", lambda look: look())

    def ask():
        checks = signed_in.get("/readyz").json()["checks"]
        page = signed_in.get("/webhook-health/").context["troubles"]
        alarms.check()
        ringing = Alarm.objects.filter(opened_at__isnull=False, quiet_since=None)
        return {
            "page": [({one.kind for one in page}, health.CHOSEN)],
            "readyz": [(set(checks[name].get("kinds", ())), READYZ[name]) for name in READYZ],
            "doctor": [(set(check().kinds), choice) for check, choice in DOCTOR.items()],
            "alarm": set(ringing.values_list("kind", flat=True)),
        }

    return ask


def chosen(found, now, choice):
    """The kinds that this choice asks for, of all that was found."""
    return {
        one.kind for one in found if one.kind in choice and choice[one.kind].hold(now - one.since)
    }


@contextmanager
def undone():
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@given(history=HISTORIES)
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_readers_do_not_contradict_each_other(readers, history):
    with undone():
        history.write()
        said = readers()
        figures = Figures()
        found = troubles.judge(figures)

    for reader in ("page", "readyz", "doctor"):
        for told, choice in said[reader]:
            assert told == chosen(found, figures.now, choice), reader
    assert said["alarm"] == {
        kind for kind, choice in alarms.CHOSEN.items() if chosen(found, figures.now, choice)
    }


@given(history=HISTORIES)
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_doctor_fails_exactly_where_a_trouble_is_a_problem(readers, history):
    with undone():
        history.write()
        figures = Figures()
        findings = [(check(), choice) for check, choice in DOCTOR.items()]
        levels = [{one.level for one in troubles.choose(figures, c)} for _, c in findings]

    for (finding, _), level in zip(findings, levels, strict=True):
        assert (finding.level == Verdict.FAIL) is ("problem" in level), finding


def kinds_told(said, reader):
    return set().union(*(told for told, _ in said[reader]))


def test_twelve_silent_minutes_after_one_webhook_a_minute_are_told_by_page_alarm_and_doctor(
    readers,
):
    History(rhythm=1, silence=12).write()

    said = readers()

    assert Kind.SILENCE in kinds_told(said, "page")
    assert Kind.SILENCE in kinds_told(said, "doctor")
    assert "silence" in said["alarm"]
    assert kinds_told(said, "readyz") == set()  # no restart here would help


def test_event_that_is_due_for_four_minutes_is_told_by_all_four(readers):
    History(due=((4, False),)).write()

    said = readers()

    for reader in ("page", "doctor", "readyz"):
        assert Kind.NOT_TAKEN in kinds_told(said, reader), reader
    assert "waiting" in said["alarm"]


def test_every_kind_is_reported_by_some_reader():
    choices = [health.CHOSEN, *READYZ.values(), *DOCTOR.values(), *alarms.CHOSEN.values()]

    assert set().union(*choices) == set(Kind) == set(troubles.LOOKS)


# Who reports what, as docs/operations.md says


def from_on(choice, kind):
    """`at once`, `after 3 min`, `for 10 min`; a dash where a reader does not tell of it."""
    if kind not in choice:
        return "–"
    ages = choice[kind]
    if ages.most != timedelta.max:
        return f"for {length(ages.most)}"
    return f"after {length(ages.least)}" if ages.least else "at once"


def all_of(choices):
    """Several choices that have no kind in common, as one choice."""
    return {kind: ages for choice in choices for kind, ages in choice.items()}


def table_of_troubles():
    readers = (
        health.CHOSEN,
        all_of(alarms.CHOSEN.values()),
        all_of(DOCTOR.values()),
        probes.LATE | probes.STUCK,
    )
    lines = ["| trouble | *Webhook health* | alarm | doctor | `/readyz` |", "|---|---|---|---|---|"]
    for kind in Kind:
        cells = [kind.label, *(from_on(choice, kind) for choice in readers)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def test_operations_guide_says_who_reports_what():
    guide = (project.BASE_DIR / "docs/operations.md").read_text()

    told = guide.partition("<!-- troubles -->\n")[2].partition("\n<!-- /troubles -->")[0]

    assert told == table_of_troubles()
