"""Keeps personal data of customers out of the texts that the team writes and Mave receives."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from personas.models import shapes

_SIGN = re.compile(r"@|%40|\(at\)|\[at\]", re.I)  # without one there is no address
_ADDRESS = re.compile(
    r"[\w.+\"-]+@[\w-]+(?:\.[\w-]+)*"
    r"|[\w.+\"-]+(?: @ |%40| ?(?:\(at\)|\[at\]) ?)[\w-]+(?:\.[\w-]+)+",
    re.I,
)
_UNSEEN = ("Cf", "Mn")  # format signs, and marks on letters such as variation selectors
# Attributes that say who somebody is, as workspaces spell them: without signs, in lower case.
_IDENTIFYING = re.compile(
    r"id|(?:c(?:io|ustomer|ontact|lient)|user|person|people|external|account|profile|crm|stripe)id"
    r"|uuid|guid|e?mail(?:address)?|phone(?:number)?|(?:cell|mobile|tele|home|work)phone(?:number)?"
    r"|mobile(?:number)?|smsnumber|name|(?:full|first|last|middle|given|family|sur|nick|user|display"
    r"|contact|customer|account|business|team|workspace)name|login|handle"
    r"|(?:company|organi[sz]ation|org)(?:name)?|employer|(?:home|street|postal|billing|shipping|ip)?address|street|ip"
    r"|(?:post(?:al)?|zip)(?:code)?|birth(?:day|date)|dateofbirth|dob|domain|website|url"
    r"|vat(?:id|number)?|taxid|ssn|iban|twitter|linkedin"
)

_HOLDERS = re.compile(r"company|organi[sz]ation|org|employer")
_THINGS = re.compile(
    r"(?:current|pricing|account|company)?(?:plan|tier|product|package|edition|subscription"
    r"|industry|sector|vertical|segment|stage|status|usage|level|category|type)s?"
)


def found(text: str) -> list[str]:
    """What looks like an address, also where invisible or full-width signs disguise it."""
    if text.isascii() and not _SIGN.search(text):  # nearly always, for each brief of a batch
        return []
    plain = unicodedata.normalize("NFKC", text)
    plain = "".join(sign for sign in plain if unicodedata.category(sign) not in _UNSEEN)
    return [address.strip() for address in _ADDRESS.findall(plain)]


def refusals(text: str) -> list[str]:
    """Why the text may not be part of a question, a sentence for each address."""
    return [
        f"“{address[:60]}” looks like an e-mail address. No personal data is sent to Mave: "
        "take it out."
        for address in found(text)
    ]


def without(text: str) -> str:
    """The text; empty if it holds an address, because a name may be beside the address."""
    return "" if found(text) else text


def is_private(names: Iterable[str], value: str) -> bool:
    """Whether an attribute with one of these names, or the object that it holds, says who it is."""
    names = list(names)
    if shapes.is_named(value):
        names += [f"{name}.name" for name in names]
    return any(map(identifies, names))


@lru_cache(maxsize=1024)  # a batch asks for the same few names for each customer
def identifies(name: str) -> bool:
    """Whether an attribute of this name says who somebody is, rather than what they are like.

    Of a path its end says so (`person.email`), or what it lies in (`name.first`). A company is
    described by what lies in it: `company.plan` names nobody, `company.name` does. Nor does the
    name of a thing, as in `plan.name`.
    """
    if _says_who(name):
        return True
    *above, last = map(_bare, name.split("."))
    if above and last in ("name", "id") and _THINGS.fullmatch(above[-1]):
        above, last = above[:-1], ""
    return _says_who(last) or any(
        _says_who(step) and not _HOLDERS.fullmatch(step) for step in above
    )


def _says_who(name: str) -> bool:
    return bool(_IDENTIFYING.fullmatch(_bare(name)))


def _bare(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())
