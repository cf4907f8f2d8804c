import pytest

from sandbox import Sandbox


@pytest.fixture
def sandbox():
    with Sandbox() as running:
        yield running
