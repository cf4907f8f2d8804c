"""Takes out of a text what may say who somebody is, or be a secret, before it is logged.

Our own lines hold ids alone. This is for the words of errors, which may quote a row or an address.
"""

import re

_RULES = (
    # PostgreSQL quotes the row's values in further lines of its errors.
    (re.compile(r"^(DETAIL|CONTEXT|STATEMENT|LINE \d+):.*(?:\n[ \t].*)*", re.MULTILINE), r"\1: …"),
    (re.compile(r"(\w+://)[^/@\s]+@"), r"\1…@"),  # user and password of an address
    (re.compile(r"\b(Bearer|Token|Basic) [\w.+/=~-]{8,}", re.IGNORECASE), r"\1 …"),
    (re.compile(r"[^\s@<>\"'(),:;\[\]{}]{1,64}@[\w-]+(?:\.[\w-]+)+"), "…@…"),
    (re.compile(r"\+\d[\d \-().]{6,}\d"), "+…"),  # a telephone number
    (re.compile(r"(https?://[^\s?#]*)\?\S*"), r"\1?…"),
)


def scrubbed(text: str) -> str:
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return text
