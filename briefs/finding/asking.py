"""What the inbox's address asks for: kept in saved views, and on the way to a brief and back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from briefs.finding import ordering, tabs
from briefs.finding.filters import BriefFilter
from briefs.models import Brief

LONGEST = 2_000  # characters that a row keeps
TOO_LONG = f"The filters of this list take more than {LONGEST:,} characters in its address."
_READ = 8_000  # more than all filters take in any script
FILTERS = tuple(BriefFilter.base_filters)
NAMES = (*FILTERS, ordering.NAME)
UNFOLDED = "unfold"  # the cause whose briefs a list shows one by one
_PLACE = ("page", UNFOLDED)  # where in the list somebody is: saved views do not keep it


@dataclass(frozen=True, slots=True)
class Asked:
    """An address that asks for what there is, and in words what was left out of it."""

    query: str
    left_out: list[str] = field(default_factory=list)


def pairs(query: str) -> dict[str, str]:
    """The names and values of a query string; of a name that is given twice the last value."""
    return dict(parse_qsl(query[:_READ]))


def kept(given: Mapping[str, str], names: Iterable[str] = (*NAMES, *_PLACE)) -> str:
    """As a query string what the inbox knows, in a fixed order; never the address of a page."""
    known = [(name, given.get(name, "")) for name in names]
    default = (("state", tabs.DEFAULT), ("page", "1"))
    return urlencode([pair for pair in known if pair[1] and pair not in default])


def unknown(given: Iterable[str]) -> list[str]:
    """The names that the inbox does not know."""
    return [name for name in given if name not in (*NAMES, *_PLACE, "from")]


def checked(query: str, user: Any) -> Asked:
    """Leave out what the inbox does not know: filters by name, and values that are gone."""
    given = pairs(query)
    out = [f"“{name[:60]}” is no filter" for name in unknown(given)]
    form = BriefFilter(given, queryset=Brief.objects.none()).form
    for name, errors in form.errors.items():
        out.append(f"{form[name].label}: {errors[0]}")
        given.pop(name, None)
    if (word := given.get(ordering.NAME)) and not ordering.is_known(word):
        out.append(f"lists are not sorted by “{word[:60]}”")
        del given[ordering.NAME]
    return Asked(kept(given, NAMES), out)
