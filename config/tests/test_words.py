"""The words that people see: all in docs/words.md, and none that an office worker does not know."""

import re
from pathlib import Path

import pytest

from briefs.finding import tabs
from briefs.finding.filters import RESEARCH
from briefs.models import Brief, Priority
from personas.models import SignalKind

ROOT = Path(__file__).resolve().parents[2]
WORDS = (ROOT / "docs" / "words.md").read_text()
ROWS = [
    word
    for word in re.findall(r"^\| ([^|]+) \| [^|]+ \| [^|]+ \|$", WORDS, re.M)
    if word != "word"  # a table's head
]
LABELS = {
    *(tab.label for tab in tabs.ALL),
    *Brief.State.labels,
    *Brief.Outcome.labels,
    *Priority.labels,
    "Spam complaint", "Topic opt-out", "Channel opt-out", "Webhook health",
    "Assign", "Log contact", "Reopened", "Returned", "Came back", "Unassigned",
    "First touch", "No research yet", "Failed, can be retried",
}  # fmt: skip

# The admin's pages are for editors and leads; it shows rows, and names the fields that hold them.
PAGES = sorted(
    page
    for room in ("briefs", "operations", "accounts", "registration")
    for page in (ROOT / "templates" / room).rglob("*")
    if page.suffix in (".html", ".txt")
)
NOT_SAID = re.compile(r"\bstands? on\b|playbook only|playbooks? alone|mave thread", re.I)
TECHNICAL = re.compile(r"manage\.py|\b[A-Z]{2,}_[A-Z_]{2,}\b|docs/\w+\.md|Mave thread")
# What only whoever runs Savedesk is shown.
GUARDED = re.compile(
    r"\{% if [^%]*perms\.webhooks\.run_savedesk[^%]* %\}.*?\{% (?:else|endif) %\}", re.S
)
TAGS = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|<[^>]+>", re.S)


def seen(template: str) -> str:
    """The words of a template that everybody may see."""
    return TAGS.sub(" ", GUARDED.sub(" ", template))


@pytest.mark.parametrize("label", sorted(LABELS))
def test_word_is_in_the_table(label):
    assert label in ROWS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT / "templates")))
def test_page_uses_no_word_that_is_not_used(page):
    words = seen(page.read_text())

    assert NOT_SAID.findall(words) == []
    assert TECHNICAL.findall(words) == []


def test_labels_use_no_word_that_is_not_used():
    labels = [*LABELS, *SignalKind.labels, *Brief.Basis.labels, *dict(RESEARCH).values()]

    assert [label for label in labels if NOT_SAID.search(label)] == []


def test_sentences_of_the_desk_use_no_word_that_is_not_used():
    rooms = (
        "briefs/desk",
        "briefs/dossier",
        "briefs/finding",
        "briefs/research",
        "briefs/notifying",
    )
    found = [
        (path.name, said)
        for room in rooms
        for path in (ROOT / room).glob("*.py")
        for said in re.findall(r'"([^"\n]+)"', path.read_text())
        if NOT_SAID.search(said)
    ]

    assert found == []


def test_each_word_has_one_row():
    assert sorted(ROWS) == sorted(set(ROWS))


@pytest.mark.parametrize(
    "template",
    ["<p>It stands on its playbook.</p>", "{% if perms.x %}run manage.py{% endif %}",
     "set CIO_APP_KEY", "{% if perms.webhooks.run_savedesk %}a{% endif %} see docs/connect.md"],
)  # fmt: skip
def test_forbidden_word_is_found(template):
    assert NOT_SAID.search(seen(template)) or TECHNICAL.search(seen(template))


def test_word_for_whoever_runs_savedesk_is_allowed():
    template = "{% if perms.webhooks.run_savedesk %}manage.py{% else %}Ask.{% endif %}"

    assert not TECHNICAL.search(seen(template))
