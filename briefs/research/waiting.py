"""Why research waits at this moment, as the desk says it; read once for a page, however long."""

from functools import cached_property

from briefs.models import MaveHealth, Priority, Research, ResearchPolicy
from briefs.research import breaker, budget, pacing
from briefs.research.reasons import without_codes
from personas.models import Persona
from providers.mavera import Mave


class Standstill:
    """What holds research back. Asks the database when it is first asked itself."""

    def __init__(self) -> None:
        self._known: dict[tuple[Priority, int | None], str] = {}

    def why(self, priority: int, persona: Persona) -> str:
        """In a sentence's words, why a question of this priority would wait; empty if not."""
        level = Priority.URGENT if priority >= Priority.URGENT else Priority.LOW
        why = self._words(level)
        return why if why or persona.pk not in self._used_up else self._words(level, persona)

    def _words(self, level: Priority, persona: Persona | None = None) -> str:
        key = (level, persona.pk if persona else None)
        if key not in self._known:
            words = pacing.why_waiting(self.policy, level, persona)
            self._known[key] = without_codes(words)
        return self._known[key]

    def briefly(self, priority: int, persona: Persona) -> str:
        """The same in a word or two, for a column."""
        if not self.why(priority, persona):
            return ""
        if not Mave().is_configured:
            return "Mave is not connected"
        if self.policy.paused_at:
            return "paused"
        if breaker.is_open(self.health):
            return "Mave is down"
        return "Mavera’s limit" if breaker.is_held(self.health) else "over budget"

    def why_search_waits(self, research: Research, persona: Persona) -> str:
        """A search costs nothing and looks at no budget, but it stands still with a pause."""
        if research.status != Research.Status.RECOVERING:
            return ""
        if not Mave().is_configured or self.policy.paused_at:
            return self.why(research.priority, persona)
        is_held = breaker.is_held(self.health)
        return without_codes(self.health.held_reason) if is_held else ""

    @cached_property
    def policy(self) -> ResearchPolicy:
        return ResearchPolicy.current()

    @cached_property
    def health(self) -> MaveHealth:
        return MaveHealth.current()

    @cached_property
    def _used_up(self) -> set[int]:
        return set(budget.used_up_personas().values_list("pk", flat=True))
