"""What people send to the desk."""

from django import forms

from briefs.models import Brief

Outcome = Brief.Outcome
# Withdrawn is missing: only the desk itself withdraws a brief.
BY_HAND = [Outcome.RETAINED, Outcome.CHURNED, Outcome.NO_RESPONSE, Outcome.NOT_AT_RISK]


class CloseForm(forms.Form):
    outcome = forms.ChoiceField(
        choices=[(outcome.value, outcome.label) for outcome in BY_HAND],
        widget=forms.RadioSelect,
        error_messages={"required": "Say how it ended."},
    )
    note = forms.CharField(
        required=False,
        max_length=5_000,
        label="Note",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What worked, what did not. Found by search.",
    )
    is_persona_wrong = forms.BooleanField(required=False, label="The persona was wrong")


class ViewForm(forms.Form):
    """A saved view's name, and whether everybody sees it."""

    name = forms.CharField(max_length=60, error_messages={"required": "Give it a name."})
    is_team = forms.BooleanField(required=False)
