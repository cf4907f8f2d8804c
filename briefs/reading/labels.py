"""Headings, and leads of lists, that say of what follows that it is not to be done.

Only the label itself counts: “What to avoid”, “Never:”, “Common mistakes”. One that merely contains
such a word (“How to avoid losing them”, “Never wait longer than a day:”) forbids nothing.
"""

import re

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


def forbids(plain: str) -> bool:
    """plain: the label in lower case, without marks of Markdown."""
    label = _SENTENCE_END.split(plain[-2 * _LONGEST :].strip())[-1]
    beside = _BRACKETS.findall(label)
    named = re.split(r":| / ", _EDGES.sub("", _BRACKETS.sub(" ", label)))[0]
    return any(map(_is_forbidding, (" ".join(named.split()), *beside)))


def _is_forbidding(label: str) -> bool:
    label = _EDGES.sub("", label)
    is_forbidding = len(label) <= _LONGEST and _LABEL.fullmatch(label) is not None
    return is_forbidding and not _BOTH.search(label)
