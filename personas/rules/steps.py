"""Which first step is for a case: the persona's for this signal, else the signal's own.

A case is the persona and the kind of signal. The persona's general advice, its playbook, is never
the first step.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from personas.models import FirstStep


@dataclass(frozen=True, slots=True)
class Steps:
    """All first steps, read once for a batch."""

    by_case: Mapping[tuple[int | None, str], list[FirstStep]]

    @classmethod
    def read(cls) -> Self:
        """Read them in one query."""
        by_case: dict[tuple[int | None, str], list[FirstStep]] = defaultdict(list)
        for step in FirstStep.objects.order_by("position", "pk"):
            by_case[step.persona_id, step.kind].append(step)
        return cls(dict(by_case))

    def for_case(self, persona_id: int | None, kind: str) -> list[FirstStep]:
        """The steps in the order in which they are tried, whichever channels they use."""
        general = self.by_case.get((None, kind), [])
        return [*self.by_case.get((persona_id, kind), []), *general] if persona_id else general
