"""People without an entry: an id such as `enterprise-healthcare-low-7f3a` spells the profile.

Everything else about them follows from the id, so that look-ups by id, by address and by cio_id
find the same person, also after a restart, and nothing is kept.
"""

import hashlib
import re
import string
from urllib.parse import unquote

from sandbox.person import Device, Person, cio_id_for, preferences

_ID = re.compile(
    r"(?P<plan>enterprise|business|pro|trial|free)-(?P<industry>\w+)-(?P<usage>low|medium|high)"
    r"-[^\x00-\x1f]{1,100}"
)
_ADDRESS = re.compile(r"[a-z.]+\+(?P<id>[^@]+)@example\.com")
_KEPT_IN_ADDRESS = frozenset(string.ascii_lowercase + string.digits + "-_")

_MRR = {
    "enterprise": (4_000, 12_000),
    "business": (400, 1_500),
    "pro": (49, 199),
    "trial": (0, 0),
    "free": (0, 0),
}
_FIRST = ("Amara", "Bruno", "Celia", "Dmitri", "Elif", "Farah", "Goran", "Hana", "Ines", "Jonas")
_LAST = ("Abbott", "Brandt", "Castro", "Dufour", "Engel", "Fontaine", "Grau", "Holm", "Ito", "Juhl")
_COMPANY = ("Alder", "Bluefin", "Cobalt", "Drift", "Ember", "Fathom", "Granite", "Harbour", "Inlet")
_COMPANY_KIND = ("Works", "Partners", "Group", "Labs", "Systems")
_DAY = 86_400
_SINCE = 1_672_531_200  # 2023-01-01, the first of the three years in which people signed up


def person(person_id: str) -> Person | None:
    """The person whose profile the id spells, or None if it spells none.

    The form is `<plan>-<industry>-<usage>-<anything>`; underscores in the industry are spaces.
    """
    spelled = _ID.fullmatch(person_id)
    if spelled is None:
        return None
    seed = int.from_bytes(hashlib.sha256(person_id.encode()).digest(), "big")
    first, last = _pick(_FIRST, seed), _pick(_LAST, seed >> 16)
    created_at = _SINCE + (seed >> 64) % (3 * 365) * _DAY
    return Person(
        id=person_id,
        cio_id=cio_id_for(person_id),
        email=f"{first}.{last}+{_into_address(person_id)}@example.com".lower(),
        attributes={
            "name": f"{first} {last}",
            "company": f"{_pick(_COMPANY, seed >> 32)} {_pick(_COMPANY_KIND, seed >> 48)}",
            **_profile(spelled, seed >> 80),
        },
        devices=(Device(id=f"device-{seed % 10**8}", platform="ios", last_used=created_at + _DAY),),
        created_at=created_at,
    )


def person_id_in(address: str) -> str | None:
    """The id inside an address that `person` gave out, or None. The caller checks the rest."""
    found = _ADDRESS.fullmatch(address)
    return unquote(found["id"].replace("=", "%")) if found else None


def _profile(spelled: re.Match[str], seed: int) -> dict[str, str]:
    plan = spelled["plan"]
    lowest, highest = _MRR[plan]
    return {
        "plan": plan,
        "industry": spelled["industry"].replace("_", " "),
        "usage_tier": spelled["usage"],
        "mrr": str(lowest + seed % (highest - lowest + 1)),
        "subscription_status": "trialing" if plan == "trial" else "active",
        "is_internal": "false",
        "cio_subscription_preferences": preferences(topic_1=True, topic_2=True),
    }


def _into_address(person_id: str) -> str:
    """The id in letters that survive lower-casing: `A` becomes `=41`."""
    return "".join(
        letter
        if letter in _KEPT_IN_ADDRESS
        else "".join(f"={byte:02x}" for byte in letter.encode())
        for letter in person_id
    )


def _pick(names: tuple[str, ...], seed: int) -> str:
    return names[seed % len(names)]
