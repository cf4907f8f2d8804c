"""Whom an identifier means, and what of theirs belongs to others as well."""

import pytest
from django.db import connection

from briefs.forgetting import erasing, people
from briefs.models import Erasure, RecentSearch, SavedView
from briefs.tests.factories import make_customer, make_event, make_payload, make_signal
from personas.models import Customer, CustomerAlias, Persona, PersonaCondition, RuleVersion
from personas.rules import versions
from webhooks.models import WebhookEvent, naming

pytestmark = pytest.mark.django_db


def event_of(identifiers, **kw):
    return make_event(make_payload(data={"identifiers": identifiers}), **kw)


def erase(term):
    return erasing.erase(people.find(term), Erasure.objects.create(way="command"))


def named(term):
    return {kind: set(values) for kind, values in people.find(term).identifiers.items() if values}


@pytest.mark.parametrize(
    "term",
    ["beef01", "cio_beef01", "ann", "ANN@Example.com", "+49 171 555", "0049 (171) 555",
     "former@x.org", "id:ann", "email:former@x.org"],
)  # fmt: skip
def test_somebody_is_found_by_any_identifier_of_now_and_of_before(term):
    ann = make_customer(
        cio_id="beef01", external_id="ann", email="ann@example.com", phone="+49171555"
    )
    CustomerAlias.objects.create(customer=ann, kind="email", value="former@x.org")

    assert people.find(term).customers == (ann.pk,)


def test_an_identifier_of_several_lists_them():
    for cio_id in ("beef01", "beef02"):
        make_customer(cio_id=cio_id, email="both@example.com")

    with pytest.raises(people.Several) as refused:
        people.find("both@example.com")

    assert refused.value.people == ["cio_id:beef01", "cio_id:beef02"]
    assert people.find("cio_id:beef01").customers


def test_what_another_customer_has_as_well_stays_theirs():
    one = make_customer(cio_id="beef01", external_id="one", email="both@example.com")
    other = make_customer(cio_id="beef02", external_id="two", email="both@example.com")
    shared = event_of({"email": "both@example.com"}, status="ignored")
    own = event_of({"cio_id": "beef01", "email": "both@example.com"}, status="ignored")
    make_signal(customer=one, event=(of_signal := event_of({"email": "both@example.com"})))

    person = people.gather(one)
    events = erasing.events_of(person)

    assert not person.identifiers["email"]
    assert events == {own.pk, of_signal.pk}
    assert shared.pk not in events
    assert Customer.objects.filter(pk=other.pk).exists()


def test_an_event_under_their_address_that_became_another_customers_signal_stays():
    ann = make_customer(cio_id="beef01", email="ann@example.com")
    event = event_of({"email": "ann@example.com"})
    make_signal(customer=make_customer(cio_id="beef02", email=""), event=event)

    assert erasing.events_of(people.gather(ann)) == set()


def test_an_event_that_gives_their_address_as_the_id_is_theirs():
    make_customer(cio_id="beef01", email="ann@example.com")
    event = event_of({"id": "ann@example.com"}, status="ignored")

    erase("beef01")

    event.refresh_from_db()
    assert event.identifiers == {}


def test_an_id_that_another_customer_had_before_stays_theirs():
    ann = make_customer(cio_id="beef01", external_id="moved")
    bea = make_customer(cio_id="beef02", external_id="bea")
    CustomerAlias.objects.create(customer=bea, kind="id", value="moved")

    assert not people.gather(ann).identifiers["id"]


def test_a_quarantined_event_is_found_by_a_short_id_only_as_a_whole_word():
    ann = make_customer(cio_id="beef01", external_id="42")
    theirs = event_of({}, status="quarantined", body=b'[{"data": {"customer_id": 42}}]')
    event_of({}, status="quarantined", body=b'[{"data": {"customer_id": 142}}]')

    assert erasing.events_of(people.gather(ann)) == {theirs.pk}


def test_events_say_identifiers_that_the_row_never_learned():
    make_customer(cio_id="beef01", external_id="ann", email="ann@example.com")
    event_of({"cio_id": "beef01", "email": "newest@example.com"}, status="ignored")
    event_of({"cio_id": "beef09", "email": "newest@example.com"}, status="ignored")

    found = named("ann")

    assert found["email"] == {"ann@example.com", "newest@example.com"}
    assert found["cio_id"] == {"beef01"}  # another cio_id is another person


def test_somebody_of_whom_only_events_are_stored_is_found_by_each_identifier():
    event_of({"cio_id": "beef01", "email": "Ann@Example.com"}, status="ignored")
    event_of({"cio_id": "beef01", "id": "ann"}, status="ignored")

    assert named("ann@example.com") == named("id:ann") == {
        "cio_id": {"beef01"}, "email": {"ann@example.com"}, "id": {"ann"},
    }  # fmt: skip
    erasing.erase(people.find("ann@example.com"), Erasure.objects.create(way="command"))
    assert not WebhookEvent.objects.exclude(identifiers={}).exists()


def test_an_address_under_which_events_name_several_people_lists_them():
    for cio_id in ("beef01", "beef02"):
        event_of({"cio_id": cio_id, "email": "info@example.com"}, status="ignored")

    with pytest.raises(people.Several, match="Several people"):
        people.find("info@example.com")


