"""A brief as Markdown: all that its page shows, and no text of others becomes more than text."""

import re

import pytest
from django.utils import timezone
from markdown_it import MarkdownIt

from briefs.dossier.dossier import Dossier
from briefs.dossier.loading import in_full
from briefs.downloads.brief import written
from briefs.downloads.escaping import quoted_markdown
from briefs.models import Brief
from briefs.tests.factories import (
    make_brief,
    make_customer,
    make_persona,
    make_research,
    make_signal,
)
from conftest import make_user
from personas.models import Persona

pytestmark = pytest.mark.django_db

NASTY = (
    "# Heading", "1. one", "- item", "+ item", "> quote", "```\ncode", "    code", "~~~", "a\n===",
    "---", "* * *", "<script>alert(1)</script>", "<!-- ", "[a](javascript:alert(1))",
    "[x]: https://evil.example", "![p](https://evil.example/p.png)", "<https://evil.example>",
    "https://evil.example", "www.evil.example", "**bold**", "`code`", "| a | b |\n|---|---|",
    "&lt;b&gt;", "a\\", "\\`x`", "\u202e\r\n# x",
    # What Mave's Markdown may not hold: HTML, images, and links that are not https.
    *(f"{slashes}<img src=x>" for slashes in ("\\", "\\\\", "\\\\\\")), "\\<script>x\\</script>",
    "`a\\`<b>", "```\n<b>\n```\n<b>", "&#60;b>", "<javascript:x>", "\\<http://evil.example>",
    "\\<ann@evil.example>", "<\u200bb>", "a\r<b>", "\\[x](http://evil.example)",
    "[x](&#106;avascript:x)", "[x](\nhttp://evil.example)", "[x](<http://evil.example>)",
    "[x](ht\u200btp://evil.example)", "\\![x](https://evil.example)",
    "!\u200b[x](https://evil.example)", "!\\\\[x](https://evil.example)",
    "[![x](https://evil.example)](http://evil.example)",
    *(f"{before}[x]: http://evil.example\n\n[x], [y][x], ![x]"
      for before in ("- ", "> ", "1. ", "- > ", "   ", "# a\n", "\\")),
    "[x]:\r\nhttp://evil.example\r\n\r\n[x]", "[x]:\rjavascript:x\r\r[x]",
    "[a\\]b]: javascript:x\n\n[a\\]b]", "[a\nb]: http://evil.example\n\n[a b]",
    "[x]\u200b: http://evil.example\n\n[x]", "[x\\\\]: http://evil.example\n\n[x\\\\]",
)  # fmt: skip
# Programs differ in which links they refuse: here none is.
MARKDOWN = MarkdownIt("commonmark").enable("table")
MARKDOWN.validateLink = lambda _: True


def make_told(said, user):
    """A brief in which customers, colleagues and Mave say this everywhere."""
    customer = make_customer(
        external_id=said[:50], email=said[:50], attributes={"name": said, "note": said}
    )
    done = {
        "status": "done",
        "answer": f"## Do this\n\nCall them [1].\n\n{said}",
        "finished_at": timezone.now(),
        "sources": [{"title": said, "url": "https://a.example/<)", "domain": "a.example"}],
        "validation": {"unsupported_claims": [said]},
    }
    brief = make_brief(
        customer=customer,
        persona=Persona.objects.filter(name="Small shops").first()
        or make_persona(name="Small shops", playbook="## Offer\n\n- A pause"),
        research=make_research(**done),
        basis="new",
        persona_why=said,
        detail=said[:50],
        company=said[:50],
        plan=said[:50],
        priority_reasons=[{"code": "severe", "words": f"The signal is severe: {said}"}],
        due_at=timezone.now(),
    )
    message = {"subject": said, "campaign_name": said, "failure_message": said}
    make_signal(brief=brief, customer=customer, message=message, detail=said[:50])
    brief.contacts.create(actor=user, channel="phone", is_reached=True, note=said)
    brief.comments.create(actor=user, text=said)
    brief.log(said, user)
    brief.close("churned", said)
    return in_full(Brief.objects.all()).get(pk=brief.pk)


def shape(text):
    """What a program makes of it, without the words and what stands in quotations."""
    depth, found = 0, []
    for token in MARKDOWN.parse(text):
        depth += token.nesting * (token.type.startswith("blockquote"))
        if not depth:
            found.append((token.type, token.tag))
    return found


def inside(text):
    """All that is more than text, also in quotations."""
    tokens = MARKDOWN.parse(text)
    return [
        (part.type, part.attrGet("href") or part.attrGet("src"))
        for token in tokens
        for part in [token, *(token.children or [])]
        if part.type in ("html_block", "html_inline", "image", "link_open")
    ]


def visible_in(text):
    return "".join(part.content for token in MARKDOWN.parse(text) for part in token.children or [])


