"""Mave's threads: what was asked, and the answer once there is one.

Documentation: https://docs.mavera.io/api-reference/mave/list-mave-threads and
https://docs.mavera.io/api-reference/mave/get-mave-thread.
"""

import itertools
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.answers import Answer, Source

TITLE_LIMIT = 100

RESEARCHER = {"id": "clx0sandbox000researcher0", "name": "Sandbox researcher"}
"""The persona behind every answer, and the one place where a reader sees that it is canned."""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(kw_only=True)
class Thread:
    """A conversation. `number` gives the order of creation; `complexity` is None until answered."""

    number: int
    title: str
    workspace_id: str
    id: str = field(default_factory=lambda: f"mave_thread_{uuid.uuid4().hex[:16]}")
    phase: str = "TRIAGE"
    complexity: str | None = None
    credits_used: int = 0
    messages: list[dict[str, Any]] = field(default_factory=list)
    sources: Sequence[Source] = ()
    created_at: str = field(default_factory=_now)
    updated_at: str = field(default_factory=_now)

    def summary(self) -> dict[str, Any]:
        """The thread as in the list."""
        return {
            "id": self.id,
            "object": "mave_thread",
            "title": self.title,
            "current_phase": self.phase,
            "complexity": self.complexity,
            "credits_used": self.credits_used,
            "workspace_id": self.workspace_id,
            "message_count": len(self.messages),
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }

    def details(self) -> dict[str, Any]:
        """The thread alone: no count of messages, but the messages themselves."""
        summary = self.summary()
        del summary["message_count"]
        has_answer = any(message["role"] == "assistant" for message in self.messages)
        return {
            **summary,
            "messages": list(self.messages),
            "sources": [_source(self.id, n, each) for n, each in enumerate(self.sources, start=1)],
            "personas_used": [{**RESEARCHER, "category": "Research"}] if has_answer else [],
        }


class Threads:
    """All threads by id. A thread exists from the moment its question is accepted."""

    def __init__(self) -> None:
        self._threads: dict[str, Thread] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def ask(self, thread_id: str | None, message: str, workspace_id: str) -> Thread | None:
        """Add the user's message to the thread, a new one without id; None for an unknown id."""
        with self._lock:
            if thread_id is None:
                title = message.strip().splitlines()[0][:TITLE_LIMIT]
                thread = Thread(number=next(self._numbers), title=title, workspace_id=workspace_id)
                self._threads[thread.id] = thread
            elif thread_id in self._threads:
                thread = self._threads[thread_id]
            else:
                return None
            _append(thread, "user", message)
            return thread

    def reply(
        self, thread: Thread, answer: Answer, complexity: str | None, cost: int
    ) -> dict[str, Any]:
        """Add Mave's answer and return the message; `cost` is in credits.

        A question that Mave asks back has no complexity and leaves the thread in triage.
        """
        with self._lock:
            thread.phase = "VALIDATION" if complexity else "TRIAGE"
            thread.complexity = complexity
            thread.credits_used += cost
            thread.sources = answer.sources
            return _append(thread, "assistant", answer.content)

    def questions(self, thread_id: str) -> list[str]:
        """What the user has said so far, newest first."""
        with self._lock:
            thread = self._threads.get(thread_id)
            messages = thread.messages if thread else []
            return [m["content"] for m in reversed(messages) if m["role"] == "user"]

    def get(self, thread_id: str) -> dict[str, Any] | None:
        """The thread with its messages, or None."""
        with self._lock:
            thread = self._threads.get(thread_id)
            return thread.details() if thread else None

    def rename(self, thread_id: str, title: str) -> dict[str, Any] | None:
        """Change the title; the thread as in the list, or None."""
        with self._lock:
            thread = self._threads.get(thread_id)
            if thread is None:
                return None
            thread.title, thread.updated_at = title, _now()
            return thread.summary()

    def delete(self, thread_id: str) -> bool:
        """Forget one; False if there is none."""
        with self._lock:
            return self._threads.pop(thread_id, None) is not None

    def listing(self, workspace_id: str | None, search: str) -> list[tuple[int, dict[str, Any]]]:
        """Number and summary of the threads that fit, newest first; `search` looks at titles."""
        with self._lock:
            return [
                (thread.number, thread.summary())
                for thread in reversed(self._threads.values())
                if workspace_id in (None, thread.workspace_id)
                and search.lower() in thread.title.lower()
            ]


def _append(thread: Thread, role: str, content: str) -> dict[str, Any]:
    message: dict[str, Any] = {
        "id": f"mave_msg_{uuid.uuid4().hex[:16]}",
        "role": role,
        "content": content,
        "persona": RESEARCHER if role == "assistant" else None,
        "created_at": _now(),
    }
    thread.messages.append(message)
    thread.updated_at = message["created_at"]
    return message


def _source(thread_id: str, number: int, source: Source) -> dict[str, str]:
    return {
        "id": f"{thread_id}_source_{number}",
        "title": source.title,
        "url": source.url,
        "snippet": "",
        "source_type": "web",
        "domain": source.domain,
    }