def test_nobody_is_found_by_an_unknown_identifier():
    with pytest.raises(people.Unknown):
        people.find("nobody@example.com")


def test_rules_that_name_somebody_at_present_are_told_and_stay(starter):
    make_customer(email="ann@example.com")
    persona = Persona.objects.first()
    condition = PersonaCondition.objects.create(
        persona=persona, field="email", operator="in", value="ann@example.com, bob@example.com"
    )

    erasure = erase("ann@example.com")

    [place] = erasure.left
    assert place.endswith(f" {condition.pk} of persona {persona.pk}")
    condition.refresh_from_db()
    assert condition.value == "ann@example.com, bob@example.com"


def test_rules_that_were_changed_afterwards_are_found_by_a_further_erasure(starter):
    make_customer(email="ann@example.com")
    with versions.change(None, ""):
        condition = PersonaCondition.objects.create(
            persona=Persona.objects.first(), field="email", operator="in", value="ann@example.com"
        )
    erase("ann@example.com")
    with versions.change(None, ""):
        condition.delete()
    assert "ann@example.com" in str(RuleVersion.objects.values_list("document", flat=True))

    erasure = erase("ann@example.com")

    assert erasure.counts["personas.RuleVersion"] == 1
    assert "ann@example.com" not in str(RuleVersion.objects.values_list("document", flat=True))


def test_a_version_that_names_somebody_in_its_rules_and_in_its_reason_counts_once(starter):
    make_customer(email="ann@example.com")
    with versions.change(None, "", why="ann@example.com asked for it"):
        condition = PersonaCondition.objects.create(
            persona=Persona.objects.first(), field="email", operator="in", value="ann@example.com"
        )
    with versions.change(None, ""):
        condition.delete()
    foreseen = erasing.count(people.find("ann@example.com"))

    erasure = erase("ann@example.com")

    assert foreseen["personas.RuleVersion"] == erasure.counts["personas.RuleVersion"] == 1


def test_every_full_name_that_attributes_say_is_known():
    customer = make_customer(
        attributes={"name": "Zoë", "First Name": "Zoë", "last_name": "Ohm", "fullName": "Z. B. Ohm"}
    )

    assert people.gather(customer).names == {"Zoë", "Zoë Ohm", "Z. B. Ohm"}


def test_what_was_typed_to_find_them_goes_and_views_that_may_mean_them_are_told(django_user_model):
    make_customer(cio_id="beef01", external_id="4711", attributes={"name": "Zoë Testfrau"})
    user = django_user_model.objects.create(username="agent")
    for typed in ("testf", "zoe", "zoë", "4711", "prices"):
        RecentSearch.objects.create(user=user, text=typed)
    for query in ("q=zoe+testfrau", "q=testfrau&tab=all", "q=prices"):
        SavedView.objects.create(owner=user, name=query, query=query)
    maybe = SavedView.objects.get(query="q=testfrau&tab=all")

    erasure = erase("4711")

    assert list(RecentSearch.objects.values_list("text", flat=True)) == ["prices"]
    assert erasure.counts["briefs.SavedView"] == 1
    assert erasure.left == [
        f"saved view {maybe.pk} of owner {user.pk}, unless it means somebody else"
    ]


@pytest.mark.parametrize(
    ("customer", "typed"),
    [
        ({"phone": "+491701234567"}, "0170 / 123 45 67"),
        ({"phone": "+491701234567"}, "1234567"),  # by which a search finds the number too
        ({"phone": "+491701234567"}, "170 12345"),
        ({"attributes": {"name": "Đorđe Ýldırım"}}, "dorde"),
        ({"attributes": {"name": "Þóra Yıldırım"}}, "yildirim thora"),
        ({"email": "z.testfrau@example.com"}, "z.testfrau@exam"),
        ({"external_id": "12345678-1234-4abc-a716"}, "12345678-1234"),
    ],
)
def test_whatever_finds_them_is_not_offered_any_more(django_user_model, customer, typed):
    make_customer(cio_id="beef01", **customer)
    user = django_user_model.objects.create(username="agent")
    for text in (typed, "prices 2026", "7654321"):
        RecentSearch.objects.create(user=user, text=text)

    erase("beef01")

    kept = RecentSearch.objects.order_by("text").values_list("text", flat=True)
    assert list(kept) == ["7654321", "prices 2026"]


def test_events_are_found_through_an_index_of_each_kind():
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")  # the table is empty
    asked = {"cio_id": ["a"], "id": ["b"], "email": ["c@example.com"], "phone": ["+49171555"]}

    for kind, condition in zip(naming.KINDS, naming.by_any(asked), strict=True):
        plan = WebhookEvent.objects.filter(condition).values("pk").explain()
        assert f"event_{kind}" in plan, plan


def test_an_identifier_longer_than_an_index_takes_is_stored_and_found():
    """Signs of four bytes that no two of are alike, so that PostgreSQL cannot pack them."""
    long = "".join(chr(0x20000 + number * 37 % 0xA000) for number in range(990))
    event, _ = (make_event(identifiers={"id": one}) for one in (long, long[:-1] + "x"))

    found = WebhookEvent.objects.all().of_person({"id": [long]})

    assert found == {event.pk}
