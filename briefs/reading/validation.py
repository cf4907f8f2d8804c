"""Reads what Mave says of its own answer; keys and scales are not documented: doubt is no figure.

Source: https://docs.mavera.io/features/mave-agent
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from briefs.reading.plain import line

_HIGH = re.compile(r"\b(?:high|severe|critical|extreme)\b(?! ?(?:confidence|certainty))")
_LONGEST_RISK, _LONGEST_CLAIM, _MOST_CLAIMS = 40, 300, 20


@dataclass(frozen=True, slots=True)
class Validation:
    """confidence in per cent; all of it empty where nothing (readable) was given."""

    confidence: int | None
    risk: str
    unsupported_claims: tuple[str, ...]

    @property
    def is_risky(self) -> bool:
        """Whether the risk of made-up claims was rated as high, in whatever words."""
        return bool(_HIGH.search(self.risk))

    @property
    def is_given(self) -> bool:
        return self.confidence is not None or bool(self.risk or self.unsupported_claims)


def read(said: Any) -> Validation:
    """Never raises, whatever shape it came in."""
    said = said if isinstance(said, Mapping) else {}
    risk = said.get("hallucination_risk")
    return Validation(confidence(said), _risk(risk), _claims(said.get("unsupported_claims")))


def confidence(said: Mapping[str, Any]) -> int | None:
    """Per cent, from 0 to 1 or from 0 to 100; None for words and for what is out of range."""
    for key in ("confidence_score", "confidence"):
        value = said.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if math.isfinite(value) and 0 <= value <= 100:
            return round(value * 100 if value <= 1 else value)
    return None


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
