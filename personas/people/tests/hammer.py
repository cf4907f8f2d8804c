"""A process of its own that looks people up for some seconds and prints what became of them.

python -m personas.people.tests.hammer <database address> <App API address> <key> <seconds>
"""

import json
import os
import sys
import time

LEAST = 4  # of three processes more than the limit of a second


def main(database_url: str, base_url: str, key: str, seconds: float) -> None:
    os.environ["TEST_DATABASE_URL"] = database_url
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings_test"
    import django

    django.setup()
    from django.conf import settings

    settings.CIO_APP_BASE_URL, settings.CIO_APP_KEY = base_url, key
    moments, departed = reserved(), departures()
    seen = hammer(seconds)
    print(json.dumps({**seen, "moments": moments, "departures": departed}))  # noqa: T201 - the test reads it


def reserved() -> list[float]:
    """A list of all moments that this process reserves from now on."""
    from personas.models import AppApiPace

    moments: list[float] = []
    reserve = AppApiPace.reserve

    def noting(pace: AppApiPace, moment: float) -> None:
        reserve(pace, moment)
        moments.append(moment)

    AppApiPace.reserve = noting  # type: ignore[method-assign]  # of this process alone
    return moments


def departures() -> list[float]:
    """A list of all moments at which this process may send from now on.

    The clock is one that all processes of a machine share. The arrival of a request at the server
    would prove less: on a busy machine a request may be late, and later ones with it.
    """
    from personas.people.pacing import SharedPace

    moments: list[float] = []
    wait = SharedPace.wait

    def noting(pace: SharedPace, within: float) -> float:
        waited = wait(pace, within)
        moments.append(time.monotonic())
        return waited

    SharedPace.wait = noting  # type: ignore[method-assign]  # of this process alone
    return moments


def hammer(seconds: float) -> dict[str, int]:
    """Make one look-up after the other; returns how many were answered, and held back.

    On a busy machine for longer, until some were answered.
    """
    from personas.people.pacing import paced_app_api
    from providers.customerio import HeldBack

    seen = {"answered": 0, "held back": 0}
    stop_at = time.monotonic() + seconds
    while time.monotonic() < stop_at or seen["answered"] < LEAST:
        try:
            paced_app_api(budget_seconds=60).profiles("id", ["acme-1003"])
            seen["answered"] += 1
        except HeldBack:
            seen["held back"] += 1
            time.sleep(0.05)
    return seen


if __name__ == "__main__":
    main(*sys.argv[1:4], float(sys.argv[4]))
