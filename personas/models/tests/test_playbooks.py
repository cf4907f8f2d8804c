"""Playbooks: sections by their headings, and the one sentence that a brief leads with."""

import pytest

from personas.models.playbooks import Section, sections


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
