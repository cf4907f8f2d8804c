"""However events and look-ups are ordered, one person is one row, and two people are two rows.

Customer.io is played by the sandbox: people get new ids and addresses there and are merged, and
events about them arrive late, twice, out of order, with and without ids.
"""

import itertools
from datetime import timedelta

import pytest
from django.test import override_settings
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from briefs.models import Brief
from briefs.pipeline import draining, naming
from briefs.tests.factories import make_event, make_payload
from personas.models import AppApiHealth, AppApiPace, Customer, CustomerAlias
from webhooks.models import WebhookEvent

pytestmark = [pytest.mark.django_db, pytest.mark.on_sqlite]

_numbers = itertools.count(1)
PEOPLE = 2


class World:
    """People of a workspace over time, and the events about them that are still under way."""

    def __init__(self, sandbox, can_look_up):
        self.sandbox, self.can_look_up = sandbox, can_look_up
        self.run = next(_numbers)
        self.now = timezone.now() - timedelta(minutes=10)
        self.people = {}  # by cio_id: who lives there now
        self.human = {}  # by every cio_id that ever was: the cio_id of the same human now
        self.has_absorbed = set()  # their address is all that says who their stub was
        self.under_way = []
        for number in range(PEOPLE):
            self.tell({"cio_id": self.name("c", number), "id": self.name("id", number),
                       "email": self.address()})  # fmt: skip

    def name(self, kind, number=None):
        return f"{kind}{self.run}x{next(_numbers) if number is None else number}"

    def address(self):
        return f"{self.name('a')}@example.com"

    def tell(self, person):
        """Customer.io knows this person like this from now on."""
        self.people[person["cio_id"]] = person
        self.human.setdefault(person["cio_id"], person["cio_id"])
        named = {key: value for key, value in person.items() if value}
        self.sandbox.people.add(**named, attributes={"plan": "enterprise", "usage_tier": "low"})

    def pick(self, number):
        return sorted(self.people)[number % len(self.people)]

    # What happens in Customer.io

    def change(self, number, field):
        person = self.people[self.pick(number)]
        if field == "email" and person["cio_id"] in self.has_absorbed:
            return
        value = self.address() if field == "email" else self.name("id")
        self.tell({**person, field: value})

    def split_off(self, number):
        """A stub that has only the address of somebody appears, acts, and is merged into them."""
        owner = self.people[self.pick(number)]
        stub = {"cio_id": self.name("s"), "email": owner["email"], "id": None}
        self.human[stub["cio_id"]] = owner["cio_id"]
        self.has_absorbed.add(owner["cio_id"])
        self.report(stub, "all")

    # What is sent, and what arrives

    def act(self, number, how):
        self.report(self.people[self.pick(number)], how)

    def report(self, person, how):
        self.now += timedelta(seconds=5)
        keys = {"all": ("cio_id", "id", "email"), "cio_id": ("cio_id",)}[how]
        named = {key: person[key] for key in keys if person[key]}
        self.under_way.append((self.now, named))

    def deliver(self, number):
        if self.under_way:
            at, named = self.under_way.pop(number % len(self.under_way))
            metric = ("unsubscribed", "spammed")[number % 2]
            kind = "customer" if metric == "unsubscribed" else "email"
            data = {"identifiers": named, "delivery_id": self.name("d")}
            at = int(at.timestamp())
            make_event(make_payload(object_type=kind, metric=metric, timestamp=at, data=data))

    def drain(self):
        AppApiPace.objects.all().delete()  # nobody waits for the pace here
        draining.drain()

    def look_up_all(self):
        AppApiPace.objects.all().delete()
        Customer.objects.update(fetched_at=timezone.now() - timedelta(days=2))
        naming.check_open()

    def settle(self):
        """Everything arrives, and everybody acts once more."""
        while self.under_way:
            self.deliver(0)
        self.drain()
        for number in range(len(self.people)):
            self.act(number, "all")
            self.deliver(0)
            self.drain()
        if self.can_look_up:
            self.look_up_all()


def humans_of(world, row):
    """The people in Customer.io whose cio_ids a row has or had."""
    former = row.aliases.filter(kind="cio_id").values_list("value", flat=True)
    return {world.human[cio_id] for cio_id in (row.cio_id, *former)}


numbers = st.integers(0, 9)
steps = st.one_of(
    st.tuples(st.just("act"), numbers, st.sampled_from(["all", "cio_id"])),
    st.tuples(st.just("change"), numbers, st.sampled_from(["id", "email"])),
    st.tuples(st.just("split_off"), numbers),
    st.tuples(st.just("deliver"), numbers),
    st.tuples(st.just("drain")),
    st.tuples(st.just("look_up_all")),
)


def begin(sandbox, can_look_up):
    for model in (Brief, WebhookEvent, CustomerAlias, Customer, AppApiPace, AppApiHealth):
        model.objects.all().delete()
    return World(sandbox, can_look_up)


def carry_out(world, story):
    for name, *arguments in story:
        if name == "look_up_all" and not world.can_look_up:
            continue
        getattr(world, name)(*arguments)
        assert_no_brief_is_doubled()
    world.settle()
    assert_no_brief_is_doubled()
    assert not WebhookEvent.objects.exclude(status="processed").exists()


def assert_no_brief_is_doubled():
    people = list(Brief.objects.open().values_list("customer", flat=True))
    assert len(people) == len(set(people))


# An example takes up to a second, so there are few; more of them are tried by hand.
quick = settings(
    max_examples=15,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@given(st.lists(steps, max_size=10))
@quick
def test_one_person_is_one_row_and_two_people_are_two(starter, sandbox, story):
    sandbox.app_requests_per_second = 10_000
    world = begin(sandbox, can_look_up=True)

    carry_out(world, story)

    rows = list(Customer.objects.all())
    humans = [humans_of(world, row) for row in rows]
    assert all(len(each) == 1 for each in humans), humans
    assert len(rows) == len(world.people), humans
    for row in rows:
        person = world.people[row.cio_id]
        assert (row.external_id, row.email) == (person["id"], person["email"])
    assert Brief.objects.open().count() == len(rows)


# Without look-ups nobody can know that somebody was merged.
own_acts = steps.filter(lambda step: step[0] not in ("split_off", "look_up_all"))


@given(st.lists(own_acts, max_size=10))
@quick
def test_without_look_ups_the_latest_event_names_a_person(starter, sandbox, story):
    with override_settings(CIO_APP_KEY=""):
        world = begin(sandbox, can_look_up=False)

        carry_out(world, story)

    rows = list(Customer.objects.all())
    assert len(rows) == len(world.people)
    for row in rows:
        person = world.people[row.cio_id]
        assert (row.external_id, row.email) == (person["id"], person["email"])
