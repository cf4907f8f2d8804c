"""The web server's way in: which request takes which share of its threads.

The receiver owes nothing to the rest: each of pages, downloads, log-ins and probes has threads of
its own.
"""

from config.wsgi import application as django  # first: it names the process and sets Django up

# isort: split
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import get_resolver

from config.bulkheads import MIB, Bulkhead, Receive, Scope, Send
from config.https import PROBES
from webhooks.views import RECEIVER_PATH, REFUSED_ABOVE

LOG_INS = ("/login", "/admin/login", "/password-reset")

receiver = Bulkhead(
    django,
    "receiver",
    threads=16,  # they mostly wait for the commit that they share
    places=512,
    body_bytes=REFUSED_ABOVE,
    held_bytes=256 * MIB,
)
busy_page = render_to_string("503.html").encode()
pages = Bulkhead(django, "pages", threads=6, places=32, busy_page=busy_page)
# Each is made part by part, for minutes: two at a time work, and pages keep their threads.
downloads = Bulkhead(django, "downloads", threads=2, places=8, busy_page=busy_page)
log_ins = Bulkhead(django, "log-ins", threads=4, places=16, busy_page=busy_page)
probes = Bulkhead(django, "probes", threads=2, places=64, body_bytes=MIB)
# Where a database hangs, so does the thread that reads it: probes answer all the same.
metrics = Bulkhead(django, "metrics", threads=1, places=4, body_bytes=MIB)
# Imported now and not by the first request: a new process takes over when it is loaded.
get_resolver().url_patterns  # noqa: B018


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    path = scope["path"].rstrip("/")
    if path == RECEIVER_PATH.rstrip("/"):
        await receiver(scope, receive, send, is_read=_may_be_signed(scope))
    elif path == "/metrics":
        await metrics(scope, receive, send)
    elif path in PROBES:
        await probes(scope, receive, send)
    elif path.startswith(LOG_INS):  # anybody can send those, so people at work need not wait
        await log_ins(scope, receive, send)
    elif path.endswith((".csv", "/csv")):
        await downloads(scope, receive, send)
    else:
        await pages(scope, receive, send)


def _may_be_signed(scope: Scope) -> bool:
    """Whether the receiver looks at the body at all: without a signature it answers 401."""
    names = {name for name, _ in scope["headers"]}
    return settings.DEBUG or {b"x-cio-signature", b"x-cio-timestamp"} <= names
