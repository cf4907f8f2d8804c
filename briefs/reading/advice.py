"""Finds advice to use a channel that this customer closed, in text that somebody else wrote.

Plain rules over English sentences, on the cautious side: a mark at the wrong place costs the trust
in all of them. A clause is advice if it tells somebody to write over the channel (“send an
e-mail”, “text them”, “By SMS:”), nothing before it forbids that, and it is not about a third
person, a transactional message or a condition of consent. Headings and lists may forbid as well.

What these rules do not know, but names a closed channel as if it were open, is for `mentions`.

Not seen: other languages; advice that names no channel (“write to them”, “launch a campaign”);
sarcasm; a sentence that forbids what the one before it advised.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from briefs.reading import labels, mentions, phrases
from briefs.reading.channels import Closed

_LONGEST = 600  # characters of a clause that are read at once
_OVERLAP = 120  # so that no advice is cut in two
_CLAUSES = re.compile(
    rf"(?<=[.!?]) +|; *|(?<=:) (?!{phrases.SHUT})"
    r"|,? \bbut\b |,? \bthen\b |, \binstead,? | [–—] ?"
)
_MARKS = re.compile(r"[*_`“”\"«»>#]+")
_TAGS = re.compile(r"</?[a-z]{1,10} ?/?>", re.I)
_DASHES = re.compile(r"\be ?[–—−] ?mail", re.I)
_SPACES = re.compile(r"\s+")
_LETTERS = str.maketrans({"’": "'", "‘": "'", "‑": "-", "‐": "-", "\u00a0": " "})


def forbids(heading: str) -> bool:
    """Whether what stands below this heading, or this lead of a list, is what not to do."""
    return labels.forbids(_plain(heading))


def advised(text: str, closed: Iterable[Closed], *, heading: str = "") -> list[Closed]:
    """Which of these channels a paragraph or list item tells somebody to use."""
    plain = _plain(text)
    is_advising = not heading or bool(phrases.ADVISING_HEADING.search(_plain(heading)))
    return [channel for channel in closed if _advises(plain, channel, is_advising)]


def mentioned(text: str, closed: Iterable[Closed], *, heading: str = "") -> list[Closed]:
    """Which of these channels a block names as if they were open, without clearly advising them."""
    return mentions.mentioned(_plain(text), closed, heading=_plain(heading))


def named(words: str, closed: Iterable[Closed]) -> list[Closed]:
    """Which of these channels a table's cell is no more than the name of: “SMS”, “Push / SMS”."""
    plain = phrases.IN_BRACKETS.sub("", _plain(words)) if len(words) <= _LONGEST else ""
    names = [name.strip(" .:") for name in phrases.BETWEEN_NAMES.split(plain)]
    found = [c for c in closed if any(phrases.NAMES[c.key].fullmatch(name) for name in names)]
    is_all_names = all(any(p.fullmatch(name) for p in phrases.ANY_NAME) for name in names)
    return found if is_all_names else []


def speaks_against(words: str) -> bool:
    """Whether a cell says that what stands beside it is not to be used."""
    plain = _plain(words)
    return labels.forbids(plain) or bool(phrases.FORBIDDING.search(plain))


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).translate(_LETTERS)
    text = _MARKS.sub("", _TAGS.sub(" ", _DASHES.sub("e-mail", text)))
    return _SPACES.sub(" ", text).strip().lower()


def _advises(plain: str, channel: Closed, is_advising: bool) -> bool:
    if not phrases.ANY_FORM[channel.key].search(plain):
        return False
    if _is_draft(plain, channel) or _is_step(plain, channel):
        return True
    clauses = list(_clauses(plain))
    is_item = is_advising and any(_names_message(clause, channel) for clause in clauses)
    return is_item or any(_is_advice(clause, channel) for clause in clauses)


