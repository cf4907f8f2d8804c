"""The form for the text of the question to Mave, and the preview of the question."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import QuerySet

from briefs.models import QuestionTemplate, wording
from briefs.models.wording import Wording
from briefs.research.counting import asked_kinds, roles, too_long, variants_of
from briefs.research.questions import Asker, built_in
from personas.models import Persona, SignalKind


def askable_personas() -> QuerySet[Persona]:
    return Persona.objects.in_use().filter(opens_brief=True, is_unknown=False)


def askable_signals() -> list[tuple[str, str]]:
    """Signals to choose from: those that open a brief today, or all where no rule does."""
    kinds = asked_kinds() or SignalKind.values
    return [(kind, str(SignalKind(kind).label)) for kind in kinds]


@dataclass(frozen=True, slots=True)
class Preview:
    """A question as it would be sent, and the length of the longest one of this persona."""

    persona: Persona
    signal: str
    text: str
    longest: int

    @property
    def limit(self) -> int:
        return wording.MAX_QUESTION


def preview(words: Wording, persona: Persona, kind: str) -> Preview:
    """The question for an example customer, with facts that this persona's conditions allow."""
    asker, variants = Asker(words), variants_of(persona, roles())
    return Preview(
        persona,
        SignalKind(kind).label,
        asker.question_for(persona, kind, variants.example).text,
        len(asker.question_for(persona, kind, variants.longest).text),
    )


class ChoiceForm(forms.Form):
    """Persona and signal of the preview; if nothing is chosen, the first of each."""

    persona = forms.ModelChoiceField(
        queryset=Persona.objects.none(),
        required=False,
        empty_label=None,
        help_text="Personas that open a brief and buy research.",
    )
    signal = forms.ChoiceField(required=False, help_text="Signals that open a brief.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_choices(self)

    def preview(self, words: Wording) -> Preview | None:
        self.is_valid()
        return chosen_preview(words, self.cleaned_data)


def offer_choices(form: Any) -> None:
    form.fields["persona"].queryset = askable_personas()
    form.fields["signal"].choices = askable_signals()


def chosen_preview(words: Wording, choice: dict[str, Any]) -> Preview | None:
    """The preview; None if no persona buys research."""
    persona = choice.get("persona") or askable_personas().first()
    if persona is None:
        return None
    return preview(words, persona, choice.get("signal") or askable_signals()[0][0])


class TemplateForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the stubs only
    """A new version of the text. `persona` and `signal` are for the preview only."""

    is_preview = False

    persona = ChoiceForm.base_fields["persona"]
    signal = ChoiceForm.base_fields["signal"]
    based_on = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = QuestionTemplate
        fields = ("text", "note")
        widgets = {
            "text": forms.Textarea(
                attrs={"rows": 26, "class": "vLargeTextField wording", "spellcheck": "true"}
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_choices(self)
        self.in_use = Asker.load().wording
        self.initial["note"] = ""  # a note is about one version: the new one needs its own
        self.initial["based_on"] = self.in_use.version
        if self.instance._state.adding:
            self.initial.setdefault("text", self.in_use.text)

    def clean_text(self) -> str:
        return wording.tidy(str(self.cleaned_data["text"]))

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # not in the stubs
        text = self.cleaned_data.get("text")
        if text is None or "text" in self.errors:
            return
        for sentence in too_long(Wording("", text)):
            self.add_error("text", sentence)
        if not self.is_preview:
            self._check_is_new(text)

    def _check_is_new(self, text: str) -> None:
        """Refuse a text that exists, and one whose author did not see the version in use."""
        same = QuestionTemplate.objects.filter(text=text).first()
        if text == self.in_use.text:
            self.add_error("text", "This text is in use already: there is nothing to save.")
        elif text == built_in().text:
            self.add_error(
                "text", "This is the built-in text. Use it from the list of versions instead."
            )
        elif same is not None:
            self.add_error(
                "text",
                f"{same} says exactly this. Use that version again instead: its answers are "
                "still shared.",
            )
        elif self.cleaned_data["based_on"] not in ("", self.in_use.version):
            self._tell_of_other_version()

    def _tell_of_other_version(self) -> None:
        self.data = {name: self.data[name] for name in self.data}  # request.POST cannot be changed
        self.data["based_on"] = self.in_use.version
        self.add_error(
            None,
            f"Meanwhile version {self.in_use.version} came into use. Look at it, then save again "
            "if your text is to replace it.",
        )
