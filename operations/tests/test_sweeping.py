"""The sweep, which does the work that no wake-up announced."""

import pytest

from operations import sweeping

pytestmark = pytest.mark.django_db


def test_every_step_of_the_sweep_runs_even_if_another_fails(monkeypatch):
    done = []
    monkeypatch.setattr(sweeping.working, "wake", lambda: done.append("wake"))
    monkeypatch.setattr(sweeping.alarms, "sweep", lambda: done.append("alarms"))

    def fail():
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(sweeping.profiles, "catch_up", fail)

    with pytest.raises(RuntimeError, match="a fault of ours"):
        sweeping.sweep()

    assert done == ["alarms", "wake"]
