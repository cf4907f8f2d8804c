"""What differs between two documents is said in sentences."""

import copy

import pytest

from personas.rules import documents
from personas.rules.differences import differences, summary

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]
NAME = "Pro, low usage"


@pytest.fixture
def before():
    return documents.take()


@pytest.fixture
def after(before):
    return copy.deepcopy(before)


def persona(document, name=NAME):
    return next(row for row in documents.rows(document, "personas") if row["name"] == name)


def said(before, after):
    return [one.in_full for one in differences(before, after)]


def test_same_documents_differ_in_nothing(before, after):
    assert differences(before, after) == []


def test_conditions_are_said_as_forms_show_them(before, after):
    conditions = persona(after)["conditions"]
    gone = conditions.pop()
    conditions.append({"field": "usage", "operator": "lt", "value": "10"})

    words = said(before, after)

    assert len(words) == 2
    assert words[0].startswith(f"Persona “{NAME}”: condition “{gone['field']} ")
    assert words[0].endswith(" removed")
    assert words[1] == f"Persona “{NAME}”: condition “usage is less than 10” added"


def test_short_values_are_said_in_the_words_of_the_form(before, after):
    persona(after).update(value="standard", opens_brief=False, month_budget=20)
    after["signal_rules"][0]["severity"] = "low"

    assert said(before, after) == [
        "Signal rule “Turned off a channel”: severity “Low” instead of “Medium”",
        f"Persona “{NAME}”: value “Standard” instead of “High”",
        f"Persona “{NAME}”: opens no brief any more",
        f"Persona “{NAME}”: month budget “20”, before none",
    ]


def test_what_is_turned_on_or_emptied_is_said_in_words(before, after):
    before["signal_rules"][0]["is_active"] = False
    step = next(step for step in before["first_steps"] if step.get("channels"))
    place = before["first_steps"].index(step)
    after["first_steps"][place]["channels"] = []
    persona(before)["month_budget"] = 20

    words = said(before, after)

    assert words[0] == "Signal rule “Turned off a channel”: switched on"
    assert words[1] == f"Persona “{NAME}”: month budget removed, was “20”"
    assert words[2].endswith(f": channels removed, was “{', '.join(step['channels'])}”")


def test_long_text_is_said_by_its_changed_lines(before, after):
    row = persona(after)
    row["playbook"] = row["playbook"] + "\n\nCall them first."

    [words] = said(before, after)

    assert words == f"Persona “{NAME}”: playbook changed\n    +\n    +Call them first."


def test_rows_that_came_went_and_moved(before, after):
    after["personas"].remove(persona(after))
    after["personas"].insert(0, {"name": "New", "description": "x", "playbook": "y"})
    moved = persona(after, "Trial")
    after["personas"].remove(moved)
    after["personas"].insert(1, moved)

    words = said(before, after)

    assert words[:2] == [f"Persona “{NAME}” removed", "Persona “New” added"]
    assert words[2].startswith("Persona “Trial”: tried as number ")
    assert len(words) == 3


def test_row_under_another_name_is_renamed_with_its_steps(before, after):
    persona(after)["name"] = "Pro, quiet"
    for step in after["first_steps"]:
        if step.get("persona") == NAME:
            step["persona"] = "Pro, quiet"

    assert said(before, after) == [f"Persona “Pro, quiet”: renamed, was “{NAME}”"]


def test_summary_names_three_rows_and_counts_the_others(before, after):
    after["personas"].remove(persona(after))
    for row in after["signal_rules"][:3]:
        row["note"] = "other"

    words = summary(differences(before, after))

    assert words == (
        "Changed signal rule “Turned off a channel”, changed signal rule “Opted out of every "
        "topic”, changed signal rule “Opted out of some topics”, and 1 more"
    )


def test_first_step_in_other_words_is_changed(before, after):
    step = next(row for row in after["first_steps"] if row.get("persona") == NAME)
    step["text"] = "Call them."

    [words] = said(before, after)

    assert words.startswith(
        "First step “Call them.”: what to do “Call them.” instead of “Wait until"
    )


def test_steps_do_not_move_with_their_persona(before, after):
    after["personas"].insert(0, after["personas"].pop(5))
    names = [row["name"] for row in after["personas"]]
    after["first_steps"].sort(key=lambda row: names.index(row.get("persona", names[0])))

    assert [one.part for one in differences(before, after)] == ["personas"]
