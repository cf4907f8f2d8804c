import pytest
from django.db import connection


@pytest.fixture(autouse=True)
def _checks_again(request):
    yield
    if connection.vendor == "sqlite" and request.node.get_closest_marker("django_db"):
        with request.getfixturevalue("django_db_blocker").unblock(), connection.cursor() as cursor:
            cursor.execute("PRAGMA ignore_check_constraints = OFF")
