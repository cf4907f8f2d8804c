import pytest

from briefs.finding.words import indexing
from briefs.finding.words.documents import Common
from briefs.finding.words.snippets import excerpt, snippets
from briefs.finding.words.typed import terms
from briefs.models import Brief, Comment
from briefs.tests.factories import make_brief, make_customer, make_persona, make_research

LONG = "One two three. " * 20


def shown(text, typed):
    return "".join(f"[{part}]" if marked else part for part, marked in excerpt(text, terms(typed)))


@pytest.mark.parametrize(
    ("text", "typed", "expected"),
    [
        ("Her contract ends.", "contract", "Her [contract] ends."),
        ("Her contract ends.", "CONTR ends", "Her [contract] [ends]."),
        ("Zoë Müller left", '"zoe muller"', "[Zoë Müller] left"),
        ("Zoë Müller left", 'zoe "zoe muller"', "[Zoë Müller] left"),
        ("<b>needle</b>", "needle", "<b>[needle]</b>"),  # the template escapes it
        (
            "**Cap** the\n# newsletters [1]",
            "newsletters",
            "Cap the newsletters"[:8] + "[newsletters] ",
        ),
        ("お客様は解約を希望しています。", "解約", "お客様は[解約]を希望しています。"),
        ("ผู้ใช้ยกเลิกการสมัคร", "เลิก", "ผู้ใช้ยก[เลิก]การสมัคร"),
        (f"{'x' * 300} y", "x" * 50, f"[{'x' * 120}]…"),
        ("nothing", "needle", "nothing"),
    ],
)
def test_words_that_match_are_marked(text, typed, expected):
    assert shown(text, typed).strip() == expected.strip()


def test_long_text_is_cut_around_what_was_found():
    found = shown(f"{LONG}a needle in it {LONG}", "needle")

    assert found.startswith("…")
    assert found.endswith("…")
    assert "a [needle] in it" in found
    assert len(found) < 200


@pytest.mark.django_db
def test_snippets_say_where_each_word_was_found(user):
    persona = make_persona(playbook="Call the treasurer.")
    brief = make_brief(
        persona=persona,
        customer=make_customer(attributes={"name": "Henrik"}),
        research=make_research(answer="Cap the newsletters."),
    )
    Comment.objects.create(brief=brief, actor=user, text="On leave.")
    indexing.run()

    found = snippets(terms("henrik leave newsletters treasurer"), [brief], Common())[brief.pk]

    # The row shows the name anyway; two places are enough.
    assert [one.label for one in found] == ["Comment", "Playbook"]
    assert found[0].parts == [("On ", False), ("leave", True), (".", False)]


@pytest.mark.django_db
def test_snippet_is_of_what_nothing_before_it_says(user):
    """The name is in the comment too, and far from what was looked for."""
    brief = make_brief(customer=make_customer(attributes={"name": "Henrik"}))
    Comment.objects.create(brief=brief, actor=user, text=f"Henrik called. {LONG}He is on leave.")

    [found] = snippets(terms("henrik leave"), [brief], Common())[brief.pk]

    assert ("leave", True) in found.parts


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["1234567", "0170 123 45 67", "+49 170"])
def test_number_is_marked_by_whichever_end_it_is_found(typed):
    brief = make_brief(customer=make_customer(phone="+491701234567"))

    found = snippets(terms(typed), [brief], Common())[brief.pk]

    assert [(one.label, one.parts) for one in found] == [("Number", [("+491701234567", True)])]


@pytest.mark.django_db
def test_no_text_is_read_where_the_name_says_all(django_assert_num_queries):
    make_brief(customer=make_customer(attributes={"name": "Henrik Larsen"}))
    [brief], common = Brief.objects.select_related("customer"), Common()

    with django_assert_num_queries(0):
        assert snippets(terms("larsen hen"), [brief], common) == {}


@pytest.mark.django_db
def test_answer_is_read_only_for_what_nothing_else_says():
    """It is the longest text; what the brief itself says comes before it."""
    sure, unsure = (
        make_brief(
            customer=make_customer(),
            plan=plan,
            research=make_research(answer="A treasurer decides."),
        )
        for plan in ("Treasurer", "Pro")
    )
    found = snippets(terms("treasurer"), [sure, unsure], Common())

    assert [[one.label for one in found[brief.pk]] for brief in (sure, unsure)] == [
        ["Plan"],
        ["Research"],
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("phone", "comment", "labels"),
    [
        ("+20242025", "", ["Number"]),
        ("+20242025", "In 2024 or 2025.", ["Number"]),
        ("", "In 2024 or 2025.", ["Comment"]),
        ("", "In 2024.", ["Comment"]),  # the other word is nowhere
    ],
)
def test_snippet_of_numbers_in_a_row_is_of_the_reading_that_was_found(user, phone, comment, labels):
    brief = make_brief(customer=make_customer(phone=phone))
    Comment.objects.create(brief=brief, actor=user, text=comment)

    found = snippets(terms("2024 2025"), [brief], Common())[brief.pk]

    assert [one.label for one in found] == labels