def test_nothing_that_others_wrote_is_more_than_text(user):
    plain = written(Dossier(make_told("Some words.", user)))
    links = [("link_open", "https://a.example/%3C)")]
    assert inside(plain) == links

    for said in NASTY:
        text = written(Dossier(make_told(said, user)))
        assert shape(text) == shape(plain), said
        assert set(inside(text)) - set(links) <= {("link_open", "https://evil.example")}, said


# Who it leads to is not who it seems to: the page has no such link either.
DISGUISED = (
    "[x](https://a.example@evil.example)", "[x](https://a.example(@evil.example/))",
    "[x](https://a.example\\)@evil.example)", "[x](https://a.example&#64;evil.example)",
    "[x](https://a.example\\@evil.example)",
)  # fmt: skip


@pytest.mark.parametrize("said", DISGUISED)
def test_link_that_the_page_has_not_is_text(said):
    assert inside(said)
    assert inside(quoted_markdown(said)) == []


ALONE = {
    "See https://evil.example/a": "See https://evil.example/a",
    "(HTTP://evil.example)": "(HTTP://evil.example)",
    "<https://evil.example>": "<https://evil.example>",
    "www.evil.example, ftp://evil.example": "www.evil.example, ftp://evil.example",
    "\\\\https\\://evil.example": "\\https://evil.example",
    "[a]: https://evil.example": "[a]: https://evil.example",
    "`https://evil.example`": "https\\://evil.example",  # in code the sign is seen
}


@pytest.mark.parametrize("said", ALONE)
def test_address_alone_becomes_a_link_in_no_program(said):
    """Programs that link bare addresses see none behind an escaped sign."""
    text = quoted_markdown(said)

    assert not re.search(r"(?<!\\)://|\bwww\.", text)
    assert visible_in(text) == ALONE[said]


@pytest.mark.parametrize(
    "said",
    ["[x](https://a.example/b_(c)?d=1#e)", "[x](https://www.a.example)", "[x](#source-1)",
     '[x](https://a.example/a\\_b "Title")'],
)  # fmt: skip
def test_link_that_the_page_has_stays_as_it_is_written(said):
    assert quoted_markdown(said) == f"> {said}"


SHOWN = {
    "5 < 6 and a <b>": "5 < 6 and a <b>",
    "5 \\< 6": "5 < 6",
    "\\\\\\<b>": "\\<b>",
    "[Note]: call": "[Note]: call",
    "[x](http://a.example)": "[x](http://a.example)",
    "[x](https://a.example)": "x",
}


@pytest.mark.parametrize("said", SHOWN)
def test_words_of_mave_are_all_shown(said):
    [_, _, shown, *_] = MARKDOWN.parse(quoted_markdown(said))

    assert "".join(part.content for part in shown.children) == SHOWN[said]


def test_it_tells_what_the_page_shows(signed_in, user):
    brief = make_told("zanzibar", user)

    text = signed_in.get(f"/briefs/{brief.pk}.md").content.decode()

    assert text.startswith(f"# Brief {brief.pk}: zanzibar\n\nhttp://testserver/briefs/{brief.pk}/")
    for title in ("What happened", "How it ended", "What was to be done", "Research",
                  "Still reachable by", "Attributes", "Contact log", "Comments",
                  "Timeline"):  # fmt: skip
        assert f"\n## {title}\n" in text
    for words in ("**Persona**: Small shops", "> - A pause", "Call them [1]", "**Churned**",
                  "robin: Phone, reached", "1. [zanzibar](<https://a.example/%3C)>)"):  # fmt: skip
        assert words in text


def test_open_brief_tells_what_to_do(signed_in, user):
    brief = make_brief(assignee=user, due_at=timezone.now())

    text = signed_in.get(f"/briefs/{brief.pk}.md").content.decode()

    assert "\n## What to do\n\n**First step:** " in text
    assert "- **Assignee**: robin\n" in text
    assert "- **Due**: " in text
    assert "How it ended" not in text


def test_program_gets_the_same(signed_in, user):
    brief = make_told("zanzibar", user)

    answer = signed_in.get(
        f"/api/v1/briefs/{brief.pk}/markdown/", headers={"Accept": "text/markdown"}
    )

    assert answer["Content-Type"].startswith("text/markdown")
    assert answer.content == signed_in.get(f"/briefs/{brief.pk}.md").content


def test_program_without_personal_data_gets_none(client, django_user_model, user):
    brief = make_told("zanzibar", user)
    client.force_login(make_user(django_user_model, "kim", "Viewer"))

    assert client.get(f"/api/v1/briefs/{brief.pk}/markdown/").status_code == 403
    assert client.get(f"/briefs/{brief.pk}.md").status_code == 200  # as the page