def _names_message(clause: str, channel: Closed) -> bool:
    """Whether a list item, or what follows a colon, names no more than the message to be sent."""
    is_named = bool(phrases.item(channel.key).search(clause[:200]))
    return is_named and not _is_exempt(clause, channel) and not phrases.STRUCK_OUT.search(clause)


def _clauses(plain: str) -> Iterator[str]:
    """The sentences in parts, each on its own; a short label that forbids goes before its part."""
    label = ""
    for part in _CLAUSES.split(plain):
        if part.endswith(":") and len(part) < 40 and labels.forbids(part):
            label = part.replace(":", " ")
            continue
        yield from _pieces((label + part).strip())
        label = label if part.endswith((",", ";")) else ""


def _pieces(clause: str) -> Iterator[str]:
    """A clause as a whole, if it is not longer than anybody can follow."""
    start = 0
    while len(clause) - start > _LONGEST:
        end = clause.rfind(" ", start, start + _LONGEST)
        end = end if end > start + _LONGEST - _OVERLAP else start + _LONGEST
        yield clause[start:end]
        start = clause.find(" ", end - _OVERLAP, end) + 1 or end - _OVERLAP
    yield clause[start:]


def _is_draft(plain: str, channel: Closed) -> bool:
    """Whether the text is itself a message that only this channel can carry."""
    if phrases.draft(channel.key).search(plain):
        return True
    return channel.key == "email" and bool(
        re.search(r"(?:^|\b(?:write|send): ?)subject(?: line)? ?:", plain)
        or re.search(r"\b(?:reply|respond|answer) (?:directly )?to this e-?mail\b", plain)
    )


def _is_step(plain: str, channel: Closed) -> bool:
    found = phrases.step(channel.key).search(plain)
    return found is not None and not _is_exempt(found.group(), channel)


def _is_advice(clause: str, channel: Closed) -> bool:
    return any(
        _stands(clause, found, channel)
        for pattern in phrases.patterns(channel.key)
        for found in pattern.finditer(clause)
    )


def _stands(clause: str, found: re.Match[str], channel: Closed) -> bool:
    """Whether what was found is meant as advice, for this customer."""
    told, after = clause[: found.end()], clause[found.end() :]
    if _is_exempt(clause, channel) or phrases.STRUCK_OUT.search(after):
        return False
    said = phrases.HARMLESS.sub(" ", told)
    if phrases.FORBIDDING.search(said) and not _is_instead(said, after):
        return False
    return not _is_description(clause, told, told[: found.start() + _lead_length(found)])


def _is_description(clause: str, told: str, opening: str) -> bool:
    """Whether it tells what somebody does or did. opening: all of `told` before the verb."""
    if phrases.THEY_CAN.search(opening) or phrases.DEFINITE.search(told):
        return True
    is_of_others = bool(phrases.DESCRIBING.match(clause)) and not phrases.DUTY.search(told)
    return is_of_others and not phrases.AFTER_CONDITION.match(opening)


def _lead_length(found: re.Match[str]) -> int:
    """Characters of the comma or the “can ” with which a match begins, before its verb."""
    lead = re.match(r"(?:[,(] ?|(?:can|could|may|might|will) )?", found.group())
    return lead.end() if lead else 0


def _is_instead(said: str, after: str) -> bool:
    """“Do not call, e-mail them instead”: what is forbidden is the other thing."""
    return bool(
        re.match(r"[^.;]{0,60}\binstead\b(?! of)", after)
        and not re.search(r"(?:not|never|don't|avoid) (?:\w+ )?(?:e-?mail|text|send\w*)\b", said)
    )


def _is_exempt(clause: str, channel: Closed) -> bool:
    """Whether it asks for consent, is meant for somebody else, or is no marketing."""
    if any(words.search(clause) for words in _EXEMPT):
        return True
    return channel.allows_transactional and bool(phrases.TRANSACTIONAL.search(clause))


_EXEMPT = (phrases.CONSENTED, phrases.TO_OTHERS, phrases.INSIDE)
