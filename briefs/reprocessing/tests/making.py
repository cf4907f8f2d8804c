"""What tests of jobs share: customers of a plan, their briefs, and rules that changed since."""

from briefs.models import Brief, Priority, ReprocessingJob
from briefs.reprocessing import ordering, working
from briefs.tests.factories import make_brief, make_customer, make_persona, make_signal
from personas.models import Persona
from personas.rules.rulebook import Rulebook


def make_fitting(plan: str, **kw) -> Persona:
    """A persona for everybody of this plan, before all others."""
    persona = make_persona(**{"name": f"On {plan}", "position": 0, **kw})
    persona.conditions.create(field="plan", operator="in", value=plan)
    return persona


def make_open(plan: str, **kw) -> Brief:
    """A brief of somebody of this plan, with its signal, mapped by the rules of now."""
    customer = kw.pop("customer", None) or make_customer(attributes={"plan": plan})
    match = Rulebook.load().persona_for(customer)
    fields = {
        "persona": match.persona, "persona_why": match.why, "question_facts": match.question_facts,
        "priority": Priority.MEDIUM, **kw,
    }  # fmt: skip
    brief = make_brief(customer=customer, **fields)
    make_signal(brief=brief, persona=match.persona, why=match.why, severity=2)
    return brief


def finish(job: ReprocessingJob) -> ReprocessingJob:
    """Let workers do all slices of the job."""
    while working.run():
        pass
    job.refresh_from_db()
    return job


def reapply(actor=None) -> ReprocessingJob:
    return finish(ordering.reapply(actor, is_dry_run=False))


def look(actor=None) -> ReprocessingJob:
    return finish(ordering.reapply(actor, is_dry_run=True))


def reload(row):
    row.refresh_from_db()
    return row
