"""How somebody is told that a brief is theirs or wakes up, or that a colleague mentions them."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from briefs.models.notifications import BY_MAIL, NotificationTarget
from briefs.notifying import personal
from briefs.notifying.addresses import AddressRefused
from briefs.permissions import needs

NOT_AT_ALL, MAIL, IN_CHAT = "none", "mail", "chat"
_SAID = {
    NOT_AT_ALL: "You are not told of briefs any more.",
    MAIL: "You are told by mail from now on.",
    IN_CHAT: "You are told in your chat from now on.",
}


class TellingForm(forms.Form):
    how = forms.ChoiceField(
        widget=forms.RadioSelect,
        label="When a brief becomes yours or wakes up, or a colleague mentions you",
        error_messages={"required": "Choose one."},
    )
    address = forms.CharField(
        required=False,
        max_length=2_000,
        label="Address of your chat",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="Only for a chat, for example slack://TokenA/TokenB/TokenC. It is stored "
        "encrypted and never shown again; leave it empty to keep the one that is stored.",
    )

    def __init__(self, person: Any, data: Any = None) -> None:
        self.target = personal.target_of(person)
        super().__init__(data, initial={"how": _present(self.target)}, auto_id="telling_%s")
        how: Any = self.fields["how"]
        how.choices = _choices(person)

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        address = str(given.get("address", "")).strip()
        if given.get("how") != IN_CHAT:
            return given
        if address:
            try:
                personal.check_chat(address)
            except AddressRefused as error:
                self.add_error("address", str(error))
        elif _present(self.target) != IN_CHAT:
            self.add_error("address", "Enter the address of your chat.")
        given["address"] = address
        return given


def form_of(person: Any) -> TellingForm | None:
    """The present choice; None for somebody who sees no briefs."""
    return TellingForm(person) if person.has_perm("briefs.view_brief") else None


@sensitive_post_parameters("address")
@needs("briefs.view_brief")
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        form = TellingForm(request.user, request.POST)
        if form.is_valid():
            _save(request.user, form)
            messages.success(request, _SAID[form.cleaned_data["how"]])
        else:
            faults = [str(error) for errors in form.errors.values() for error in errors]
            messages.error(request, f"Nothing was changed. {' '.join(faults)}")
    return redirect("accounts:account")


def _save(person: Any, form: TellingForm) -> None:
    how, address = form.cleaned_data["how"], form.cleaned_data["address"]
    if how == IN_CHAT and not address:
        return  # as it is stored
    personal.choose(person, {NOT_AT_ALL: "", MAIL: BY_MAIL, IN_CHAT: address}[how])


def _present(target: NotificationTarget | None) -> str:
    if target is None:
        return NOT_AT_ALL
    return MAIL if target.scheme == "account" else IN_CHAT


def _choices(person: Any) -> list[tuple[str, str]]:
    """Mail is offered only where it can be sent."""
    mail = [(MAIL, f"By mail to {person.email}")]
    can_mail = settings.EMAIL_IS_CONFIGURED and person.email
    return [(NOT_AT_ALL, "Do not tell me"), *(mail if can_mail else []), (IN_CHAT, "In my chat")]
