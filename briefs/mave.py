"""Mavera's research agent Mave: one question in, one researched answer out.

Source: https://docs.mavera.io/api-reference/mave/send-message-to-mave
"""

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from personas import http

DEADLINE_SECONDS = 180.0  # for a whole call; answers are said to take 30 to 90 seconds
USAGE_SECONDS = 10.0  # for reading the balance
MAX_ANSWER = 100_000  # characters
MAX_CREDITS = 2**31 - 1  # what the ledger's column takes
DEFAULT_RETRY_AFTER = 30.0  # what Mavera's guide assumes where the header is missing
LONGEST_RETRY_AFTER = 3600.0  # no slip of theirs may put a question off for years


class MaveError(Exception):
    """No answer. The message is in words for a person and holds neither key nor question.

    is_permanent: the same request would fail again. is_account_wide: so would every other.
    is_sent: it reached Mavera. is_outcome_unknown: it may have been carried out and charged.
    """

    def __init__(
        self,
        message: str,
        *,
        is_permanent: bool = False,
        is_account_wide: bool = False,
        is_sent: bool = True,
        is_outcome_unknown: bool = False,
        retry_after: float | None = None,
        http_status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.is_permanent = is_permanent
        self.is_account_wide = is_account_wide
        self.is_sent = is_sent
        self.is_outcome_unknown = is_outcome_unknown
        self.retry_after = retry_after
        self.http_status = http_status


@dataclass(frozen=True, slots=True)
class Answer:
    """What Mave found. Only `content` is certain to be there."""

    content: str
    sources: list[dict[str, str]]
    personas_used: list[str]
    validation: dict[str, Any]
    thread_id: str
    credits: int | None
    raw: dict[str, Any] = field(repr=False)

    @property
    def is_asking_back(self) -> bool:
        """Questions instead of research: no sources, none of the sections that were asked for.

        Mavera documents no flag for it, so this is how it is told.
        """
        return not self.sources and "## " not in self.content and "?" in self.content


@dataclass(frozen=True, slots=True)
class Usage:
    """The account's credits in this billing period; None where the report does not say."""

    used: float | None
    included: float | None
    remaining: float | None
    requests_per_minute: float | None
    has_auto_recharge: bool


class Mave:
    """A client with the key and address of the settings."""

    def __init__(self) -> None:
        self._base_url = settings.MAVERA_BASE_URL
        self._key = settings.MAVERA_API_KEY
        self._workspace_id = settings.MAVERA_WORKSPACE_ID

    @property
    def is_configured(self) -> bool:
        return bool(self._key)

    def chat(self, message: str) -> Answer:
        """POST /mave/chat: ask and wait for the answer. Costs 10 to 75 credits.

        Raises MaveError. There is no way to make a repeated request free, so one whose outcome
        is unknown must be looked for before it is sent again.
        https://docs.mavera.io/api-reference/mave/send-message-to-mave
        """
        body = {"message": message}
        if self._workspace_id:
            body["workspace_id"] = self._workspace_id
        try:
            reply = http.send(
                "POST",
                f"{self._base_url}/mave/chat",
                seconds=DEADLINE_SECONDS,
                headers={"Authorization": f"Bearer {self._key}"},
                json=body,
            )
        except http.NotSent as error:
            raise MaveError(f"Mavera cannot be reached: {error}", is_sent=False) from error
        except http.NoAnswer as error:
            raise MaveError(f"Mavera did not answer: {error}", is_outcome_unknown=True) from error
        if not reply.is_success:
            raise _refusal(reply)
        return _answer(reply)

    def usage(self) -> Usage:
        """GET /usage: the credits that are left. Costs none, as far as is known.

        Raises MaveError.
        https://docs.mavera.io/api-reference/usage/get-usage-statistics
        """
        try:
            reply = http.send(
                "GET",
                f"{self._base_url}/usage",
                seconds=USAGE_SECONDS,
                headers={"Authorization": f"Bearer {self._key}"},
            )
        except http.NotSent as error:
            raise MaveError(f"Mavera cannot be reached: {error}", is_sent=False) from error
        except http.NoAnswer as error:
            raise MaveError(f"Mavera did not answer: {error}") from error
        if not reply.is_success:
            raise _refusal(reply)
        return _usage(reply)


# https://docs.mavera.io/guides/errors: the status decides, then the code; the type never.
_ACCOUNT_WIDE = {
    401: "Mavera refuses the API key: check MAVERA_API_KEY",
    402: "Mavera's credits are used up, or the subscription has lapsed",
    403: "Mavera denies this key access to the research agent",
}


def _refusal(reply: http.Reply) -> MaveError:
    error = _dict(_dict(reply.json()).get("error"))
    code = str(error.get("code") or "")[:60]
    words = f"Mavera answered {reply.status}" + (f" ({code})" if code else "")
    if reply.status in _ACCOUNT_WIDE:
        words = f"{_ACCOUNT_WIDE[reply.status]} ({words})"
        return MaveError(words, is_account_wide=True, http_status=reply.status)
    wait = reply.retry_after
    if wait is None and reply.status == 429:
        wait = DEFAULT_RETRY_AFTER
    return MaveError(
        words,
        is_permanent=400 <= reply.status < 500 and reply.status not in (408, 429),
        retry_after=None if wait is None else min(wait, LONGEST_RETRY_AFTER),
        http_status=reply.status,
    )


def _answer(reply: http.Reply) -> Answer:
    raw = _dict(reply.json())
    content = raw.get("content")
    if not raw:
        what = "a page instead of JSON" if reply.body.lstrip()[:1] == b"<" else "broken JSON"
        raise MaveError(f"Mavera answered {what}", is_outcome_unknown=True, http_status=200)
    if not isinstance(content, str) or not content.strip():
        raise MaveError("Mavera's answer is empty", is_outcome_unknown=True, http_status=200)
    credits = _dict(raw.get("usage")).get("credits_used")
    return Answer(
        content=content[:MAX_ANSWER],
        sources=[_source(item) for item in _list(raw.get("sources")) if isinstance(item, dict)],
        personas_used=[
            str(item.get("name") or item.get("id") or "")[:200]
            for item in _list(raw.get("personas_used"))
            if isinstance(item, dict)
        ],
        validation=_dict(raw.get("validation")),
        thread_id=str(raw.get("thread_id") or "")[:200],
        credits=credits if isinstance(credits, int) and 0 <= credits <= MAX_CREDITS else None,
        raw=raw,
    )


def _usage(reply: http.Reply) -> Usage:
    report = _dict(reply.json())
    credits = _dict(report.get("credits"))
    if not credits:
        words = "Mavera answered without a report on credits"
        raise MaveError(words, http_status=reply.status)
    return Usage(
        used=_number(credits.get("used")),
        included=_number(credits.get("included")),
        remaining=_number(credits.get("remaining")),
        requests_per_minute=_number(_dict(report.get("rate_limit")).get("requests_per_minute")),
        has_auto_recharge=_dict(report.get("auto_recharge")).get("enabled") is True,
    )


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number else None


def _source(item: dict[str, Any]) -> dict[str, str]:
    return {key: str(item.get(key) or "")[:1000] for key in ("title", "url", "domain", "snippet")}


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
