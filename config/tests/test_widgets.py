"""Form fields are the same HTML as Django's own templates make of them."""

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.utils.safestring import mark_safe

from config.widgets import Renderer

SIGNS = """<b> & "quoted" 'too'"""
CHOICES = [("", "Any"), (1, "One"), (SIGNS, SIGNS), ("Group <1>", [("a", "A"), (None, "none")])]
ATTRIBUTES = {"id": "x", "required": True, "disabled": False, "data-words": SIGNS, "size": 3}


@pytest.mark.parametrize(
    "widget",
    [
        forms.Select(choices=CHOICES),
        forms.SelectMultiple(choices=CHOICES),
        forms.NullBooleanSelect(),
        forms.TextInput(),
        forms.NumberInput(),
        forms.HiddenInput(),
        forms.CheckboxInput(),
        forms.DateInput(),
        forms.Textarea(),
        forms.RadioSelect(choices=CHOICES),
    ],
    ids=lambda widget: type(widget).__name__,
)
@pytest.mark.parametrize("attributes", [{}, ATTRIBUTES], ids=["plain", "attributes"])
def test_widget_is_what_django_makes_of_it(widget, attributes):
    ours, djangos = Renderer(), DjangoTemplates()

    for value in (None, "", 1, 0, True, SIGNS, mark_safe("a&amp;b"), "a"):
        made = widget.render("name<>", value, attributes, renderer=ours)
        assert made == widget.render("name<>", value, attributes, renderer=djangos), value


@pytest.mark.parametrize("renderer", [Renderer(), DjangoTemplates()], ids=["ours", "django"])
def test_option_of_a_choice_is_an_input_without_its_label(renderer):
    class Form(forms.Form):
        how = forms.ChoiceField(choices=[("a", "A"), (SIGNS, SIGNS)], widget=forms.RadioSelect)

    first, second = Form({"how": "a"}, renderer=renderer)["how"]

    assert first.tag() == (
        '<input type="radio" name="how" value="a" id="id_how_0" required checked>'
    )
    assert SIGNS not in second.tag()


def test_pages_use_it(settings):
    assert isinstance(forms.Form().renderer, Renderer)
