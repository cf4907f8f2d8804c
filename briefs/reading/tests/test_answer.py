"""An answer as the page shows it: Mave's words, and our marks beside them."""

import re
import time
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from briefs.reading import answer, markdown
from briefs.reading.channels import ClosedChannel
from sandbox.answers import load

EMAIL = ClosedChannel("email", "marketing e-mail", "unsubscribed 22 Nov 2026")
SMS = ClosedChannel("sms", "SMS", "the profile has no phone number")
SOURCES = [
    {"title": "A", "url": "https://a.example/x", "domain": "a.example"},
    {"title": "B", "url": "https://b.example/", "domain": "b.example"},
]
SANDBOX = Path(__file__).parents[3] / "sandbox"
MARK = "<mark>e-mail</mark>"


def read(text, sources=SOURCES, closed=()):
    return answer.read(text, sources, closed)


# Headings and size


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("# A\n\n## B\n\n### C", ["h3", "h4", "h5"]),
        ("### A\n\n###### B\n\n### C", ["h3", "h4", "h3"]),
        ("A\n===\n\nB\n---", ["h3", "h4"]),
        ("No heading at all.", []),
        ("#\n\n## \n\ntext", []),
        ("> # Quoted\n\n- # Listed", ["h3", "h3"]),
        ("a long paragraph " * 20 + "\n---", []),
    ],
)
def test_headings_of_any_sort_become_an_outline_below_the_section(text, tags):
    assert re.findall(r"<(h\d)>", read(text).html) == tags


def test_an_answer_cannot_bring_ids_of_its_own():
    html = read('## research\n\n<p id="research">x</p> [1]: <a id="source-1">').html

    assert not re.search(r"<[^>]*\bid=", html)


def test_long_answers_are_folded_between_two_blocks():
    text = "\n\n".join(f"Paragraph {number}. " + "word " * 100 for number in range(50))

    reading = read(text)

    assert len(reading.html) < 15_000
    assert "Paragraph 49." in reading.rest
    assert reading.cut_at is None
    assert reading.rest_words > 2_000


def test_answer_that_is_cut_says_where():
    reading = read("word word word.\n\n" * 5_000)

    assert 0.9 * markdown.LONGEST < reading.cut_at <= markdown.LONGEST
    assert reading.length == 85_000


def test_text_that_markdown_would_hide_is_shown_as_it_is():
    assert read("[x]: https://hidden.example").html == "<p>[x]: https://hidden.example</p>"


@pytest.mark.parametrize(
    "text",
    ["\u200b", "\ufeff\u2060", "---", "___", "![](https://x.example/p.png)", "<!-- -->",
     "<!-- x -->", "&nbsp;", "&#8203;", "```\n```", "#", "\x00 ", "", "* * *\n\n![]()",
     "| |\n|-|\n| |", "…"],
)  # fmt: skip
def test_an_answer_without_words_says_that_it_has_none(text):
    assert read(text).html == "<p>This answer holds no words.</p>"


def test_a_number_is_an_answer():
    assert read("42").html == "<p>42</p>\n"


# Citations


@pytest.mark.parametrize(
    "written", ["[1]", "[^1]", "【1】", "【1†a title】", "[1](https://a.example/x/)"]
)
def test_each_form_of_a_citation_leads_to_its_source(written):
    reading = read(f"So it is {written}.")

    assert '<a href="#source-1" class="cite"' in reading.html
    assert [source.number for source in reading.cited] == [1]


@pytest.mark.parametrize("written", ["[1, 2]", "[1][2]", "[1]–[2]", "[1-2]", "[1; 2]"])
def test_several_numbers_lead_to_a_source_each(written):
    reading = read(f"So it is {written}.")

    assert reading.html.count('class="cite"') == 2
    assert [source.number for source in reading.cited] == [1, 2]


def test_a_range_cites_what_lies_between():
    sources = [{"title": str(n), "url": f"https://{n}.example"} for n in range(4)]

    assert len(read("So it is [1-4].", sources).cited) == 4


@pytest.mark.parametrize("written", ["(1)", "[2023]", "[a]", "1.", "`[1]`"])
def test_what_may_be_no_citation_stays_text(written):
    assert 'class="cite"' not in read(f"So it is {written}").html


def test_a_number_without_a_source_says_so():
    assert "[7] <span" in read("So it is [7].").html
    assert "no such source" in read("So it is [7].").html


