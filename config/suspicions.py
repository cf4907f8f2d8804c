"""Finds what is set and does nothing: names that only look like ours, and doubtful lines of `.env`.

Nothing here stops Savedesk. The supervisor says it at its start, and the doctor when it is asked.
Other programs may share the environment, so a name is told only if it is hardly another's.
"""

import re
from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher

from config import keys, public_url
from config.environment import Environment

OURS = ("CIO_", "MAVERA_", "OIDC_")  # no other program's names begin like this
BEFORE = ("SAVEDESK_", "DJANGO_")  # as other projects begin the same names
MOST_MISTAKES = 3
SHORT = 8  # PORT and DEBUG: the names of many programs are one letter away
API_KEYS = ("CIO_APP_KEY", "CIO_TRACK_KEY", "MAVERA_API_KEY")
TRACK = ("CIO_TRACK_SITE_ID", "CIO_TRACK_KEY")  # one without the other opens nothing


def found(env: Environment) -> list[str]:
    """One sentence each. None holds a value."""
    return [*_names(env), *_lines(env), *_api_keys(env), *_effects(env)]


def _names(env: Environment) -> Iterator[str]:
    in_file = {name: place for place, (name, _) in env.lines.items()}
    for name in env.given:
        if name in env.known or not (near := meant(name, env.known, name in in_file)):
            continue
        where = f" (line {in_file[name]} of .env)" if name in in_file else ""
        if name == f"{near}_FILE":
            yield f"{name}{where} is not read: put the value itself into {near}."
        else:
            yield f"{name}{where} is no variable of Savedesk. Did you mean {near}?"


def meant(name: str, known: list[str], is_in_file: bool) -> str:
    """Which known name this one is like; empty if it is like none."""
    plain = name.upper().removesuffix("_FILE")
    for beginning in BEFORE:
        plain = plain.removeprefix(beginning)
    plain = _letters(plain)
    # Every process asks this at its start: `distance` would take longer than Django does.
    perhaps = [one for one in known if _least_distance(plain, _letters(one)) <= MOST_MISTAKES]
    nearest = min(perhaps, key=lambda one: (distance(plain, _letters(one)), one), default="")
    aim = _letters(nearest)
    is_like = bool(nearest) and distance(plain, aim) <= _mistakes(len(aim))
    if plain != aim and any(name.upper().endswith(f"_{one}") for one in known):
        is_like = False  # TEST_DATABASE_URL: another's, which has one of our names at its end
    if len(aim) < SHORT and not is_in_file:
        is_like = is_like and sorted(name) == sorted(aim)
    if not is_like and name.upper().startswith(OURS):  # CIO_SECRET: words are left out
        return max(known, key=lambda one: SequenceMatcher(None, plain, _letters(one)).ratio())
    return nearest if is_like else ""


def _letters(name: str) -> str:
    return re.sub("[^A-Z0-9]", "", name)


def _mistakes(length: int) -> int:
    """How many letters may be wrong. OCI_REGION, say, is two away from CIO_REGION."""
    return 1 if length < 10 else 2 if length < 14 else MOST_MISTAKES


def _least_distance(one: str, other: str) -> int:
    """No `distance` is below this: the letters that only one of them has."""
    mine, theirs = Counter(one), Counter(other)
    return max((mine - theirs).total(), (theirs - mine).total())


def distance(one: str, other: str) -> int:
    """The fewest letters to add, drop, change or swap with the next (optimal string alignment)."""
    before, last = list[int](), list(range(len(other) + 1))
    for row, a in enumerate(one, 1):
        now = [row]
        for column, b in enumerate(other, 1):
            least = min(last[column] + 1, now[-1] + 1, last[column - 1] + (a != b))
            if row > 1 and column > 1 and (a, b) == (other[column - 2], one[row - 2]):
                least = min(least, before[column - 2] + 1)
            now.append(least)
        before, last = last, now
    return last[-1]


def _lines(env: Environment) -> Iterator[str]:
    counted = Counter(name for name, _ in env.lines.values())
    for name, times in counted.items():
        if times > 1 and name in env.known:
            yield f"{name} stands {times} times in .env, and the last line counts. Keep one."
    for place, (name, value) in env.lines.items():
        if name in env.known and re.search(r"\s#", value) and value[0] not in "'\"":
            yield (
                f"Line {place} of .env: what follows the # belongs to the value of {name}. Put "
                "comments on lines of their own, or the value in quotes if it is meant."
            )


def _api_keys(env: Environment) -> Iterator[str]:
    for name in API_KEYS:
        if (text := env.given.get(name, "").strip()) and (why := keys.why_no_key(text, 1)):
            yield f"{name} {why}: the service will refuse it. Copy the key into it."


def _effects(env: Environment) -> Iterator[str]:
    """Values that are right by themselves, and do nothing or too much."""
    for name in ("OIDC_ROLES", "OIDC_GROUPS_CLAIM"):
        if name in env.given and "OIDC_ISSUER" not in env.given:
            yield f"{name} does nothing without OIDC_ISSUER. Set that too, or empty {name}."
    for name, other in (TRACK, TRACK[::-1]):
        if name in env.given and other not in env.given:
            yield f"{name} does nothing without {other}. Set that too, or empty {name}."
    for name in ("CIO_APP_BASE_URL", "CIO_TRACK_BASE_URL", "MAVERA_BASE_URL"):
        scheme, _, rest = env.given.get(name, "").strip().lower().partition("://")
        if scheme == "http" and not rest.startswith(public_url.LOCAL_HOSTS):
            yield f"{name} begins with http://, so the key travels unencrypted. Write https://."
    if any(one.strip().endswith("/0") for one in env.given.get("METRICS_ADDRESSES", "").split(",")):
        yield (
            "METRICS_ADDRESSES lets everybody read /metrics. Name Prometheus's address, or set "
            "METRICS_TOKEN instead."
        )
    for network in env.given.get("TRUSTED_PROXIES", "").split(","):
        if network.strip().endswith("/0"):
            yield (
                "TRUSTED_PROXIES believes every machine, so anybody may claim any address. Name "
                "the proxy's alone."
            )
