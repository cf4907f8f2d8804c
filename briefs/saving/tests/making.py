"""What the tests of the segment share."""

import json

from briefs.models import SavingSegment
from briefs.saving import telling
from briefs.tests.factories import make_brief, make_customer

NAME = "Savedesk: open briefs"


def make_segment(sandbox):
    """The segment at the sandbox, turned on here; the first night is past."""
    number = sandbox.segments.create(NAME)["id"]
    SavingSegment.turn_on(number, NAME)
    postpone_comparing()
    return number


def postpone_comparing():
    SavingSegment.objects.update(compare_at="2099-01-01T00:00Z")


def make_person(sandbox, name, **kw):
    """An open brief of somebody whom Customer.io knows as well."""
    person = sandbox.people.add(name, email=f"{name}@example.com")
    given = {"cio_id": person.cio_id, "external_id": name, "email": person.email, **kw}
    return make_brief(customer=make_customer(**given))


def run():
    """A run of the worker, whatever it has to wait for."""
    SavingSegment.objects.update(retry_at=None)
    return telling.run()


def names_in(sandbox, number):
    """The ids of the people who are in the segment."""
    return sorted(str(person.id or person.email) for person in sandbox.segments.members(number))


def calls(sandbox):
    """The requests to the Track API: what was done, with which kind of id, with how many."""
    return [
        (one.path.rpartition("/")[2], one.query["id_type"], len(json.loads(one.body)["ids"]))
        for one in sandbox.requests
        if one.path.startswith("/track/")
    ]
