"""docs/architecture.md names rooms and functions that exist, and leaves no room out."""

import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOLD = (ROOT / "docs" / "architecture.md").read_text()
PACKAGES = (
    "config",
    "operations",
    "accounts",
    "briefs",
    "personas",
    "webhooks",
    "providers",
    "sandbox",
)
# Parts of the room that they stand in.
NO_ROOMS = {"tests", "migrations", "management", "fixtures", "__pycache__"}
# All that these hold stands in their rooms, and each of those has a row.
WITHOUT_ROW = {"briefs", "personas"}
MOST_STOPS = 8

WAYS = {
    way.partition("\n")[0]: re.findall(r"^\d+\. (.+)$", way, re.M)
    for way in re.split(r"^### ", TOLD, flags=re.M)[1:]
}
WAYS = {name: stops for name, stops in WAYS.items() if stops}
STOPS = [stop for stops in WAYS.values() for stop in stops]
STOP = re.compile(r"`([\w/]+)\.py` `([\w.]+)`: ([A-Z][^.]+\.)")


def test_three_ways_are_told_in_at_most_eight_stops():
    assert len(WAYS) == 3
    assert all(3 <= len(stops) <= MOST_STOPS for stops in WAYS.values())


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.partition(":")[0])
def test_stop_names_a_function_that_exists(stop):
    found = STOP.fullmatch(stop)
    assert found, f"not a module, a function and one sentence: {stop}"

    named = import_module(found[1].replace("/", "."))
    assert ROOT / f"{found[1]}.py" == Path(named.__file__)
    for name in found[2].split("."):
        named = vars(named)[name]  # defined there, and not imported or inherited
    if isinstance(named, classmethod):
        named = named.__func__
    code = getattr(named, "func", None) or getattr(named, "fget", None) or named
    assert callable(code)
    assert code.__module__ == found[1].replace("/", ".")


def rooms(folder: Path) -> list[Path]:
    """The folder and all below it that hold code of ours."""
    if folder.name in NO_ROOMS or not any(folder.glob("*.py")):
        return []
    below = [room for one in sorted(folder.iterdir()) if one.is_dir() for room in rooms(one)]
    return [folder, *below]


def test_table_of_rooms_has_a_row_for_each_folder_and_no_other():
    there = {str(room.relative_to(ROOT)) for name in PACKAGES for room in rooms(ROOT / name)}
    rows = re.findall(r"^\| `([\w/]+)/` \|", TOLD, re.M)

    assert sorted(rows) == sorted(there - WITHOUT_ROW)


def test_paths_that_are_named_exist():
    named = set(re.findall(r"`([a-z_]+(?:/[a-z_]+)+\.py)`", TOLD))

    assert sorted(path for path in named if not (ROOT / path).is_file()) == []
