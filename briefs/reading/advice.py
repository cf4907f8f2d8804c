"""Finds the words that name a closed channel, and the headings that forbid the text below them.

A word that names a channel is found in every sentence, also in one that advises against the
channel. Rules that told such sentences apart were tried, and they missed most of them.
"""

import re
from collections.abc import Collection

_DASH = "[-‐‑‒–—−]"
_MESSAGE = (
    r"(?:messag|notif|prompt|banner|survey|offer|card|modal|nudge|guide|tour|announce|alert"
    r"|reminder|campaign|note|tip|pop-?up)[a-z]*"
)
# What each channel is called, by its key. “Text” and “push” mean other things as well.
_WORDS = {
    "email": rf"e(?:{_DASH}|\s)?mail[a-z]*|(?:e-?)?newsletters?",
    # Not “the text of the banner”, nor “plain text”.
    "sms": r"SMS(?:es)?|MMS|text[- ]?messag[a-z]*|text(?:s|ing|ed)"
    r"|(?<!the )(?<!plain[- ])text(?!-| (?:of|about|on|for|in|field|box)\b)",
    "whatsapp": r"whats-?app(?: messag[a-z]*)?",
    # Not “push for a decision”, nor “do not push”. \A and \Z: a cell of a table.
    "push": rf"push[- ]?{_MESSAGE}|push-notify|\Apush\Z"
    r"|(?<!not )(?<!n't )(?<!to )push(?= ?[,.:;/+&()]| (?:and|or) (?:SMS|text|e-?mail|in-app)|\Z)"
    r"|(?:(?<=by )|(?<=via )|(?<=use )|(?<=using )|(?<=mobile )|(?<=web )|(?<=browser ))push(?!-)",
    # Not “in-app usage”.
    "in_app": rf"in{_DASH}?app(?: {_MESSAGE})?"
    r"(?! (?:usage|activit|analytic|behavio|data|event|metric|purchase|feature))",
}
# A word inside an address names no channel. An address with its scheme is skipped as a whole; other
# addresses are recognised by what follows the word: “email.example”.
_NAMED = re.compile(
    rf"\b(?:https?://\S+|{'|'.join(f'(?P<{key}>{words})' for key, words in _WORDS.items())})\b"
    r"(?!@|\.(?-i:[a-z]))",
    re.I,
)


def named(text: str, keys: Collection[str]) -> list[re.Match[str]]:
    """The words of the text that name one of these channels; lastgroup is the channel's key."""
    return [found for found in _NAMED.finditer(text) if found.lastgroup in keys]


# A heading forbids only if all of it is a label such as “What to avoid”, “Never:”, “Red lines”.
_WHAT = (
    r"(?:what|things?|actions?|steps?|words?|channels?|tactics?|phrases?|approach(?:es)?|habits?"
    r"|mistakes?|pitfalls?|traps?|errors?|moves?|messages?|topics?|everything|anything)"
)
_DOING = r"(?:doing|using|sending|saying|contacting|writing|reaching|promising|offering)"
_DO = (
    r"(?:do|use|send|contact|say|try|reach|write|offer|mention|attempt|make|repeat|ask|resort"
    r"|rely|promise|message|e-?mail|text)"
)
_WHERE = (
    r"(?: (?:in|during|with|when|at|for|on|over|until|while|here|now|after|before|right|next|by"
    r"|again|and why)\b[^,]*)?"
)
_FORBIDDING = (
    rf"avoid(?: (?:this|these|that|those|it|them|the following|any|all of|such|if possible|common"
    rf"|{_DOING})\b[^,]*)?",
    rf"{_WHAT}(?: [\w']+){{0,3}}? avoid(?: {_DOING})?",
    r"(?:to be avoided|to avoid|not to do|not recommended|not advised|out of bounds)",
    rf"{_WHAT} (?:not to|never to|(?:\w+ )?(?:should|must|shall|may|can)(?: not|n't| never))"
    rf"(?: {_DO}\b[^,]*)?",
    rf"(?:do not|don't|never)(?: ever)?(?: {_DO}\b[^,]*)?",
    r"(?:(?!from\b|our\b|their\b|no\b)[\w-]+ ){0,2}(?:mistakes?|pitfalls?|anti-?patterns?"
    r"|traps?|no-?gos?|don'?ts|do nots|red lines?|taboos?|off[- ]limits|forbidden)"
    r"(?: to (?:avoid|watch (?:out )?for))?",
    rf"stop(?: {_DOING}[^,]*)?",
    r"(?:closed|blocked|forbidden|off-limits) channels?",
    r"what (?:\w+ )?(?:backfires?|(?:makes?|make) (?:it|things) worse|hurts?|harms?)",
)
_LABEL = re.compile(
    rf"(?:[^,]*, )?(?:(?:please|also|and|or|so|always|rather|\w+ly|the) ){{0,3}}"
    rf"(?:{'|'.join(_FORBIDDING)}){_WHERE}"
)
_BOTH = re.compile(r"\bdo'?s\b")  # “Dos and don'ts” lists both
_SENTENCE_END = re.compile(r"(?<=[.!?]) ")
_BRACKETS = re.compile(r"\(([^()]{0,80})\)")
_EDGES = re.compile(r"^[^a-z]+|[^a-z]+$")  # a number, a sign, a colon
_LONGEST = 120


def forbids(heading: str) -> bool:
    """Whether the text below this heading, or this lead of a list, says what not to do.

    A heading that only contains such a word (“How to avoid losing them”, “Never wait longer than a
    day:”) forbids nothing.
    """
    plain = heading.lower().replace("’", "'")
    label = _SENTENCE_END.split(plain[-2 * _LONGEST :].strip())[-1]
    beside = _BRACKETS.findall(label)
    words = re.split(r":| / ", _EDGES.sub("", _BRACKETS.sub(" ", label)))[0]
    return any(map(_is_forbidding, (" ".join(words.split()), *beside)))


def _is_forbidding(label: str) -> bool:
    label = _EDGES.sub("", label)
    is_forbidding = len(label) <= _LONGEST and _LABEL.fullmatch(label) is not None
    return is_forbidding and not _BOTH.search(label)
