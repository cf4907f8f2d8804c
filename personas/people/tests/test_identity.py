"""Whom an event is about: rows found, created, completed, and recognised as one person."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from personas.models import Customer, CustomerAlias, Twin
from personas.people.identity import absorb, differing, known_as, normalise, renew, resolve

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def make_customer(cio_id=None, external_id=None, email="", **fields):
    return Customer.objects.create(cio_id=cio_id, external_id=external_id, email=email, **fields)


def customer_of(**identifiers):
    [customer] = resolve([identifiers]).customers
    return customer


def ids_of(customer):
    customer.refresh_from_db()
    return customer.cio_id, customer.external_id, customer.email


def test_new_person_gets_a_row_with_all_identifiers():
    customer = customer_of(cio_id="c1", id="42", email="Ann@Example.com")

    assert ids_of(customer) == ("c1", "42", "ann@example.com")


@pytest.mark.parametrize("identifiers", [{}, {"id": "", "email": " "}, {"phone": " () "}])
def test_event_that_names_nobody_has_no_customer(identifiers):
    assert resolve([identifiers]).customers == [None]
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    "identifiers",
    [
        {"cio_id": "c1"},
        {"cio_id": "cio_c1"},
        {"id": "42"},
        {"id": " 42 "},
        {"email": " Ann@example.COM"},
        {"cio_id": "c1", "id": "another", "email": "other@example.com"},
    ],
)
def test_known_person_is_found(identifiers):
    known = make_customer("c1", "42", "ann@example.com")

    assert customer_of(**identifiers) == known
    assert Customer.objects.count() == 1


def test_prefix_of_a_cio_id_is_not_kept():
    assert customer_of(cio_id="cio_c1").cio_id == "c1"


def test_identifiers_are_learned_when_they_first_show():
    known = make_customer(external_id="42")

    customer = customer_of(cio_id="c1", id="42", email="ann@example.com")

    assert customer == known
    assert ids_of(customer) == ("c1", "42", "ann@example.com")


def test_finding_a_person_replaces_no_identifier():
    known = make_customer("c1", "42", "ann@example.com")

    customer_of(cio_id="c1", id="43", email="new@example.com")

    assert ids_of(known) == ("c1", "42", "ann@example.com")


# Renewing ---------------------------------------------------------------------------------------


def renewed(customer, at=NOON, outdated=(), **stated):
    named = normalise({"cio_id": customer.cio_id or "", **stated})
    renew(customer, differing(customer, named), at, outdated)
    return ids_of(customer)


def former(customer):
    return {alias.value: alias.replaced_at for alias in customer.aliases.all()}


def test_what_is_stated_by_the_cio_id_replaces_what_was_known():
    known = make_customer("c1", "42", "ann@example.com", phone="+15550100")

    stated = {"id": "43", "email": "New@example.com", "phone": "+1 (555) 01-01"}

    assert renewed(known, **stated) == ("c1", "43", "new@example.com")
    assert known.phone == "+15550101"
    assert former(known) == dict.fromkeys(["42", "ann@example.com", "+15550100"], NOON)


def test_nothing_is_renewed_by_an_id_alone():
    known = make_customer(None, "42", "ann@example.com")

    assert differing(known, {"id": "42", "email": "new@example.com"}) == {}


def test_older_statement_only_leaves_an_alias():
    known = make_customer("c1", "42")
    renewed(known, NOON, id="43")

    assert renewed(known, NOON - timedelta(hours=1), id="41") == ("c1", "43", "")
    assert set(former(known)) == {"41", "42"}


def test_kind_that_the_caller_knows_later_is_not_renewed():
    known = make_customer("c1", "42", "ann@example.com")

    assert renewed(known, outdated=["id"], id="41", email="b@example.com") == (
        "c1",
        "42",
        "b@example.com",
    )


def test_identifier_that_comes_back_is_no_alias_any_more():
    known = make_customer("c1", "42")
    renewed(known, NOON, id="43")

    renewed(known, NOON + timedelta(days=1), id="42")

    assert former(known) == {"43": NOON + timedelta(days=1)}


def test_id_that_another_person_has_is_not_taken_by_an_event():
    other, known = make_customer("c2", "43"), make_customer("c1", "42")

    assert renewed(known, id="43") == ("c1", "42", "")
    assert ids_of(other) == ("c2", "43", "")
    assert former(known) == {}


def test_row_that_was_merged_meanwhile_is_not_renewed():
    known = make_customer("c1", "42")
    Customer.objects.filter(pk=known.pk).update(cio_id="c9")

    renew(known, {"id": "43"}, NOON, ())

    assert ids_of(known) == ("c9", "42", "")


# Identifiers of before --------------------------------------------------------------------------


@pytest.fixture
def renamed():
    """A person whose every identifier was replaced."""
    customer = make_customer("c2", "43", "new@example.com", phone="+15550101")
    values = {"cio_id": "c1", "id": "42", "email": "ann@example.com", "phone": "+15550100"}
    CustomerAlias.objects.remember(customer.pk, values)
    return customer


@pytest.mark.parametrize(
    "identifiers",
    [
        {"cio_id": "c1"},
        {"cio_id": "c1", "id": "42", "email": "ann@example.com"},
        {"id": "42"},
        {"email": "Ann@example.com"},
        {"phone": "+1 555 0100"},
    ],
)
def test_former_identifier_finds_the_person_and_teaches_nothing(renamed, identifiers):
    assert customer_of(**identifiers) == renamed
    assert ids_of(renamed) == ("c2", "43", "new@example.com")
    assert Customer.objects.count() == 1


@pytest.mark.parametrize(
    ("present", "identifiers"),
    [
        ({"external_id": "42"}, {"id": "42"}),
        ({"email": "ann@example.com"}, {"email": "ann@example.com"}),
        ({"phone": "+15550100"}, {"phone": "+15550100"}),
    ],
)
def test_who_has_an_identifier_now_goes_before_who_had_it(renamed, present, identifiers):
    other = make_customer("c9", **present)

    assert customer_of(**identifiers) == other


def test_former_id_beside_another_cio_id_is_another_person(renamed):
    assert customer_of(cio_id="c9", id="42") != renamed


def test_former_address_of_two_people_finds_neither(renamed):
    other = make_customer("c9")
    CustomerAlias.objects.remember(other.pk, {"email": "ann@example.com"})

    assert customer_of(email="ann@example.com") not in (renamed, other)


def test_row_named_by_an_id_and_a_former_cio_id_is_the_same_person(renamed):
    by_id = make_customer(None, "77")

    resolution = resolve([{"cio_id": "c1", "id": "77"}])

    assert resolution.same == [(renamed, by_id)]
    assert ids_of(by_id)[0] is None


# By number --------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["+1 555 0100", "+1 (555) 01-00", "+1555.0100", "+1555–0100"])
def test_number_finds_its_person_however_it_is_written(written):
    known = make_customer(phone="+15550100")

    assert customer_of(phone=written) == known


def test_new_number_gets_a_row_with_it_whatever_characters_it_has():
    customer = customer_of(phone="+1555 ab12ef")

    assert (customer.phone, str(customer)) == ("+1555ab12ef", "+1555ab12ef")


@pytest.mark.parametrize("identifiers", [{"cio_id": "c2"}, {"id": "43"}])
def test_number_finds_nobody_beside_an_id(identifiers):
    known = make_customer("c1", phone="+15550100")

    customer = customer_of(**identifiers, phone="+15550100")

    assert customer != known
    assert customer.phone == "+15550100"


def test_number_that_several_share_finds_none_of_them():
    known = {make_customer("c1", phone="+15550100"), make_customer("c2", phone="+15550100")}

    assert customer_of(phone="+15550100") not in known


def test_address_and_number_of_one_person_find_the_row_that_has_one_of_them():
    known = make_customer(phone="+15550100")

    customer = customer_of(email="ann@example.com", phone="+15550100")

    assert (customer, customer.email) == (known, "ann@example.com")


def test_number_finds_nobody_with_another_address():
    known = make_customer(email="bea@example.com", phone="+15550100")

    assert customer_of(email="ann@example.com", phone="+15550100") != known


def test_number_and_address_in_one_batch_are_one_person():
    both = {"email": "ann@example.com", "phone": "+15550100"}

    customers = resolve([{"phone": "+15550100"}, both]).customers

    assert customers == [Customer.objects.get()] * 2


# By e-mail --------------------------------------------------------------------------------------


@pytest.mark.parametrize("identifiers", [{"cio_id": "c2"}, {"id": "43"}])
def test_address_finds_nobody_beside_another_identifier(identifiers):
    known = make_customer("c1", "42", "shared@example.com")

    customer = customer_of(**identifiers, email="shared@example.com")

    assert customer != known
    assert customer.email == "shared@example.com"


def test_new_person_with_the_same_address_leaves_no_event_of_the_batch_without_a_customer():
    known = make_customer("c1", email="shared@example.com")

    by_email, other = resolve(
        [{"email": "shared@example.com"}, {"cio_id": "c2", "email": "shared@example.com"}]
    ).customers

    assert ids_of(by_email) == (None, None, "shared@example.com")
    assert other.cio_id == "c2"
    assert known.pk not in (by_email.pk, other.pk)


def test_address_that_several_share_finds_none_of_them():
    make_customer("c1", email="shared@example.com")
    make_customer("c2", email="shared@example.com")

    customer = customer_of(email="shared@example.com")

    assert ids_of(customer) == (None, None, "shared@example.com")
    assert Customer.objects.count() == 3


def test_address_that_several_share_finds_the_row_that_has_nothing_else():
    make_customer("c1", email="shared@example.com")
    make_customer("c2", email="shared@example.com")
    nameless = make_customer(email="shared@example.com")

    assert customer_of(email="shared@example.com") == nameless


# Two identifiers that disagree ------------------------------------------------------------------


def test_conflicting_cio_ids_are_two_people_although_they_share_an_id():
    known = make_customer("c1", "42")

    customer = customer_of(cio_id="c2", id="42")

    assert ids_of(customer) == ("c2", None, "")
    assert ids_of(known) == ("c1", "42", "")


def test_id_that_belongs_to_another_cio_id_is_not_taken_away():
    other = make_customer("c2", "42")
    known = make_customer("c1")

    resolution = resolve([{"cio_id": "c1", "id": "42", "email": "ann@example.com"}])

    assert (resolution.customers, resolution.same) == ([known], [])
    assert ids_of(known)[:2] == ("c1", None)
    assert ids_of(other) == ("c2", "42", "")


@pytest.mark.parametrize("cio_id_first", [True, False])
def test_two_rows_of_one_person_are_reported_and_the_older_one_speaks(cio_id_first):
    older = make_customer("c1") if cio_id_first else make_customer(external_id="42")
    newer = make_customer(external_id="42") if cio_id_first else make_customer("c1")

    resolution = resolve([{"cio_id": "c1", "id": "42"}] * 2)

    assert resolution.customers == [older, older]
    assert resolution.same == [(older, newer)]
    assert Customer.objects.count() == 2


# Batches ----------------------------------------------------------------------------------------


def test_customers_come_in_the_order_they_were_asked_for():
    known = make_customer("c2")

    customers = resolve([{"id": "9"}, {"cio_id": "c2"}, {}, {"email": "a@b.c"}]).customers

    assert [c and (c.cio_id, c.external_id, c.email) for c in customers] == [
        (None, "9", ""),
        ("c2", None, ""),
        None,
        (None, None, "a@b.c"),
    ]
    assert customers[1] == known


@pytest.mark.parametrize(
    "batch",
    [
        [{"cio_id": "c1"}, {"cio_id": "cio_c1"}],
        [{"id": "42"}, {"id": "42", "email": "ann@example.com"}],
        [{"email": "ann@example.com"}, {"email": "ANN@example.com"}],
        [{"cio_id": "c1", "id": "42"}, {"id": "42"}],
        [{"id": "42"}, {"cio_id": "c1", "id": "42"}],
    ],
)
def test_new_person_who_comes_twice_in_a_batch_is_one_person(batch):
    resolution = resolve(batch)

    person = Customer.objects.get()
    assert resolution.customers == [person, person]
    assert resolution.same == []


def test_two_new_rows_that_a_third_event_joins_are_reported_as_one_person():
    resolution = resolve([{"cio_id": "c1"}, {"id": "42"}, {"cio_id": "c1", "id": "42"}])

    older, newer = Customer.objects.order_by("pk")
    assert resolution.customers == [older, newer, older]
    assert resolution.same == [(older, newer)]


def test_two_new_people_with_one_id_in_a_batch_stay_two():
    first, second = resolve([{"cio_id": "c1", "id": "42"}, {"cio_id": "c2", "id": "42"}]).customers

    assert ids_of(first) == ("c1", "42", "")
    assert ids_of(second) == ("c2", None, "")


def test_a_batch_of_known_people_takes_one_query(django_assert_num_queries):
    for number in range(20):
        make_customer(f"c{number}", f"{number}", f"{number}@example.com")
    batch = [{"cio_id": f"c{n}", "id": f"{n}", "email": f"{n}@example.com"} for n in range(20)]

    with django_assert_num_queries(1):
        resolve(batch)


# Merging ----------------------------------------------------------------------------------------


def merged(older, newer, twin=None):
    with transaction.atomic():
        absorb(older, newer, twin)
    return Customer.objects.get()


def test_merged_row_has_the_identifiers_of_both():
    customer = merged(make_customer("c1"), make_customer(None, "42", "ann@example.com"))

    assert ids_of(customer) == ("c1", "42", "ann@example.com")


@pytest.mark.parametrize("newer_is_later", [True, False])
def test_later_look_up_survives_a_merge(newer_is_later):
    late, early = {"attributes": {"plan": "pro"}, "fetched_at": NOON}, {"attributes": {}}
    older = make_customer("c1", **(early if newer_is_later else late))
    newer = make_customer(external_id="42", **(late if newer_is_later else early))

    customer = merged(older, newer)

    assert (customer.attributes, customer.fetched_at) == ({"plan": "pro"}, NOON)


def test_fresher_look_up_survives_a_merge():
    older = make_customer("c1", attributes={"plan": "free"}, fetched_at=NOON)
    newer = make_customer(
        None, "42", attributes={"plan": "pro"}, fetched_at=NOON + timedelta(days=3)
    )

    assert merged(older, newer).attributes == {"plan": "pro"}


def test_subscription_that_only_a_look_up_knew_survives_a_merge():
    older = make_customer("c1")
    newer = make_customer(None, "42", is_unsubscribed=True, fetched_at=NOON)

    assert merged(older, newer).is_unsubscribed is True


@pytest.mark.parametrize("fetched_at", [None, NOON])
def test_unsubscribe_that_only_the_newer_row_heard_of_survives_a_merge(fetched_at):
    older = make_customer("c1", is_unsubscribed=False, fetched_at=fetched_at)
    newer = make_customer(None, "42", is_unsubscribed=True, subscription_changed_at=NOON)

    customer = merged(older, newer)

    assert (customer.is_unsubscribed, customer.subscription_changed_at) == (True, NOON)


def test_later_word_on_the_subscription_survives_a_merge():
    older = make_customer("c1", is_unsubscribed=True, subscription_changed_at=NOON)
    newer = make_customer(
        None, "42", is_unsubscribed=False, subscription_changed_at=NOON - timedelta(days=1)
    )

    assert merged(older, newer).is_unsubscribed is True


def test_of_two_ids_the_one_beside_the_cio_id_stays_and_the_other_is_an_alias():
    customer = merged(make_customer(None, "42"), make_customer("c1", "43"))

    assert ids_of(customer) == ("c1", "43", "")
    assert set(former(customer)) == {"42"}


def test_of_two_ids_the_one_that_a_look_up_named_stays():
    older, newer = make_customer(None, "42"), make_customer("c1", "43")

    customer = merged(older, newer, Twin(newer.pk, cio_id="c1", external_id="42"))

    assert ids_of(customer) == ("c1", "42", "")
    assert set(former(customer)) == {"43"}


@pytest.mark.parametrize("newer_lives", [True, False])
def test_of_two_people_who_were_merged_the_living_one_stays(newer_lives):
    gone = {"cio_id": "aa", "external_id": "1", "is_deleted": True, "fetched_at": NOON}
    living = {
        "cio_id": "bb",
        "external_id": "2",
        "attributes": {"plan": "pro"},
        "fetched_at": NOON - timedelta(days=1),
    }
    first, second = (gone, living) if newer_lives else (living, gone)
    older, newer = make_customer(**first), make_customer(**second)
    CustomerAlias.objects.remember(newer.pk, {"email": "before@example.com"}, NOON)

    customer = merged(older, newer, Twin(newer.pk, cio_id="bb", gone="aa"))

    assert customer == older
    assert ids_of(customer) == ("bb", "2", "")
    assert (customer.is_deleted, customer.attributes) == (False, {"plan": "pro"})
    assert set(former(customer)) == {"aa", "1", "before@example.com"}


def test_person_who_lives_on_unknown_is_looked_up_next():
    gone = make_customer("aa", is_deleted=True, attributes={"plan": "pro"}, fetched_at=NOON)
    living = make_customer("bb")

    customer = merged(gone, living, Twin(living.pk, cio_id="bb", gone="aa"))

    assert (customer.is_deleted, customer.fetched_at) == (False, None)
    assert customer.attributes == {"plan": "pro"}


def test_look_up_by_a_former_id_does_not_make_a_person_deleted():
    known = make_customer("c1", "43", attributes={"plan": "pro"}, fetched_at=NOON)
    by_former_id = make_customer(
        None, "42", is_deleted=True, fetched_at=NOON + timedelta(minutes=1)
    )

    assert not merged(known, by_former_id).is_deleted


# Searching --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "term",
    ["c2", "cio_c2", " 43 ", "NEW@example.com", "+1 555 0101", "c1", "42", "Ann@example.com"],
)
def test_every_identifier_of_now_or_before_is_found(renamed, term):
    make_customer("other")

    assert Customer.objects.filter(known_as(term)).get() == renamed


def test_part_of_an_identifier_finds_nobody(renamed):
    assert not Customer.objects.filter(known_as("example.com")).exists()
