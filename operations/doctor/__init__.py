"""The doctor: everything that an operator can get wrong, checked one by one.

Nothing is changed and nothing is spent; reading Mavera's balance is entered in the ledger.
"""

from collections.abc import Iterable, Iterator

from operations.doctor import (
    address,
    configuration,
    connections,
    people,
    providers,
    storage,
    targets,
    tokens,
    work,
)
from operations.doctor.findings import Check, Finding, Verdict

__all__ = ["Check", "Finding", "Verdict", "essential", "everything", "examine"]

CONFIGURATION = (
    Check("debug", configuration.debug, needs_database=False),
    Check("signing secret", configuration.signing_secret, needs_database=False),
    Check("secret key", configuration.secret_key, needs_database=False),
    Check("timestamp age", configuration.timestamp_age, needs_database=False),
    Check("variables", configuration.variables, needs_database=False),
    Check("system checks", configuration.system_checks, needs_database=False),
    Check("static files", configuration.static_files, needs_database=False),
)
STORAGE = (
    Check("database", storage.database, needs_database=False, is_base=True),
    Check("migrations", storage.migrations, is_base=True),
    Check("connections", connections.connections),
    Check("time-outs", connections.time_outs),
    Check("rules", storage.rules),
)
WORK = (
    Check("broker", work.broker),
    Check("schedule", work.schedule),
    Check("sweep", work.sweep),
    Check("events", work.events),
    Check("failed events", work.failed_events),
    Check("jobs", work.jobs),
    Check("deliveries", work.deliveries),
    Check("our mail", work.our_mail),
    Check("briefs", work.briefs),
    Check("research", work.research),
    Check("segment", work.segment),
    Check("named segments", work.named_segments),
    Check("notification targets", targets.notification_targets),
)
PEOPLE = (Check("people", people.people), Check("API tokens", tokens.api_tokens))
APP_API = Check("App API", providers.app_api, needs_database=False)
PROVIDERS = (
    APP_API,
    Check("profiles", providers.profiles),
    Check("reporting webhook", providers.reporting_webhook),
    Check("Mavera", providers.mavera),
    Check("clock", providers.clock),
)


def everything(url: str = "") -> list[Check]:
    """All checks; those of the public address only if it is given."""
    return [
        *CONFIGURATION,
        *STORAGE,
        *WORK,
        *PEOPLE,
        *PROVIDERS,
        *(address.checks(url) if url else ()),
    ]


def essential(url: str) -> list[Check]:
    """The checks before a webhook is enabled: it will be received, stored and processed."""
    debug, secret, *_ = CONFIGURATION
    broker, schedule, sweep, events, *_ = WORK
    receiver = Check("receiver", lambda: address.receiver(url), needs_database=False)
    return [debug, secret, *STORAGE, broker, schedule, sweep, events, APP_API, receiver]


def examine(checks: Iterable[Check]) -> Iterator[Finding]:
    """Run the checks in order; yield each finding as soon as it is known."""
    is_readable = True
    for check in checks:
        if check.needs_database and not is_readable:
            yield check.left_out()
            continue
        finding = check.run()
        if check.is_base and finding.level == Verdict.FAIL:
            is_readable = False
        yield finding
