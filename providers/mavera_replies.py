"""What Mavera's replies say, read with care: any field may be missing or of another type.

Source: https://docs.mavera.io/api-reference/introduction
"""

import logging
import math
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from providers import http, nonanswers

logger = logging.getLogger(__name__)

MAX_ANSWER = 100_000  # characters
# Ten times the highest documented cost of an answer. More is a mistake, such as a count of tokens,
# and would use up the month's budget at once.
MOST_CREDITS = 10 * 75
LONGEST_ADDRESS = 2_000  # characters; a longer one, cut, would lead elsewhere
DEFAULT_RETRY_AFTER = 30.0  # what Mavera's guide assumes where the header is missing
LONGEST_RETRY_AFTER = 3600.0  # a mistake of Mavera must not delay a question for years


class MaveError(Exception):
    """No answer. The message is in words for a person and holds neither key nor question.

    words, code: the message without and beside what Mavera answered: `503 (service_unavailable)`.
    is_permanent: the same request would fail again. is_account_wide: every request would fail.
    is_sent: the request may have reached Mavera. is_outcome_unknown: Mavera may have answered
    and charged it. is_broken_off: Mave may still be working on it.
    credits, thread_id: what it cost and where it was answered, as far as the reply said.
    """

    def __init__(
        self,
        words: str,
        *,
        code: str = "",
        is_permanent: bool = False,
        is_account_wide: bool = False,
        is_sent: bool = True,
        is_outcome_unknown: bool = False,
        retry_after: float | None = None,
        http_status: int | None = None,
        credits: int | None = None,
        thread_id: str = "",
        is_broken_off: bool | None = None,
    ) -> None:
        super().__init__(in_full(words, code))
        self.words = words
        self.code = code
        self.is_permanent = is_permanent
        self.is_account_wide = is_account_wide
        self.is_sent = is_sent
        self.is_outcome_unknown = is_outcome_unknown
        self.retry_after = retry_after
        self.http_status = http_status
        self.credits = credits
        self.thread_id = thread_id
        self.is_broken_off = http_status is None if is_broken_off is None else is_broken_off

    @property
    def is_fault(self) -> bool:
        """Mave failed: neither the question nor the account nor the pace is to blame."""
        return not (self.is_permanent or self.is_account_wide or self.http_status == 429)


def in_full(words: str, code: str | None) -> str:
    """Words on a failure with Mavera's code, if there is one: for the person who looks into it."""
    return f"{words} (Mavera answered {code})" if code else words


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What is left of the requests of this minute, as each answer of Mavera says."""

    remaining: int
    resets_in: float  # seconds


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
        """Questions instead of research. Mavera documents no flag for it."""
        return not self.sources and nonanswers.is_asking_back(self.content)


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """Threads, newest first, as (id, when it was begun), and the query of the next page, if any."""

    threads: list[tuple[str, datetime | None]]
    next: dict[str, str] | None


@dataclass(frozen=True, slots=True)
class Thread:
    """One conversation: what was asked, and the answer once there is one."""

    questions: list[str]
    is_answered: bool  # the answer may be empty
    answer: Answer


@dataclass(frozen=True, slots=True)
class Usage:
    """The account's credits in this billing period; None where the report does not say."""

    used: float | None
    included: float | None
    remaining: float | None
    requests_per_minute: float | None
    has_auto_recharge: bool
    period_start: datetime | None
    period_end: datetime | None


# https://docs.mavera.io/guides/errors: the status decides, then the code; the type never.
_ACCOUNT_WIDE = {
    401: "Mavera refuses the API key",  # the doctor says what to do: few readers could do it
    402: "Mavera's credits are used up, or the subscription has lapsed",
    403: "Mavera denies this key access to the research agent",
}


_BEFORE_TEXT = b"\xef\xbb\xbf \t\r\n"  # a byte order mark, and space

# A code goes into reasons and logs, where a line break would forge a line.
_UNPRINTED = re.compile(r"[^A-Za-z0-9_.-]")


def refusal(reply: http.Reply) -> MaveError:
    error = _dict(_dict(reply.json()).get("error"))
    name = _UNPRINTED.sub("", str(error.get("code") or ""))[:60]
    code = f"{reply.status} ({name})" if name else str(reply.status)
    if reply.status in _ACCOUNT_WIDE:
        words = _ACCOUNT_WIDE[reply.status]
        return MaveError(words, code=code, is_account_wide=True, http_status=reply.status)
    wait = reply.retry_after
    if wait is None and reply.status == 429:
        wait = DEFAULT_RETRY_AFTER
    return MaveError(
        _refused(reply.status),
        code=code,
        is_permanent=400 <= reply.status < 500 and reply.status not in (408, 429),
        retry_after=None if wait is None else min(wait, LONGEST_RETRY_AFTER),
        http_status=reply.status,
    )


def _refused(status: int) -> str:
    if status == 429:
        return "Mavera asked to wait"
    return "Mavera failed" if status >= 500 else "Mavera refused the request"


def answer(reply: http.Reply) -> Answer:
    raw = _dict(reply.json())
    content = raw.get("content")
    if not raw:
        what = (
            "a page instead of JSON"
            if reply.body.lstrip(_BEFORE_TEXT)[:1] == b"<"
            else "broken JSON"
        )
        raise MaveError(f"Mavera answered {what}", is_outcome_unknown=True, http_status=200)
    credits = _credits(_dict(raw.get("usage")))
    if trouble := nonanswers.trouble(content):
        raise MaveError(
            f"Mavera's answer is {trouble}",
            is_outcome_unknown=True,
            http_status=200,
            credits=credits,
            thread_id=_text(raw.get("thread_id")),
        )
    return Answer(
        content=str(content)[:MAX_ANSWER],
        sources=_sources(raw),
        personas_used=_personas(raw),
        validation=_dict(raw.get("validation")),
        thread_id=_text(raw.get("thread_id")),
        credits=credits,
        raw=raw,
    )


