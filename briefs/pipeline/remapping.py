"""Takes open briefs through the present personas and thresholds, as if they were opened now.

A brief that nobody has touched follows: its persona and the reason for it, what the question says
of the customer, the priority, and with another persona the first step's time and the research. It
is withdrawn if its persona opens no briefs by now. Its assignee stays, and so does its research as
long as the persona is the same. A brief that somebody works on stays as it is, and is only named.
One that waits for its profile is left to `profiles`. What a signal means stays as well: events are
read anew by reprocessing them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Max

from briefs.models import Activity, Brief, Comment, Priority, ReprocessedBrief, Signal, Yardstick
from briefs.models.priority import shown
from briefs.pipeline import profiles
from briefs.reading.deadlines import Deadlines
from briefs.reading.first_steps import FirstSteps
from briefs.research import sharing
from personas.models import Severity
from personas.models.value import WORTH
from personas.rules.rulebook import PersonaMatch, Rulebook
from webhooks.clock import database_now

Change = ReprocessedBrief.Change
Kept = dict[str, Any]
FIELDS = (
    "persona", "persona_why", "rules_version", "question_facts", "priority", "priority_reasons",
    "value_sort",
    *WORTH, "due_at", "research", "renewal", "is_sharing", "is_renewal_shared", "basis",
    "researched_at",
)  # fmt: skip
_COLUMNS = [Brief._meta.get_field(name).attname for name in FIELDS]  # type: ignore[union-attr]


@dataclass(slots=True)
class Remapped:
    """An open brief for which the present rules say something else."""

    brief: Brief
    change: Change
    before: dict[str, str]  # persona, priority and first step, in words
    after: dict[str, str]
    was: Kept  # the fields as they were; empty if it was left
    why: str

    @property
    def words(self) -> str:
        """What became of it, for the log."""
        if self.change == Change.WORDS:
            return self.why
        parts = [
            f"{name} {self.after[name]}, was {self.before[name]}"
            for name in ("persona", "priority")
            if self.after[name] != self.before[name]
        ]
        return "; ".join([*parts, self.why])


def matches(briefs: Sequence[Brief], rulebook: Rulebook) -> dict[int, PersonaMatch]:
    """The present persona of each brief's customer, as the profile was last looked up."""
    rulebook.read_memberships(brief.customer for brief in briefs)
    return {brief.pk: rulebook.persona_for(brief.customer) for brief in briefs}


def remap(
    briefs: Sequence[Brief], present: Mapping[int, PersonaMatch], words: str, actor: Any = None
) -> tuple[list[Remapped], int]:
    """Let these briefs follow `present`, by key; returns what changed, and how many questions.

    The briefs are open, locked, and have customer and persona loaded. `words`: why, for the log.
    """
    asked = [brief for brief in briefs if _can_tell(brief, present[brief.pk])]
    yardstick, worst = Yardstick.load(), profiles.severities(asked)
    before = _in_words(asked)
    changed: list[Remapped] = []
    for brief in asked:
        match, severity = present[brief.pk], worst.get(brief.pk)
        was = {name: getattr(brief, name) for name in _COLUMNS}
        if severity is None:  # its signals are gone, and with them how severe they were
            severity, judged = Severity.MEDIUM, (brief.priority, brief.priority_reasons)
            profiles.map_anew(brief, match, severity, yardstick)
            brief.priority, brief.priority_reasons = judged
        else:
            profiles.map_anew(brief, match, severity, yardstick)
        if change := _change(brief, match, was):
            changed.append(Remapped(brief, change, before[brief.pk], {}, was, match.why))
    _tell_after(changed)
    followed = [one for one in changed if one.change not in (Change.LEFT, Change.WITHDRAWN)]
    asked_anew = _move([one.brief for one in followed if one.change == Change.PERSONA])
    for one in followed:
        one.brief.save(update_fields=FIELDS)
    sharing.hurry(one.brief for one in followed if one.brief.priority > one.was["priority"])
    Activity.objects.bulk_create(
        Activity(brief=one.brief, text=f"{words}: {one.words}", actor=actor) for one in followed
    )
    for one in changed:
        if one.change == Change.WITHDRAWN:
            reason = f"{words}: {one.why}, which opens no brief"
            # By Savedesk, as every withdrawal; the job says who ordered it.
            Brief.objects.filter(pk=one.brief.pk).close(Brief.Outcome.WITHDRAWN, reason)
    return changed, asked_anew


def _can_tell(brief: Brief, match: PersonaMatch) -> bool:
    """Whether the profile was looked up: without one nobody can say which persona it is."""
    is_known = brief.customer.fetched_at is not None or not match.persona.is_unknown
    return is_known and not brief.is_waiting_for_profile


def _change(brief: Brief, match: PersonaMatch, was: Kept) -> Change | None:
    """What became of the brief in memory; None if the present rules say the same."""
    if match.persona.pk != was["persona_id"]:
        change = Change.PERSONA if match.persona.opens_brief else Change.WITHDRAWN
    elif not match.persona.opens_brief:
        change = Change.WITHDRAWN
    elif brief.priority != was["priority"]:
        change = Change.PRIORITY
    elif _told(brief.persona_why, brief.question_facts, brief.priority_reasons) != _told(
        was["persona_why"], was["question_facts"], was["priority_reasons"]
    ):
        change = Change.WORDS
    else:
        return None
    if brief.is_untouched:
        return change
    return None if change == Change.WORDS else Change.LEFT


def _told(why: str, facts: list[str], reasons: Any) -> tuple[str, list[str], Any]:
    return why, facts, shown(reasons)


def _tell_after(changed: Iterable[Remapped]) -> None:
    """Say what the briefs would be by the present rules; those that stay are as they were again."""
    after = _in_words([one.brief for one in changed])
    for one in changed:
        one.after = after[one.brief.pk]
        if one.change in (Change.LEFT, Change.WITHDRAWN):
            for name, value in one.was.items():
                setattr(one.brief, name, value)
            one.was = {} if one.change == Change.LEFT else one.was


def _in_words(briefs: Sequence[Brief]) -> dict[int, dict[str, str]]:
    steps = FirstSteps(briefs)
    return {
        brief.pk: {
            "persona": f"“{brief.persona}”",
            "priority": Priority(brief.priority).label,
            "step": steps.of(brief).text,
        }
        for brief in briefs
    }


def _move(briefs: list[Brief]) -> int:
    """Give briefs of another persona its first step's time and its research. Saves nothing."""
    if not briefs:
        return 0
    deadlines, now = Deadlines(briefs), database_now()
    for brief in briefs:
        brief.due_at = deadlines.of(brief, now)
        brief.research = brief.renewal = brief.researched_at = None
        brief.is_sharing = brief.is_renewal_shared = False
        brief.basis = Brief.Basis.PLAYBOOK
    return sharing.attach(briefs)


def touches(keys: Iterable[int]) -> dict[int, list[int]]:
    """By brief: its newest signal, entry of the log and comment. An answer from Mave is none."""
    keys = list(keys)
    found = {key: [0, 0, 0] for key in keys}
    for place, model in enumerate((Signal, Activity, Comment)):
        rows = model._default_manager.filter(brief__in=keys).values_list("brief")
        for key, newest in rows.annotate(Max("pk")).order_by():
            found[key][place] = newest
    return found
