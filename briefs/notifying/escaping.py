"""What others wrote, as plain text in every chat and mail: no link, no mention, no formatting.

`quiet` and `prose` are for each piece that a message quotes, before it is made. `as_text` is for
the whole message on its way to one service: only there is it known what the service formats.
"""

import re
import unicodedata

# Without a sign that programs look for, nothing becomes a link; people see the same as before.
_JOINER = "\N{WORD JOINER}"
_SCHEME = re.compile(r":(?=//)")
_MENTION = re.compile(r"@(?=\S)")
_DOMAIN = re.compile(r"(?<=[^\W_])\.(?=[^\W\d_]{2})")  # acme.io; not 4.50 and not "end. Next"

# These format Markdown although apprise is told that our text is plain.
MARKDOWN = ("discord", "mmosts", "workflows")
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#|~<>&])|^([-+=]|\d+(?=[.)]))", re.MULTILINE)
_OUR_LINK = re.compile(r"(https?://\S+)")  # all others have a joiner in them


def quiet(text: str, *, longest: int = 80) -> str:
    """One short line without signs that are not seen, and without links and mentions."""
    return _DOMAIN.sub(f".{_JOINER}", prose(text, longest=longest))


def prose(text: str, *, longest: int = 2000, keeps_links: bool = False) -> str:
    """The same for our own and the team's sentences: commands such as manage.py can be copied."""
    shown = "".join(" " if _is_unseen(sign) or sign in "<>" else sign for sign in text)
    line = " ".join(shown.split())[:longest].rstrip()
    if not keeps_links:
        line = _SCHEME.sub(f":{_JOINER}", line)
    return _MENTION.sub(f"@{_JOINER}", line)


def _is_unseen(sign: str) -> bool:
    """Controls, line ends, and signs of no width, such as those that turn the direction."""
    return unicodedata.category(sign) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")


def as_text(scheme: str, text: str) -> str:
    """The text in the form in which this service shows it as it is; our own links stay links."""
    if scheme not in MARKDOWN:
        return text
    parts = _OUR_LINK.split(text)
    parts[::2] = [_SPECIAL.sub(_escaped, part) for part in parts[::2]]
    if scheme == "workflows":  # Teams makes no link of a bare address in a card
        parts[1::2] = [f"[{link}]({link})" for link in parts[1::2]]
    return "".join(parts)


def _escaped(match: re.Match[str]) -> str:
    sign, beginning = match.groups()
    if beginning and beginning[0].isdigit():
        return f"{beginning}\\"  # "1." would be a list: "1\."
    return f"\\{sign or beginning}"