def thread_page(reply: http.Reply, asked: dict[str, str]) -> ThreadPage:
    raw = _dict(reply.json())
    items = raw.get("data")
    if not isinstance(items, list):
        raise MaveError("Mavera answered without a list of threads", http_status=reply.status)
    threads = [
        (_text(item["id"]), _moment(item.get("created_at")))
        for item in items
        if isinstance(item, dict) and item.get("id")
    ]
    return ThreadPage(threads, _next_page(raw, len(items), asked))


def _next_page(raw: dict[str, Any], shown: int, asked: dict[str, str]) -> dict[str, str] | None:
    if not raw.get("has_more") or not shown:
        return None
    if cursor := raw.get("next_cursor"):
        return {"cursor": str(cursor)}
    return {"offset": str(int(asked.get("offset", "0")) + shown)}


def thread(reply: http.Reply) -> Thread:
    raw = _dict(reply.json())
    if not isinstance(raw.get("messages"), list):
        raise MaveError("Mavera answered without the thread's messages", http_status=reply.status)
    messages = [message for message in raw["messages"] if isinstance(message, dict)]
    answers = _first_answers(messages)
    content = answers[-1].get("content") if answers else ""
    usable = "" if nonanswers.trouble(content) else str(content)
    return Thread(
        questions=[str(m.get("content") or "") for m in messages if m.get("role") == "user"],
        is_answered=bool(answers),
        answer=Answer(
            content=usable[:MAX_ANSWER].strip(),
            sources=_sources(raw),
            personas_used=_personas(raw),
            validation=_dict(raw.get("validation")),
            thread_id=_text(raw.get("id")),
            credits=_credits(raw),
            raw=raw,
        ),
    )


def _first_answers(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mave's messages before a second question in the same thread."""
    answers: list[dict[str, Any]] = []
    for message in messages:
        if message.get("role") == "assistant":
            answers.append(message)
        elif message.get("role") == "user" and answers:
            break
    return answers


def rate_limit(reply: http.Reply) -> RateLimit | None:
    try:
        remaining = int(reply.headers["x-ratelimit-remaining"])
        resets_at = float(reply.headers["x-ratelimit-reset"])
    except (KeyError, ValueError):
        return None
    if not math.isfinite(resets_at):
        return None
    return RateLimit(remaining, min(max(resets_at - _now_there(reply), 0.0), 60.0))


def _now_there(reply: http.Reply) -> float:
    """Seconds since 1970 by Mavera's clock if the reply says it, because ours may be wrong."""
    try:
        at = parsedate_to_datetime(reply.headers.get("date", ""))
    except (ValueError, OverflowError):
        return time.time()
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def told_at(reply: http.Reply) -> datetime | None:
    """The time by Mavera's clock, if the reply says it."""
    try:
        told = parsedate_to_datetime(reply.headers.get("date", ""))
    except (ValueError, OverflowError):
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def _moment(value: Any) -> datetime | None:
    """ISO 8601 as promised, or Unix seconds as elsewhere in the same API; None for neither."""
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        at = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def usage(reply: http.Reply) -> Usage:
    report = _dict(reply.json())
    credits = _dict(report.get("credits"))
    period = _dict(report.get("billing_period"))
    if not credits:
        words = "Mavera answered without a report on credits"
        raise MaveError(words, http_status=reply.status)
    return Usage(
        used=_number(credits.get("used")),
        included=_number(credits.get("included")),
        remaining=_number(credits.get("remaining")),
        requests_per_minute=_number(_dict(report.get("rate_limit")).get("requests_per_minute")),
        has_auto_recharge=_dict(report.get("auto_recharge")).get("enabled") is True,
        period_start=_moment(period.get("start")),
        period_end=_moment(period.get("end")),
    )


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number else None


def _credits(raw: dict[str, Any]) -> int | None:
    """What the answer cost; None if missing or not credible: then the reserved credits count."""
    credits = _whole(raw.get("credits_used"))
    if credits is not None and credits > MOST_CREDITS:
        logger.warning("Mavera says that one answer cost %.20s credits: not believed", credits)
        return None
    return None if credits is None or credits < 0 else credits


def _whole(value: Any) -> int | None:
    """A whole number, written as 45, 45.0 or "45"."""
    if isinstance(value, str):
        return int(value) if _DIGITS.fullmatch(value.strip()) else None
    number = _number(value)
    if isinstance(number, float):
        return int(number) if number.is_integer() else None
    return number


_DIGITS = re.compile("[0-9]{1,20}")


def _sources(raw: dict[str, Any]) -> list[dict[str, str]]:
    """All sources in their order, because the text cites them by number."""
    return [_source(item) for item in _list(raw.get("sources"))]


def _source(item: Any) -> dict[str, str]:
    given = {"url": item} if isinstance(item, str) else _dict(item)
    source = {key: str(given.get(key) or "")[:1000] for key in ("title", "domain", "snippet")}
    url = str(given.get("url") or "").strip()
    return {**source, "url": url if len(url) <= LONGEST_ADDRESS else ""}


def _personas(raw: dict[str, Any]) -> list[str]:
    return [
        str(item.get("name") or item.get("id") or "")[:200]
        for item in _list(raw.get("personas_used"))
        if isinstance(item, dict)
    ]


def _text(value: Any) -> str:
    return str(value or "")[:200]


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
