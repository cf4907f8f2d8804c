"""Runs the web server and both clusters, and restarts what dies or stops making progress."""

import logging
import signal
import subprocess
import time
from types import FrameType

from operations.supervising import groups
from operations.supervising.services import Service
from operations.supervising.watching import Watching

logger = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0  # a service that ran this long starts anew without a pause


class AlreadySupervised(Exception):
    """Another supervisor keeps one of the services running; the words say what to do."""


class Supervisor:
    """Keeps services running until SIGTERM or Ctrl-C; a second signal ends everything at once.

    SIGHUP reloads: the web server replaces its workers and refuses no request; the clusters finish
    what is under way and start anew.
    """

    def __init__(self, services: list[Service]) -> None:
        self.services = services
        self.watching = Watching(services)
        self.stops_asked = 0
        self.reload_asked = False

    def run(self) -> None:
        """Start everything, watch it, and return once everything has stopped.

        Raises AlreadySupervised, and starts nothing, if another supervisor runs the same services.
        """
        self.refuse_a_second()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._reload)
        self.take_over()
        try:
            while not self.stops_asked:
                self.look()
                time.sleep(LOOK_EVERY_SECONDS)
        finally:
            self._wind_down()

    def refuse_a_second(self) -> None:
        """Raise AlreadySupervised: two clusters of a kind would take more than one host's share."""
        for service in self.services:
            if other := groups.supervisor_of(service.name):
                raise AlreadySupervised(
                    f"“{service.name}” is supervised on this host already, by process {other}. "
                    f"Stop that one first (kill {other}), or reload it (kill -HUP {other})."
                )

    def take_over(self) -> None:
        """Stop the groups that a killed supervisor left behind; services start after they ended."""
        for service in self.services:
            for group in groups.left_behind(service.name):
                logger.warning("%s is left from before (process group %d)", service.name, group)
                service.adopt(group)

    def look(self) -> None:
        """One round: start what is down, and now and then end what is stuck."""
        if self.reload_asked:
            self.reload_asked = False
            self.reload()
        started = [service for service in self.services if self._keep_up(service)]
        for service in started:  # a task that the process before it had taken may be lost
            self.watching.wake_up(service)
        try:
            self.watching.bring()
            if self.watching.is_due:
                self.watching.look()
            self.watching.listen()
        except Exception:  # the outer edge: an error here must not end the services
            logger.exception("progress was not looked after")

    def reload(self) -> None:
        logger.info("reloading")
        for service in self.services:
            if service.is_receiver and service.process and service.is_running:
                service.process.send_signal(signal.SIGHUP)
            else:
                service.ask_to_stop()  # it starts again once it has stopped

    def _keep_up(self, service: Service) -> bool:
        """Start it if it is down; kill it if it ends too slowly. Returns whether it started."""
        if service.is_running:
            if service.end_by and time.monotonic() > service.end_by:
                service.kill()
            return False
        if not self._adopted_have_ended(service):
            return False
        if service.group is not None:
            self._clear_away(service)
        return time.monotonic() >= service.start_again_at and self._start(service)

    def _adopted_have_ended(self, service: Service) -> bool:
        """Whether all groups have ended that a killed supervisor left behind."""
        for group in service.end_adopted():
            logger.info("%s: what was left from before has ended (%d)", service.name, group)
        return not service.adopted

    def _start(self, service: Service) -> bool:
        try:
            service.start()
        except (OSError, subprocess.SubprocessError) as error:  # no memory for a process
            service.failures += 1
            self._pause(service)
            logger.error("%s does not start: %s", service.name, error)
            return False
        logger.info("%s started (process %s)", service.name, service.group)
        return True

    def _pause(self, service: Service) -> float:
        """Delay its next start, by more after each failure; returns the seconds."""
        pause = min(2.0**service.failures / 2, LONGEST_PAUSE_SECONDS)
        service.start_again_at = time.monotonic() + pause
        return pause

    def _clear_away(self, service: Service) -> None:
        code = service.process.poll() if service.process else None
        was_asked = service.end_by is not None
        service.kill()  # what it left behind
        service.process = service.group = None
        service.failures = 0 if service.age > STEADY_SECONDS else service.failures + 1
        pause = self._pause(service)
        level = logging.INFO if was_asked else logging.ERROR
        logger.log(level, "%s ended with %s; starts again in %.0f s", service.name, code, pause)
        if not was_asked:
            self.watching.report_end(service, code)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stops_asked += 1

    def _reload(self, number: int, frame: FrameType | None) -> None:
        self.reload_asked = True

    def _wind_down(self) -> None:
        """Stop in reverse order: the receiver goes on until the workers are done."""
        logger.info("stopping; what is under way may finish (stop again to end it now)")
        self.watching.say_farewell()
        self._stop_together([service for service in self.services if not service.is_receiver])
        self._stop_together([service for service in self.services if service.is_receiver])
        logger.info("stopped")

    def _stop_together(self, services: list[Service]) -> None:
        for service in services:
            service.ask_to_stop()
        while any(map(self._is_ending, services)) and self.stops_asked < 2:
            time.sleep(0.1)
        for service in services:
            service.kill()

    def _is_ending(self, service: Service) -> bool:
        """Whether some of it still runs; kills it when its time is over."""
        if service.is_running and service.end_by and time.monotonic() > service.end_by:
            service.kill()
        return not self._adopted_have_ended(service) or service.is_running
