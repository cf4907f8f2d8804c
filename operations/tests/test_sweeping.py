"""The sweep, which does the work that no wake-up announced."""

import pytest
from django.utils.module_loading import import_string

from operations import sweeping
from personas.models import CustomerSegment

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


def test_reader_of_segments_is_woken_once_and_reads(sandbox, monkeypatch):
    woken = []
    monkeypatch.setattr(sweeping.waking, "wake", lambda *given: woken.append(given))

    sweeping.wake_reader_of_segments()
    sweeping.wake_reader_of_segments()
    assert woken == [("briefs.tasks.read_segments", "research")]
    import_string(woken[0][0])()

    assert CustomerSegment.objects.filter(name="Everybody").exists()
    sweeping.wake_reader_of_segments()  # nothing is due
    assert len(woken) == 1
