"""What django-q2 keeps about people. Ours carry no data; an error may quote some."""

from typing import Any

from django_q.models import OrmQ, Task

from webhooks.personal import Fate, Nobody, Quotes, register


def _task(row: Task) -> str:
    """What a task was given, and what came of it: packed, as the database holds it."""
    return _said(row.args, row.kwargs, row.result, row.name, row.group)


def _waiting(row: OrmQ) -> str:
    return _said(row.task)


def _said(*values: Any) -> str:
    return "\n".join(_text(value) for value in values)


def _text(value: Any) -> str:
    """With bytes as text, in which an address may stand as well."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list | tuple | set):
        return "\n".join(map(_text, value))
    return str(value)


def enter() -> None:
    ours = "a name of ours"
    register(
        Quotes("django_q.Task", "args kwargs result name group", Fate.DELETED, texts=_task,
               harmless={"cluster": ours, "func": ours, "hook": ours, "id": "a random token"}),
        Quotes("django_q.OrmQ", "payload", Fate.DELETED, texts=_waiting,
               harmless={"key": "of the broker"}),
        Nobody("django_q.Schedule", "what runs by the clock"),
    )  # fmt: skip
