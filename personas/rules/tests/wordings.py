"""Reads the files of wordings beside this one."""

from pathlib import Path
from typing import NamedTuple


class Wording(NamedTuple):
    expected: str
    message: str
    source: str


def read_wordings(name):
    source = ""
    for line in (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("@ "):
            source = line.removeprefix("@ ")
        elif line and not line.startswith(("#", "==")):
            expected, _, message = line.partition("|")
            yield Wording(expected.strip(), message.strip(), source)
