"""What a lead types about a person, and how somebody asks for a new password."""

from threading import Thread
from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import PasswordChangeForm, PasswordResetForm
from django.contrib.auth.models import User
from django.db.models import Q, Value
from django.db.models.functions import Concat, Trim
from django.http import HttpRequest

from accounts.models import Role
from briefs.links import user_name
from personas.models.letters import is_same

LONGEST = 150  # characters of a user name, which the mail address becomes
WITHOUT = ("", "No role", "May sign in, sees nothing, and is told whom to ask.")


class ChangePasswordForm(PasswordChangeForm):
    """Counts a wrong old password like one at the sign-in: nobody guesses at an open screen."""

    def __init__(self, *args: Any, request: HttpRequest, **kw: Any) -> None:
        super().__init__(*args, **kw)
        self.request = request

    def clean_old_password(self) -> str:
        old: str = self.cleaned_data["old_password"]
        if not authenticate(self.request, username=self.user.get_username(), password=old):
            message = self.error_messages["password_incorrect"]
            raise forms.ValidationError(message, code="password_incorrect")
        return old


class PersonForm(forms.Form):
    name = forms.CharField(
        max_length=LONGEST, label="Name", help_text="First and last name, as colleagues know them."
    )
    mail = forms.EmailField(
        max_length=LONGEST, label="Mail address", help_text="They also sign in by it."
    )
    role = forms.ChoiceField(
        label="Role", widget=forms.RadioSelect, error_messages={"required": "Choose a role."}
    )

    def __init__(self, *args: Any, person: User | None = None, **kw: Any) -> None:
        super().__init__(*args, **kw)
        self.person = person
        self.fields["role"].choices = [(role.value, role.label) for role in Role]  # type: ignore[attr-defined]  # a ChoiceField
        if person:
            self.fields["role"].choices += [WITHOUT[:2]]  # type: ignore[attr-defined]  # as above
            self.fields["role"].required = False
            self.fields["mail"].help_text = (
                self.fields["mail"].help_text
                if person.username == person.email
                else f"They sign in as “{person.username}”."
            )

    @property
    def options(self) -> list[tuple[Any, str]]:
        """The radio buttons of the roles, each with what the role means."""
        meanings = {role.value: role.meaning for role in Role} | {WITHOUT[0]: WITHOUT[2]}
        return [(radio, meanings[radio.data["value"]]) for radio in self["role"]]

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        full = Trim(Concat("first_name", Value(" "), "last_name"))
        if self._others().annotate(full=full).filter(is_same("full", name)).exists():
            raise forms.ValidationError(
                f"There is already somebody called “{name}”. Add something that tells them apart."
            )
        return name

    def clean_mail(self) -> str:
        mail: str = self.cleaned_data["mail"].lower()
        same = self._others().filter(Q(email__iexact=mail) | Q(username__iexact=mail)).first()
        if same:
            state = "" if same.is_active else ", who is deactivated: reactivate that account"
            raise forms.ValidationError(f"This address belongs to {user_name(same)}{state}.")
        return mail

    def clean_role(self) -> Role | None:
        return Role(self.cleaned_data["role"]) if self.cleaned_data["role"] else None

    def _others(self) -> Any:
        return User.objects.exclude(pk=self.person.pk) if self.person else User.objects.all()


class ForgottenForm(PasswordResetForm):
    """Answers alike and equally fast whether the address is known or not."""

    def __init__(self, *args: Any, **kw: Any) -> None:
        super().__init__(*args, **kw)
        self.fields["email"].label = "Mail address"

    def send_mail(self, *args: Any, **kw: Any) -> None:
        # The mail server takes a while, by which a stranger could tell that there is an account.
        send = super().send_mail
        Thread(target=send, args=args, kwargs=kw, name="reset mail", daemon=True).start()
