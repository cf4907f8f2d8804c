"""What can be set on a sandbox, before it starts and while it runs."""

from dataclasses import dataclass, field
from typing import Literal

CIO_KEY = "sandbox-app-api-key"
TRACK_SITE_ID = "sandbox-site-id"
TRACK_KEY = "sandbox-track-key"
MAVERA_KEY = "mvra_live_sandbox_accepts_this_key"
REVOKED_KEY = "mvra_live_sandbox_revoked_this_key"


Paging = Literal["cursor", "offset", "cursor_only"]


@dataclass(kw_only=True, eq=False)
class Options:
    """Every option is read at each request, so assigning to it takes effect on the next one."""

    cio_key: str = CIO_KEY
    """The App API key that is accepted."""

    track_site_id: str = TRACK_SITE_ID
    track_key: str = TRACK_KEY
    """What the Track API accepts; the App API key is refused there."""

    refused_ids: set[str] = field(default_factory=set)
    """Ids for which the Track API refuses the whole request: what it takes for malformed is not
    documented."""

    mavera_key: str = MAVERA_KEY
    """The Mavera key that is accepted; every other one is `invalid_api_key`."""

    revoked_keys: set[str] = field(default_factory=lambda: {REVOKED_KEY})
    """Mavera keys answered with `revoked_api_key`."""

    latency: float = 0.0
    """Seconds that each answer of Mave takes at least."""

    jitter: float = 0.0
    """Largest number of seconds added to the latency, evenly distributed."""

    credits: int = 5000
    """Credits of the billing period; a call that would cost more than is left gets a 402."""

    requests_per_minute: int = 120
    """Mavera's limit over a sliding 60 seconds."""

    time_scale: float = 1.0
    """How many times faster than a clock Mavera's time runs, so that benchmarks end soon.

    Latency and jitter, the 60 seconds of the limit and with them `Retry-After`, `X-RateLimit-Reset`
    and `worst_minute` are divided by it. The App API and what a fault scripts keep real seconds.
    """

    paging: Paging = "cursor"
    """How threads are listed; the documentation has two generations, and both end at 100 a page.

    `cursor`: by cursor, 50 a page, or by offset if the request has one, so either client works.
    `cursor_only`: the newer alone, `offset` is ignored.
    `offset`: the older alone, 20 a page, `cursor` and `search` are ignored, no `next_cursor`.
    """

    max_chats: int = 10
    """Mave calls answered at once; one more gets a 429."""

    max_message_chars: int = 10_000
    """Longest message to Mave. The documentation names no limit, so this one is ours."""

    app_requests_per_second: int = 10
    """The App API's limit for the whole workspace."""

    wrapped: bool = False
    """Batch look-ups: people as the specification prints them, or flat as the live API sends."""

    email_is_identifier: bool = True
    """Whether the workspace lets a person be addressed by e-mail; if not, that is a 400."""

    phone_is_identifier: bool = True
    """Whether the workspace lets a person be addressed by number; if not, that is a 400."""
