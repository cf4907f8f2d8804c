import pytest

from operations.views import probes


@pytest.fixture(autouse=True)
def _probes_look_each_time(monkeypatch):
    """What a test changes is seen at once, and a busy machine has a minute for a look."""
    monkeypatch.setattr(probes, "FRESH_SECONDS", 0.0)
    for limit in ("LIMIT_SECONDS", "BROKER_SECONDS"):
        monkeypatch.setattr(probes, limit, 60.0)
    probes.latest.forget()
