"""What each address of the API does with a brief: it calls the function that the desk calls too.

Each returns nothing if the brief is as was asked for, also if it was so already. A refusal is a
Problem: the program's request does not fit the brief's state. The brief is locked and as it was
seen, so no act finds that somebody was faster.
"""

from http import HTTPStatus
from typing import Any, NoReturn

from django.contrib.auth import get_user_model

from briefs.api.entries import ME
from briefs.api.problems import Invalid, Problem
from briefs.models import Brief, Comment, ContactLog
from briefs.triage import (
    assigning,
    closing,
    commenting,
    contacting,
    correcting,
    reopening,
    snoozing,
    taking,
)
from briefs.triage.assigning import Assigning, GivingBack
from briefs.triage.closing import Closing, Ending
from briefs.triage.commenting import Said
from briefs.triage.contacting import Contact, Contacting
from briefs.triage.correcting import Correcting
from briefs.triage.reopening import Reopening
from briefs.triage.snoozing import Snooze, Snoozing, Waking
from briefs.triage.taking import Taking


def _conflict(code: str, words: str, open_brief: int | None = None) -> NoReturn:
    raise Problem(HTTPStatus.CONFLICT, code, words, {"open_brief": open_brief})


def _closed(brief: Brief) -> NoReturn:
    brief.refresh_from_db()
    _conflict("closed", f"This brief is closed: {brief.get_outcome_display()}.")


def named(name: str) -> Any:
    """The person of this user name; None if there is none."""
    people: Any = get_user_model()._default_manager
    return people.filter(**{get_user_model().USERNAME_FIELD: name}).first()


def assign(brief: Brief, actor: Any, based_on: str, to: str | None) -> None:
    came: Any
    if to is None:
        came = assigning.give_back(brief, actor, based_on)
    elif to == ME:
        came = taking.take(brief, actor, based_on)
    else:
        person = named(to)
        if person is None:
            raise Invalid({"to": ["Nobody has this user name."]})
        came = assigning.assign(brief, actor, based_on, person)
    if came in (Assigning.CLOSED, GivingBack.CLOSED, Taking.CLOSED):
        _closed(brief)
    if came == Assigning.CANNOT:
        raise Invalid({"to": ["This person does not work on briefs."]})


def log_contact(brief: Brief, actor: Any, based_on: str, contact: Contact) -> ContactLog:
    if contacting.log(brief, actor, based_on, contact) == Contacting.CLOSED:
        _closed(brief)
    return brief.contacts.select_related("actor").order_by("-pk")[0]  # the brief is locked


def snooze(brief: Brief, actor: Any, based_on: str, wanted: Snooze) -> None:
    if snoozing.snooze(brief, actor, based_on, wanted) == Snoozing.CLOSED:
        _closed(brief)


def wake(brief: Brief, actor: Any, based_on: str, _: Any) -> None:
    if snoozing.wake(brief, actor, based_on) == Waking.ALREADY and not brief.is_open:
        _closed(brief)


def comment(brief: Brief, actor: Any, based_on: str, text: str) -> Comment:
    said: Said = commenting.comment(brief, actor, based_on, text)
    said.comment.refresh_from_db()  # the time is the database's
    said.comment.unknown_mentions = said.unknown  # type: ignore[attr-defined]  # for the answer
    return said.comment


def close(brief: Brief, actor: Any, based_on: str, ending: Ending) -> None:
    if closing.close(brief, actor, based_on, ending) == Closing.TOO_LATE:
        _closed(brief)


def correct(brief: Brief, actor: Any, based_on: str, ending: Ending) -> None:
    came = correcting.correct(brief, actor, based_on, ending)
    if came == Correcting.OPEN:
        _conflict("open", "This brief is open: there is no ending to correct.")
    if came == Correcting.WITHDRAWN:
        _conflict("withdrawn", "Savedesk withdrew this brief: nobody said how it ended.")


def reopen(brief: Brief, actor: Any, based_on: str, why: str) -> None:
    if reopening.reopen(brief, actor, based_on, why) == Reopening.ANOTHER:
        other = reopening.other_open(brief)
        _conflict(
            "another_is_open",
            "This customer has another open brief, which goes on.",
            open_brief=other.pk if other else None,
        )