def test_an_address_named_twice_stands_once_and_both_numbers_lead_to_it():
    twice = [*SOURCES, {"title": "Again", "url": "https://www.a.example/x/#part"}]

    reading = read("So it is [3].", twice)

    assert [listed.source.label for listed in reading.sources] == ["[1] [3]", "[2]"]
    assert '<a href="#source-1" class="cite" title="Source 1"' in reading.html
    assert [listed.is_cited for listed in reading.sources] == [True, False]


def test_a_link_to_a_source_cites_it():
    reading = read("See [this](https://b.example).")

    assert 'title="External link: b.example, source 2"' in reading.html
    assert [source.number for source in reading.cited] == [2]


def test_a_link_to_anything_else_says_that_it_is_no_source():
    html = read("See [this](https://c.example).").html

    assert 'title="External link: c.example, not among the sources"' in html
    assert 'class="external"' in html


def test_a_link_that_names_another_place_shows_where_it_leads():
    html = read("[www.bank.example](https://evil.example/)").html

    assert '<span class="domain"> (evil.example)</span>' in html


@pytest.mark.parametrize(
    "words",
    [
        "**https://bank.example/login**",
        "`https://bank.example/login`",
        "https://bank.example *x*",
        "bank.**example**",
        "bank.example\nlogin",
        "log in\nat bank.example",
        "bank．example",
        "bank。example",
        "bank\\.example",
        "bank&#46;example",
        "vil.example",
        "evil.example.bank.example",
        "https://evil.example@bank.example",
        "evil.example or bank.example",
        "банк.example",
        "https:bank",
    ],
)
def test_no_markup_hides_that_a_link_names_another_place(words):
    assert "(evil.example)" in read(f"[{words}](https://evil.example/)").html


@pytest.mark.parametrize(
    "words",
    ["evil.example", "EVIL.example", "https://www.evil.example/a.html?to=bank.example", "a *study*",
     "**evil.example**: a study", "evil.example:443/x", "2.5 times more"],
)  # fmt: skip
def test_a_link_that_names_its_own_place_or_none_shows_no_more(words):
    assert "(sub.evil.example)" not in read(f"[{words}](https://sub.evil.example/)").html


def test_foreign_letters_in_an_address_show_as_the_browser_asks_for_them():
    assert "xn--" in read("[shop](https://аррӏе.example/)").html


def test_a_letter_that_older_rules_replaced_leads_to_its_own_domain():
    [listed] = read("[1]", [{"title": "T", "url": "https://faß.example/"}]).sources

    assert listed.source.domain == "xn--fa-hia.example"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("https://x.example/#/report/1", "https://x.example/#/report/2"),
        ("https://x.example/#!a", "https://x.example/#!b"),
        ("https://x.example:8443/a", "https://x.example/a"),
        ("https://x.example/a?p=1", "https://x.example/a?p=2"),
    ],
)
def test_two_pages_are_two_sources(first, second):
    reading = read("So it is [2].", [{"url": first}, {"url": second}])

    assert [listed.source.href for listed in reading.sources] == [first, second]
    assert [source.number for source in reading.cited] == [2]


def test_of_two_ways_to_write_an_address_the_one_to_be_followed_is_linked():
    urls = ("http://x.example/a", "https://x.example:443/a/")

    reading = read("So it is [1] [2].", [{"title": url[:5], "url": url} for url in urls])

    [listed] = reading.sources
    assert (listed.source.title, listed.source.href) == ("https", urls[1])
    assert listed.source.label == "[1] [2]"


# Claims


@pytest.mark.parametrize(
    "claim",
    [
        "Pauses keep 40 % of them.",
        "Two in three return.",
        "Studies have shown that pauses work.",
        "According to analysts, pauses work.",
        "They are 3 times more likely to stay.",
        "Since 2023 this has changed.",
        "This costs firms $4 million a year.",
        "Nearly half of the customers who complain return.",
        "A third of enterprise accounts churn in the first year.",
        "Two-thirds return after a call.",
        "Most customers (seven out of ten) return.",
        "Every third customer returns.",
        "Churn doubles after a missed renewal call.",
        "Reply rates tripled in a Bain experiment.",
        "It costs five times more to win a new customer.",
        "Acquiring a customer costs 5-25x more.",
        "68 pct of them return.",
        "Response rates are 4 to 6 percent.",
        "Retention rises by 30 points.",
        "More than 5,000 companies left last year.",
        "The average account is worth $4,000.",
        "The typical NPS is 60.",
        "Average churn in this segment is 1.2 per month.",
        "A 2019 Gartner survey found that calls work best.",
        "Gartner found that calls work best.",
        "McKinsey says calls work best.",
        "Forrester reports that calls work best.",
        "Harvard Business Review has shown that calls win.",
        "Researchers at Wharton found that calls win.",
        "Industry data show that calls win.",
    ],
)
def test_claims_without_a_citation_are_marked_and_others_are_not(claim):
    assert "no source given" in read(claim).html
    assert "no source given" not in read(f"{claim} [1]").html


