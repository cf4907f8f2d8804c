"""Comments of colleagues, and whom they mention."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from briefs.models import Brief, Comment
from briefs.notifying import personal
from briefs.permissions import people_who
from briefs.triage import freshness

LONGEST = 5_000
_MENTION = re.compile(r"(?<![\w.@+-])@([\w.+-]+(?:@[\w-]+(?:\.[\w-]+)+)?)")


@dataclass(frozen=True, slots=True)
class Said:
    """What came of it."""

    comment: Comment
    mentioned: list[Any] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)  # names that are nobody's, or more than one's


@transaction.atomic
def comment(brief: Brief, actor: Any, based_on: str, text: str) -> Said:
    """Write a comment, also under a closed brief.

    Raises ValidationError if it is empty or too long, Stale and PermissionDenied.
    """
    brief = freshness.locked(brief, actor, "briefs.work_brief")
    text = text.strip()
    entry = f"commented: {text}"
    if freshness.was_sent_before(brief, actor, based_on, entry):
        said = Comment.objects.filter(brief=brief, actor=actor, text=text).latest("pk")
        return Said(said, *mentions(text))
    freshness.refuse_stale(brief, actor, based_on)
    if not text:
        raise ValidationError({"text": "Write something."})
    if len(text) > LONGEST:
        raise ValidationError({"text": f"At most {LONGEST:,} characters."})
    said = Comment.objects.create(brief=brief, actor=actor, text=text)
    mentioned, unknown = mentions(text)
    said.mentioned.set(mentioned)
    brief.log(entry, actor)
    personal.tell_mentioned(brief, mentioned, actor, said.pk)
    return Said(said, mentioned, unknown)


def mentions(text: str) -> tuple[list[Any], list[str]]:
    """The people whom the text names by @, and the names that are nobody's or several people's.

    Somebody is called by the user name, the mail address, or the first or full name without
    spaces, in any case, as long as nobody else is called that.
    """
    asked = {name.rstrip(".-+").casefold(): name.rstrip(".-+") for name in _MENTION.findall(text)}
    if not asked:
        return [], []
    readers = list(people_who("briefs.view_brief").order_by("pk"))
    found: dict[int, Any] = {}
    unknown = []
    for name, written in asked.items():
        called = _called(name, readers)
        if len(called) == 1:
            found[called[0].pk] = called[0]
        else:
            unknown.append(written)
    return list(found.values()), unknown


def _called(name: str, readers: Iterable[Any]) -> list[Any]:
    """First whoever signs in by that name; only if there is nobody, whoever is called that."""
    named = [one for one in readers if one.get_username().casefold() == name]
    return named or [one for one in readers if name in _names(one)]


def _names(person: Any) -> set[str]:
    local, _, _ = person.get_username().partition("@")
    full = f"{person.first_name}{person.last_name}".replace(" ", "")
    names = {person.email, local, person.first_name, full}
    return {name.casefold() for name in names if name}
