"""Takes away what stands around an answer: a fence, thinking, traces of the agent's tools."""

import re
from textwrap import dedent

MOST_TAGS = 100  # of thinking and tools; an answer with more is shown without looking inside them
_FENCE = re.compile(r"\s*(`{3,}|~{3,}) *(?:markdown|md|text|txt|plain)? *\n", re.I)
_NAMES = (
    r"(?:\w{1,20}:)?think(?:ing)?|thoughts?|reasoning|reflection|scratchpad|inner_monologue"
    r"|tool_?(?:call|use|code|result|response|output)s?|function_?(?:call|result|response)s?|search_?(?:results?|quality\w*)"
    r"|observation|invoke|antml:\w+"
)
_BLOCK = re.compile(rf"<({_NAMES})(?:\s[^>]*)?>.*?</\1\s*>", re.I | re.S)
# The opening tag may be cut off, or the closing one: then only what is surely thinking goes.
_UNTIL_CLOSING = re.compile(r"\A(?:(?!<think).){0,20000}?</think(?:ing)?\s*>", re.I | re.S)
# The same in the marks of other models: [THINK]…[/THINK], ◁think▷…◁/think▷.
_OTHER_BLOCK = re.compile(
    r"\[THINK\](?:(?!\[THINK\]).)*?\[/THINK\]|◁think▷(?:(?!◁think▷).)*?◁/think▷"
    r"|<\|tool_calls?(?:_section)?_begin\|>(?:(?!<\|tool_call).)*?"
    r"<\|tool_calls?(?:_section)?_end\|>",
    re.S,
)
# What follows the last of these is the answer: <|channel|>final<|message|>.
_CHANNEL = re.compile(r"<\|channel\|>\s*final\s*<\|message\|>")
_MARK = re.compile(
    r"<\|(?:end|return|start|message|im_end|im_start)\|>|</?(?:final_?)?answer>", re.I
)
_STRAY = re.compile(rf"</?(?:{_NAMES})(?:\s+\w+=[^>\n]{{0,200}})?\s*/?>", re.I)
# "Thought: ... Action: ... Observation: ... Final Answer: ..."
_STEP = re.compile(r"^(?:Thought|Action|Action Input|Observation)\s*\d*\s*:", re.M)
_FINAL = re.compile(r"^(?:\*\*)?Final Answer\s*:(?:\*\*)?[ \t]*", re.M | re.I)
_TRACE_LINE = re.compile(
    r"^[ \t]*(?:\[(?:tool|function|search|browser|web_search)\b[^\]\n]{0,300}\]"
    r"|(?:Calling|Using|Running) (?:the )?(?:tool|function)\b[^\n]{0,300})[ \t]*\n",
    re.M | re.I,
)
# Marks of a browsing tool, such as "citeturn0search1"; private characters may stand between.
_PRIVATE = "[\ue000-\uf8ff]*"
_TURN = re.compile(
    rf"{_PRIVATE}(?:file)?(?:cite)?{_PRIVATE}"
    rf"(?:turn\d{{1,3}}(?:search|view|news|file|fetch|image)\d{{1,3}}{_PRIVATE})+"
)


def answer_alone(text: str) -> str:
    """The answer without what stands around it; the whole text where nothing would be left."""
    stripped = _OTHER_BLOCK.sub("", text)
    if finals := list(_CHANNEL.finditer(stripped)):
        stripped = stripped[finals[-1].end() :]
    if "<" in stripped:
        # Each opening tag without a closing one is searched to the end of the text.
        if "</" in stripped and len(_STRAY.findall(stripped)) <= MOST_TAGS:
            stripped = _UNTIL_CLOSING.sub("", _BLOCK.sub("", stripped))
        stripped = _MARK.sub("", _STRAY.sub("", stripped))
    if _STEP.search(stripped) and (final := list(_FINAL.finditer(stripped))):
        stripped = stripped[final[-1].end() :]
    stripped = _TURN.sub("", _TRACE_LINE.sub("", stripped))
    stripped = _without_fence(stripped)
    return stripped if re.search(r"[^\W_]", stripped) else text


def _without_fence(text: str) -> str:
    """The text within a fence that holds all of it; a line or two before or after may stand."""
    opening = _FENCE.match(text) or _opening_after_preamble(text)
    if opening is None:
        return text
    mark = opening[1]
    lines = text[opening.end() :].rstrip().split("\n")
    closings = [n for n, one in enumerate(lines) if one.strip() == mark]
    if closings and len(" ".join(lines[closings[-1] + 1 :])) > 300:
        return text  # text of its own follows: the fence holds a part
    end = closings[-1] if closings else len(lines)
    inside = dedent("\n".join(lines[:end]))
    if not _looks_like_markdown(inside):
        return text
    before, after = text[: opening.start()].strip(), "\n".join(lines[end + 1 :]).strip()
    return "\n\n".join(part for part in (before, inside, after) if part)


def _opening_after_preamble(text: str) -> re.Match[str] | None:
    """A fence after a short line such as "Here is the report:", if it holds nearly all."""
    found = re.search(r"^(`{3,}|~{3,}) *(?:markdown|md) *\n", text, re.M | re.I)
    return found if found and found.start() <= 300 and len(text) > 3 * found.start() else None


def _looks_like_markdown(text: str) -> bool:
    """Whether it is prose and not code: with a heading, a list, bold, a citation or sentences."""
    return bool(
        re.search(r"^#{1,6} |^\s*(?:[-*+]|\d+\.) |\*\*|\[\d|[a-z]{2}[.!?](?:\s|$)", text, re.M)
    )