@pytest.mark.parametrize(
    "text",
    [
        "Call them within 24 hours.",
        "Offer 20 % off for three months.",
        "Offer a discount of up to 20 %.",
        "Ask again after 2 weeks, at 3 p.m.",
        "According to the contract, notice is due.",
        "Ask two or three times, at most.",
        "Offer to halve the price, or a third of it.",
        "Offer two-thirds of the price for a year.",
        "Double the trial and ask again.",
        "Check whether half of the seats are idle.",
        "A customer with 250 seats pays more than one with 20.",
        "Make three points in the call.",
        "An average answer is ready in 3 days.",
        "The typical time of an answer is 2 days.",
        "Most of this is guesswork.",
        "Pay $4,000 back.",
        "Ask every second week.",
        "Look at the last 30 days and the data of the account.",
        "## How to tell it worked\n\n- 40 % of the seats are in use.",
        "Studies show [1]:\n\n- 40 % leave\n- 30 % stay",
        "| a |\n|-|\n| 40 % [1] |\n| 30 % |",
    ],
)
def test_periods_offers_targets_and_what_a_lead_cites_are_no_bare_claims(text):
    assert "no source given" not in read(text).html


@pytest.mark.parametrize(
    "text",
    [
        "## Studies show that 80 % return\n\nCall.",
        "**Studies show that 80 % return**\n\nCall.",
        "- **80 % return**",
        "```\nStudies show that 80 % return.\n```",
        "    Studies show that 80 % return.",
        "Studies show that 80 % return\n---\n\nCall.",
    ],
)
def test_a_claim_is_marked_in_every_kind_of_block(text):
    assert read(text).html.count("no source given") == 1


@pytest.mark.parametrize("text", ["## Churn in 2024", "## 80 % return [1]", "## What works"])
def test_a_heading_with_a_year_or_a_source_is_no_bare_claim(text):
    assert "no source given" not in read(text).html


def test_a_cited_row_covers_no_statement_of_another_row():
    rows = "| Calls keep 40 % [1] | x |\n| E-mail keeps 90 % | y |\n| x | Two in three return |"

    html = read(f"| a | b |\n|-|-|\n{rows}").html

    assert html.count("no source given for “E-mail keeps 90 %” and 1 more") == 1


def test_a_table_of_figures_without_a_source_is_marked_once():
    assert read("| a |\n|-|\n| 40 % |\n| 30 % |").html.count("no source given") == 1


def test_an_answer_without_any_source_says_so_once_and_marks_only_its_numbers():
    reading = read("Pauses keep 40 % [1]. Studies show it [2, 3].", sources=[])

    assert reading.is_without_sources
    assert reading.html.count("no such source") == 3
    assert "no source given" not in reading.html


def test_a_number_that_the_text_itself_explains_is_not_marked():
    assert "mark" not in read("So it is [1].\n\n[1] https://a.example/x", sources=[]).html


def test_a_claim_beside_a_cited_sentence_needs_a_source_of_its_own():
    html = read("Pauses work [1]. Two in three return. Ask them.").html

    assert html.count("no source given for “Two in three return.”") == 1


@pytest.mark.parametrize(
    "text",
    ["Two in three return. [1] Ask.", "Call. Two in three return [2].", "40 % stay [1]! 30 % [2]."],
)
def test_a_citation_behind_the_full_stop_covers_its_sentence(text):
    assert "no source given" not in read(text).html


@pytest.mark.parametrize("path", sorted(SANDBOX.rglob("*.md")), ids=lambda path: path.stem)
def test_answers_of_the_sandbox_have_no_wrong_mark_for_a_missing_source(path):
    written = load(path)

    html = read(written.content, [asdict(source) for source in written.sources]).html

    assert "unsourced" not in html


def test_links_in_the_text_count_as_sources():
    reading = read("So it is [here](https://a.example).\n\nAnd 40 % leave.", sources=[])

    assert not reading.is_without_sources
    assert reading.html.count("no source given") == 1


