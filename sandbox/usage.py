"""Mavera's report on the billing period, in the shape its documentation prints.

Documentation: https://docs.mavera.io/api-reference/usage/get-usage-statistics.
"""

from datetime import datetime, timedelta
from typing import Any

from sandbox.options import Options


def usage_report(
    options: Options, used: int, requests: int, errors: int, *, since: datetime
) -> dict[str, Any]:
    """The report; `used` is in credits. Figures that the sandbox does not have are 0."""
    included = options.credits
    return {
        "object": "usage",
        "billing_period": {
            "start": _instant(since),
            "end": _instant(since + timedelta(days=30)),
        },
        "credits": {
            "used": used,
            "included": included,
            "remaining": max(0, included - used),
            "percentage_used": _percentage(used, included),
        },
        "transcription": _nothing_of(500, "minutes"),
        "storage": _nothing_of(50, "gb"),
        "api_requests": {
            "total_requests": requests,
            "total_tokens": 0,
            "prompt_tokens": 0,
            "completion_tokens": 0,
            "credits_used": used,
            "error_count": errors,
            "avg_latency_ms": round(1000 * (options.latency + options.jitter / 2)),
        },
        "rate_limit": {"requests_per_minute": options.requests_per_minute},
        "auto_recharge": {"enabled": False, "threshold": 0, "credits_to_add": 0},
        "limits": {"budget_alert": None, "usage_limit": None},
    }


def _nothing_of(included: int, unit: str) -> dict[str, int]:
    return {
        f"{unit}_used": 0,
        f"{unit}_included": included,
        f"{unit}_remaining": included,
        "percentage_used": 0,
    }


def _percentage(used: int, included: int) -> float:
    return round(100 * used / included, 1) if included else 100.0


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
