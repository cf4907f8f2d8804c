"""What people send to the desk: one form for each act, whose `entered` is what the act takes."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from briefs.links import user_name
from briefs.models import Brief, Cause, ClosingReason, ContactLog, Offer
from briefs.models.turns import able_people
from briefs.triage.closing import Ending
from briefs.triage.commenting import LONGEST
from briefs.triage.contacting import Contact
from briefs.triage.snoozing import Snooze, Until

Outcome = Brief.Outcome
# Withdrawn is missing: only the desk itself withdraws a brief.
BY_HAND = [Outcome.RETAINED, Outcome.CHURNED, Outcome.NO_RESPONSE, Outcome.NOT_AT_RISK]


class ActForm(forms.Form):
    """A form of the page of a brief or of an incident.

    Fields that this brief does not ask for are left out.
    """

    name: ClassVar[str]  # in the templates, and of its ids

    def __init__(self, brief: Brief | Cause, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, auto_id=f"{self.name}_%s", **kwargs)

    @property
    def entered(self) -> Any:
        raise NotImplementedError


class _Offer(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic for the stubs only
    def label_from_instance(self, obj: Any) -> str:
        """With what else it asks for: without JavaScript the page cannot ask by what is chosen."""
        is_enough = obj.asks == Offer.Asks.NOTHING
        return obj.name if is_enough else f"{obj.name} (say {obj.get_asks_display()})"


class CloseForm(ActForm):
    name = "close_form"

    outcome = forms.ChoiceField(
        choices=[(outcome.value, outcome.label) for outcome in BY_HAND],
        widget=forms.RadioSelect,
        error_messages={"required": "Say how it ended."},
    )
    reason = forms.ModelChoiceField(
        queryset=ClosingReason.objects.none(),
        required=False,
        label="Why",
        empty_label="Not said",
        help_text="Asked for if they were retained or churned.",
    )
    offer = _Offer(
        queryset=Offer.objects.none(),
        required=False,
        label="What was offered",
        empty_label="Not said",
        help_text="Asked for if they were retained or churned.",
    )
    offer_percent = forms.IntegerField(
        required=False, min_value=1, max_value=100, label="How many per cent"
    )
    offer_words = forms.CharField(required=False, max_length=200, label="What it was, in words")
    note = forms.CharField(
        required=False,
        max_length=5_000,
        label="Note",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What worked, what did not. Found by search.",
    )
    is_persona_wrong = forms.BooleanField(required=False, label="The persona was wrong")

    def __init__(self, brief: Brief, data: Any = None, **kwargs: Any) -> None:
        super().__init__(brief, data, **kwargs)
        reasons: Any = self.fields["reason"]
        reasons.queryset = ClosingReason.objects.choosable(brief.closing_reason_id)
        offers: Any = self.fields["offer"]
        offers.queryset = Offer.objects.choosable(brief.offer_id)

    def clean(self) -> dict[str, Any]:
        """Ask for what is missing, if the fields themselves are right."""
        if not self.errors:
            try:
                self.entered.refuse_incomplete()
            except ValidationError as error:
                self.add_error(None, error)
        return self.cleaned_data

    @property
    def entered(self) -> Ending:
        return Ending(**self.cleaned_data)


class CorrectForm(CloseForm):
    """How a closed brief ended, said anew; it begins with what was said."""

    name = "correct_form"

    def __init__(self, brief: Brief, data: Any = None) -> None:
        said = Ending.of(brief)
        initial = {name: getattr(said, name) for name in self.base_fields}
        super().__init__(brief, data, initial=initial)


class MovingForm(ActForm):
    """An act that may move when the brief is due; moving it again asks why."""

    why_moved = forms.CharField(
        required=False,
        max_length=200,
        label="Why again",
        help_text="It was moved before: say why it is moved again.",
    )

    def __init__(self, brief: Brief, data: Any = None) -> None:
        super().__init__(brief, data)
        if not brief.is_due_moved:
            del self.fields["why_moved"]


class ContactForm(MovingForm):
    name = "contact_form"

    channel = forms.ChoiceField(
        choices=ContactLog.Channel.choices,
        label="How",
        error_messages={"required": "Say how you tried to reach them."},
    )
    is_reached = forms.TypedChoiceField(
        choices=[("yes", "Reached"), ("no", "No answer")],
        coerce=lambda word: word == "yes",
        widget=forms.RadioSelect,
        label="Did you reach them?",
        error_messages={"required": "Say whether you reached them."},
    )
    note = forms.CharField(
        required=False, max_length=5_000, label="Note", widget=forms.Textarea(attrs={"rows": 2})
    )
    next_date = forms.DateField(
        required=False,
        label="Next on",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="When to try again, or to do what was agreed.",
    )

    @property
    def entered(self) -> Contact:
        return Contact(**self.cleaned_data)


class SnoozeForm(MovingForm):
    name = "snooze_form"

    until = forms.ChoiceField(
        choices=Until.choices,
        widget=forms.RadioSelect,
        label="How long",
        error_messages={"required": "Say until when."},
    )
    day = forms.DateField(
        required=False,
        label="Day",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="Only for “Until a day”.",
    )

    @property
    def entered(self) -> Snooze:
        return Snooze(**self.cleaned_data)


class _Person(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic for the stubs only
    def label_from_instance(self, obj: Any) -> str:
        return user_name(obj)


class AssignForm(ActForm):
    name = "assign_form"

    to = _Person(
        queryset=None,
        label="Colleague",
        empty_label="Choose somebody",
        error_messages={
            "required": "Choose somebody.",
            "invalid_choice": "This person does not work on briefs.",
        },
    )

    def __init__(self, brief: Brief | Cause, data: Any = None) -> None:
        super().__init__(brief, data)
        field: Any = self.fields["to"]
        field.queryset = able_people()
        if data is None:  # a second click names who has it by now
            field.queryset = field.queryset.exclude(pk=brief.assignee_id)

    @property
    def entered(self) -> Any:
        return self.cleaned_data["to"]


class CommentForm(ActForm):
    name = "comment_form"

    text = forms.CharField(
        max_length=LONGEST,
        label="Comment",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Write @ and a colleague's name to mention them.",
        error_messages={"required": "Write something."},
    )

    @property
    def entered(self) -> str:
        return str(self.cleaned_data["text"])


class IncidentNoteForm(ActForm):
    """What was found or done about an incident."""

    name = "note_form"

    text = forms.CharField(
        max_length=LONGEST,
        label="What was done",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say in a few words what was done."},
    )

    @property
    def entered(self) -> str:
        return str(self.cleaned_data["text"])


class CloseIncidentForm(IncidentNoteForm):
    name = "close_form"


class ReopenForm(ActForm):
    name = "reopen_form"

    why = forms.CharField(required=False, max_length=200, label="Why")

    @property
    def entered(self) -> str:
        return str(self.cleaned_data["why"])


OF_OPEN: tuple[type[ActForm], ...] = (CloseForm, ContactForm, SnoozeForm, AssignForm, CommentForm)
OF_CLOSED: tuple[type[ActForm], ...] = (CorrectForm, ReopenForm, CommentForm)


def forms_of(brief: Brief, sent: ActForm | None = None) -> dict[str, ActForm]:
    """The forms of the brief's page by their names; `sent` is the one that comes back."""
    kinds = OF_OPEN if brief.is_open else OF_CLOSED
    found = {kind.name: kind(brief) for kind in kinds}
    if sent is not None:
        found[sent.name] = sent
    return found


class ViewForm(forms.Form):
    """A saved view's name, and whether everybody sees it."""

    name = forms.CharField(max_length=60, error_messages={"required": "Give it a name."})
    is_team = forms.BooleanField(required=False)
