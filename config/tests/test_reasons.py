"""A reason is a code and words: code reads the code, and nothing reads our sentences back."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("webhooks", "personas", "briefs", "operations", "providers", "config")
COLUMNS = "(?:status|paused|held|breaker)_reason"
READS = [
    rf"\.{COLUMNS} (?:==|!=|in|not in) ",
    rf"(?:==|!=) \w[\w.]*\.{COLUMNS}\b",
    rf" in \w[\w.]*\.{COLUMNS}\b",
    rf"\.{COLUMNS}\.(?:startswith|endswith|partition|rpartition|split|replace|remove\w+|find)\(",
    # Whether there is one may be asked.
    rf'(?:filter|exclude|get|Q)\([^()]*\b{COLUMNS}(?:__\w+)?=(?!"")',
    rf"re\.\w+\([^()]*\.{COLUMNS}\b",
]
# An erasure looks for addresses and numbers in all texts. (A person may select events by words of
# their reason, as a search does: by `has_part`, which none of these finds.)
SEARCHES = {
    "webhooks/personal_tables.py: Q(status_reason__contains=",
}
CODE = [
    path
    for room in ROOMS
    for path in sorted((ROOT / room).rglob("*.py"))
    if not {"tests", "migrations"} & set(path.parts)
]


@pytest.mark.parametrize("reads", READS)
def test_no_code_reads_a_sentence_of_ours_back(reads):
    found = {
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in CODE
        for match in re.finditer(reads, path.read_text(encoding="utf-8"))
    }

    assert CODE
    assert not found - SEARCHES


@pytest.mark.parametrize(
    "line",
    [
        "is_test = newest.status_reason == TEST",
        "if TEST != event.status_reason:",
        "if 'paused' in policy.paused_reason:",
        "told = policy.paused_reason.partition(': ')",
        "events.exclude(status_reason=TEST)",
        "Q(pk=1, status_reason__startswith='the')",
        "re.sub(CODE, '', research.status_reason)",
    ],
)
def test_reading_one_back_would_be_seen(line):
    assert any(re.search(reads, line) for reads in READS)
