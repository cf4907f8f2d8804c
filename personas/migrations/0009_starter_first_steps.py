"""Gives an installation that exists the first steps that a new one begins with.

The table is new, so no edit is overwritten. A kind of signal that the team's own rules use, and that
has no starter step, gets a general one, because a rule without a step cannot be saved any more.

The first paragraph of a playbook was the headline of every brief of its persona, whatever had
happened. In starter playbooks where that paragraph is unedited it goes; all else stays.
"""

from django.db import migrations
from django.utils import timezone

from personas.starter import first_steps
from personas.starter.personas import PERSONAS

GENERAL = (
    "Read what happened, decide with the playbook whether to make contact, and note what you decided."
)
REASON = "a brief's first step is kept by its signal now"
HEADING = "## First step\n\n"
NEW_HEADING = "## Before you start\n\n"
# The first paragraph of each starter playbook, by the persona; what takes its place, if anything.
REPLACED = {
    "Internal and test accounts": (
        "Close this brief as not at risk within 24 hours and check the account's marking; whoever "
        "opened it takes that.",
        "Close the brief as not at risk, and check the marking of the account.",
    ),
    "Already cancelled": (
        "Check billing within 24 hours and close the brief as churned if the plan has ended; the "
        "agent who opened it does this.",
        "Close the brief as churned if billing shows that the plan has ended.",
    ),
    "Enterprise, regulated industry": (
        "Assign this to the named account owner: read the compliance notes, then make personal "
        "contact within 24 hours.",
        "",
    ),
    "Enterprise, low usage": (
        "Have the customer success manager find out where adoption stalled and propose one working "
        "session within 24 hours.",
        "",
    ),
    "Enterprise, active": (
        "Make contact through the account director within 24 hours and ask what prompted the "
        "change, with no offer in hand.",
        "",
    ),
    "Business or Pro, high usage": (
        "Take this as the save desk specialist on duty and ask this regular user within 24 hours "
        "what got in their way.",
        "",
    ),
    "Business, low usage": (
        "Assign a save desk specialist to check real usage and to make one personal offer of help "
        "within 24 hours.",
        "",
    ),
    "Pro, low usage": (
        "Offer help with one task, or a pause, in a short personal message within 24 hours; the "
        "specialist on duty writes it.",
        "",
    ),
    "Trial": (
        "Answer once within 24 hours with help for what they were trying to do; the onboarding "
        "specialist takes it.",
        "",
    ),
    "Free, heavy use": (
        "Settle within 24 hours whether they asked us for anything, and if not, close it as not at "
        "risk; the opener does so.",
        "Close the brief as not at risk, unless they asked us for anything.",
    ),
    "Everyone else": (
        "Read the profile within 24 hours and decide whether another persona fits better; the save "
        "desk lead takes this.",
        "Decide whether another persona fits better; the save desk lead knows the rules.",
    ),
    "Profile unknown": (
        "Find out who this is before anybody makes contact; the agent on duty does it within 24 "
        "hours, starting from the event.",
        "",
    ),
}
# The only paragraph that referred to the one before it.
REFERRING = "Before that, read the open support cases", "Read the open support cases"


def give(apps, schema_editor):
    rules = apps.get_model("personas", "SignalRule")
    personas = {row.name: row for row in apps.get_model("personas", "Persona").objects.all()}
    if not personas and not rules.objects.exists():
        return  # a new installation: the starter rules are loaded later
    steps = apps.get_model("personas", "FirstStep")
    for name, fields in first_steps.rows({row["slug"]: row["name"] for row in PERSONAS}):
        if not name or name in personas:
            _note(apps, steps.objects.create(persona=personas.get(name), **fields), "+")
    known = set(steps.objects.filter(persona=None).values_list("kind", flat=True))
    opening = rules.objects.filter(effect="opens_brief").order_by("kind")
    for kind in dict.fromkeys(opening.values_list("kind", flat=True)):
        if kind not in known:
            _note(apps, steps.objects.create(kind=kind, text=GENERAL), "+")
    for name, persona in personas.items():
        old, new = REPLACED.get(name, ("", ""))
        begin = f"{HEADING}{old}\n\n"
        # Some editors of the admin's form wrote lines that end in \r\n.
        playbook = persona.playbook.replace("\r\n", "\n")
        if old and playbook.startswith(begin):
            rest = playbook[len(begin) :]
            if rest.startswith(REFERRING[0]):
                rest = REFERRING[1] + rest[len(REFERRING[0]) :]
            persona.playbook = NEW_HEADING + (f"{new}\n\n" if new else "") + rest
            persona.save(update_fields=["playbook"])
            _note(apps, persona, "~")


def _note(apps, row, kind):
    """An entry in the row's history, as an edit in the admin makes one."""
    history = apps.get_model("personas", f"Historical{type(row).__name__}")
    fields = {
        field.attname: getattr(row, field.attname) for field in type(row)._meta.concrete_fields
    }
    history.objects.create(
        history_date=timezone.now(), history_type=kind, history_change_reason=REASON, **fields
    )


class Migration(migrations.Migration):
    dependencies = [("personas", "0008_first_steps")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
