"""The sandbox as one HTTP server: `with Sandbox(latency=0) as sandbox:` in a test."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from sandbox.app_api import AppApi
from sandbox.charges import Charge
from sandbox.control import Control
from sandbox.faults import Faults
from sandbox.listener import Listener
from sandbox.mavera import Mavera
from sandbox.options import Options
from sandbox.people import People
from sandbox.recording import Recorded, Recording
from sandbox.seeds import seeded_people
from sandbox.segments import Segments
from sandbox.track import TrackApi
from sandbox.wire import Reply, Request, json_reply


@dataclass(kw_only=True, eq=False)
class Sandbox(Options):
    """All APIs on one port, until `stop` or the end of the `with` block.

    Every option is a constructor argument and an attribute. `port=0` takes a free one. `log` is
    called with one line for each request to the APIs. `start` raises OSError if the port is taken.
    """

    host: str = "127.0.0.1"
    port: int = 0
    log: Callable[[str], object] | None = None

    def __post_init__(self) -> None:
        self.faults = Faults()
        self.people = People(seeded_people())
        self._stopping = threading.Event()
        self._recording = Recording()
        self._mavera = Mavera(self, self.faults, self._stopping.wait)
        self.segments = Segments(self.people)
        self._app_api = AppApi(self, self.faults, self._stopping.wait, self.people, self.segments)
        self._track = TrackApi(self, self.faults, self._stopping.wait, self.segments)
        self._control = Control(
            self.faults, self.people, self._recording, self._mavera, self.segments
        )
        self._listener: Listener | None = None

    def start(self) -> Self:
        """Listen, and answer from threads of their own; returns at once."""
        self._stopping.clear()
        self._listener = Listener((self.host, self.port), self.handle)
        self.port = self._listener.server_address[1]
        threading.Thread(
            target=self._listener.serve_forever, args=(0.02,), name="sandbox", daemon=True
        ).start()
        return self

    def stop(self) -> None:
        """Close every connection, also those that hang or think, and the port."""
        self._stopping.set()
        if self._listener:
            self._listener.shutdown()
            self._listener.server_close()
            self._listener.close_connections()
            self._listener = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Address of the server, without a path."""
        return f"http://{self.host}:{self.port}"

    @property
    def cio_base_url(self) -> str:
        """For `CIO_APP_BASE_URL`."""
        return f"{self.url}/v1"

    @property
    def track_base_url(self) -> str:
        """For `CIO_TRACK_BASE_URL`."""
        return f"{self.url}/track/api/v1"

    @property
    def mavera_base_url(self) -> str:
        """For `MAVERA_BASE_URL`."""
        return f"{self.url}/api/v1"

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which Savedesk talks to it."""
        return {
            "CIO_APP_BASE_URL": self.cio_base_url,
            "CIO_APP_KEY": self.cio_key,
            "CIO_TRACK_BASE_URL": self.track_base_url,
            "CIO_TRACK_SITE_ID": self.track_site_id,
            "CIO_TRACK_KEY": self.track_key,
            "MAVERA_BASE_URL": self.mavera_base_url,
            "MAVERA_API_KEY": self.mavera_key,
        }

    @property
    def introduction(self) -> str:
        """For whoever wants to talk to it, or to let something fail."""
        variables = "".join(f"  {name}={value}\n" for name, value in self.environment.items())
        return (
            "Sandbox of the APIs of Customer.io and Mavera. Put these in the environment:\n"
            f"{variables}Faults, people, received requests and charges: {self.url}/sandbox\n"
        )

    @property
    def requests(self) -> list[Recorded]:
        """A copy of what the APIs received since the start or `clear_requests`, oldest first."""
        return self._recording.listing()

    def clear_requests(self) -> None:
        """Forget what was received; what was paid stays."""
        self._recording.clear()

    @property
    def max_in_flight(self) -> int:
        """The largest number of chat calls seen at once, refused ones included.

        A call whose connection was dropped is over when its answer is in the thread.
        """
        return self._mavera.chat.max_in_flight

    @property
    def worst_minute(self) -> int:
        """The most requests to Mavera, refused ones included, within any 60 s of its time."""
        return self._mavera.busiest.most

    @property
    def charges(self) -> list[Charge]:
        """Each question that was ever paid, in the order of its first charge, and how often."""
        return self._mavera.chat.charges.listing()

    @property
    def credits_used(self) -> int:
        """Credits taken so far; taken when a question is accepted."""
        return self._mavera.balance.used

    def handle(self, request: Request) -> Reply | None:
        """Answer a request, or None to close its connection without an answer."""
        match request.segments:
            case ("sandbox", *_):
                return self._control.answer(request)
            case ("v1", *_):
                return self._recorded(self._app_api.answer, request)
            case ("track", "api", "v1", *_):
                return self._recorded(self._track.answer, request)
            case ("api", "v1", *_):
                return self._recorded(self._mavera.answer, request)
            case _:
                return json_reply(
                    {"error": "The sandbox has /v1, /track/api/v1, /api/v1, /sandbox."}, status=404
                )

    def _recorded(
        self, answer: Callable[[Request], Reply | None], request: Request
    ) -> Reply | None:
        recorded = self._recording.begin(request)
        reply = answer(request)
        self._recording.end(recorded, reply)
        if self.log:
            seconds = (recorded.finished or recorded.started) - recorded.started
            outcome = recorded.status or "closed"
            self.log(f"{request.method} {request.path} {outcome} {seconds:.2f} s")
        return reply
