"""Who may do what: every address and method, as everybody; docs/operations.md has the table."""

import pytest

from operations.tests import walk

pytestmark = pytest.mark.django_db


@pytest.mark.on_sqlite
@pytest.mark.first
def test_the_table_says_what_is_answered():
    walked = walk.walk()

    document = walk.DOCUMENT.read_text()
    assert document == walk.written(document, walk.table(walked)), (
        "write it anew: python -m operations.tests.walk"
    )
    assert not list(_crashes(walked))


@pytest.mark.long
def test_nobody_finds_a_side_door():
    walked = walk.walk(walk.METHODS)

    assert not list(_side_doors(walked))
    assert not list(_crashes(walked))


def _side_doors(walked):
    """Methods that are open to somebody whom GET and POST refuse."""
    for address, people in walked.items():
        for who, answers in people.items():
            if answers["GET"] in walk.REFUSED and answers["POST"] in walk.REFUSED:
                others = ("HEAD", "PUT", "PATCH", "DELETE")
                yield from ((address.path, who, m) for m in others if answers[m] < 400)


def _crashes(walked):
    for address, people in walked.items():
        for who, answers in people.items():
            yield from ((address.path, who, m) for m, status in answers.items()
                        if status >= 500 and address.name != "readyz")  # fmt: skip


def test_staff_without_permissions_see_an_empty_admin(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("staff", is_staff=True))

    response = client.get("/admin/")

    assert response.status_code == 200
    assert not response.context["app_list"]
