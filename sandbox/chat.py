"""Mave's research chat: checks the request, takes the credits, thinks, and answers.

Documentation: https://docs.mavera.io/api-reference/mave/send-message-to-mave.
"""

import random
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sandbox import answers
from sandbox.answers import Answer
from sandbox.api import Pause
from sandbox.charges import Charges
from sandbox.credits import CLARIFICATION_COST, Balance, price
from sandbox.faults import Fault
from sandbox.mavera_errors import error
from sandbox.options import Options
from sandbox.threads import RESEARCHER, Thread, Threads
from sandbox.wire import Reply, Request, json_reply

WORKSPACE = "ws_sandbox"
"""The workspace of the key, for requests that name none."""

_STREAMING = "Invalid value for 'stream': the sandbox answers in one piece only, send false."


@dataclass(frozen=True, kw_only=True)
class _Research:
    """The answer that a request gets after the latency, and its price."""

    answer: Answer
    complexity: str | None
    cost: int


class Chat:
    """Answers `POST mave/chat`, and knows how many calls came in at once."""

    def __init__(self, options: Options, threads: Threads, balance: Balance, pause: Pause) -> None:
        self._options = options
        self._threads = threads
        self._balance = balance
        self._pause = pause
        self._lock = threading.Lock()
        self._seen = 0
        self._running = 0
        self.max_in_flight = 0
        self.charges = Charges()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Counts a call from its arrival until just before its answer is sent.

        Refused calls count as well, so that a client that sends too many at once is noticed. So do
        calls on which Mave still works although the connection was dropped.
        """
        with self._lock:
            self._seen += 1
            self.max_in_flight = max(self.max_in_flight, self._seen)
        try:
            yield
        finally:
            with self._lock:
                self._seen -= 1

    def answer(self, request: Request) -> Reply | None:
        """The message, an error, or None when it was paid and the connection then dropped.

        A call counts towards `max_chats` until Mave has answered, also after its client has gone.
        """
        body = request.json_object() or {}
        if refused := self._invalid(body):
            return refused
        with self._lock:
            if self._running >= self._options.max_chats:
                return error("rate_limit_exceeded", retry_after=1)
            self._running += 1
        try:
            return self._think(request, body)
        finally:
            with self._lock:
                self._running -= 1

    def _think(self, request: Request, body: Mapping[str, Any]) -> Reply | None:
        fault = request.fault or Fault(kind="")
        message, thread_id = body["message"], body.get("thread_id")
        earlier = self._threads.questions(thread_id) if thread_id else []
        if thread_id and not earlier:
            return error("resource_not_found", f"Thread '{thread_id}' not found.")
        research = _research([message, *earlier], fault.kind)
        if not self._balance.charge(research.cost, self._options.credits):
            return error("credits_exhausted")
        thread = self._threads.ask(thread_id, message, body.get("workspace_id", WORKSPACE))
        if thread is None:
            return error("resource_not_found", f"Thread '{thread_id}' not found.")
        self.charges.charged(message, research.cost)
        latency = self._options.latency + random.uniform(0, self._options.jitter)
        self._pause(latency / self._options.time_scale)
        if fault.kind == "lost":
            return None
        self._linger(request, fault)
        reply = self._reply(thread, research)
        if research.complexity and research.answer.content:
            self.charges.answered(message)
        return None if fault.kind == "paid_then_dropped" else reply

    def _linger(self, request: Request, fault: Fault) -> None:
        """Wait as long as the fault says, after closing the connection if the fault drops it."""
        if fault.kind == "paid_then_dropped" and fault.seconds:
            request.hang_up()
        if fault.kind in ("paid_then_dropped", "slow"):
            self._pause(fault.seconds)

    def _reply(self, thread: Thread, research: _Research) -> Reply:
        answer = research.answer
        message = self._threads.reply(thread, answer, research.complexity, research.cost)
        body = {
            "id": message["id"],
            "object": "mave_message",
            "thread_id": thread.id,
            "role": "assistant",
            "content": answer.content,
            "sources": [vars(source) for source in answer.sources],
            "personas_used": [RESEARCHER],
            "usage": {"credits_used": research.cost},
            "created_at": message["created_at"],
        }
        if answer.confidence is not None:
            body["validation"] = {
                "confidence_score": answer.confidence,
                "hallucination_risk": answer.risk or "low",
                "unsupported_claims": [],
            }
        return json_reply(body)

    def _invalid(self, body: Mapping[str, Any]) -> Reply | None:
        """The 400 for a body that is not as documented, or None."""
        message = body.get("message")
        if message is None or (isinstance(message, str) and not message.strip()):
            return error("missing_field", "Missing required field: 'message'.", param="message")
        for name, kind in (("message", str), ("thread_id", str), ("workspace_id", str)):
            if name in body and not isinstance(body[name], kind):
                return _invalid_field(name, "must be a string")
        if len(message) > self._options.max_message_chars:
            most = self._options.max_message_chars
            return _invalid_field("message", f"must be at most {most} characters")
        if body.get("stream", False) is not False:
            return error("invalid_field", _STREAMING, param="stream")
        return None


def _invalid_field(name: str, rule: str) -> Reply:
    return error("invalid_field", f"Invalid value for '{name}': {rule}.", param=name)


def _research(questions: list[str], fault_kind: str) -> _Research:
    """The answer to the first of the questions, changed as the fault says, and its price."""
    if fault_kind == "clarify":
        asked_back = Answer(content=answers.CLARIFICATION)
        return _Research(answer=asked_back, complexity=None, cost=CLARIFICATION_COST)
    complexity, cost = price(questions[0])
    answer = answers.choose(questions)
    match fault_kind:
        case "empty":
            answer = replace(answer, content="")
        case "no_validation":
            answer = replace(answer, confidence=None)
        case "no_sources":
            answer = replace(answer, sources=())
    return _Research(answer=answer, complexity=complexity, cost=cost)
