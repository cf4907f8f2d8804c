"""Who did what to whom: entries of the admin's log, which the page of a person shows."""

from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet

SHOWN = 20


def note(person: User, by: Any, words: str, *, is_new: bool = False) -> None:
    """Nothing is noted without an actor, as from the shell: the log needs one."""
    if by is None:
        return
    LogEntry.objects.create(
        user=by,
        content_type=ContentType.objects.get_for_model(User),
        object_id=str(person.pk),
        object_repr=str(person)[:200],
        action_flag=ADDITION if is_new else CHANGE,
        change_message=words,
    )


def entries(person: User) -> QuerySet[LogEntry]:
    """The newest first, with who did it."""
    kind = ContentType.objects.get_for_model(User)
    about = LogEntry.objects.filter(content_type=kind, object_id=str(person.pk))
    return about.select_related("user").order_by("-action_time", "-pk")[:SHOWN]
