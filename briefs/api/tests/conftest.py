"""Most tests of the API read all of it."""

import pytest


@pytest.fixture
def user(lead):
    return lead


_schema = {}


@pytest.fixture
def schema(signed_in):
    """It takes a second to make, and is the same for all tests."""
    if not _schema:
        _schema.update(signed_in.get("/api/schema/", headers={"Accept": "application/json"}).json())
    return _schema
