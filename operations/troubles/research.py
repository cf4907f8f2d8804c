"""What is wrong with research. Briefs stand on their playbooks meanwhile."""

from collections.abc import Iterator
from datetime import timedelta

from briefs.research import pacing
from operations import progress
from operations.figures import Figures
from operations.troubles.kinds import Kind, Trouble

PATIENCE = timedelta(seconds=60)  # a free worker asks within a second of its wake-up
_EFFECT = "Customer.io is not affected; briefs open as usual, without research"


def not_asked(figures: Figures) -> Iterator[Trouble]:
    """Questions are due, requests may begin, and none did or is under way.

    Workers that all wait for Mave take no further question for as long as Mave thinks, and what
    they wait for is paid.
    """
    since = progress.question_due_since(PATIENCE)
    if since is None or progress.has_asked(PATIENCE):
        return
    if progress.is_asking() or not pacing.may_begin(figures.standstill):
        return
    yield Trouble(
        Kind.NOT_ASKED,
        "problem",
        since,
        "Research has been due for a minute and no worker asks Mave. Customer.io notices "
        "nothing; briefs go without research meanwhile.",
        "The supervisor starts a stuck cluster again by itself; if this stays, see whether "
        "manage.py supervise runs and what manage.py doctor says.",
    )


def paused(figures: Figures) -> Iterator[Trouble]:
    """From the first moment on: people did it, or Mavera refuses."""
    policy = figures.standstill.policy
    if policy.paused_at is None:
        return
    cure = "Once the reason is settled, resume it in the admin under “Research policy”."
    if policy.is_paused_by_mavera:
        cure = (
            "Mavera is asked again for free, at least every quarter of an hour, and research "
            "resumes by itself; at once, if you resume it in the admin under “Research policy”."
        )
    yield Trouble(
        Kind.PAUSED,
        "hint",
        policy.paused_at,
        f"Research is paused: {policy.paused_in_full or 'no reason given'}. {_EFFECT}.",
        cure,
        reason=f"{policy.paused_status or 'people'} {policy.paused_code or policy.paused_reason}",
    )


def mave_fails(figures: Figures) -> Iterator[Trouble]:
    """From when the breaker opens on. It often closes within minutes: alarms wait for longer."""
    health = figures.standstill.health
    if health.opened_at is None:
        return
    yield Trouble(
        Kind.MAVE_FAILS,
        "hint",
        health.opened_at,
        f"Mave has been failing: {health.breaker_in_full}. {_EFFECT}, and no question is lost. One "
        "question tries every quarter of an hour, and the first answer sets all going again.",
        "See Mavera's status page; once it says that all is well, “Close the breaker now” in the "
        "admin under “Research policy” saves the wait.",
    )
