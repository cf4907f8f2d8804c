"""Checks of the public address, by requests to it as a client outside would send them."""

import time
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host
from django.templatetags.static import static
from django.urls import reverse

from operations.doctor.configuration import STYLE_SHEET
from operations.doctor.findings import Check, Finding, fail, ok, warn
from operations.registration import LOCAL_HOSTS, shown
from providers import http
from webhooks.signatures import sign
from webhooks.views import RECEIVER_PATH

SECONDS = 6.0  # Customer.io itself waits for 4


def checks(url: str) -> list[Check]:
    return [
        Check("allowed hosts", lambda: allowed_hosts(url), needs_database=False),
        Check("receiver", lambda: receiver(url), needs_database=False),
        Check("pages", lambda: pages(url), needs_database=False),
        Check("style sheet", lambda: style_sheet(url), needs_database=False),
        Check("metrics", lambda: metrics(url), needs_database=False),
    ]


def base(url: str) -> str:
    """The address without a path; empty if it is not a web address."""
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}" if host and parts.scheme in ("http", "https") else ""


def is_allowed(url: str) -> bool:
    host, _ = split_domain_port(urlsplit(url).netloc.rpartition("@")[2])
    return validate_host(host, settings.ALLOWED_HOSTS)


def allowed_hosts(url: str) -> Finding:
    host = urlsplit(url).hostname or ""
    if not is_allowed(url):
        return fail(
            f"{host} is not among ALLOWED_HOSTS: its pages answer 400",
            f"Add {host} to ALLOWED_HOSTS and restart.",
        )
    if "*" in settings.ALLOWED_HOSTS:
        return warn("every host name is allowed", f"Set ALLOWED_HOSTS={host} and restart.")
    return ok(f"{host} is among them")


def receiver(url: str) -> Finding:
    """A request without a signature must be answered 401 by our receiver, not by a proxy."""
    address = base(url) + RECEIVER_PATH
    if urlsplit(url).scheme != "https" and urlsplit(url).hostname not in LOCAL_HOSTS:
        return fail(
            f"{shown(address)} is not https", "Put a proxy with HTTPS in front of the web server."
        )
    try:
        reply = http.send("POST", address, seconds=SECONDS, headers={})
    except http.RequestFailed as error:
        return fail(f"{shown(address)} does not answer: {error}", _UNREACHED)
    answer = reply.json()
    is_ours = isinstance(answer, dict) and "signature" in str(answer.get("error"))
    if reply.status == 401 and is_ours:
        return _receiver_of_signed(address)
    cure = _CURES.get(reply.status, _UNREACHED)
    if reply.status in (301, 302, 307, 308):
        cure = f"It redirects to {reply.headers.get('location', 'nowhere')[:100]}: " + cure
    return fail(
        f"{shown(address)} answered {reply.status} to an unsigned webhook, not our 401", cure
    )


def _receiver_of_signed(address: str) -> Finding:
    """A signed test must be accepted. It is not if the web server runs with another secret."""
    if not settings.CIO_WEBHOOK_SECRETS:
        return ok(f"{shown(address)} refuses the unsigned (401), as it must")
    stamp = str(int(time.time()))
    signature = sign(settings.CIO_WEBHOOK_SECRETS[0], stamp, b"{}")
    headers = {"X-CIO-Timestamp": stamp, "X-CIO-Signature": signature}
    try:
        reply = http.send("POST", address, seconds=SECONDS, headers=headers, json={})
    except http.RequestFailed as error:
        return fail(f"{shown(address)} does not answer: {error}", _UNREACHED)
    if reply.status == 401:
        return fail(
            f"{shown(address)} refuses what is signed with today's CIO_WEBHOOK_SECRET",
            "The web server runs with another secret: restart it, so that it reads today's.",
        )
    if not reply.is_success:
        return fail(
            f"{shown(address)} answered {reply.status} to a signed test",
            "It cannot store events now: see the database line, and the web server's log.",
        )
    return ok(f"{shown(address)} refuses the unsigned (401) and takes the signed, as it must")


_UNREACHED = (
    "Is the web server running, does the name lead to it, and does the proxy pass the path on?"
)
_CURES = {
    200: "Something else answers there, or DEBUG is on where the web server runs.",
    301: "give Customer.io the final address.",
    302: "give Customer.io the final address.",
    307: "give Customer.io the final address.",
    308: "give Customer.io the final address.",
    401: "A proxy asks for a password: let it pass the receiver's path without one.",
    403: "A firewall or proxy blocks it: let it pass the receiver's path.",
    404: f"The proxy must pass {RECEIVER_PATH} on, unchanged.",
    502: "The proxy answers, but the web server behind it does not run.",
    503: "The web server runs but fails, most often without its database: see its log.",
}


def pages(url: str) -> Finding:
    address = base(url) + reverse("login")
    try:
        reply = http.send("GET", address, seconds=SECONDS, headers={})
    except http.RequestFailed as error:
        return fail(f"{shown(address)} does not answer: {error}", _UNREACHED)
    if reply.status == 400:
        return fail(
            f"{shown(address)} answered 400",
            "Add the host to ALLOWED_HOSTS where the web server runs, and restart it.",
        )
    if reply.headers.get("location", "").lower() == address.lower():
        return fail(
            f"{shown(address)} redirects to itself for ever",
            "The proxy does not say that browsers came by HTTPS: let it send X-Forwarded-Proto.",
        )
    if reply.status != 200 or b"Savedesk" not in reply.body:
        return fail(f"{shown(address)} answered {reply.status}, and not our login page", _UNREACHED)
    return ok(f"{shown(address)} is there")


def style_sheet(url: str) -> Finding:
    address = base(url) + static(STYLE_SHEET)
    try:
        reply = http.send("GET", address, seconds=SECONDS, headers={})
    except http.RequestFailed as error:
        return fail(f"{shown(address)} does not answer: {error}", _UNREACHED)
    if reply.status != 200 or "css" not in reply.headers.get("content-type", ""):
        return fail(
            f"{shown(address)} answered {reply.status}",
            "The proxy must pass /static/ on, unchanged.",
        )
    return ok("served")


def metrics(url: str) -> Finding:
    """Whoever asks from outside must not read them without the token."""
    address = base(url) + reverse("operations:metrics")
    try:
        reply = http.send("GET", address, seconds=SECONDS, headers={})
    except http.RequestFailed as error:
        return fail(f"{shown(address)} does not answer: {error}", _UNREACHED)
    if reply.status in (401, 403):
        return ok(f"{shown(address)} refuses whoever has no token ({reply.status})")
    if reply.status != 200:
        return warn(f"{shown(address)} answered {reply.status}", _UNREACHED)
    if urlsplit(url).hostname in LOCAL_HOSTS:
        return ok(f"{shown(address)} answers to this machine")
    return fail(
        f"{shown(address)} tells its figures to whoever asks",
        "Let the proxy send X-Forwarded-For, or set METRICS_TOKEN, and look at METRICS_ADDRESSES.",
    )
