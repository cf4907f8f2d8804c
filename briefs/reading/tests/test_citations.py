"""Numbers in an answer lead where the answer itself says; what stands around it is taken away."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from briefs.reading import answer
from briefs.reading.bibliography import own_references
from briefs.reading.citations import plain_citations
from briefs.reading.stripping import answer_alone

SOURCES = [
    {"title": f"Study number {n}", "url": f"https://s{n}.example/x", "domain": f"s{n}.example"}
    for n in (1, 2, 3)
]
CLAIM = "Churn falls by 20 %"


def read(text, sources=SOURCES):
    return answer.read(text, sources)


def links(text):
    return re.findall(r'href="#source-(\d+)"', str(read(text).html))


@pytest.mark.parametrize(
    ("written", "entries"),
    [
        ("[2]", ["2"]),
        ("[cite: 2]", ["2"]),
        ("[cite: 1, 3]", ["1", "3"]),
        ("[cite:2]", ["2"]),
        ("[Source 3]", ["3"]),
        ("[Source: 3]", ["3"]),
        ("(Source 3)", ["3"]),
        ("[Sources 1 and 2]", ["1", "2"]),
        ("[source 1, source 2]", ["1", "2"]),
        ("[Ref. 2]", ["2"]),
        ("[citation 2]", ["2"]),
        ("[#2]", ["2"]),
        ("[S2]", ["2"]),
        ("[[2]]", ["2"]),
        ("[^2]", ["2"]),
        ("<sup>2</sup>", ["2"]),
        ("<sup>[2]</sup>", ["2"]),
        ("【2†source】", ["2"]),
        ("[2†L10-L14]", ["2"]),
        ("[1][3]", ["1", "3"]),
    ],
)
def test_citation_is_linked_in_whichever_form_it_is_written(written, entries):
    text = f"{CLAIM} {written}."

    assert links(text) == entries
    assert "no source given" not in read(text).html


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("Churn falls by 20 %².", ["2"]),
        ("Half of the customers leave.¹", ["1"]),
        ("Churn falls by 20 % in teams²,³ of all sizes.", ["2", "3"]),
    ],
)
def test_raised_figures_are_citations(text, entries):
    assert links(text) == entries


@pytest.mark.parametrize("text", ["5 m²", "10²", "CO²", "12 km²", "x² + y²", "a ² b"])
def test_exponent_is_no_citation(text):
    assert plain_citations(text) == text


@pytest.mark.parametrize(
    "text", ["(1)", "(see 2)", "[step 2]", "array[x]", "[draft 3]", "[name]", "in 2024 (19 %)"]
)
def test_other_brackets_are_left_alone(text):
    assert plain_citations(text) == text


REORDERED = [
    "## References\n[1] Study number 3, https://s3.example/x\n[2] Study number 1, https://s1.example/x",
    "**Sources:**\n\n1. [Study number 3](https://s3.example/x)\n2. [One](https://s1.example/x)",
    "### Sources cited\n- [1] https://s3.example/x.\n- [2] https://s1.example/x.",
    "References:\n[1]: https://s3.example/x\n[2]: https://s1.example/x",
    "# Bibliography\n[^1]: Study number 3 (https://s3.example/x)\n[^2]: https://s1.example/x",
    "## Quellen\n1) Study number 3\n2) Study number 1",
]


@pytest.mark.parametrize("own", REORDERED)
def test_answers_own_list_decides_where_its_numbers_lead(own):
    found = links(f"{CLAIM} [1]. It rises by 5 % [2].\n\n{own}\n")

    assert found[:2] == ["3", "1"]


def test_sources_show_the_numbers_of_the_answers_own_list():
    reading = read(f"{CLAIM} [1].\n\n{REORDERED[0]}\n")

    assert [listed.source.label for listed in reading.sources] == ["[2]", "–", "[1]"]
    assert [listed.is_cited for listed in reading.sources] == [True, False, True]


def test_entry_that_is_no_source_of_the_reply_is_linked_outside():
    html = read(f"{CLAIM} [1].\n\n## References\n[1] A book, https://other.example/book\n").html

    assert html.count('href="https://other.example/book"') >= 1
    assert "no such source" not in html
    assert links(f"{CLAIM} [1].\n\n## References\n[1] A book, https://other.example/book\n") == []


def test_entry_without_an_address_is_explained_and_needs_no_mark():
    html = read(f"{CLAIM} [1].\n\n## References\n[1] A book on paper\n").html

    assert "no such source" not in html


def test_number_that_the_own_list_lacks_leads_nowhere_and_says_so():
    html = read(f"{CLAIM} [7].\n\n{REORDERED[0]}\n").html

    assert "no such source" in html


def test_list_with_its_numbers_in_the_given_order_changes_nothing():
    own = "\n".join(f"[{n}] {s['title']}, {s['url']}" for n, s in enumerate(SOURCES, start=1))

    assert links(f"{CLAIM} [2].\n\n## Sources\n{own}")[0] == "2"


def test_numbered_steps_are_no_list_of_references():
    text = f"{CLAIM} [1].\n\n## Steps\n1. See https://s3.example/x\n2. Call them."

    assert links(text)[0] == "1"


REPORT = f"## Root causes\n{CLAIM} [1]. They leave."


@pytest.mark.parametrize(
    "wrapped",
    [
        f"```markdown\n{REPORT}\n```",
        f"```md\n{REPORT}\n```\n",
        f"```\n{REPORT}\n```",
        f"~~~\n{REPORT}\n~~~",
        f"\n\n```markdown\n{REPORT}",
        f"Here is the report:\n\n```markdown\n{REPORT}\n\n{'More text. ' * 30}\n```",
        f"````markdown\n{REPORT}\n\n```\ncode\n```\n````",
    ],
)
def test_fence_around_the_whole_answer_is_taken_away(wrapped):
    html = str(read(wrapped).html)

    assert '<a href="#source-1"' in html
    assert "Root causes</h3>" in html


def test_fence_around_a_part_stays():
    text = f"{REPORT}\n\n```\nSELECT 1\n```\n\nAnd so on."

    assert "<pre" in read(text).html


def test_answer_that_is_code_stays_code():
    assert answer_alone("```\nx = 1\ny = 2\n```") == "```\nx = 1\ny = 2\n```"


@pytest.mark.parametrize(
    "around",
    [
        "<think>\nSECRET plan\n</think>\n\n{}",
        "<thinking>SECRET</thinking>{}",
        "SECRET thoughts, their start was cut\n</think>\n\n{}",
        "{}\n\n<tool_call>\nSECRET\n</tool_call>",
        "<search_results>\nSECRET\n</search_results>\n{}",
        "<reasoning>SECRET</reasoning>\n{}\n<tool_response>SECRET</tool_response>",
        "Thought: SECRET\nAction: search\nObservation: SECRET\nFinal Answer: \n{}",
        "[tool: web_search SECRET]\n{}",
        "Calling tool web_search with SECRET\n{}",
    ],
)
def test_thinking_and_traces_of_tools_are_taken_away(around):
    html = str(read(around.format(REPORT)).html)

    assert "SECRET" not in html
    assert "Root causes" in html
    assert "&lt;" not in html


def test_mark_of_a_browsing_tool_is_taken_away():
    text = f"{CLAIM} \ue200cite\ue202turn0search1\ue202turn0news2\ue201. They leave."

    assert "turn0" not in str(read(text).html)


@pytest.mark.parametrize(
    "text", ["<think></think>", "<think>thought</think>", "```\n```", "Thought: x"]
)
def test_something_is_always_left(text):
    assert answer_alone(text) == text


def test_placeholder_in_brackets_is_kept():
    text = "Dear <first name>, <think about it>"

    assert answer_alone(text) == text


@given(st.text(alphabet="`~<>/thinkA[]²†:1 \n#*", max_size=80))
def test_no_text_whatsoever_fails(text):
    read(text)


@pytest.mark.parametrize(
    "own",
    [
        "## Sources\n\n| # | Of |\n|---|---|\n| 1 | https://a.test/x |\n| [2] | https://b.test |",
        "## References\n1. First\n   - https://a.test/x\n2. Second\n   - https://b.test",
        "## Sources used\n\\[1\\] https://a.test/x\n\\[2\\] https://b.test",
        "### 📚 References\n1. https://a.test/x\n2. https://b.test",
        "## Sources\n> [1]. https://a.test/x\n> [2]. https://b.test",
        "Sources\n=======\n1. https://a.test/x\n2. https://b.test\n\nPlan\n====\n1. Call\n3. Write",
    ],
)
def test_own_list_is_read_in_other_shapes(own):
    found = own_references(f"Text [1].\n\n{own}\n", [])
    assert found.links == {1: "https://a.test/x", 2: "https://b.test"}
    assert found.named == {1, 2}


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("[ 2 ]", "[2]"),
        ("[1 and 2]", "[1, 2]"),
        ("[1、2]", "[1, 2]"),
        ("［2］", "[2]"),
        ("[1, p. 3]", "[1]"),
    ],
)
def test_spaced_and_full_width_citations_are_read(written, plain):
    assert plain_citations(f"So it is {written}.") == f"So it is {plain}."


@pytest.mark.parametrize(
    "around",
    [
        "[THINK]Hm.[/THINK]{}",
        "◁think▷Hm.◁/think▷{}",
        "<seed:think>Hm.</seed:think>{}",
        "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>{}",
        "<|tool_call_begin|>search<|tool_call_end|>{}",
    ],
)
def test_thinking_in_the_marks_of_other_models_is_taken_away(around):
    assert answer_alone(around.format("Call them today.")) == "Call them today."


@pytest.mark.parametrize("text", ["turn1search1" * 2500, "<think " * 4300, "<think>" * 4300])
def test_long_text_without_breaks_is_read_quickly(text):
    started = time.process_time()
    answer_alone(text)
    plain_citations(text)
    assert time.process_time() - started < 1


def test_many_tags_that_are_never_closed_take_no_time():
    text = "<think>" * 4_000 + "</b>"
    began = time.process_time()

    answer_alone(text)

    assert time.process_time() - began < 1