# Closed channels


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Send an e-mail today.", f"<p>Send an {MARK} today.</p>"),
        ("- Call.\n- Send an **e-mail**.", f"<li>Send an <strong>{MARK}</strong>.</li>"),
        ("> An *e-mail*.", f"An <em>{MARK}</em>."),
        ("## First an e-mail", f"<h3>First an {MARK}</h3>"),
        ("**An e-mail first**", f"<p><strong>An {MARK} first</strong></p>"),
        ("An e-mail\n---\n\nCall.", f"<h3>An {MARK}</h3>"),
        ("| Email | a |\n|-|-|\n| b | E-mail |", f"<td>{MARK.replace('e-mail', 'E-mail')}</td>"),
        ("[An e-mail](https://a.example/x)", f">An {MARK}</a>"),
        ("Say `an e-mail now`.", f"<code>an {MARK} now</code>"),
        ("```\nAn e-mail\n<now>\n```", f"<pre><code>An {MARK}\n&lt;now&gt;\n</code></pre>"),
        ("    An e-mail.", f"<pre><code>An {MARK}.\n</code></pre>"),
        ("- Step\n\n      An e-mail.", f"<pre><code>An {MARK}.\n</code></pre>"),
        ("An e-mail [1].", f"An {MARK} <a"),
        ("Do not send an e-mail.", f"Do not send an {MARK}."),
    ],
)
def test_the_word_for_a_closed_channel_is_marked_where_it_stands(text, html):
    reading = read(text, closed=[EMAIL])

    assert html in reading.html
    assert reading.names_closed == ["email"]


def test_each_word_is_marked_and_a_channel_is_counted_once():
    reading = read("An e-mail, an SMS and an email; push.", closed=[EMAIL, SMS])

    assert re.findall(r"<mark>([\w-]+)<", reading.html) == ["e-mail", "SMS", "email"]
    assert reading.names_closed == ["email", "sms"]


def test_an_open_channel_is_never_marked():
    reading = read("An e-mail and an SMS.", closed=[SMS])

    assert reading.html.count("<mark>") == 1
    assert reading.names_closed == ["sms"]
    assert "<mark>" not in read("An e-mail and an SMS.").html


def test_a_claim_within_the_remark_on_a_source_is_quoted_without_a_mark():
    html = read("Calls win [1]. E-mail keeps 90 %.", closed=[EMAIL]).html

    assert "no source given for “E-mail keeps 90 %.”" in html


@pytest.mark.parametrize(
    "text",
    [
        "## What to avoid\n\n- Send an e-mail.",
        "**What to avoid**\n\n- Send an e-mail.",
        "Avoid:\n\n- Send an e-mail.\n  - E-mail them again.",
        "- What not to do:\n  - Send an e-mail.",
        "## What to avoid\n\n### Haste\n\n- Send an e-mail.",
        "## What to avoid\n\n**Haste**\n\n- Send an e-mail.",
        "## What to avoid\n\n### Send an e-mail",
        "## What to avoid\n\n- **Send an e-mail**",
        "## What to avoid\n\n```\nSend an e-mail.\n```",
        "## What to avoid\n\n| Channel |\n|-|\n| Email |",
        "1. **Do not**\n\n   Send an e-mail.",
        "Never do this:\n\n| Step |\n|-|\n| Send an e-mail |",
        "Never do this:\n\n```\nSend an e-mail.\n```",
        "## Email (do not use)",
        "Do not e-mail them:\n\n- at night",
    ],
)
def test_what_a_heading_forbids_is_not_marked(text):
    reading = read(text, closed=[EMAIL])

    assert "<mark>" not in reading.html
    assert reading.names_closed == []


@pytest.mark.parametrize(
    "text",
    [
        "## How to avoid losing them\n\n- Send an e-mail.",
        "To avoid further loss, take these steps:\n\n- Send an e-mail.",
        "## What to avoid\n\nHaste.\n\n## Steps\n\n- Send an e-mail.",
        "- **What to avoid**\n  - Haste.\n- Send an e-mail.",
        "Avoid:\n\n- Haste.\n\nSend an e-mail.",
        "| Step | What to avoid |\n|-|-|\n| Send an e-mail | delay |",
    ],
)
def test_a_heading_forbids_no_more_than_what_stands_below_it(text):
    assert read(text, closed=[EMAIL]).names_closed == ["email"]


# Safety


@pytest.mark.parametrize(
    "hidden",
    ["\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\u00ad", "\x00", "&#x202e;", "&#8203;"],
)
def test_characters_that_deceive_the_eye_are_gone(hidden):
    assert read(f"in{hidden}voice").html == "<p>invoice</p>\n"


