"""Finds where a text names a closed channel, without words that clearly advise to use it.

What the rules of `advice` do not know (“Keep the newsletter light”) may still be meant as advice; a
quiet mark states the fact, and the reader judges. It stays away from what is no plan for this
customer: the past, the channel's being closed, our own systems, other people, consent, invoices.
"""

import re
from collections.abc import Iterable

from briefs.reading import phrases
from briefs.reading.channels import Closed

_SENTENCES = re.compile(r"(?<=[.!?;]) +")
_EXISTING = (  # “the e-mail” is one that was sent
    r"(?:the|their|his|her|its|this|that|those|these|any|every|each|all|last|latest|recent|previous"
    r"|which|whether|what|why|how|about|from|no|of|product|unsubscribe|complaint|as)"
)
_OURS = re.compile(
    r"\b(?:suppress\w*|authenticat\w*|deliverab\w*|consent\w*|permission\w*|preferences?|topics?"
    r"|opt(?:s|ed|ing)?[- ](?:in|out|back)\w*|opt-?outs?|unsubscri\w*|subscri(?:bed|ption)\w*"
    r"|spf|dkim|dmarc|address\w*|audit\w*|check|review|verify|log|record|report|dashboard|policy"
    r"|ticket|crm|metrics?|rates?|volume|frequency cap|history|data|complain\w*|bounc\w*|fatigue"
    r"|choose|choice|prefers?|ask (?:how|who|whether|which|them how)|internal\w*|expect|team)\b"
)
_CLOSED = re.compile(
    r"\b(?:closed|off|blocked|unavailable|forbidden|unreachable|ruled out|no longer|out of reach"
    r"|opted[- ]out|opt-?outs?|unsubscribed|turned off|switched off|suppressed|gone|off-limits)\b"
)
_AGAINST = re.compile(
    r"\b(?:not|never|no|nothing|none|nor|neither|avoid\w*|without|instead of|rather than|other than"
    r"|apart from|stop\w*|refrain\w*|ceas\w+|paus\w+|cancel\w*|halt\w*|forbid\w*|unlawful|illegal"
    r"|remov\w+|exclud\w+|skip|unless|mistake|withdraw\w*|ban|disable|against|cannot|hold back"
    r"|harm\w*|annoy\w*|replaces?|replacing|ignored?|hold off|away from|better than|normally"
    r"|ordinarily|usually|would (?:be|breach|violate|make))\b|n't\b"
)
_TOLD = re.compile(  # the past, and what others do
    r"\b(?:was|were|had|has|have|did|sent|received|receives?|came|got|caused|led|triggered|drove"
    r"|reads?|opened|wrote|answered|stopped|reported|began|fell|rose|showed|arrived|went|kept"
    r"|(?:they|he|she|it|who|customers?|users?|people|competitors|companies) (?!should|must"
    r"|need)\w+)\b"
)
_HARMLESS = re.compile(
    r"\b(?:not only|not just|(?:do not|don't) (?:just|only|wait|forget|hesitate)\b|no later than"
    r"|not later than|without delay|one-off|fire off|off-peak)"
    r"|(?:replac\w+|swap|move|switch)\b[^.;]{1,50}? (?:by|with|to|for) "
)
_BARE = {
    "email": r"e-?mail(?:s|ed|ing)?|newsletters?",
    "sms": r"sms|texting|text messag\w+",
    "push": r"push (?:notifications?|messag\w+|alerts?|reminders?)",
    "in_app": r"in-?app (?:messag\w+|notifications?|prompts?|banners?|surveys?|pop-?ups?)",
}
_NAMED = {
    key: re.compile(rf"(?:\b({_EXISTING}) (?:[\w'-]+ )?)?\b(?:{bare})\b{phrases.NO_OTHER_THING}")
    for key, bare in _BARE.items()
}
# Sections on what is, or on how to measure; a plan may have any other heading.
_BACKGROUND = re.compile(
    r"\b(?:going on|why|reasons?|background|context|causes?|happened|analysis|summary|evidence"
    r"|sources|worked|success|measur\w*|metrics|kpis?|signals?|what we know|who they are)\b"
)
_EXEMPT = (_OURS, phrases.CONSENTED, phrases.TO_OTHERS, phrases.INSIDE, phrases.TRANSACTIONAL)


def mentioned(plain: str, closed: Iterable[Closed], *, heading: str) -> list[Closed]:
    """In plain, a block in lower case without marks of Markdown; each channel once at most."""
    if _BACKGROUND.search(heading) or _CLOSED.search(plain.replace("one-off", "")):
        return []
    return [c for c in closed if any(_mentions(s, c.key) for s in _SENTENCES.split(plain))]


def _mentions(sentence: str, key: str) -> bool:
    said = _HARMLESS.sub(" ", sentence)
    if not any(found[1] is None for found in _NAMED[key].finditer(said)):
        return False
    if any(words.search(said) for words in (_AGAINST, _TOLD, *_EXEMPT)):
        return False
    return not phrases.DESCRIBING.match(said) or bool(phrases.DUTY.search(said))
