"""The sweep, which takes up whatever no wake-up announced."""

import pytest

from operations import sweeping

pytestmark = pytest.mark.django_db


def test_sweep_gives_every_step_its_turn_whatever_happens_to_another(monkeypatch):
    done = []
    monkeypatch.setattr(sweeping.working, "wake", lambda: done.append("wake"))
    monkeypatch.setattr(sweeping.alarms, "sweep", lambda: done.append("alarms"))

    def fail():
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(sweeping.profiles, "catch_up", fail)

    with pytest.raises(RuntimeError, match="a fault of ours"):
        sweeping.sweep()

    assert done == ["alarms", "wake"]
