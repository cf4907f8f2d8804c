"""How often the REST API may be asked, so that one program leaves room for everybody else.

The receiver of webhooks has no throttle: its view names none, and it is answered before any other
middleware.
"""

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from accounts.models import ApiToken


class PerToken(SimpleRateThrottle):
    """So many requests a minute for each token, and for each person who is signed in.

    What is above is answered with 429 and Retry-After. Each web process counts for itself, in its
    memory, so two of them let through up to twice as many: a count that all share would cost a
    write for each request.
    """

    scope = "token"  # of DEFAULT_THROTTLE_RATES

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        if isinstance(request.auth, ApiToken):
            return self._key(request.auth.pk)
        return self._key(f"user-{request.user.pk}") if request.user.pk else None

    def _key(self, ident: str) -> str:
        return self.cache_format % {"scope": self.scope, "ident": ident}
