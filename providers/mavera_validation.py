"""Reads what Mave says of its own answer; its keys and scales are not documented.

A value that cannot be read for certain is treated as missing.

Source: https://docs.mavera.io/features/mave-agent
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from providers.plain import line

_HIGH = re.compile(
    r"\b(?:high(?:er|est)?|highly likely|likely|elevated|severe|critical|extreme|serious"
    r"|significant|substantial|considerable)\b(?! ?(?:confidence|certainty))"
)
_NEGATED = re.compile(r"\b(?:not|no|less|without|isn't|isn’t)(?: \w+){0,2} $")
_SHARE = re.compile(r"([0-9]{1,3}(?:[.,][0-9]{1,20})?) ?(%|per ?cent)?", re.I)
_LONGEST_RISK, _LONGEST_CLAIM, _MOST_CLAIMS = 40, 300, 20


@dataclass(frozen=True, slots=True)
class Validation:
    """confidence: in per cent. A field is empty if Mave gave nothing readable for it."""

    confidence: int | None
    risk: str
    unsupported_claims: tuple[str, ...]

    @property
    def is_risky(self) -> bool:
        """Whether the risk of made-up claims was rated as high, in any wording."""
        found = _HIGH.finditer(self.risk)
        return any(not _NEGATED.search(self.risk[: word.start()]) for word in found)

    @property
    def is_given(self) -> bool:
        return self.confidence is not None or bool(self.risk or self.unsupported_claims)


def read(said: Any) -> Validation:
    """Read what Mave said. Never raises, for a value of any type."""
    said = said if isinstance(said, Mapping) else {}
    risk = said.get("hallucination_risk")
    return Validation(confidence(said), _risk(risk), _claims(said.get("unsupported_claims")))


def confidence(said: Mapping[str, Any]) -> int | None:
    """Per cent, from 0 to 1 or from 0 to 100; None for words and for what is out of range."""
    for key in ("confidence_score", "confidence"):
        value = _number(said.get(key))
        if value is not None and 0 <= value <= 100:  # also refuses NaN and infinity
            return round(value * 100 if value <= 1 else value)
    return None


def _number(value: Any) -> float | None:
    """Read 0.87, "0.87" or "87 %" as 0.87."""
    if isinstance(value, str):
        found = _SHARE.fullmatch(value.strip())
        if found is None:
            return None
        number = float(found[1].replace(",", "."))
        return number / 100 if found[2] else number
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number else None


def _risk(value: Any) -> str:
    return line(value, _LONGEST_RISK).lower() if isinstance(value, str) else ""


def _claims(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    words = [_claim(item) for item in items[:_MOST_CLAIMS]]
    return tuple(line(claim, _LONGEST_CLAIM) for claim in words if claim)


def _claim(item: Any) -> str:
    if isinstance(item, Mapping):
        item = item.get("claim") or item.get("text") or ""
    return item.strip() if isinstance(item, str) else ""
