"""Checks of the settings themselves."""

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core import checks

from operations.doctor.findings import Finding, counted, fail, ok, warn

STYLE_SHEET = "savedesk.css"
SHORTEST_SECRET = 16
# Below these Django itself warns of a weak key (security.W009).
SHORTEST_KEY, FEWEST_CHARACTERS = 50, 5


def debug() -> Finding:
    if settings.DEBUG:
        return fail(
            "DEBUG is on: unsigned webhooks are taken, and errors show the code",
            "Set DEBUG=0 and restart.",
        )
    return ok("off")


def signing_secret() -> Finding:
    secrets, refused = settings.CIO_WEBHOOK_SECRETS, settings.CIO_WEBHOOK_SECRETS_REFUSED
    cure = (
        "Copy the signing key in Customer.io (Data & Integrations > Integrations > Reporting "
        "Webhooks, the menu of the webhook) into CIO_WEBHOOK_SECRET and restart."
    )
    if not secrets:
        given = ", ".join(refused)
        seen = f"no key: {given}, so every webhook is refused" if given else "none is set"
        return fail(seen, cure)
    if refused:
        return warn(f"{', '.join(refused)}, and verifies nothing", "Remove it, and restart.")
    shortest = min(len(secret) for secret in secrets)
    if shortest < SHORTEST_SECRET:
        return warn(f"one has only {shortest} characters: is it the whole key?", cure)
    return ok(f"{counted(len(secrets), 'secret')} set")


def secret_key() -> Finding:
    key = settings.SECRET_KEY
    cure = "Set SECRET_KEY to the output of: openssl rand -base64 48 (and keep it)."
    if key == "only-for-development" or key.startswith("django-insecure-"):
        return fail("it is a published one: anybody can forge a login", cure)
    if len(key) < SHORTEST_KEY or len(set(key)) < FEWEST_CHARACTERS:
        return warn(f"weak: {len(key)} characters, {len(set(key))} of them different", cure)
    return ok(f"{len(key)} characters")


def timestamp_age() -> Finding:
    limit = settings.CIO_MAX_AGE_SECONDS
    if limit:
        return warn(
            f"webhooks signed more than {limit} s ago are refused with 401",
            "A retry may carry its first timestamp, and a refusal holds back everything behind "
            "it for up to 7 days. Set CIO_MAX_AGE_SECONDS=0 unless you must.",
        )
    return ok("not checked; a replay is known by its event id")


def variables() -> Finding:
    if settings.SUSPICIONS:
        return warn(
            " ".join(settings.SUSPICIONS),
            "Correct the name or the line, in the environment or in .env, and restart.",
        )
    return ok("none looks like one of ours that is spelt wrong")


def system_checks() -> Finding:
    errors = [message for message in checks.run_checks() if message.is_serious()]
    if errors:
        return fail(str(errors[0].msg), str(errors[0].hint or "See manage.py check."))
    return ok("none reports an error")


def static_files() -> Finding:
    if not finders.find(STYLE_SHEET):
        return fail(
            f"{STYLE_SHEET} is not found: pages would have no style",
            "Deploy the folder static/ together with the code.",
        )
    return ok("found; WhiteNoise serves them")
