"""Playbooks: sections by their headings, and the one sentence that a brief leads with."""

import pytest

from personas.models.playbooks import Section, first_step, sections


def test_playbook_is_split_at_its_headings():
    playbook = "Before.\n\n## First step\n\nCall.\n\n- today\n\n##  Do not ##\nShout.\n"

    assert sections(playbook) == [
        Section("", "Before."),
        Section("First step", "Call.\n\n- today"),
        Section("Do not", "Shout."),
    ]


@pytest.mark.parametrize(
    "line", ["# Title", "### Detail", "##Tag", " ## indented", "text ## inside"]
)
def test_other_lines_are_no_sections(line):
    assert [section.title for section in sections(f"## One\n\n{line}\n")] == ["One"]


def test_heading_without_text_is_an_empty_section():
    assert sections("## One\n\n## Two") == [Section("One", ""), Section("Two", "")]


@pytest.mark.parametrize("playbook", ["", "  \n ", "## Only a heading"])
def test_playbook_without_text_has_no_first_step(playbook):
    assert first_step(playbook) == ""


@pytest.mark.parametrize(
    ("playbook", "expected"),
    [
        ("## First step\n\nCall them\nwithin a day.\n\nThen wait.", "Call them within a day."),
        ("Call first.\n\n## First step\n\nThen write.", "Call first."),
        ("## Empty\n\n## First step\n\nCall.", "Call."),
        ("## First step\n- **Call** _today_", "Call today"),
        ("1. Call `now`\n2. Write", "Call now Write"),
        ("Check usage_tier first", "Check usage_tier first"),
        ("Pay 3. Then stop", "Pay 3. Then stop"),
    ],
)
def test_first_step_is_the_first_paragraph_as_plain_text(playbook, expected):
    assert first_step(playbook) == expected
