"""Takes versions of the rules as they are in the tables, under the lock of `RulesState`."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import transaction

from personas.models import RulesState, RuleVersion
from personas.rules import documents, reconstructing
from personas.rules.differences import differences, summary
from personas.rules.documents import Document

OUTSIDE = "Changed outside these pages"
# Rules are being written that may yet be taken back, or have no version yet.
_is_unsettled: ContextVar[bool] = ContextVar("is_unsettled", default=False)


@contextmanager
def unsettled() -> Iterator[None]:
    """Within it, rules are read as they are, without a version: they may be taken back."""
    token = _is_unsettled.set(True)
    try:
        yield
    finally:
        _is_unsettled.reset(token)


def is_unsettled() -> bool:
    return _is_unsettled.get()


def head() -> RuleVersion | None:
    """The newest version."""
    return RuleVersion.objects.order_by("number").last()


def catch_up(state: RulesState) -> RuleVersion | None:
    """The version that tells the present rules: made now if something wrote past `change`.

    None as long as there are no rules at all. Needs the lock; `state` is the row under it.
    """
    newest = head() or reconstructing.rebuild()
    if newest and state.is_told:
        return newest
    document = documents.take()
    if newest is None and not any(map(len, _lists(document))):
        return None
    if newest and newest.digest == documents.digest(document):
        state.is_told_by(newest)
        return newest
    if newest is None:
        return record(state, None, document, what="The rules as they were")
    what = f"{OUTSIDE}: {summary(differences(newest.document, document))}"
    return record(state, newest, document, what=what)


def record(
    state: RulesState, newest: RuleVersion | None, document: Document, **fields: Any
) -> RuleVersion:
    """Add a version with this document of the present rules. Needs the lock."""
    version = RuleVersion.objects.create(
        number=newest.number + 1 if newest else 1,
        document=document,
        digest=documents.digest(document),
        **fields,
    )
    state.is_told_by(version)
    return version


@transaction.atomic
def settle() -> None:
    """Make a version of what was written past `change`, if anything was."""
    catch_up(RulesState.locked())


def _lists(document: Document) -> Iterator[list[Any]]:
    return (value for value in document.values() if isinstance(value, list))
