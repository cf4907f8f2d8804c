"""Regular expressions that the team types. RE2 reads a text once, so none of them can hang."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

LONGEST = 500  # characters of a pattern
MEMORY = 1 << 20  # bytes for one pattern; a larger one is refused


class BadPattern(ValueError):
    """The text is no pattern, or too large a one. The message is for the person who typed it."""


@dataclass(frozen=True, slots=True)
class Pattern:
    _expression: Any  # the library says nothing of its types

    def is_in(self, text: str) -> bool:
        """Whether it is found anywhere in the text; case does not matter."""
        # As bytes: half a character, which the library would refuse, is then no error.
        return self._expression.search(text.encode("utf-8", "replace")) is not None


@lru_cache(maxsize=256)
def compiled(typed: str) -> Pattern:
    """Raises BadPattern."""
    if len(typed) > LONGEST:
        raise BadPattern(f"A pattern has {LONGEST} characters at most.")
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = MEMORY
    try:
        return Pattern(re2.compile(typed.encode("utf-8", "replace"), options))
    except re2.error as error:
        why = error.args[0] if error.args else ""
        words = why.decode("utf-8", "replace") if isinstance(why, bytes) else str(why)
        raise BadPattern(
            f"“{typed[:60]}” is not a pattern ({words}). Look-ahead, look-behind and references "
            "to what was found before are not possible."
        ) from error
