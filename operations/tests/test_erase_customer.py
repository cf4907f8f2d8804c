"""The command erase_customer: counts, asks, erases, and tells what is left to the team."""

import io

import pytest
from django.core.management import CommandError, call_command

from briefs.models import Brief, Erasure
from briefs.tests.factories import make_brief, make_customer, make_event, make_payload
from personas.models import Customer, Persona, PersonaCondition
from webhooks.models import Tombstone

pytestmark = pytest.mark.django_db


def run(*arguments, **options):
    out = io.StringIO()
    call_command("erase_customer", *arguments, stdout=out, **options)
    return out.getvalue()


def test_a_dry_run_counts_and_changes_nothing():
    make_brief(customer=make_customer(email="ann@example.com"))

    said = run("ann@example.com", dry_run=True)

    assert "1  personas.Customer" in said
    assert "1  briefs.Brief" in said
    assert Customer.objects.filter(email="ann@example.com").exists()
    assert not Tombstone.objects.exists()
    assert not Erasure.objects.exists()


def test_a_dry_run_tells_which_rules_name_them_so_that_they_are_changed_first(starter):
    make_customer(email="ann@example.com")
    condition = PersonaCondition.objects.create(
        persona=Persona.objects.first(), field="email", operator="in", value="ann@example.com"
    )

    said = run("ann@example.com", dry_run=True)

    assert f"Still names the person: condition on the customer {condition.pk} of persona" in said
    assert "personas.PersonaCondition" not in said


def test_somebody_erased_is_looked_for_once_more_and_nothing_is_found():
    make_customer(email="ann@example.com")
    run("ann@example.com")

    said = run("ann@example.com", dry_run=True)

    assert "There is nothing to erase." in said


def test_it_erases_and_leaves_a_line_without_the_person():
    brief = make_brief(customer=make_customer(email="ann@example.com"))

    said = run("ann@example.com")

    erasure = Erasure.objects.get()
    assert f"erased (erasure {erasure.pk})" in said
    assert (erasure.way, erasure.made_by, erasure.customer) == ("command", None, None)
    assert erasure.ended_at
    assert erasure.counts["briefs.Brief"] == 1
    brief.refresh_from_db()
    assert (brief.state, brief.customer) == (Brief.State.CLOSED, Customer.erased())


def test_it_erases_somebody_of_whom_only_events_are_stored():
    data = {"identifiers": {"email": "ann@example.com"}}
    event = make_event(make_payload(data=data), status="quarantined")

    run("ann@example.com")

    event.refresh_from_db()
    assert event.identifiers == {}


def test_an_identifier_of_several_is_refused_with_more_exact_ones():
    for cio_id in ("beef01", "beef02"):
        make_customer(cio_id=cio_id, email="both@example.com")

    with pytest.raises(CommandError, match="cio_id:beef01, cio_id:beef02"):
        run("both@example.com")


def test_an_unknown_identifier_and_a_tombstone_that_is_not_there_are_said():
    with pytest.raises(CommandError, match="Nobody has this identifier"):
        run("ann@example.com")
    with pytest.raises(CommandError, match="Nobody with this identifier was erased"):
        run("ann@example.com", allow_again=True)
