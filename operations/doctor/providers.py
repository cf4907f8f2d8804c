"""Checks of Customer.io and Mavera: keys, regions, the registered webhook, credits, clocks."""

import contextlib
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from briefs.models import Brief, MaveCall, ResearchPolicy
from briefs.research import balance, pacing, probing, spending
from briefs.research.accounts import RESERVED_CREDITS
from briefs.times import length
from operations import registration
from operations.doctor.findings import Finding, counted, fail, ok, warn
from personas.models import AppApiHealth
from personas.people.pacing import paced_app_api
from providers.customerio import HeldBack, LookupFailed, ReportingWebhook
from providers.mavera import Mave, MaveError, Usage
from webhooks.clock import database_now
from webhooks.views import RECEIVER_PATH

REGIONS = {"us": "https://api.customer.io/v1", "eu": "https://api-eu.customer.io/v1"}
SKEW = timedelta(seconds=5)
LOW_SHARE = 0.1
API_KEYS = "Account settings > API Credentials > App API Keys"
TRACK_KEYS = "Account settings > API Credentials > Track API Keys"


def app_api() -> Finding:
    api = paced_app_api()
    if not api.is_configured:
        return fail(
            "CIO_APP_KEY is not set: every customer's profile is unknown",
            f"Create a key in Customer.io ({API_KEYS}), set CIO_APP_KEY and restart.",
        )
    try:
        api.reach()
    except LookupFailed as error:
        return _app_api_failure(error)
    return ok(f"answers, and the key may look people up (region {settings.CIO_REGION})")


def _app_api_failure(error: LookupFailed) -> Finding:
    if isinstance(error, HeldBack):
        return warn(f"not asked, because {error}", "Run the doctor again in a minute.")
    if error.http_status == 401:
        return fail(*refused_key())
    if error.http_status == 403:
        return fail(
            "the key may not look people up (403)",
            f"In Customer.io ({API_KEYS}) give it the scope to read people, or put this "
            "machine on the key's list of IP addresses.",
        )
    if error.http_status == 429:
        return warn(
            "too many requests (429): the limit is shared by all keys of the workspace",
            "Another tool uses it up. The look-ups are repeated later.",
        )
    return fail(str(error), "Check CIO_REGION, CIO_APP_BASE_URL and the way out of this network.")


def refused_key() -> tuple[str, str]:
    """What a 401 means, and its cure. Asks the other region whether the key belongs to it."""
    if other := region_that_answers():
        return (
            f"the key is refused in region {settings.CIO_REGION} and good in region {other}",
            f"Set CIO_REGION={other} and restart.",
        )
    if settings.CIO_APP_KEY.startswith("sa_live_"):
        return (
            "the key is refused (401): tokens of a service account can only send messages",
            f"Create an App API key ({API_KEYS}).",
        )
    return (
        "the key is refused (401)",
        f"CIO_APP_KEY must be an App API key ({API_KEYS}), not a Track or Pipelines key, of a "
        f"workspace in region {settings.CIO_REGION}.",
    )


def explained(error: LookupFailed, what: str) -> str:
    """What went wrong with the App API, and what to do. `what` the key was to manage, in plural."""
    if error.http_status == 401:
        return ". ".join(refused_key())
    if error.http_status == 403:
        return (
            f"The key may not manage {what} (403). Give it that scope in Customer.io "
            f"({API_KEYS}), or put this machine on the key's list of IP addresses."
        )
    if error.http_status == 400:
        return f"Customer.io refuses this: {error.detail or 'it does not say why'}"
    return f"{error}. Nothing is lost: run it again."


def region_that_answers() -> str:
    """The other region if it accepts the key; empty if not, or if the address was set by hand."""
    if settings.CIO_APP_BASE_URL not in REGIONS.values():
        return ""
    for region, address in REGIONS.items():
        if address != settings.CIO_APP_BASE_URL:
            with contextlib.suppress(LookupFailed):
                paced_app_api(base_url=address).reach()
                return region
    return ""


def profiles() -> Finding:
    """Whether the latest look-ups succeeded, and how many briefs wait for a profile."""
    health = AppApiHealth.objects.filter(pk=1).first()
    waiting = Brief.objects.open().filter(is_waiting_for_profile=True).count()
    if health and health.failures:
        return warn(
            f"{counted(health.failures, 'look-up')} failed in a row: {health.reason}",
            f"{counted(waiting, 'brief')} waiting for a profile; looked up when it answers again.",
        )
    return ok(f"{counted(waiting, 'brief')} waiting for a profile")


