"""The persona's page shows what the briefs of its customers would say, before it is saved."""

from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from briefs.dossier.dossier import advice
from briefs.models import Brief
from briefs.reading.first_steps import filled_in
from personas.admin.previewing import PreviewAdmin
from personas.admin.step_inline import shown_steps
from personas.models import FirstStep, Persona, SignalKind
from personas.models.steps import kinds_in_use

# What {detail} stands for in an example.
EXAMPLES = {SignalKind.CHANNEL_OPT_OUT: "SMS", SignalKind.TOPIC_OPT_OUT: "Product news"}


@dataclass(frozen=True, slots=True)
class Said:
    """What a brief for one kind of signal says is to be done first, if no channel is closed."""

    signal: str
    text: str
    step: FirstStep
    is_own: bool  # of this persona; else it holds for everybody


class PreviewedPersonaAdmin(PreviewAdmin):
    def previewed(self, row: Persona, formsets: list[Any]) -> dict[str, Any] | None:
        own = [step for one in formsets if one.model is FirstStep for step in shown_steps(one)]
        return {"steps": list(_said(own)), "advice": advice(row.playbook)}


def _said(own: list[FirstStep]) -> Any:
    own = sorted(own, key=attrgetter("position"))
    general = list(FirstStep.objects.of_signals().order_by("position", "pk"))
    wanted = kinds_in_use() | {step.kind for step in own}
    for kind in SignalKind:
        steps = [step for step in [*own, *general] if step.kind == kind]
        if kind in wanted and steps:
            brief = Brief(kind=kind, detail=EXAMPLES.get(kind, ""))
            yield Said(kind.label, filled_in(steps[0].text, brief), steps[0], steps[0] in own)
