"""What people say of a token that they make."""

from typing import Any

from django import forms

from accounts.models import Role
from accounts.models.tokens import LIFETIMES, USUAL_LIFETIME


class TokenForm(forms.Form):
    name = forms.CharField(
        max_length=80,
        label="Name",
        help_text="What uses it, for example “weekly report”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Say what uses it."},
    )
    role = forms.ChoiceField(
        label="Role", help_text="It can do what both this role and you may do, and no more."
    )
    months = forms.TypedChoiceField(
        label="Expires after",
        choices=list(LIFETIMES.items()),
        coerce=int,
        initial=USUAL_LIFETIME,
        help_text="Make a new one before that day.",
    )

    def __init__(self, *args: Any, own: Role, **kw: Any) -> None:
        super().__init__(*args, **kw)
        choices = [(role.value, role.label) for role in own.up_to]
        self.fields["role"].choices = choices  # type: ignore[attr-defined]  # a ChoiceField

    def clean_role(self) -> Role:
        return Role(self.cleaned_data["role"])
