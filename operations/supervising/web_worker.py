"""One process of the web server: uvicorn on the socket that it is given.

    python -m operations.supervising.web_worker <socket> <ready> <parent>

The arguments are numbers of open files: the listening socket; a pipe on which it says that it is
loaded; and a pipe of which the parent holds the other end, so that it stops when the parent is
gone. Stops on SIGTERM and loses no request: it accepts no more connections, answers what the
accepted ones bring within a second, and closes them.
"""

import asyncio
import gc
import os
import signal
import socket
import sys
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

APPLICATION = "config.asgi:application"
ARRIVAL_SECONDS = 30.0  # for a whole request; its body alone has less (config/bulkheads.py)
HEAD_BYTES = 64 * 1024  # of the request line and all headers
IDLE_SECONDS = 75  # for which a connection is kept; proxies give up after 60
FAREWELL_SECONDS = 1.0
LONGEST_ANSWER_SECONDS = 25  # after that it stops all the same
GARBAGE = 2_000  # new objects that are still there: a few pages leave so many
GARBAGE_WHILE_BUSY = 50_000  # as many, after which a request waits for it
LOOKS = 10  # at new objects, after which all others are looked at too: that takes 4 ms


class Connection(HttpToolsProtocol):
    """Uvicorn's, with limits of time and size for a request: it has none of its own."""

    arrival: asyncio.TimerHandle | None = None
    head_bytes: int | None = 0  # read of a head that is not whole; None once it is

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        if self.head_bytes is not None:
            self.head_bytes += len(data)
        super().data_received(data)
        if (self.head_bytes or 0) > HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_message_begin(self) -> None:
        self.head_bytes = self.head_bytes or 0
        self._expect()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self.head_bytes = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._unexpect()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unexpect()
        super().connection_lost(exc)

    def _expect(self) -> None:
        self._unexpect()
        self.arrival = self.loop.call_later(ARRIVAL_SECONDS, self.transport.close)

    def _unexpect(self) -> None:
        if self.arrival:
            self.arrival.cancel()
            self.arrival = None


class Worker(uvicorn.Server):
    def __init__(self, ready: int, parent: int) -> None:
        super().__init__(
            uvicorn.Config(
                APPLICATION,
                http=Connection,
                ws="none",
                lifespan="off",
                log_config=None,  # as Django sets it
                log_level="error",
                access_log=False,
                proxy_headers=False,  # config/proxies.py judges them
                server_header=False,
                timeout_keep_alive=IDLE_SECONDS,
                timeout_graceful_shutdown=LONGEST_ANSWER_SECONDS,
            )
        )
        self.ready, self.parent = ready, parent

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What is loaded by now stays. To look at all of it for garbage takes a tenth of a second,
        # and some page would wait for that. A page makes ten thousands of objects, nearly all of
        # which go by themselves: to look for the others meanwhile takes 7 % of its time.
        gc.collect()
        gc.freeze()
        gc.set_threshold(GARBAGE_WHILE_BUSY)
        asyncio.get_running_loop().add_reader(self.parent, self._parent_is_gone)
        os.write(self.ready, b"%d\n" % os.getpid())

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second. Garbage is looked for when nobody waits for an answer.

        Python itself looks at older objects only while it looks at new ones, which it leaves to us.
        """
        new, _, looks = gc.get_count()
        if not self.server_state.tasks and new > GARBAGE:
            gc.collect(2 if looks >= LOOKS else 1)
        return await super().on_tick(counter)

    def _parent_is_gone(self) -> None:
        asyncio.get_running_loop().remove_reader(self.parent)
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        # A connection that was just accepted may bring its request only now. One that is kept
        # open is told to end with its next answer.
        self.server_state.default_headers.append((b"connection", b"close"))
        await asyncio.sleep(FAREWELL_SECONDS)
        await super().shutdown(sockets)


def main() -> None:
    listener, ready, parent = (int(number) for number in sys.argv[1:])
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # meant for the parent
    Worker(ready, parent).run([socket.socket(fileno=listener)])


if __name__ == "__main__":
    main()
