"""The web server: one listening socket, and worker processes that can be replaced without a gap.

    python -m operations.supervising.web_server --host 127.0.0.1 --port 8000 --workers 2

Customer.io waits an hour after a refused connection. So the socket is this process's own and
outlives every worker: what nobody accepts yet waits in its queue. On SIGHUP each worker stays until
a new one has loaded the code as it is then; if that cannot be loaded, the old one goes on.

Nothing of Django is imported here, so that this process never holds old code.
"""

import argparse
import contextlib
import errno
import logging
import logging.config
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import time
from typing import Any

from webhooks.logs import lines

logger = logging.getLogger("web server")

Worker = subprocess.Popen[bytes]

LOAD_SECONDS = 60.0  # with cold bytecode, on a busy machine
STOP_SECONDS = 30.0  # then a worker is killed
BIND_SECONDS = 35.0  # for what a killed server left behind to end
BACKLOG = 2048  # connections that nobody has accepted yet, as far as the system allows
LOOK_SECONDS = 0.1


class WebServer:
    def __init__(self, host: str, port: int, workers: int) -> None:
        self.listener = listen(host, port)
        self.count = workers
        self.workers: list[Worker] = []
        self.loaded: set[int] = set()  # process numbers that said so
        self.leaving: dict[Worker, float] = {}  # and when each is killed
        self._told, self._ready = os.pipe()
        self._pipe = os.pipe()  # its second end closes with this process, however it ends
        self.is_stopping = self.is_reloading = False

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT. Returns the exit code: 1 if no worker can be started."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._reload)
        self.workers = [self._start() for _ in range(self.count)]
        is_well = all(self._is_loaded(worker) for worker in self.workers)
        while is_well and not self.is_stopping:
            time.sleep(LOOK_SECONDS)
            if self.is_reloading:
                self._replace_all()
            is_well = self._replace_dead()
            self._see_off()
        self._end_all()
        return 0 if self.is_stopping else 1

    def _stop(self, *_: Any) -> None:
        self.is_stopping = True

    def _reload(self, *_: Any) -> None:
        self.is_reloading = True

    def _start(self) -> Worker:
        files = (self.listener.fileno(), self._ready, self._pipe[0])
        command = [sys.executable, "-m", "operations.supervising.web_worker", *map(str, files)]
        return subprocess.Popen(command, pass_fds=files)  # noqa: S603 - our own command

    def _is_loaded(self, worker: Worker) -> bool:
        """Wait until the worker says so; False if it ends, takes too long, or all is to stop."""
        end = time.monotonic() + LOAD_SECONDS
        while time.monotonic() < end and worker.poll() is None and not self.is_stopping:
            if select.select([self._told], [], [], LOOK_SECONDS)[0]:
                self.loaded.update(map(int, os.read(self._told, 4096).split()))
            if worker.pid in self.loaded:
                self.loaded.discard(worker.pid)
                return True
        return False

    def _replace_all(self) -> None:
        self.is_reloading = False
        for old in list(self.workers):
            new = self._start()
            if not self._is_loaded(new):
                new.kill()
                new.wait()
                logger.error("the new code could not be loaded, so the old goes on")
                return
            self.workers[self.workers.index(old)] = new
            old.terminate()
            self.leaving[old] = time.monotonic() + STOP_SECONDS

    def _replace_dead(self) -> bool:
        """Start a worker for each that died; False if one does not start any more."""
        for dead in [worker for worker in self.workers if worker.poll() is not None]:
            logger.error("worker %s died (exit code %s): another starts", dead.pid, dead.returncode)
            new = self._start()
            self.workers[self.workers.index(dead)] = new
            if not self._is_loaded(new):
                return self.is_stopping
        return True

    def _see_off(self) -> None:
        """Kill those that do not end in time."""
        for worker, end in list(self.leaving.items()):
            if worker.poll() is not None:
                del self.leaving[worker]
            elif time.monotonic() > end:
                worker.kill()

    def _end_all(self) -> None:
        self.listener.close()
        for worker in self.workers:
            worker.terminate()
            self.leaving.setdefault(worker, time.monotonic() + STOP_SECONDS)
        while self.leaving:
            self._see_off()
            time.sleep(LOOK_SECONDS)


def listen(host: str, port: int) -> socket.socket:
    """The listening socket. Ends the process with a sentence if the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    end = time.monotonic() + BIND_SECONDS
    while True:
        try:
            return socket.create_server((host, port), family=family, backlog=BACKLOG)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > end:
                raise SystemExit(
                    f"the web server cannot listen on {host} port {port}: {error}"
                ) from None
            time.sleep(LOOK_SECONDS)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    logging.config.dictConfig(
        lines.configuration(
            os.environ.get("LOG_LEVEL", "").strip().lower() or "info",
            os.environ.get("LOG_FORMAT", "").strip().lower() or "text",
            service="web",
            host=socket.gethostname(),
        )
    )
    with contextlib.suppress(ValueError, OSError):  # each connection is an open file
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    sys.exit(WebServer(given.host, given.port, given.workers).run())


if __name__ == "__main__":
    main()
