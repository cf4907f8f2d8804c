"""The team's own wording of the question: what may be written, what is asked, which version."""

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from briefs.models import QuestionTemplate, Research, TemplateChoice, wording
from briefs.models.wording import Wording
from briefs.research.counting import too_long
from briefs.research.questions import TEMPLATE_VERSION, Asker, built_in
from briefs.research.sharing import attach
from briefs.tests.factories import make_brief, make_persona, question_for
from personas.models import Persona

OWN = "Who are {segment}? They did this: {signal}."
HASH_OF_VERSION_1 = "c5930ddd72cf7095c20cfdad92c5af29bd75bdb9dde210348561c2b30063e25c"
BRACES = Persona(name="{signal}", description="{segment} {{facts}} {0.__class__}")


def own(text=OWN, **kw):
    return QuestionTemplate.objects.write(text, **kw)


def asked(*briefs):
    with transaction.atomic():
        attach(list(briefs))
    return [brief.research for brief in briefs]


# What may be written


def test_built_in_text_has_no_faults():
    assert wording.faults(built_in().text) == []
    assert built_in().variables == set(wording.VARIABLES)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Write the question."),
        (
            "{segmnt}",
            "Line 1: “{segmnt}” is not known. Did you mean {segment}? Known are {segment}",
        ),
        ("\n\n{Facts}", "Line 3: “{Facts}” is not known. Did you mean {facts}?"),
        ("{email}", "“{email}” is not known. Known are"),
        ("{segment.__class__}", "“{segment.__class__}” reaches into a variable"),
        ("{segment[0]}", "“{segment[0]}” reaches into a variable"),
        ("{signal!r}", "“{signal!r}” asks for a format"),
        ("{signal:>99999999}", "“{signal:>99999999}” asks for a format"),
        ("{ signal }", "“{ signal }” has spaces inside the braces: write {signal}."),
        ("{}", "“{}” names no variable"),
        ("{0}", "“{0}” is not known"),
        ("{signal", "Line 1: “{” is never closed"),
        ("signal}", "Line 1: “}” closes nothing"),
        ("{segment{signal}}", "“{” is never closed"),
        ("{{segment}}", "“{{segment}}” only prints the word: single braces fill it in"),
        ("{signal}", "{segment} must be in the text: without it, two personas would ask the same"),
        ("{segment}", "{signal} must be in the text: without it, two different signals"),
        ("Ask zoe@quartz.example", "“zoe@quartz.example” looks like an e-mail address"),
        ("Ask zoe＠quartz.example", "looks like an e-mail address"),
        ("Ask zoe\u200b@quartz.example", "looks like an e-mail address"),
        ("x" * 4001, "The text alone has 4,001 characters"),
    ],
)
def test_text_that_cannot_be_asked_is_refused_in_words(text, words):
    assert words in " ".join(wording.faults(text))


def test_model_refuses_what_cannot_be_asked():
    with pytest.raises(ValidationError, match="Did you mean"):
        QuestionTemplate(text=f"{OWN} {{fact}}").full_clean()


def test_every_fault_is_named_once():
    faults = wording.faults("{a} {a} {segment} {signal} a@b")

    assert len(faults) == 2


def test_line_ends_of_a_browser_are_no_other_text():
    assert wording.tidy("a\r\nb\rc\n\n") == "a\nb\nc"


@given(st.text(alphabet="{}abs.egmnt[!:0 \n@"))
def test_whatever_is_written_is_judged_and_filled_without_an_error(text):
    wording.faults(text)

    Wording("", text).fill(dict.fromkeys(wording.VARIABLES, "{segment}"))


# What is asked


def test_doubled_braces_print_a_brace():
    assert Wording("", "{{{segment}}} }}{{").fill({"segment": "Trial"}) == "{Trial} }{"


def test_values_are_filled_in_once():
    text = "{segment}|{description}|{signal}"

    filled = Asker(Wording("", text)).question_for(BRACES, "unsubscribed", []).text

    assert filled == "{signal}|{segment} {{facts}} {0.__class__}|Unsubscribed"


def test_facts_with_braces_are_filled_in_once():
    asker = Asker(Wording("", "{facts} {signal}"))

    text = asker.question_for(Persona(name="x"), "unsubscribed", ["plan is {signal}"]).text

    assert text == "plan is {signal} Unsubscribed"


@pytest.mark.parametrize("kind", ["unsubscribed", "other"])
def test_built_in_question_is_what_str_format_makes_of_it(kind):
    persona = Persona(name="Trial", description="Try it.", research_focus="Look.")
    text = question_for(persona, kind, ["plan is trial"]).text

    words = {"segment": "Trial", "description": "Try it.", "focus": "Look.",
             "facts": "plan is trial"}  # fmt: skip
    meaning = text.split("What it means: ")[1].splitlines()[0]
    label = text.split("Signal: ")[1].splitlines()[0]
    assert text == built_in().text.format(**words, signal=label, meaning=meaning)


