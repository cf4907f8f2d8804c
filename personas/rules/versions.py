"""The one way in which people and commands change rules: each change makes one version of all."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from personas.models import RulesState, RuleVersion
from personas.rules import documents, taking
from personas.rules.differences import differences, summary
from personas.rules.rulebook import Rulebook

LATELY = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Consequence:
    """What an edit would do, in a sentence that somebody must accept."""

    words: str
    briefs_left: float | None = None  # the share of all briefs that stays, where it is about that


# Given the rules before and after an edit, and those of a week ago, if there are any.
Guard = Callable[[Rulebook, Rulebook, Rulebook | None], list[Consequence]]
guards: list[Guard] = []


class NotAccepted(Exception):
    """An edit does what somebody must accept first; nothing of it is kept.

    The same edit is kept if it is sent again with the fingerprint.
    """

    def __init__(self, found: Sequence[Consequence]) -> None:
        self.sentences = [one.words for one in found]
        shares = [one.briefs_left for one in found if one.briefs_left is not None]
        self.briefs_left = min(shares, default=None)
        super().__init__(" ".join(self.sentences))
        self.fingerprint = hashlib.sha256("\n".join(self.sentences).encode()).hexdigest()[:16]


@dataclass(slots=True)
class Change:
    """An edit under way; who makes it may still say what it is."""

    what: str
    restores: int | None = None
    version: RuleVersion | None = None  # at its end; none if nothing was changed


@contextmanager
def change(by: Any, what: str, *, why: str = "", accepted: str = "") -> Iterator[Change]:
    """Write rules within this, and they make one version of all rules, or none if nothing differs.

    `by`: the user, or None for Savedesk itself. `what`: in words; empty, what differs says it.
    `accepted`: the fingerprint of a NotAccepted whose
    sentences somebody has read. Within another change it belongs to that one. Raises NotAccepted;
    that, and any other error, takes the edit back.
    """
    if taking.is_unsettled():
        yield Change(what)
        return
    with transaction.atomic():
        state = RulesState.locked()
        before = taking.catch_up(state)
        made = Change(what)
        with taking.unsettled():
            yield made
        document = documents.take()
        if before and before.digest == documents.digest(document):
            state.is_told_by(before)
            return
        refused = before and refusal(before, document)
        if refused and refused.fingerprint != accepted:
            raise refused
        if not made.what:
            made.what = summary(differences(before.document if before else {}, document))
        made.version = taking.record(
            state, before, document,
            made_by=by, made_by_name=by.get_username() if by else "", what=made.what, why=why,
            restores=made.restores,
            accepted=refused.sentences if refused else [],
            briefs_left=refused.briefs_left if refused else None,
        )  # fmt: skip


def refusal(before: RuleVersion, document: documents.Document) -> NotAccepted | None:
    """What guards say of an edit that makes these rules of those; None if they say nothing.

    They are not asked where there are no personas, before or after: no event can be decided then.
    """
    lately = RuleVersion.objects.filter(made_at__lte=Now() - LATELY).order_by("number").last()
    now = timezone.now()  # the same for all: else days could pass between two of them
    old, new = _book(before.document, now), _book(document, now)
    if old is None or new is None:
        return None
    week_ago = _book(lately.document, now) if lately else None
    found = [one for guard in guards for one in guard(old, new, week_ago)]
    return NotAccepted(found) if found else None


def _book(document: documents.Document, now: datetime) -> Rulebook | None:
    try:
        return replace(Rulebook.of(document), now=now)
    except LookupError:
        return None
