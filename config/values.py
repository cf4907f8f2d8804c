"""The kinds of values that a variable may have. What is none of its kind is refused in words.

Each function takes the text of a variable, which is empty if it is not set. The words follow the
variable's name, say how to write it, and repeat nothing that may be a secret.
"""

import re
from collections.abc import Callable

ON = ("1", "true", "yes", "on", "y", "ok")
OFF = ("0", "false", "no", "off", "n")
HOST = r"\[[\da-f:.]+\]|[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?"
ADDRESS = r"[^@\s<>]+@[^@\s<>]+"


class Wrong(ValueError):
    """The text is no value of its kind; the words say what it must be."""


def words(text: str) -> list[str]:
    """What stands between commas, without the space around it."""
    return [word.strip() for word in text.split(",") if word.strip()]


def flag(text: str) -> bool:
    if text.lower() in ON:
        return True
    if text.lower() in OFF:
        return False
    raise Wrong(f"is {text!r}; it must be 1 (on) or 0 (off).")


def number(*, least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        # int() also takes underscores, signs and the digits of other scripts.
        if re.fullmatch("[0-9]{1,18}", text) and least <= int(text) <= most:
            return int(text)
        raise Wrong(f"is {text!r}; it must be a whole number from {least} to {most}.")

    return read


def one_of(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() in choices:
            return text.lower()
        raise Wrong(f"is {text!r}; it must be {' or '.join(choices)}.")

    return read


def key(text: str) -> str:
    """A key that travels in a header, and so can hold neither spaces nor other scripts."""
    if not re.fullmatch("[!-~]*", text):
        raise Wrong("holds a space, a line break or a sign that no key has. Copy the key again.")
    return text


def hosts(text: str) -> list[str]:
    """Host names as Django's ALLOWED_HOSTS takes them."""
    found = words(text)
    for place, host in enumerate(found, 1):
        if host != "*" and not re.fullmatch(HOST, host.removeprefix("."), re.IGNORECASE):
            raise Wrong(
                f"takes host names alone, and {host!r} (number {place}) is none. "
                f"{_cure_of_host(host)}"
            )
    return found


def _cure_of_host(host: str) -> str:
    if host.startswith("*."):
        return f"For all names below a domain write {host[1:]}"
    bare = re.sub(r"^[a-z][a-z+.-]*://|[/?#].*$", "", host, flags=re.IGNORECASE)
    bare = bare.rpartition("@")[2]
    if bare.count(":") > 1 and "[" not in bare:  # an IPv6 address
        bare = f"[{bare}]"
    bare = re.sub(r"(?<=[^:]):\d*$", "", bare)
    if re.fullmatch(HOST, bare, re.IGNORECASE):
        return f"Write {bare}"
    return "Write it like desk.example.com, with commas between several."


def sender(text: str) -> str:
    """From whom a mail comes: an address, with or without a name."""
    if not re.fullmatch(rf"{ADDRESS}|[^<>]*<{ADDRESS}>", text) or not text.isprintable():
        raise Wrong("is no mail address. Write it like savedesk@example.com.")
    return text
