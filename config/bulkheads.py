"""The shares of the web server's threads, as ASGI applications around one WSGI application.

Each share has threads of its own, as a ship has bulkheads: whoever asks for more than a share can
do is refused, and the other shares notice nothing. A request's body is read before the request
takes a thread, so that a slow sender holds none.
"""

import asyncio
import io
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from asgiref.wsgi import WsgiToAsgiInstance

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
MIB = 1024 * 1024
RETRY_AFTER_SECONDS = 5


class Refused(Exception):
    """The request gets this answer and no thread."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


BUSY = "Savedesk is asked for more than it can do at this moment. Try again in a few seconds."
SLOW = "The request took too long to arrive."
LARGE = "The request is too large."


class Gone(Exception):
    """The client hung up before its request was whole."""


@dataclass(slots=True)
class Answer:
    """`parts`: of a body whose length nobody knows yet. They are made while it is sent."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    parts: Iterator[bytes] | None = None
    close: Callable[[], None] = lambda: None


@dataclass(eq=False)
class Bulkhead:
    """One share: how many requests it works on, and how much it lets wait.

    `busy_page` is what a browser is shown instead of words; HTML.
    """

    application: Any
    name: str
    threads: int
    places: int  # requests that run or wait for a thread
    body_seconds: float = 10.0
    body_bytes: int = 10 * MIB  # a larger one is refused
    held_bytes: int = 64 * MIB  # of all bodies together
    bodies: int = 256  # being read at once; then the one that takes longest is given up
    longest_wait: float = 5.0  # seconds for a thread
    part_seconds: float = 60.0  # for the client to take a part of an answer; then it is hung up on
    busy_page: bytes = b""
    taken: int = 0
    held: int = 0
    reading: dict[asyncio.Timeout, None] = field(default_factory=dict)  # the oldest first

    def __post_init__(self) -> None:
        self.pool = ThreadPoolExecutor(self.threads, thread_name_prefix=self.name)

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send, *, is_read: bool = True
    ) -> None:
        """Answer one HTTP request. Without `is_read` its body is left unread."""
        body = bytearray()
        try:
            if is_read:
                await self._read(receive, body)
            answer = await self._work(scope, bytes(body))
        except Refused as refused:
            answer = self._refusal(scope, refused)
        except Gone:
            return
        finally:
            self.held -= len(body)
        is_head = scope["method"] == "HEAD"
        start = {"type": "http.response.start", "status": answer.status, "headers": answer.headers}
        await send(start)
        if answer.parts is not None:
            await self._send_parts(answer, receive, send, is_head=is_head)
            return
        await send({"type": "http.response.body", "body": b"" if is_head else answer.body})

    async def _send_parts(
        self, answer: Answer, receive: Receive, send: Send, *, is_head: bool
    ) -> None:
        """Send each part before the next is made, so that no more than one is ever in memory.

        A thread is taken for as long as a part is made, and a place until the last one is sent. If
        making or sending one fails, the server breaks the connection off: nobody takes what has
        arrived for the whole.
        """
        self.taken += 1
        gone = asyncio.ensure_future(_hang_up(receive))
        try:
            while not (is_head or gone.done()):
                part = await self._in_a_thread(next, answer.parts, None)
                if part is None:
                    break
                async with asyncio.timeout(self.part_seconds):
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            self.taken -= 1
            gone.cancel()
            await self._in_a_thread(answer.close)

    async def _in_a_thread(self, work: Callable[..., Any], *given: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.pool, work, *given)

    async def _read(self, receive: Receive, body: bytearray) -> None:
        """Read the body into `body`. Raises Refused, or Gone."""
        if len(self.reading) >= self.bodies:
            next(iter(self.reading)).reschedule(0)
        try:
            async with asyncio.timeout(self.body_seconds) as limit:
                self.reading[limit] = None
                try:
                    await self._read_all(receive, body)
                finally:
                    del self.reading[limit]
        except TimeoutError:
            raise Refused(408, SLOW) from None

    async def _read_all(self, receive: Receive, body: bytearray) -> None:
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise Gone
            chunk = message.get("body", b"")
            body += chunk
            self.held += len(chunk)
            if len(body) > self.body_bytes:
                raise Refused(413, LARGE)
            if self.held > self.held_bytes:
                raise Refused(503, BUSY)
            if not message.get("more_body"):
                return

    async def _work(self, scope: Scope, body: bytes) -> Answer:
        """Let one of the threads answer. Raises Refused if there is none in time."""
        if self.taken >= self.places:
            raise Refused(503, BUSY)
        self.taken += 1
        start_by = time.monotonic() + self.longest_wait
        try:
            answer: Answer = await self._in_a_thread(self._answer, scope, body, start_by)
            return answer
        finally:
            self.taken -= 1

    def _answer(self, scope: Scope, body: bytes, start_by: float) -> Answer:
        if time.monotonic() > start_by:
            raise Refused(503, BUSY)
        try:
            environ = environment(scope, body)
        except ValueError as error:  # a query that is not ASCII, a header a hundred times
            raise Refused(400, "The request is not valid.") from error
        return respond(self.application, environ)

    def _refusal(self, scope: Scope, refused: Refused) -> Answer:
        is_page = refused.status == 503 and self.busy_page and b"text/html" in _accepted(scope)
        kind = b"text/html; charset=utf-8" if is_page else b"text/plain; charset=utf-8"
        body = self.busy_page if is_page else f"{refused}\n".encode()
        headers = [
            (b"content-type", kind),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
        ]
        if refused.status == 503:
            headers.append((b"retry-after", str(RETRY_AFTER_SECONDS).encode()))
        if refused.status in (408, 413):
            headers.append((b"connection", b"close"))  # what is left of the body is not waited for
        return Answer(refused.status, headers, body)


async def _hang_up(receive: Receive) -> None:
    """Wait until the client does."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _accepted(scope: Scope) -> bytes:
    return b",".join(value for name, value in scope["headers"] if name == b"accept")


def environment(scope: Scope, body: bytes) -> dict[str, Any]:
    """The WSGI environment of a request that is read whole. Raises ValueError if it has none."""
    instance: Any = WsgiToAsgiInstance(None)  # type: ignore[no-untyped-call]
    # In the environment X_Forwarded_For would be X-Forwarded-For, which only a proxy may say.
    headers = [(name, value) for name, value in scope["headers"] if b"_" not in name]
    instance.scope = {**scope, "headers": headers}
    environ: dict[str, Any] = instance.build_environ(instance.scope, io.BytesIO(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)  # the body has arrived, so its length is known
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ


def respond(application: Any, environ: dict[str, Any]) -> Answer:
    """Run the WSGI application. Its answer is collected whole: a slow reader holds no thread.

    One that is made piece by piece, and whose length is unknown, is left to be made.
    """
    answer = Answer(500, [], b"")

    def start_response(status: str, headers: Iterable[tuple[str, str]], *_: Any) -> None:
        answer.status = int(status.partition(" ")[0])
        answer.headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers
        ]

    parts = application(environ, start_response)
    is_long = getattr(parts, "streaming", False)
    if is_long and b"content-length" not in dict(answer.headers):
        answer.parts, answer.close = iter(parts), parts.close
        return answer
    try:
        answer.body = b"".join(parts)
    finally:
        if hasattr(parts, "close"):
            parts.close()
    return answer
