"""The cluster's command, and what it does with signals."""

import signal

import pytest
from django.core.management import get_commands, load_command_class

from operations.management.commands.qcluster import Command, PatientCluster


@pytest.fixture
def cluster():
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    yield PatientCluster()
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize("further", [signal.SIGTERM, signal.SIGINT])
def test_signal_while_it_stops_does_not_stop_it_again(cluster, monkeypatch, further):
    stops = []

    def stop():
        stops.append(further)
        if len(stops) == 1:
            signal.raise_signal(further)

    monkeypatch.setattr(cluster, "stop", stop)
    signal.raise_signal(signal.SIGTERM)

    assert len(stops) == 1


def test_it_replaces_the_command_of_django_q2():
    assert get_commands()["qcluster"] == "operations"
    assert isinstance(load_command_class("operations", "qcluster"), Command)
