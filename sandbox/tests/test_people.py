"""The people of the workspace: seeded, spelled by their id, added, removed."""

import pytest

from sandbox.people import People
from sandbox.person import cio_id_for
from sandbox.seeds import seeded_people

SPELLED = "enterprise-real_estate-low-7f3a"


def profile(person):
    names = ("is_internal", "subscription_status", "plan", "usage_tier")
    return tuple(person.attributes.get(name) for name in names)


def test_the_seeded_people_cover_every_kind_of_customer():
    profiles = [profile(person) for person in seeded_people()]

    assert profiles[0][0] == "true"
    assert profiles[1][1] == "cancelled"
    assert [each[2:] for each in profiles[2:]] == [
        ("enterprise", "low"),
        ("enterprise", "high"),
        ("enterprise", "low"),
        ("enterprise", "high"),
        ("business", "high"),
        ("business", "low"),
        ("pro", "low"),
        ("trial", "medium"),
        ("free", "high"),
        ("pro", "medium"),
        (None, None),
    ]


def test_two_seeded_enterprises_are_in_regulated_industries():
    industries = [person.attributes.get("industry") for person in seeded_people()]

    assert industries[2:4] == ["healthcare", "banking"]


def test_seeded_people_use_addresses_that_can_never_reach_anybody():
    assert all(person.email.endswith("@example.com") for person in seeded_people())


def test_an_id_spells_the_profile():
    attributes = People().find("id", SPELLED).attributes

    assert attributes["plan"] == "enterprise"
    assert attributes["industry"] == "real estate"
    assert attributes["usage_tier"] == "low"
    assert 4_000 <= int(attributes["mrr"]) <= 12_000


def test_a_spelled_person_is_the_same_in_every_process():
    assert People().find("id", SPELLED) == People().find("id", SPELLED)
    assert People().find("id", SPELLED) != People().find("id", SPELLED + "b")


@pytest.mark.parametrize("person_id", [SPELLED, "pro-design-high-Großkunde 7", "free-x-low-A/B"])
def test_a_spelled_person_is_found_by_cio_id_and_address_without_being_asked_for_before(person_id):
    person = People().find("id", person_id)

    assert People().find("cio_id", person.cio_id) == person
    assert People().find("email", person.email) == person
    assert People().find("email", person.email.upper()) == person


@pytest.mark.parametrize(
    "person_id",
    [
        "deleted-1099",
        "deleted-pro-design-low-1",
        "gold-x-low-1",
        "pro-x-some-1",
        "pro-x-low-",
        "pro",
    ],
)
def test_any_other_id_is_nobody(person_id):
    people = People(seeded_people())

    assert people.find("id", person_id) is None
    assert people.find("cio_id", cio_id_for(person_id)) is None


def test_an_address_that_only_looks_spelled_is_nobody():
    assert People().with_email(f"no.body+{SPELLED}@example.com") == []


def test_an_added_person_stands_in_for_the_spelled_one():
    people = People()
    spelled = people.find("id", SPELLED)

    people.add(SPELLED, email="new@example.com", attributes={"plan": "free"})

    assert people.find("id", SPELLED).attributes == {"plan": "free"}
    assert people.find("cio_id", spelled.cio_id).attributes == {"plan": "free"}
    assert people.find("email", spelled.email) is None


def test_adding_again_replaces():
    people = People()
    people.add("a", cio_id="1", email="old@example.com")

    people.add("a", cio_id="2", email="new@example.com")

    assert people.find("cio_id", "1") is None
    assert people.find("email", "old@example.com") is None
    assert people.find("cio_id", "2").email == "new@example.com"


def test_a_person_may_have_an_address_only():
    people = People()
    people.add(email="only@example.com")

    person = people.find("email", "only@example.com")

    assert person.id is None
    assert people.find("cio_id", person.cio_id) == person


def test_a_person_without_any_identifier_is_refused():
    with pytest.raises(ValueError, match="needs an 'id'"):
        People().add(attributes={"plan": "pro"})


def test_a_deleted_id_cannot_be_added():
    with pytest.raises(ValueError, match="never known"):
        People().add("deleted-1099")


@pytest.mark.parametrize("person_id", ["acme-1003", SPELLED])
def test_a_removed_person_is_found_no_more(person_id):
    people = People(seeded_people())
    person = people.find("id", person_id)

    people.remove(person_id)

    assert people.find("id", person_id) is None
    assert people.find("cio_id", person.cio_id) is None
    assert people.with_email(person.email) == []
