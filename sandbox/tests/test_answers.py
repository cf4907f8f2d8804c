"""Which text answers which question, and the form the texts are in."""

import re

import pytest

from sandbox.answers import GENERAL, RESEARCH, SEGMENTS, SIGNALS, choose, load

SECTIONS = [
    "What is probably going on",
    "First 24 hours",
    "Retention strategies",
    "What to say",
    "What to avoid",
    "How to tell it worked",
]
TEXTS = [GENERAL, *sorted(RESEARCH.glob("*/*.md"))]

TEXT = """---
confidence: 0.82
risk: low
sources:
- A study | https://example.com/a | example.com
  - Another | https://example.org/b | example.org
---
Call them [1].

---

Then wait [2].
"""


def write(folder, segment, signal, text=TEXT):
    path = folder / segment / f"{signal}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("segment", SEGMENTS)
@pytest.mark.parametrize("signal", SIGNALS)
def test_segment_and_signal_choose_the_text(tmp_path, segment, signal):
    write(tmp_path, SEGMENTS[segment], SIGNALS[signal], f"---\n---\n{segment} and {signal}")

    question = f"Please research.\nSegment: {segment.title()}\nSignal: {signal.upper()}\nThanks."

    assert choose([question], tmp_path).content == f"{segment} and {signal}\n"


@pytest.mark.parametrize(
    "question",
    [
        "**Segment:** Trial\n**Signal:** Spam complaint",
        "- segment : Trial.\r\n- SIGNAL: spam complaint.",
        "Signal: Spam complaint\n\n> Segment: Trial",
    ],
)
def test_the_lines_may_be_marked_up(tmp_path, question):
    write(tmp_path, "trial", "spam-complaint")

    assert choose([question], tmp_path).confidence == 0.82


def test_a_follow_up_is_answered_for_the_segment_asked_about_before(tmp_path):
    write(tmp_path, "trial", "unsubscribed")

    answer = choose(["And then?", "Segment: Trial\nSignal: Unsubscribed"], tmp_path)

    assert answer.confidence == 0.82


@pytest.mark.parametrize(
    "question",
    ["Segment: Aliens\nSignal: Unsubscribed", "Segment: Trial\nSignal: Yawn", "Segment: Trial", ""],
)
def test_an_unknown_segment_or_signal_gets_the_general_text(tmp_path, question):
    write(tmp_path, "trial", "unsubscribed")

    assert choose([question], tmp_path) == load(GENERAL)


def test_a_text_not_written_yet_is_the_general_one(tmp_path):
    assert choose(["Segment: Trial\nSignal: Unsubscribed"], tmp_path) == load(GENERAL)


def test_front_matter_is_read_and_a_rule_in_the_text_is_no_front_matter(tmp_path):
    answer = load(write(tmp_path, "trial", "bounced"))

    assert (answer.confidence, answer.risk) == (0.82, "low")
    assert [(s.title, s.domain) for s in answer.sources] == [
        ("A study", "example.com"),
        ("Another", "example.org"),
    ]
    assert answer.content == "Call them [1].\n\n---\n\nThen wait [2].\n"


@pytest.mark.parametrize(
    "text",
    [
        "No front matter",
        "---\nrisk: low\nNever closed",
        "---\nrisk: low\n---\n",
        "---\nconfidence: high\n---\nText",
        "---\nrisk low\n---\nText",
        "---\nsources:\n- A study | https://example.com\n---\nText",
    ],
)
def test_a_malformed_text_is_refused_by_name(tmp_path, text):
    path = write(tmp_path, "trial", "bounced", text)

    with pytest.raises(ValueError, match=re.escape(str(path))):
        load(path)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_text_has_its_sections_length_and_sources(path):
    answer = load(path)

    assert re.findall(r"^## (.+)$", answer.content, re.MULTILINE) == SECTIONS
    assert len(answer.content.split()) >= 300
    cited = {int(number) for number in re.findall(r"\[(\d+)\]", answer.content)}
    assert cited == set(range(1, len(answer.sources) + 1)) != set()
    assert answer.confidence is None or 0 < answer.confidence <= 1


def test_every_file_of_research_can_be_chosen():
    known = {f"{folder}/{name}" for folder in SEGMENTS.values() for name in SIGNALS.values()}

    assert {f"{path.parent.name}/{path.stem}" for path in TEXTS[1:]} <= known
