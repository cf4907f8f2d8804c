"""Briefs that wait for a profile: looked up again, then mapped anew or withdrawn."""

from django.db import transaction

from briefs import research
from briefs.models import Brief, Priority
from briefs.notifying import outbox
from personas import lookups
from personas.customerio import BATCH_SIZE
from personas.models import AppApiHealth, Customer, Effect, Severity
from personas.rulebook import Rulebook


def catch_up() -> int:
    """Look up customers whose briefs wait and decide about these briefs; returns how many.

    Goes on in batches until none is left or the App API fails.
    """
    decided = 0
    while not AppApiHealth.is_closed():
        waiting = Brief.objects.open().filter(is_waiting_for_profile=True)
        customers = list(Customer.objects.filter(briefs__in=waiting).distinct()[:BATCH_SIZE])
        trouble = lookups.refresh(customers) if customers else ""
        known = [customer for customer in customers if customer.fetched_at]
        if not known:
            break
        rulebook = Rulebook.load()
        decided += sum(_decide(customer, rulebook) for customer in known)
        if trouble:
            break
    research.wake()
    return decided


@transaction.atomic
def _decide(customer: Customer, rulebook: Rulebook) -> bool:
    brief = (
        Brief.objects.open()
        .filter(customer=customer, is_waiting_for_profile=True)
        .select_for_update()
        .first()
    )
    if brief is None:
        return False
    match = rulebook.persona_for(customer)
    if not match.persona.opens_brief and brief.is_untouched:
        return brief.withdraw(f"the profile arrived: {match.why}, which opens no brief")
    causes = brief.signals.filter(effect=Effect.OPENS_BRIEF).values_list("severity", flat=True)
    severity = max(causes, default=Severity.MEDIUM)
    brief.persona, brief.persona_why = match.persona, match.why
    brief.question_facts = match.question_facts
    brief.priority = Priority.LOW if customer.is_deleted else Priority.of(severity, match.persona)
    brief.is_waiting_for_profile = False
    research.attach([brief])
    brief.save()
    brief.log(f"the profile arrived: {match.why}")
    outbox.tell_of_briefs([brief])
    return True
