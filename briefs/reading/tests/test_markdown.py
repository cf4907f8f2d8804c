import re
import time

import pytest
from markdown_it.token import Token

from briefs.reading import markdown


def test_headings_become_subheadings_of_the_page():
    assert markdown.render("## Why\n\nBecause.") == "<h3>Why</h3>\n<p>Because.</p>\n"


def test_https_links_are_marked_and_pass_nothing_on():
    html = markdown.render("[a study](https://journal.example/x)")

    assert 'href="https://journal.example/x"' in html
    assert 'class="external"' in html
    assert 'rel="noopener noreferrer nofollow"' in html
    assert 'title="External link: journal.example"' in html


@pytest.mark.parametrize(
    "address",
    [
        "http://plain.example",
        "//other.example",
        "/logout/",
        "#elsewhere",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "mailto:a@example.com",
        "https://bank.example@evil.example/",
        "https://",
    ],
)
def test_any_other_link_is_only_text(address):
    html = markdown.render(f"[read this]({address}) <{address}>")

    assert "<a" not in html
    assert "read this" in html


def test_scripts_are_shown_as_text_and_never_run():
    html = markdown.render("<script>alert(1)</script>\n\nHello <img src=x onerror=alert(1)>")

    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html


def test_a_placeholder_in_a_letter_stays_visible():
    assert "Dear &lt;first name&gt;" in markdown.render("Dear <first name>,")


def test_images_leave_only_their_words():
    html = markdown.render("![a chart](https://tracker.example/pixel.png)")

    assert html == "<p>a chart</p>\n"


def test_code_is_shown_without_a_class_of_its_own():
    assert markdown.render("```js\nx<y\n```") == "<pre><code>x&lt;y\n</code></pre>\n"


def test_citations_link_to_the_source_they_name():
    html = markdown.render("As shown [2].", source_count=2)

    assert '<a href="#source-2" class="cite"' in html
    assert ">[2]</a>." in html


def test_citations_without_a_source_stay_text():
    assert "<a" not in markdown.render("As shown [3] and [0].", source_count=2)


def test_a_citation_inside_a_link_does_not_nest():
    html = markdown.render("[see [1]](https://ok.example)", source_count=1)

    assert html.count("<a ") == 1


def test_a_huge_answer_is_cut_and_says_so():
    html = markdown.render("word " * 50_000)

    assert len(html) < 45_000
    assert "it was cut here" in html


@pytest.mark.parametrize("piece", ["[", "*a_ ", "> ", "![](", "<", "|a", "[1]", "a**b"])
def test_hostile_repetition_is_rendered_in_time(piece):
    started = time.process_time()

    markdown.render(piece * 40_000, source_count=3)

    assert time.process_time() - started < 3  # a run-away pattern would take minutes


def test_sources_take_their_domain_from_the_address():
    [source] = markdown.sources(
        [{"title": "T", "url": "https://www.real.example/a", "domain": "famous.example"}]
    )

    assert (source.number, source.href, source.domain) == (
        1,
        "https://www.real.example/a",
        "real.example",
    )


def test_sources_without_https_have_no_link():
    [source] = markdown.sources([{"title": "T", "url": "javascript:alert(1)", "domain": "d"}])

    assert (source.href, source.title) == ("", "T")


@pytest.mark.parametrize(
    "url",
    ["https://evil.example\\.bank.example/", "https://evil.example\\@bank.example/",
     "https://evil.example/a\\b", "https://e vil.example/", "https://evil%2eexample/",
     "https://ev\til.example/", "https://[::1]/", "https://bank.example\u202e/x", "https://-/",
     "https://ev!l.example/", "https://a\u200db.example/"],
)  # fmt: skip
def test_an_address_that_browsers_may_read_otherwise_has_neither_link_nor_domain(url):
    [source] = markdown.sources([{"title": "T", "url": url, "domain": "bank.example"}])

    assert source.href == ""
    assert "bank" not in source.domain or "\u202e" in url


@pytest.mark.parametrize("items", [None, "text", {"a": 1}, ["text", 3]])
def test_sources_of_a_strange_shape_are_none(items):
    assert markdown.sources(items) == []


# The second layer alone: hand-made tokens, as if the parser had accepted them.


def token(kind, tag="", nesting=0, content="", **attrs):
    made = Token(kind, tag, nesting, content=content)
    made.attrs = attrs
    return made


def link(href, **attrs):
    within = [
        token("link_open", "a", 1, href=href, **attrs),
        token("text", content="read this"),
        token("link_close", "a", -1),
    ]
    return [Token("inline", "", 0, children=within)]


HOSTILE_LINKS = [
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "data:text/html,x",
    "vbscript:x", "http://plain.example/", "mailto:a@example.com", "file:///etc/passwd",
]  # fmt: skip
OTHER_LINKS = [
    "//other.example/", "/logout/", "logout/", "?next=x", "#elsewhere", "#source-1234",
    "https://bank.example@evil.example/", "https://evil.example\\.bank.example/", "https://",
]  # fmt: skip


@pytest.mark.parametrize("href", HOSTILE_LINKS + OTHER_LINKS)
def test_the_second_layer_alone_keeps_no_other_link(href):
    html = markdown.finish(link(href))

    assert "href" not in html
    assert "read this" in html


@pytest.mark.parametrize("href", HOSTILE_LINKS)
def test_no_scheme_but_https_passes_even_where_attributes_are_not_looked_at(monkeypatch, href):
    monkeypatch.setattr(markdown, "_keep_attribute", lambda tag, name, value: value)

    assert "href" not in markdown.finish(link(href))


@pytest.mark.parametrize("href", ["https://a.example/x", "#source-12"])
def test_the_second_layer_keeps_what_the_first_makes(href):
    assert f'href="{href}"' in markdown.finish(link(href))


@pytest.mark.parametrize(
    "attrs",
    [
        {"onclick": "x()"}, {"style": "position:fixed"}, {"id": "source-1"}, {"target": "_blank"},
        {"class": "button"}, {"class": "message"}, {"data-x": "1"}, {"name": "csrf"},
        {"hx-get": "/x"},
    ],
)  # fmt: skip
def test_the_second_layer_alone_keeps_no_other_attribute_or_class(attrs):
    html = markdown.finish(link("https://a.example/", **attrs))

    assert all(name not in html.replace('class=""', "") for name in attrs)


def test_the_second_layer_decides_what_a_link_passes_on():
    html = markdown.finish(link("https://a.example/", rel="opener"))

    assert 'rel="noopener noreferrer nofollow"' in html


@pytest.mark.parametrize(
    "raw",
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<style>p{}</style>",
        "<iframe src='https://evil.example'></iframe>", "<form action=/x><input name=y></form>",
        "<svg onload=alert(1)>", "<math><mi>x</mi></math>", "<base href='https://evil.example'>",
        "<!-- hidden -->", "<p onmouseover=alert(1)>x</p>", "<h1>x</h1>", "<meta charset=x>",
        "<object data=x>", "<link rel=stylesheet href=x>", "<button>x</button>", "<title>x</title>",
    ],
)  # fmt: skip
def test_the_second_layer_alone_keeps_no_other_tag(raw):
    html = markdown.finish([Token("html_block", "", 0, content=raw)])

    assert not re.search(r"<(?!/?p>)", html)
    assert "alert" not in html