def test_built_in_question_and_hash_are_those_of_earlier_releases(settings):
    settings.MAVERA_WORKSPACE_ID = "ws-1"
    persona = Persona(name="Trial", description="They try it.", research_focus="What keeps them.")

    question = question_for(persona, "unsubscribed", ["plan is trial"])

    assert question.hash == HASH_OF_VERSION_1


# Which version


@pytest.mark.django_db
def test_without_a_version_of_its_own_the_built_in_text_is_asked():
    [research] = asked(make_brief())

    assert research.template_version == TEMPLATE_VERSION
    assert Asker.load().wording == built_in()


@pytest.mark.django_db
def test_own_version_is_asked_and_kept_with_the_question():
    version = own()
    brief = make_brief()

    [research] = asked(brief)

    assert research.question == f"Who are {brief.persona.name}? They did this: Unsubscribed."
    assert research.template_version == version.version == f"own-{version.pk}"


@pytest.mark.django_db
def test_changed_template_is_picked_up_by_the_next_batch():
    persona = make_persona()
    [before] = asked(make_brief(persona=persona))
    own()

    [after] = asked(make_brief(persona=persona))

    assert after != before
    assert after.question.startswith("Who are")


@pytest.mark.django_db
def test_answer_to_another_wording_is_not_shared_even_if_it_reads_the_same():
    persona = make_persona()
    own(built_in().text)

    [research] = asked(make_brief(persona=persona))

    same_words = question_for(persona, "unsubscribed", [])
    assert research.question == same_words.text
    assert research.question_hash != same_words.hash


@pytest.mark.django_db
def test_version_made_current_again_shares_its_answers_again():
    persona, first = make_persona(), own()
    [research] = asked(make_brief(persona=persona))
    own(f"{OWN} Really?")

    first.use()

    assert asked(make_brief(persona=persona)) == [research]
    assert Research.objects.count() == 1


@pytest.mark.django_db
def test_built_in_text_can_be_used_again_and_who_chose_is_kept(user):
    own(by=user)

    TemplateChoice.use_built_in(user)

    assert Asker.load().wording == built_in()
    assert [choice.chosen_by for choice in TemplateChoice.objects.all()] == [user, user]


@pytest.mark.django_db
def test_improved_built_in_text_does_not_replace_the_teams_own(monkeypatch):
    own()
    monkeypatch.setattr("briefs.research.questions.TEMPLATE_VERSION", "2")

    assert Asker.load().wording.text == OWN


@pytest.mark.django_db
def test_version_never_changes_and_is_never_removed():
    version = own()
    version.text = "other"

    with pytest.raises(TypeError):
        version.save()
    with pytest.raises(TypeError):
        version.delete()


@pytest.mark.django_db
def test_template_is_read_once_for_a_batch(django_assert_max_num_queries):
    own()
    persona = make_persona()
    briefs = [make_brief(persona=persona) for _ in range(20)]
    for brief in briefs:
        brief.persona = persona

    with transaction.atomic(), django_assert_max_num_queries(12) as queries:
        attach(briefs)

    read = [query for query in queries if "questiontemplate" in query["sql"]]
    assert len(read) == 1


@pytest.mark.django_db
def test_batch_that_buys_nothing_does_not_read_the_template(django_assert_num_queries):
    brief = make_brief()
    brief.persona = make_persona(opens_brief=False)

    with django_assert_num_queries(0):
        attach([brief])


# How long


@pytest.mark.django_db
def test_question_that_would_be_too_long_names_the_longest_persona_and_signal():
    make_persona(name="Short")
    make_persona(name="Long", description="x" * 3_990)

    assert not too_long(Wording("", "{segment} {signal} {meaning}"))
    [words] = too_long(Wording("", "{segment} {description} {signal}"))

    assert words.startswith(
        "For “Long” and “Another address, not theirs” the question would have 4,023 characters, "
        "23 more"
    )


@pytest.mark.django_db
def test_length_is_measured_with_the_longest_facts():
    persona = make_persona(name="Listed")
    persona.conditions.create(field="plan", operator="in", value=f"pro, {'x' * 3_900}")

    assert not too_long(Wording("", OWN))
    assert too_long(Wording("", OWN + "{facts}" + "y" * 100))


@pytest.mark.django_db
def test_persona_that_asks_nothing_may_be_as_long_as_it_likes():
    make_persona(description="x" * 9_000, opens_brief=False)

    assert too_long(built_in()) == []


@pytest.mark.django_db
def test_starter_personas_leave_room_for_the_built_in_text(starter):
    assert too_long(built_in()) == []
