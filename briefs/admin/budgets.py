"""Which budgets are refused, and what an allowed budget may still prevent."""

from collections.abc import Iterator
from typing import Any

from django import forms

from briefs.models import PriorityThreshold, ResearchPolicy
from briefs.research.accounts import RESERVED_CREDITS
from briefs.research.counting import too_long_for
from personas.models import Persona

LONGEST_MINUTES = 30 * 24 * 60  # that an answer may have to stay before a fresh one is bought
_TOO_SMALL = (
    f"One answer may cost {RESERVED_CREDITS} credits, so this budget could buy nothing. Enter "
    f"{RESERVED_CREDITS} or more, 0 to buy nothing, or leave it empty for no limit."
)


def check_budget(budget: int | None) -> int | None:
    """The budget. Raises ValidationError if it is too small for one answer and not 0."""
    if budget is not None and 0 < budget < RESERVED_CREDITS:
        raise forms.ValidationError(_TOO_SMALL)
    return budget


def consequences(policy: ResearchPolicy) -> Iterator[str]:
    """A sentence for each budget that buys nothing, or only answers for the most urgent briefs."""
    whose = f"{PriorityThreshold.highest().label.lower()} briefs"
    for name, budget in (("day", policy.day_budget), ("month", policy.month_budget)):
        if budget == 0:
            yield f"The {name}'s budget is 0: no research is bought."
        elif budget is not None and budget - policy.urgent_reserve < RESERVED_CREDITS:
            yield (
                f"The {name}'s budget of {budget:,} less the urgent reserve of "
                f"{policy.urgent_reserve:,} is less than the {RESERVED_CREDITS} credits that "
                f"one answer may cost: only {whose} are researched."
            )


class PolicyForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the stubs only
    class Meta:
        model = ResearchPolicy
        fields: tuple[str, ...] = ("day_budget", "month_budget", "fresh_after_minutes")

    def clean_day_budget(self) -> int | None:
        return check_budget(self.cleaned_data["day_budget"])

    def clean_month_budget(self) -> int | None:
        return check_budget(self.cleaned_data["month_budget"])

    def clean_fresh_after_minutes(self) -> int:
        minutes = int(self.cleaned_data["fresh_after_minutes"])
        if minutes > LONGEST_MINUTES:
            raise forms.ValidationError(
                f"Enter at most {LONGEST_MINUTES:,} minutes, which is 30 days."
            )
        return minutes


class PersonaForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the stubs only
    class Meta:
        model = Persona
        fields: tuple[str, ...] = ("month_budget",)  # the admin names them all

    def clean_month_budget(self) -> int | None:
        return check_budget(self.cleaned_data["month_budget"])

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # not in the stubs
        if not self.errors and (words := too_long_for(self.instance)):
            self.add_error("description" if "description" in self.fields else None, words)


def persona_consequence(persona: Any) -> str:
    if persona.month_budget != 0:
        return ""
    return f"The budget of “{persona}” is 0: no research is bought for this persona."
