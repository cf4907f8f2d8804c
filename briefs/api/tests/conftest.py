"""Most tests of the API read all of it."""

import pytest


@pytest.fixture
def user(lead):
    return lead
