"""Pausing and resuming all research: who may do it, what is done, and what the person is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.messages import ERROR, SUCCESS, WARNING
from django.core.exceptions import PermissionDenied
from django.db import transaction

from briefs.models import MaveHealth, ResearchPolicy
from briefs.research import working

Said = tuple[int, str]  # a message for the person: its level and its words


def may_switch(user: Any) -> bool:
    """Whether this user may pause and resume research."""
    return bool(user.has_perm("briefs.change_researchpolicy"))


def pause(user: Any, reason: str) -> Said:
    """Stop all research, for the reason that was typed. Raises PermissionDenied."""
    reason = reason.strip()
    with _locked(user) as policy:
        if not reason:
            return ERROR, "Say why, so that others understand it."
        if policy.pause(reason):
            return SUCCESS, "Research is paused."
        return WARNING, f"Research was paused already: {policy.paused_reason}"


def resume(user: Any) -> Said:
    """Resume research, whether a person or Mavera paused it. Raises PermissionDenied."""
    with _locked(user) as policy:
        policy.resume()
        return SUCCESS, "Research goes on."


def close_breaker(user: Any) -> Said:
    """Close the breaker, so that all workers ask Mave again at once. Raises PermissionDenied."""
    with _locked(user) as policy:
        if not MaveHealth.current().close_breaker():
            return WARNING, "The breaker was closed already."
        policy.remember(ResearchPolicy.Change.CLOSED_BREAKER)
        return SUCCESS, "The breaker is closed: Mave is asked again at once."


@contextmanager
def _locked(user: Any) -> Iterator[ResearchPolicy]:
    """The policy, locked. Raises PermissionDenied if this user may not change it.

    Wakes workers after the commit, unless research is paused then.
    """
    if not may_switch(user):
        raise PermissionDenied("briefs.change_researchpolicy")
    with transaction.atomic():
        policy = ResearchPolicy.locked()
        yield policy
        if not policy.paused_at:
            transaction.on_commit(working.wake, robust=True)
