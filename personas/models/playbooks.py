"""Reads a playbook: Markdown whose level-2 headings are its sections."""

import re
from dataclasses import dataclass

_HEADING = re.compile(r"^##\s+(.+?)\s*#*\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    body: str


def sections(markdown: str) -> list[Section]:
    """Split at `## ` headings; text before the first one is a section without a title."""
    parts = _HEADING.split(markdown)
    found = [Section("", parts[0].strip())] if parts[0].strip() else []
    return found + [
        Section(title, body.strip()) for title, body in zip(parts[1::2], parts[2::2], strict=True)
    ]
