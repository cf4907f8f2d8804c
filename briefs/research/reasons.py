"""Our words on a failure of Mavera's, with and without the codes that it answered with."""

import re

_CODE = r"Mavera answered (\d{3})(?: \([\w.-]{1,60}\))?"
_CODE_BESIDE = re.compile(rf" \({_CODE}\)|(?<=asked to wait): {_CODE}")
_CODE_ALONE = re.compile(_CODE)
_NO_TIME = re.compile(r"\bfor 0\s+minutes\b")


def without_codes(text: str) -> str:
    """Our words on a failure for who reads a brief; the ledger and the admin keep the codes."""
    text = _CODE_ALONE.sub(_in_words, _CODE_BESIDE.sub("", text))
    return _NO_TIME.sub("since a moment ago", text)


def _in_words(found: re.Match[str]) -> str:
    if found[1] == "429":
        return "Mavera asked to wait"
    return "Mavera failed" if found[1].startswith("5") else "Mavera refused the request"
