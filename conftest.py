"""What every test may rely on: no thread rings by itself, and nothing of one test reaches another."""

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No ringer thread, an open storage guard, and no remembered broker."""
    from webhooks import bell, views

    monkeypatch.setattr(bell.ringer, "start", lambda: None)
    bell.ringer._wanted.clear()
    bell.queue.cache_clear()
    views.storage.open()


@pytest.fixture
def starter(db: Any) -> None:
    """The starter rules in the database."""
    from personas import starter

    starter.load_if_empty()


@pytest.fixture
def user(django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("robin", password="a-long-password")


@pytest.fixture
def signed_in(client: Any, user: Any) -> Any:
    """A client with a member of the team signed in."""
    client.force_login(user)
    return client


@pytest.fixture
def sandbox(settings: Any) -> Any:
    """Customer.io's App API and Mavera as the sandbox speaks them, over HTTP, without a delay."""
    from sandbox.server import Sandbox

    with Sandbox(latency=0, jitter=0) as running:
        settings.CIO_APP_BASE_URL = running.cio_base_url
        settings.CIO_APP_KEY = running.cio_key
        settings.MAVERA_BASE_URL = running.mavera_base_url
        settings.MAVERA_API_KEY = running.mavera_key
        yield running