@pytest.mark.parametrize(
    "text",
    [
        "<!-- secret --> [x](javascript:alert(1))",
        "[x](data:text/html,<b>) <b onclick=x>",
        "[x](//evil.example) <//evil.example>",
        "<javascript:alert(1)> ![x](https://evil.example/p.png)",
        "[x]\n\n[x]: javascript:alert(1)",
        "&#60;script&#62;alert(1)&#60;/script&#62;",
        "[x](java&#115;cript:alert(1)) [x](http://plain.example)",
    ],
)
def test_nothing_but_plain_https_is_a_link(text):
    html = read(text).html

    assert "<a" not in html
    assert "<img" not in html
    assert "<script" not in html
    assert "<!--" not in html


TAG = re.compile(r"<(/?)([a-z0-9]+)((?: [a-z-]+=\"[^\"<>]*\")*) ?/?>")
HREF = re.compile(r"#source-\d+|https://[^\"]+")
PIECES = [
    "# ", "\n", "\n\n", "- ", "1. ", "> ", "|a|\n|-|\n", "```", "`", "*", "**", "_", "[1]",
    "[1, 2]", "[a](https://a.example)", "[a](javascript:x)", "![a](https://a.example)",
    "<script>", "</p>", "<img src=x onerror=y>", "<!--", "&lt;", "&#60;", '"', "'",
    "<https://a.example/\">", "\u202e", "[a]: https://a.example 'b'\n", "Send an e-mail", "40 %",
    "=\n", "---\n", "    ", "\\", "【1†", "】",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=12), max_size=40).map("".join))
def test_no_page_ever_contains_a_tag_or_attribute_that_is_not_allowed(text):
    reading = read(text, closed=[EMAIL])

    rest = TAG.sub("", reading.html + reading.rest)
    assert "<" not in rest
    for _, tag, attributes in TAG.findall(reading.html + reading.rest):
        assert tag in markdown.TAGS
        for name, value in re.findall(r'([a-z-]+)="([^"]*)"', attributes):
            assert name in {"class", "rel"} | markdown.ATTRIBUTES.get(tag, set())
            assert name != "href" or HREF.fullmatch(value)


@given(st.lists(st.sampled_from([*PIECES, "an SMS, "]), max_size=40).map("".join))
def test_marks_of_closed_channels_change_nothing_of_the_text(text):
    marked, plain = read(text, closed=[EMAIL, SMS]), read(text)

    assert re.sub("</?mark>", "", marked.html) == plain.html


@pytest.mark.parametrize(
    "piece",
    ["[", "*a_ ", "> ", "![](", "<", "[1]", "[a\n", "- a\n", "|a|b|\n|-|-|\n|1|2|\n", "|", "# a\n",
     "【1†", "[a](https://a.example) ", "send an e-mail ", "if you ", "40 % ",
     "ask the owner of the ", "a.", "&#x202e;", "\u0300", " ", "(((((", "`x ``y ",
     "email, or ", "push ", "text text-"],
)  # fmt: skip
def test_hostile_repetition_is_read_in_time(piece):
    started = time.process_time()

    read(piece * (100_000 // len(piece)), closed=[EMAIL])

    assert time.process_time() - started < 5  # a run-away pattern would take minutes


def table(columns, rows):
    return "|a" * columns + "|\n" + "|-" * columns + "|\n" + rows


@pytest.mark.parametrize(
    "text",
    [table(n, "x\n" * (14_900 - 2 * n)) for n in (2, 20, 60, 500, 5_000)]
    + [
        table(60, "e-mail\n" * 4_000),
        table(38, "|40 %" * 38 + "\n") * 100,
        (table(20, "x\n" * 20) + "\n") * 200,
        "> " + table(300, "> x\n" * 7_000).replace("|\n|-", "|\n> |-", 1),
    ],
    ids=[*(f"{n} columns" for n in (2, 20, 60, 500, 5_000)), "names", "wide", "many", "quoted"],
)
def test_tables_of_any_shape_are_read_in_time_and_stay_small(text):
    started = time.process_time()

    reading = read(text, closed=[EMAIL])

    assert time.process_time() - started < 5
    assert len(reading.html + reading.rest) < 200_000
    assert (reading.html + reading.rest).count("<td>") <= 2_000


def test_rows_beyond_what_a_table_may_hold_follow_as_text():
    html = read(table(3, "|row|b|c|\n" * 999 + "|last|b|c|\n\nThe end.")).html

    assert "The table goes on; its other rows follow as text." in html
    assert html.index("</table>") < html.index("|last|b|c|") < html.index("<p>The end.</p>")


@pytest.mark.parametrize("rows", [1, 20, 221])
def test_a_table_that_fits_is_whole(rows):
    html = read(table(8, ("|row" * 8 + "|\n") * rows)).html

    assert html.count("<td>row</td>") == 8 * rows
    assert "goes on" not in html
