import pytest

from operations.views import probes


@pytest.fixture(autouse=True)
def _probes_look_each_time(monkeypatch):
    """What a test changes is seen at once."""
    monkeypatch.setattr(probes, "FRESH_SECONDS", 0.0)
    probes.latest.forget()
