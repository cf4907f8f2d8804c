"""The words that people see: all in docs/words.md, and none that an office worker does not know."""

import re
from pathlib import Path

import pytest
from django.apps import apps

from accounts.models import Role, SignInPolicy
from briefs.dead_letters.letters import Kind
from briefs.finding import tabs
from briefs.finding.filters import ASSIGNEES, RESEARCH
from briefs.models import (
    Brief,
    BulkAct,
    BulkPart,
    ContactLog,
    Priority,
    ReprocessedBrief,
    ReprocessingJob,
)
from briefs.triage.snoozing import Until
from personas.models import Operator, SignalKind
from personas.models.steps import StepChannel
from personas.models.value import ValuePeriod

ROOT = Path(__file__).resolve().parents[2]
WORDS = (ROOT / "docs" / "words.md").read_text()
ROWS = [
    word
    for word in re.findall(r"^\| ([^|]+) \| [^|]+ \| [^|]+ \|$", WORDS, re.M)
    if word != "word"  # a table's head
]


def table(title: str) -> dict[str, str]:
    """The table of two columns below this title."""
    section = WORDS.split(f"## {title}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", section, re.M)
    return dict(rows[1:])  # without its head


def separate(words: str) -> list[str]:
    return words.split(" · ")


LABELS = {
    *(tab.label for tab in tabs.ALL),
    *Brief.State.labels,
    *Brief.Outcome.labels,
    *Priority.labels,
    *SignalKind.labels,
    "Webhook health", "Assign", "Log contact", "Reopened", "Returned", "Came back", "Unassigned",
    "First touch", "No research yet", "Failed, can be retried",
}  # fmt: skip
CHOICES = {
    "Assignee": dict(ASSIGNEES).values(),
    "Research": dict(RESEARCH).values(),
    "What a brief has": Brief.Basis.labels,
    "Ways of contact": ContactLog.Channel.labels,
    "Channels of a first step": StepChannel.labels,
    "Snooze": Until.labels,
    "Many briefs": BulkAct.Kind.labels,
    "Left out": [status.label for status in BulkPart.LEFT_OUT],
    "Reprocessing": ReprocessingJob.Kind.labels,
    "Kinds of dead letters": Kind.labels,
    "How far a job is": ReprocessingJob.State.labels,
    "What a job did with a brief": ReprocessedBrief.Change.labels,
    "What its undo did": ReprocessedBrief.Undone.labels,
    "Not undone": [status.label for status in BulkPart.KEPT],
    "Period of a value": ValuePeriod.labels,
    "Operators of a condition": Operator.labels,
    "Roles": Role.labels,
    "Second factor": SignInPolicy.SecondFactor.labels,
}

# The admin's pages are for editors and leads; it shows rows, and names the fields that hold them.
PAGES = sorted(
    page
    for room in ("", "briefs/", "operations/", "accounts/", "registration/")
    for page in (ROOT / "templates").glob(f"{room}*")
    if page.suffix in (".html", ".txt")
)
NOT_SAID = re.compile(
    "|".join(
        rf"\b{re.escape(words.strip(' `'))}\b"
        for words in ",".join(table("Words that are not used")).split(",")
    ),
    re.I,
)
# To where a name, a number or an icon follows.
BUTTON = re.compile(r"<(?:button|summary)\b[^>]*>(?:<h2[^>]*>)?([^<{]+)|with button=\"([^\"]+)\"")
TECHNICAL = re.compile(r"manage\.py|\b[A-Z]{2,}_[A-Z_]{2,}\b|docs/\w+\.md|Mave thread")
# What only whoever runs Savedesk is shown.
GUARDED = re.compile(
    r"\{% if [^%]*perms\.webhooks\.run_savedesk[^%]* %\}.*?\{% (?:else|endif) %\}", re.S
)
TAGS = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|<[^>]+>", re.S)


def seen(template: str) -> str:
    """The words of a template that everybody may see."""
    return TAGS.sub(" ", GUARDED.sub(" ", template))


def test_every_label_is_in_the_table():
    assert set(LABELS) - set(ROWS) == set()


def test_choices_are_those_of_the_table():
    said = {choice: separate(words) for choice, words in table("Choices").items()}

    assert said == {choice: list(labels) for choice, labels in CHOICES.items()}


def test_buttons_are_those_of_the_table():
    pressed = {
        " ".join("".join(found).split()).rstrip(" :…")
        for page in PAGES
        for found in BUTTON.findall(page.read_text())
    } - {""}

    listed = [word for words in table("Buttons").values() for word in separate(words)]
    assert pressed == set(listed)


def test_pages_use_no_word_that_is_not_used():
    words = {page: seen(page.read_text()) for page in PAGES}

    used = {page: NOT_SAID.findall(said) + TECHNICAL.findall(said) for page, said in words.items()}
    assert {page: found for page, found in used.items() if found} == {}


def test_labels_use_no_word_that_is_not_used():
    labels = {
        str(label)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        for _, label in getattr(field, "choices", None) or ()
    }

    assert [label for label in {*labels, *LABELS} if NOT_SAID.search(label)] == []


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


def test_keys_are_those_of_their_page():
    rows = re.findall(r"<dt>(.+)</dt><dd>(.+)</dd>", (ROOT / "templates/_keys.html").read_text())
    shown = [(keys.replace("<kbd>", "`").replace("</kbd>", "`"), words) for keys, words in rows]

    document = (ROOT / "docs" / "keys.md").read_text()
    assert re.findall(r"^\| (`.+`.*) \| (.+) \|$", document, re.M) == shown


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
