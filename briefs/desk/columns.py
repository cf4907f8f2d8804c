"""The columns of the inbox, and the links in their heads that sort by them."""

from dataclasses import dataclass

from briefs.finding import ordering
from briefs.finding.tabs import Tab

# What they sort by, their heads, and their class in the style sheet.
_COLUMNS = (
    ("priority", "Priority", "c-priority"),
    ("customer", "Customer", "c-customer"),
    ("signal", "Signal", "c-signal"),
    ("persona", "Persona and first step", "c-persona"),
    ("value", "Value and plan", "c-value"),
    ("research", "Research", "c-research"),
    ("assignee", "Assignee", "c-assignee"),
    ("age", "Age", "c-age"),
)
_OF_CLOSED = {"persona": ("persona", "Persona and ending"), "age": ("closed", "Closed")}


@dataclass(frozen=True, slots=True)
class Column:
    label: str
    css: str
    word: str  # what a click asks for; empty if the list is not sorted by it
    sorted: str  # ascending, descending, or empty

    @property
    def is_sorted(self) -> bool:
        return bool(self.sorted)


def columns(tab: Tab, order: str) -> list[Column]:
    """`order`: the word by which the list is sorted at present."""
    found = []
    for name, label, css in _COLUMNS:
        if tab.value == "closed":
            name, label = _OF_CLOSED.get(name, (name, label))
        is_present = order.removeprefix("-") == name
        word = ordering.next_word(name, order) if name in ordering.ORDERINGS else ""
        direction = "descending" if order.startswith("-") else "ascending"
        found.append(Column(label, css, word, direction * is_present))
    return found
