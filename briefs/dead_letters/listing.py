"""Pages of dead letters of all kinds, the latest first."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from briefs.dead_letters.letters import Choice, Kind, Letter, letters
from briefs.finding.keysets import Keyset, Place

Places = dict[str, Place]  # of the last row that was shown, by its kind


def page(
    choice: Choice, size: int, behind: Mapping[str, Any] | None = None
) -> tuple[list[Letter], Places | None]:
    """The next ones behind these places, and the places behind them; None if no more follow.

    Each kind is read on from its own last row, so what is replayed meanwhile moves no other one.
    Raises ValidationError or ValueError for places that were not written here.
    """
    found: list[tuple[Any, Kind, int, Place]] = []
    places: Places = {}
    for kind in Kind:
        keyset = Keyset(choice.rows(kind))
        begin = None
        if behind and kind.value in behind:
            begin = places[kind.value] = keyset.read(behind[kind.value])
        # The place begins with when it was given up.
        found += [(place[0], kind, key, place) for key, place in keyset.part(size + 1, begin)]
    found.sort(key=lambda one: one[0], reverse=True)
    shown = found[:size]
    places |= {kind.value: place for _, kind, _, place in shown}
    told = {kind: letters(kind, [key for _, of, key, _ in shown if of == kind]) for kind in Kind}
    rows = [told[kind][key] for _, kind, key, _ in shown if key in told[kind]]
    return rows, places if len(found) > size else None


def every(choice: Choice, limit: int | None = None) -> Iterator[Letter]:
    """All of them, page by page."""

    def pages() -> Iterator[Letter]:
        behind: Places | None = None
        while True:
            rows, behind = page(choice, 200, behind)
            yield from rows
            if behind is None:
                return

    return islice(pages(), limit)
