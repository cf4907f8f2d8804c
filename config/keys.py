"""Which secrets are none: placeholders, words from public texts, and what can be guessed.

The length of Customer.io's signing keys is not documented. The limit for them is low enough that
no key that a program made is below it: a real key that is refused would stop the feed.
"""

import re
from collections.abc import Iterable

SHORTEST_SIGNING_KEY = 12
SHORTEST_SECRET_KEY = 16  # the doctor warns below 50
FEWEST_CHARACTERS = 5  # different ones: "aaaaaaaaaaaaaaaa" is long, and no secret

# In lower case and without signs. Those of this project's own documents and demo are among them.
_PLACEHOLDERS = {
    "notyet", "changeme", "changethis", "replaceme", "fillmein", "secret", "mysecret", "thesecret",
    "secretkey", "mysecretkey", "djangosecretkey", "webhooksecret", "ciowebhooksecret",
    "apikey", "signingkey", "signingsecret", "mysigningkey", "demosigningkey", "benchmarksecret",
    "placeholder", "example", "sample", "dummy", "fake", "default", "test", "testing",
    "development", "onlyfordevelopment", "insecure", "password", "passphrase", "longandrandom",
    "alongrandomstring", "longrandomstring", "todo", "tbd", "none", "null", "undefined", "unknown",
    "foobar", "oldkey", "newkey", "new", "old",
}  # fmt: skip
_BEGINNINGS = (
    r"(?:your|example|placeholder|insert|replace|change|not[-_ .]?yet|paste|put|enter"
    r"|django-insecure)[-_ .]"
)


def why_no_key(text: str, shortest: int) -> str:
    """Why this protects nothing, in words that hold nothing of it; empty if it may be used."""
    plain = re.sub(r"[\W_]+", "", text.lower())
    is_framed = text[0] + text[-1] in ("<>", "{}", "[]")
    word = plain.rstrip("0123456789") or plain  # changeme123456 is as well known as changeme
    if word in _PLACEHOLDERS or is_framed or re.match(_BEGINNINGS, text.lower()):
        return "is a placeholder"
    if not plain.strip("x"):
        return "is a placeholder"  # xxx, …, ***
    if len(text) < shortest:
        return f"has fewer than {shortest} characters"
    if len(set(text)) < FEWEST_CHARACTERS:
        return f"has fewer than {FEWEST_CHARACTERS} different characters"
    return ""


def refused(texts: Iterable[str], shortest: int) -> list[str]:
    """Which of these protect nothing and why, by their place in the list."""
    reasons = ((place, why_no_key(text, shortest)) for place, text in enumerate(texts, 1))
    return [f"number {place} {why}" for place, why in reasons if why]
