"""What is promised of briefs."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import F, Q

from briefs.models import Brief, Research, Signal
from operations.invariants.promises import LONG_AGO, Broken, promise, repeated, told, unfit

State, Basis = Brief.State, Brief.Basis
_CLOSED, _SNOOZED = Q(state=State.CLOSED), Q(state=State.SNOOZED)
_UNFIT = {
    "it is closed without an outcome or without a time": _CLOSED
    & (Q(outcome="") | Q(closed_at=None)),
    "it is open, and has an outcome or the time of its closing": ~_CLOSED
    & (~Q(outcome="") | Q(closed_at__isnull=False)),
    "it is snoozed, and no time says until when": _SNOOZED & Q(snoozed_until=None),
    "it is not snoozed, and is to wake up": ~_SNOOZED
    & (Q(snoozed_until__isnull=False) | Q(is_snoozed_for_signal=True)),
    "it is closed, and waits for a profile": _CLOSED & Q(is_waiting_for_profile=True),
}
_RESEARCHED = ~Q(basis=Basis.PLAYBOOK)
_NO_ANSWER = Q(research=None) | Q(researched_at=None) | ~Q(research__status=Research.Status.DONE)
_DISAGREE = {
    "it stands on research that is not there": _RESEARCHED & _NO_ANSWER,
    "it says “new”, and shares an answer": Q(basis=Basis.NEW, is_sharing=True),
    "it says “shared”, and shares no answer": Q(basis=Basis.SHARED, is_sharing=False),
    "it waits for the customer's profile, and has a persona's research": Q(
        is_waiting_for_profile=True, research__isnull=False
    ),
}


@promise(
    "No customer has two open briefs",
    lambda: Brief.objects.open(),
    "The unique key brief_one_open is gone or damaged: close one of them as Not at risk, then "
    "rebuild it (REINDEX TABLE briefs_brief).",
)
def customer_has_one_open_brief(_now: datetime) -> Iterator[Broken]:
    for key, number in repeated(Brief.objects.open(), "customer"):
        yield Broken("customer", key, f"there are {number} open briefs")


@promise(
    "Closed briefs have an outcome, snoozed ones wake up, and no other row says so",
    Brief,
    "Something wrote past the arrows of briefs/models/briefs.py. Reopen or close the brief on its "
    "page: that writes all of it anew.",
)
def brief_fits_its_state(_now: datetime) -> Iterator[Broken]:
    yield from unfit("brief", Brief.objects.all(), _UNFIT)


@promise(
    "Snoozed briefs wake up in time",
    lambda: Brief.objects.filter(_SNOOZED),
    "The sweep does not come: manage.py doctor says why. They wake up with the next one.",
)
def snooze_ends(now: datetime) -> Iterator[Broken]:
    late = Brief.objects.filter(_SNOOZED, snoozed_until__lt=now - LONG_AGO)
    yield from told("brief", late, "it was to wake up long ago")


@promise(
    "What a brief says it stands on is there",
    Brief,
    "If the answer is there, the next sweep lets the brief rest on it. Else retry the research on "
    "the brief's page.",
)
def brief_stands_on_its_research(now: datetime) -> Iterator[Broken]:
    for words, condition in _DISAGREE.items():
        yield from told("brief", Brief.objects.filter(condition), words)
    long_ago = {"status": Research.Status.DONE, "finished_at__lt": now - LONG_AGO}
    answered = Research.objects.filter(**long_ago)
    waiting = Brief.objects.filter(basis=Basis.PLAYBOOK, research__in=answered)
    yield from told("brief", waiting, "its answer came long ago, and it has only the playbook")
    renewed = Brief.objects.filter(renewal__in=answered)
    yield from told("brief", renewed, "its fresh answer came long ago, and it has the one before")


@promise(
    "Signals, and the brief that a brief returned from, are of the brief's own customer",
    lambda: Signal.objects.filter(brief__isnull=False),
    "Two customers were merged only in part. Open both in the admin and move the signal to the "
    "brief's customer; then tell us how it came about.",
)
def rows_of_a_merged_customer_moved(_now: datetime) -> Iterator[Broken]:
    signals = Signal.objects.filter(brief__isnull=False)
    elsewhere = signals.exclude(customer=F("brief__customer"))
    yield from told("signal", elsewhere, "its brief is another customer's")
    returned = Brief.objects.filter(returned_from__isnull=False)
    others = returned.exclude(customer=F("returned_from__customer"))
    yield from told("brief", others, "it returned from another customer's brief")
    kinds = Brief.objects.filter(cause__isnull=False).exclude(kind=F("cause__kind"))
    yield from told("brief", kinds, "the message that caused it caused another kind of signal")
