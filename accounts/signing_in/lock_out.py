"""After how many wrong passwords sign-in is locked, for whom, and until when.

| wrong passwords within 15 minutes | locks | so that |
|---|---|---|
| 10 for one name from one address | this name from this address | nobody guesses, and a stranger elsewhere locks nobody out |
| 30 from one address | every name from this address | one address cannot try many names |
| 100 for one name | this name, but not from where the person signed in before | many addresses cannot guess one name |

Single sign-on tries no password: it is neither counted nor locked.
"""  # noqa: E501 - a table

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.signing_in.names import counted_name, plain

KNOWN_FOR = timedelta(days=30)  # an address from which somebody signed in


@dataclass(frozen=True, slots=True)
class Limit:
    fields: tuple[str, ...]  # of a try: tries that agree in them are counted together
    wrong_passwords: int


OF_BOTH = Limit(("username", "ip_address"), 10)
OF_ADDRESS = Limit(("ip_address",), 30)
OF_NAME = Limit(("username",), 100)


class LockOut(AxesDatabaseHandler):  # type: ignore[misc]  # the package is not typed
    """The limits above on the rows that axes keeps."""

    def is_allowed(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        if counted_name(request, credentials) is None:
            return True
        return bool(super().is_allowed(request, credentials))

    def user_login_failed(
        self,
        sender: Any,
        credentials: dict[str, Any],
        request: HttpRequest | None = None,
        **kw: Any,
    ) -> None:
        if request is not None and counted_name(request, credentials) is not None:
            super().user_login_failed(sender, credentials, request, **kw)

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """1 if a limit is reached, which is AXES_FAILURE_LIMIT; else 0."""
        return int(locked_until(request, credentials) is not None)


def locked_until(request: HttpRequest, credentials: dict[str, Any] | None) -> datetime | None:
    """When the name may be tried again from this address; None if it may be now."""
    now = timezone.now()
    place = {
        "username": counted_name(request, credentials),
        "ip_address": request.axes_ip_address,  # type: ignore[attr-defined]  # axes sets it
    }
    ends = [
        end
        for limit in (OF_BOTH, OF_ADDRESS, OF_NAME)
        if (end := end_of(limit, _tries(place, limit.fields), now))
        and not (limit is OF_NAME and is_known(**place))
    ]
    return max(ends, default=None)


def _tries(place: dict[str, Any], fields: Iterable[str]) -> "QuerySet[Any]":
    tries: QuerySet[Any] = AccessAttempt.objects.filter(**{name: place[name] for name in fields})
    return tries


def end_of(limit: Limit, tries: "QuerySet[Any]", now: datetime) -> datetime | None:
    """When enough of the tries are older than 15 minutes; None if they do not reach the limit."""
    recent = tries.filter(attempt_time__gt=now - settings.AXES_COOLOFF_TIME)
    counts = recent.order_by("-attempt_time").values_list("attempt_time", "failures_since_start")
    total = 0
    for at, failures in counts[: limit.wrong_passwords]:  # each row is at least one
        total += failures
        if total >= limit.wrong_passwords:
            return at + settings.AXES_COOLOFF_TIME  # type: ignore[no-any-return]  # a setting
    return None


def is_known(username: str, ip_address: str) -> bool:
    """Whether somebody of this name has signed in from this address in the last 30 days."""
    since = timezone.now() - KNOWN_FOR
    logs = AccessLog.objects.filter(ip_address=ip_address, attempt_time__gt=since).order_by()
    # They hold names as people have them, of which a database can compare only the plain letters.
    names = logs.values_list("username", flat=True).distinct()
    return any(plain(name) == username for name in names)


def locked_out(
    request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """The page in place of the sign-in page. It names nobody: strangers read it too."""
    now = timezone.now()
    until = locked_until(request, credentials) or now
    minutes = max(1, math.ceil((until - now).total_seconds() / 60))
    context = {"minutes": minutes, "until": now + timedelta(minutes=minutes)}
    locked = render(request, "registration/locked_out.html", context, status=429)
    locked["Retry-After"] = str(minutes * 60)
    return locked


def locked_names() -> list[str]:
    """Names that are locked now, from one address or from all."""
    now = timezone.now()
    recent = AccessAttempt.objects.filter(attempt_time__gt=now - settings.AXES_COOLOFF_TIME)
    pairs = set(recent.order_by().values_list("username", "ip_address"))
    return sorted(
        {
            name
            for name, where in pairs
            if end_of(OF_BOTH, recent.filter(username=name, ip_address=where), now)
            or end_of(OF_NAME, recent.filter(username=name), now)
        }
    )


def unlock(name: str) -> int:
    """Forget the wrong passwords of this name, wherever they came from."""
    deleted: int = AccessAttempt.objects.filter(username=name).delete()[0]
    return deleted
