"""Chooses what Mave answers: a text written for the segment and the signal in the question.

The texts are in `research/<segment>/<signal>.md`; where there is none, `general_answer.md` serves.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

RESEARCH = Path(__file__).parent / "research"
GENERAL = Path(__file__).parent / "general_answer.md"

SEGMENTS = {
    "enterprise, regulated industry": "enterprise-regulated",
    "enterprise, low usage": "enterprise-low",
    "enterprise, active": "enterprise-active",
    "business or pro, high usage": "growth-high",
    "business, low usage": "business-low",
    "pro, low usage": "pro-low",
    "trial": "trial",
}
"""Folder of each segment, by its name in the question in lower case."""

SIGNALS = {
    "unsubscribed": "unsubscribed",
    "spam complaint": "spam-complaint",
    "all topics off": "all-topics",
    "topic opt-out": "topic-opt-out",
    "address gone": "address-gone",
    "bounced, cause unclear": "bounced",
}
"""File of each signal, by its name in the question in lower case."""

CLARIFICATION = (
    "Before I start, two things would change the answer:\n\n"
    "1. Which market is this customer in, and who decides on their side?\n"
    "2. Should the research look at keeping the contract, or only at winning back consent?\n"
)


@dataclass(frozen=True)
class Source:
    """A source of an answer."""

    title: str
    url: str
    domain: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Markdown with citations such as `[1]`, which count the sources from 1.

    `confidence` is between 0 and 1; without it the reply carries no `validation`.
    """

    content: str
    sources: tuple[Source, ...] = ()
    confidence: float | None = None
    risk: str | None = None


def choose(questions: Iterable[str], folder: Path = RESEARCH) -> Answer:
    """The answer to a question: its text and the earlier questions of its thread, newest first.

    Looks for the lines `Segment: <name>` and `Signal: <name>`. Raises ValueError if the file that
    fits is malformed.
    """
    asked = "\n".join(questions)
    segment = SEGMENTS.get(_line("segment", asked))
    signal = SIGNALS.get(_line("signal", asked).partition(":")[0])
    if segment and signal:
        path = folder / segment / f"{signal}.md"
        if path.exists():
            return load(path)
    return load(GENERAL)


def load(path: Path) -> Answer:
    """Read one text. Raises ValueError, naming the file, if it is not in the form below.

    Front matter between two lines `---`: `confidence: 0.82`, `risk: low`, and `sources:` followed
    by lines `- Title | https://address | domain`. All of it is optional.
    """
    opening, _, rest = path.read_text(encoding="utf-8").partition("---\n")
    matter, closing, content = f"\n{rest}".partition("\n---\n")
    if opening.strip() or not closing or not content.strip():
        raise ValueError(f"{path}: expected front matter between two lines '---', then a text.")
    try:
        values = dict(_pair(line) for line in matter.splitlines() if _is_pair(line))
        return Answer(
            content=content.strip() + "\n",
            sources=tuple(_source(line) for line in matter.splitlines() if _is_source(line)),
            confidence=float(values["confidence"]) if "confidence" in values else None,
            risk=values.get("risk"),
        )
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _line(name: str, asked: str) -> str:
    """The text after `<name>:` on a line, in lower case; marks of emphasis are ignored."""
    pattern = rf"^[\s>*_#-]*{name}[\s*_]*:[\s*_]*(.+?)[\s*_.]*$"
    found = re.search(pattern, asked, re.IGNORECASE | re.MULTILINE)
    return found[1].lower() if found else ""


def _is_source(line: str) -> bool:
    return line.lstrip().startswith("- ")


def _is_pair(line: str) -> bool:
    return bool(line.strip()) and not _is_source(line)


def _pair(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise ValueError(f"no colon in {line!r}")
    return name.strip().lower(), value.strip()


def _source(line: str) -> Source:
    parts = [part.strip() for part in line.strip().removeprefix("- ").split("|")]
    if len(parts) != 3 or not all(parts):
        raise ValueError(f"a source is 'Title | address | domain', not {line.strip()!r}")
    return Source(*parts)
