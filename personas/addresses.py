"""E-mail addresses in what the team types: no personal data may go into a question to Mave."""

import re
import unicodedata

_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*")


def found(text: str) -> list[str]:
    """What looks like an address, also where invisible or full-width signs disguise it."""
    plain = unicodedata.normalize("NFKC", text)
    if "@" not in plain:
        return []
    return _ADDRESS.findall("".join(sign for sign in plain if unicodedata.category(sign) != "Cf"))


def refusals(text: str) -> list[str]:
    """Why the text may not be part of a question, a sentence for each address."""
    return [
        f"“{address[:60]}” looks like an e-mail address. No personal data is sent to Mave: "
        "take it out."
        for address in found(text)
    ]


def without(text: str) -> str:
    """The text, or nothing of it if it holds an address: a name may well stand beside that."""
    return "" if found(text) else text
