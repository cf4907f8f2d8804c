"""The columns of the inbox, and the links in their heads that sort by them."""

from dataclasses import dataclass

from briefs.finding import ordering
from briefs.finding.tabs import Tab

# Their class in the style sheet, and what they sort by with the words in their heads.
_COLUMNS = {
    "c-priority": {"priority": "Priority"},
    "c-customer": {"customer": "Customer"},
    "c-signal": {"signal": "Signal"},
    "c-persona": {"persona": "Persona and first step"},
    "c-value": {"value": "Value", "plan": "Plan"},
    "c-research": {"research": "Research"},
    "c-assignee": {"assignee": "Assignee"},
    "c-age": {"age": "Age", "due": "Due"},
}
_OF_CLOSED = {"c-persona": {"persona": "Persona and ending"}, "c-age": {"closed": "Closed"}}


@dataclass(frozen=True, slots=True)
class Head:
    label: str
    word: str  # what a click asks for
    sorted: str  # ascending, descending, or empty


@dataclass(frozen=True, slots=True)
class Column:
    css: str
    heads: list[Head]

    @property
    def sorted_by(self) -> Head | None:
        return next((head for head in self.heads if head.sorted), None)


def columns(tab: Tab, order: str) -> list[Column]:
    """`order`: the word by which the list is sorted at present."""
    shown = {**_COLUMNS, **(_OF_CLOSED if tab.value == "closed" else {})}
    return [
        Column(css, [_head(name, label, order) for name, label in heads.items()])
        for css, heads in shown.items()
    ]


def _head(name: str, label: str, order: str) -> Head:
    direction = "descending" if order.startswith("-") else "ascending"
    is_present = order.removeprefix("-") == name
    return Head(label, ordering.next_word(name, order), direction * is_present)
