"""What is promised of questions to Mave, and of what they cost."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from briefs.models import MaveCall, Research, ResearchPolicy
from briefs.research import spending
from operations.invariants.promises import LONG_AGO, Broken, promise, repeated, told, unfit
from providers.mavera import Mave

Status, Outcome = Research.Status, MaveCall.Outcome
_LEASED = Q(lease_token__isnull=False) | Q(lease_until__isnull=False)
_IN_HAND = Q(status__in=(Status.RUNNING, Status.RECOVERING))
_OVER = Q(status__in=(Status.DONE, *Research.GIVEN_UP))
_UNFIT = {
    "it has a lease, and nobody is at it": ~_IN_HAND & _LEASED,
    "somebody is at it without a lease": Q(status=Status.RUNNING) & ~_LEASED,
    "it is over, and no time says since when": _OVER & Q(finished_at=None),
    "it is answered, and has no answer": Q(status=Status.DONE, answer=""),
    "no reason says why it was given up": Q(status__in=Research.GIVEN_UP, status_reason=""),
    "its state is none that we know": ~Q(status__in=Status.values),
}


@promise(
    "A question is in one state, and what else its row says fits it",
    Research,
    "Something wrote past the arrows of briefs/models/research.py. Start it again in the admin.",
)
def question_is_in_one_state(_now: datetime) -> Iterator[Broken]:
    yield from unfit("research", Research.objects.all(), _UNFIT)


@promise(
    "No question is under way twice",
    lambda: Research.objects.active(),
    "The unique key research_one_active_per_question is gone or damaged: rebuild it (REINDEX TABLE "
    "briefs_research). The later one may be paid a second time.",
)
def question_is_under_way_once(_now: datetime) -> Iterator[Broken]:
    for key, number in repeated(Research.objects.active(), "question_hash"):
        yield Broken("question", key, f"it is under way {number} times")


@promise(
    "No lease on a question is held by a worker that is gone",
    lambda: Research.objects.active(),
    "No worker of the cluster “research” looks for work: start manage.py supervise. The lost "
    "answer is looked for before anything is paid again.",
)
def lease_on_a_question_ends(now: datetime) -> Iterator[Broken]:
    """While research is paused, or has no key, nobody may look for them."""
    policy = _policy()
    if policy.paused_at is None and Mave().is_configured:
        held = Research.objects.filter(_IN_HAND, lease_until__lt=now - LONG_AGO)
        yield from told("research", held, "its lease ended long ago, and nobody looks for it")


@promise(
    "Each paid answer is in the ledger",
    lambda: Research.objects.filter(status=Status.DONE),
    "The ledger counts too little, and so do the budgets. Compare it with Mavera's own count on "
    "the page Insights.",
)
def answer_is_in_the_ledger(_now: datetime) -> Iterator[Broken]:
    answered = MaveCall.objects.filter(research=OuterRef("pk"), outcome=Outcome.ANSWERED)
    unpaid = Research.objects.filter(~Exists(answered.chats()), status=Status.DONE)
    yield from told("research", unpaid, "it is answered, and no call in the ledger was")


@promise(
    "Whoever pays a question once more, the ledger says so",
    lambda: MaveCall.objects.chats(),
    "A call was paid again unseen. Compare both calls with Mavera's own count, and tell us.",
)
def repeat_is_recorded(_now: datetime) -> Iterator[Broken]:
    before = MaveCall.objects.maybe_paid().filter(
        research=OuterRef("research"), pk__lt=OuterRef("pk")
    )
    again = MaveCall.objects.chats().filter(Exists(before), is_repeat=False)
    yield from told("call", again, "its question may have been paid before, and it does not say so")


@promise(
    "Reserved credits are settled",
    MaveCall,
    "They count against the budgets. Start a worker: the sweep and the search for lost answers "
    "settle them.",
)
def reservation_is_settled(now: datetime) -> Iterator[Broken]:
    chats = MaveCall.objects.chats()
    open_ = chats.filter(outcome=Outcome.PENDING, started_at__lt=now - LONG_AGO)
    yield from told("call", open_.exclude(research__in=Research.objects.filter(_IN_HAND)),
                    "it is under way, and its question is not")  # fmt: skip
    free = chats.filter(outcome__in=(Outcome.REFUSED, Outcome.NOT_SENT), credits__gt=0)
    yield from told("call", free, "nothing was charged, and it has credits")
    untimed = MaveCall.objects.filter(
        Q(outcome=Outcome.PENDING, finished_at__isnull=False)
        | ~Q(outcome=Outcome.PENDING) & Q(finished_at=None)
    )
    yield from told("call", untimed, "whether it is over, and when, disagree")


@promise(
    "The accounts of day and month are the sums of their calls",
    MaveCall,
    "The budgets are counted wrongly: tell us, with the output of this command.",
)
def account_is_the_sum_of_its_calls(now: datetime) -> Iterator[Broken]:
    account = spending.account(_policy(), now)
    since = min(one.starts_at for one in account)
    rows = MaveCall.objects.filter(started_at__gte=since)
    calls = list(rows.values_list("started_at", "outcome", "credits"))
    for one in account:
        within = [(outcome, number) for at, outcome, number in calls if at >= one.starts_at]
        reserved = sum(number for outcome, number in within if outcome == Outcome.PENDING)
        settled = sum(number for _, number in within) - reserved
        if (one.settled, one.reserved) != (settled, reserved):
            words = f"{one.settled} spent and {one.reserved} reserved, and its calls say {settled}"
            yield Broken("account", f"of the {one.period.label}", f"{words} and {reserved}")


def _policy() -> ResearchPolicy:
    return ResearchPolicy.objects.filter(pk=1).first() or ResearchPolicy()