def reporting_webhook() -> Finding:
    """Whether Customer.io sends what the active rules need, as far as the key may read it."""
    api = paced_app_api()
    if not api.is_configured:
        return warn("not readable without CIO_APP_KEY", "See “App API”.")
    try:
        registered = api.reporting_webhooks()
    except LookupFailed as error:
        if error.http_status == 403:
            needed = ", ".join(sorted(registration.needed_events()))
            return warn(
                "the key may not read it (403)",
                f"Give it that scope, or see in Customer.io that it reports {needed}.",
            )
        return warn(f"not readable: {error}", "See “App API”.")
    ours = [webhook for webhook in registered if _is_ours(webhook)]
    if not ours:
        return fail(
            "none is registered for Savedesk",
            f"manage.py register_webhook --url https://your-host{RECEIVER_PATH}",
        )
    return _judge_webhook(min(ours, key=lambda webhook: webhook.is_disabled))


def _is_ours(webhook: ReportingWebhook) -> bool:
    place = registration.shown(webhook.endpoint).rstrip("/")
    return webhook.name == registration.NAME or place.endswith(RECEIVER_PATH.rstrip("/"))


def _judge_webhook(webhook: ReportingWebhook) -> Finding:
    address = registration.shown(webhook.endpoint)
    again = f"manage.py register_webhook --url {address}"
    if webhook.is_disabled:
        return fail(f"“{webhook.name}” to {address} is disabled", f"{again} --enable")
    missing = registration.needed_events() - webhook.events
    if missing:
        return fail(f"enabled, but without {', '.join(sorted(missing))}", again)
    if not webhook.with_content:
        return warn("Body Content is off: opt-outs do not say which topics", again)
    if not webhook.full_resolution:
        return warn("Send Frequency is “first time only”: a second conversion is missed", again)
    return ok(f"“{webhook.name}” to {address}, {counted(len(webhook.events), 'event')}")


def mavera() -> Finding:
    mave = Mave()
    if not mave.is_configured:
        return warn(
            "MAVERA_API_KEY is not set: briefs go without research",
            "Create a key at Mavera, set MAVERA_API_KEY and restart.",
        )
    call = pacing.admit_read(MaveCall.Purpose.USAGE, while_paused=True)
    if call is None:
        return warn(
            "not asked: the policy's requests of this minute are used up, or Mavera asked to wait",
            "Run the doctor again in a minute.",
        )
    try:
        usage = mave.usage()
    except MaveError as error:
        probing.settle_read(call, mave, error)
        cures = {
            401: "MAVERA_API_KEY must begin with mvra_live_ and not be revoked.",
            402: "Buy credits or wait for the next billing period.",
            403: "Use a key that may use the research agent.",
        }
        other = "Check MAVERA_BASE_URL and the way out of this network."
        return fail(str(error), cures.get(error.http_status or 0, other))
    probing.settle_read(call, mave)
    balance.record(usage)
    return _judge_balance(usage)


def _judge_balance(usage: Usage) -> Finding:
    if usage.remaining is None:
        return warn("answers, but does not say how many credits are left", "Look at Mavera.")
    left = f"{usage.remaining:,.0f} credits left"
    if usage.included:
        left += f" of {usage.included:,.0f}"
    is_low = usage.included is not None and usage.remaining < LOW_SHARE * usage.included
    if usage.remaining < RESERVED_CREDITS or is_low:
        recharge = "recharges by itself" if usage.has_auto_recharge else "does not recharge"
        return warn(
            f"{left}; one answer costs up to {RESERVED_CREDITS}, the account {recharge}",
            "Buy credits, or lower the budgets under Research policy in the admin.",
        )
    policy = ResearchPolicy.objects.filter(pk=1).first() or ResearchPolicy()
    limit = usage.requests_per_minute
    if limit is not None and policy.requests_per_minute > limit:
        return warn(
            f"{left}; the key allows {limit:,.0f} requests a minute, the policy "
            f"{policy.requests_per_minute:,}",
            "Lower the requests a minute under Research policy in the admin.",
        )
    now = database_now()
    if wrong := balance.present_trouble(spending.account(policy, now), now):
        seen, cure = wrong
        return warn(f"{left}; {seen}", f"{cure[0].upper()}{cure[1:]}.")
    return ok(left)


def clock() -> Finding:
    """Compare this machine's clock with the database's and, if it answers, Customer.io's."""
    others = {"the database": database_now()}
    api = paced_app_api()
    if api.is_configured:
        with contextlib.suppress(LookupFailed):
            if theirs := api.reach():
                others["Customer.io"] = theirs
    gaps = {name: abs(timezone.now() - told) for name, told in others.items()}
    name = max(gaps, key=lambda name: gaps[name])
    if gaps[name] <= SKEW:
        return ok(f"agrees with {' and '.join(gaps)}")
    limit = settings.CIO_MAX_AGE_SECONDS
    told = f"{length(gaps[name])} apart from {name}"
    cure = "Let this machine and the database keep time by NTP."
    if limit and gaps[name].total_seconds() > limit:
        return fail(f"{told}: webhooks are refused as too old", cure)
    return warn(told, cure)
