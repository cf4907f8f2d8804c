"""What tests share."""

import gc
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings

# A machine that is busy with something else makes no example slow. Each run makes up others, and
# make test-all ten times as many.
hypothesis_settings.register_profile("calm", deadline=None, max_examples=50)
hypothesis_settings.register_profile("many", deadline=None, max_examples=500)
hypothesis_settings.load_profile("calm")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--day", help="when every test begins, e.g. 2028-02-29T12:00 (UTC)")


def pytest_configure(config: pytest.Config) -> None:
    from config.tests import sharing
    from config.tests.browser import Browser
    from config.tests.databases import Databases
    from config.tests.template import Template
    from webhooks.tests import clock

    clock.install()
    sharing.install()
    config.pluginmanager.register(Browser(), "browser")
    config.pluginmanager.register(Databases())
    config.pluginmanager.register(Order())
    config.pluginmanager.register(Template())


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Any:
    """The garbage collector looks neither for garbage while tests are collected, nor at them later.

    They are some million objects that stay, and to look at all of them takes half a second of a
    core, for every few tests.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(10_000, 20, 20)
        gc.enable()


class Order:
    """The longest tests begin first: one that begins last lets all other workers wait for it.

    Each worker is given an equal share of the list, one behind the other, so each share begins with
    some of them: neighbours, because those of a module share what takes seconds to start.
    """

    @pytest.hookimpl(trylast=True)  # pytest-django has an order of its own
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        workers = getattr(config, "workerinput", {}).get("workercount", 1)
        marks = [(item, {marker.name for marker in item.iter_markers()}) for item in items]
        first = [item for item, names in marks if "first" in names]
        # One behind the other, so that few workers start Chromium, and each of them once.
        first += [item for item, names in marks if "browser" in names and "first" not in names]
        others = iter([item for item, names in marks if not names & {"first", "browser"}])
        left = len(items)
        items.clear()
        for number in range(workers):
            share = left // (workers - number)
            begins = first[number * len(first) // workers : (number + 1) * len(first) // workers]
            items += begins
            items += islice(others, max(0, share - len(begins)))
            left -= share
        items += others


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Any:
    """Let the test begin at the moment of its marker, or of --day."""
    from webhooks.tests.clock import clock

    marker = item.get_closest_marker("begins_at")
    moment = marker.args[0] if marker else item.config.getoption("day")
    if moment:
        clock.set(moment)
    try:
        return (yield)
    finally:
        clock.put_right()


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    """Each test begins with no request counted and no rules kept in the memory of the process."""
    from django.core.cache import cache

    from personas.rules import rulebook

    cache.clear()
    rulebook.kept.clear()


@pytest.fixture(scope="session", autouse=True)
def _no_thread_counts() -> Iterator[None]:
    """A request that the receiver refuses in passing starts no thread.

    It would write seconds later, past the transaction of whichever test runs by then.
    """
    from webhooks.tallying import tallying

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tallying, "start", lambda: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _patience() -> Iterator[None]:
    """A server of the tests has a minute to answer: the machine may be busy with something else."""
    from briefs.notifying import addresses, sending
    from operations.doctor import address

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(addresses, "CONNECT_SECONDS", 60.0)
        patch.setattr(addresses, "READ_SECONDS", 60.0)
        patch.setitem(sending.deliver.__kwdefaults__, "seconds", 60.0)
        patch.setattr(address, "SECONDS", 60.0)
        yield


@pytest.fixture
def threadless_receiver(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that send to the receiver in this process: it starts no threads, rings nobody.

    Events are committed in the request's thread, where the test's transaction sees them.
    """
    from webhooks import views
    from webhooks.bell import Ringer
    from webhooks.storing import Committer, Writer
    from webhooks.tallying import Tallying

    monkeypatch.setattr(Committer, "submit", lambda self, pending: Writer().commit([pending]))
    monkeypatch.setattr(Ringer, "start", lambda self: None)
    monkeypatch.setattr(Tallying, "start", lambda self: None)
    for name, anew in (("committer", Committer), ("ringer", Ringer), ("tallying", Tallying)):
        monkeypatch.setattr(views, name, anew())


@pytest.fixture
def live_server(live_server: Any, threadless_receiver: None) -> Any:
    from config.tests import sharing

    with sharing.server_requests.taken():
        yield live_server


@pytest.fixture
def chromium(request: pytest.FixtureRequest) -> Any:
    """A browser, for contexts that a test closes."""
    return request.config.pluginmanager.get_plugin("browser").chromium()


@pytest.fixture
def starter(db: Any) -> None:
    """The starter rules in the database."""
    from config.tests import starting

    starting.load()


@pytest.fixture
def user(django_user_model: Any) -> Any:
    """An agent: somebody who works briefs."""
    return make_user(django_user_model, "robin", "Agent")


@pytest.fixture
def lead(django_user_model: Any) -> Any:
    return make_user(django_user_model, "lee", "Lead")


def make_user(model: Any, name: str, role: str) -> Any:
    """Somebody with this role, or without any if it is empty."""
    from accounts.models import Role, roles

    made = model.objects.create_user(name, f"{name}@example.com", "a-long-password")
    roles.give(made, Role(role) if role else None)
    return model.objects.get(pk=made.pk)  # without cached permissions


@pytest.fixture
def signed_in(client: Any, user: Any) -> Any:
    """A client with a member of the team signed in."""
    client.force_login(user)
    return client


@pytest.fixture
def sandbox(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Customer.io's App API and Mavera as the sandbox speaks them, over HTTP, without a delay.

    On a busy machine a look-up may take longer than production's three seconds, but not so long
    that it waits where a test says "try again in 30 seconds".
    """
    from personas.people import names, pacing
    from providers.customerio import AppApi
    from sandbox.server import Sandbox

    for made in (AppApi.__init__, pacing.paced_app_api, pacing.background_app_api):
        monkeypatch.setattr(made, "__defaults__", (25.0, *made.__defaults__[1:]))
    monkeypatch.setattr(names, "BUDGET_SECONDS", 25.0)
    with Sandbox(latency=0, jitter=0) as running:
        settings.CIO_APP_BASE_URL = running.cio_base_url
        settings.CIO_APP_KEY = running.cio_key
        settings.CIO_TRACK_BASE_URL = running.track_base_url
        settings.CIO_TRACK_SITE_ID = running.track_site_id
        settings.CIO_TRACK_KEY = running.track_key
        settings.MAVERA_BASE_URL = running.mavera_base_url
        settings.MAVERA_API_KEY = running.mavera_key
        yield running


@pytest.fixture
def threaded_db(transactional_db: Any, tmp_path: Any) -> Any:
    """A database that many threads may write to at once.

    PostgreSQL as it is. For SQLite a file with production's settings, because threads cannot share
    a database in memory: they lock each other out of its tables at once, whatever the time-out.
    """
    from django.db import connection, connections

    if connection.vendor != "sqlite":
        yield
        return
    in_memory = connections["default"]
    path = tmp_path / "db.sqlite3"
    with in_memory.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(path)])
    name = connections.settings["default"]["NAME"]
    connections.settings["default"]["NAME"] = str(path)
    del connections["default"]
    connections["default"].ensure_connection()  # to WAL now: threads that switch at once may fail
    yield
    connections["default"].close()
    connections["default"] = in_memory
    connections.settings["default"]["NAME"] = name


@pytest.fixture
def empty_database(django_db_setup: None, django_db_blocker: Any) -> Any:
    """An empty database in place of the tests' usual one, which is migrated already."""
    from django.contrib.contenttypes.models import ContentType
    from django.db import connections

    usual = connections["default"]
    name = usual.settings_dict["NAME"]
    is_sqlite = usual.vendor == "sqlite"
    with django_db_blocker.unblock():
        if not is_sqlite:
            with usual._nodb_cursor() as cursor:
                cursor.execute(f'CREATE DATABASE "upgraded_{name}"')
        connections.settings["default"]["NAME"] = ":memory:" if is_sqlite else f"upgraded_{name}"
        del connections["default"]
        ContentType.objects.clear_cache()
        yield
        ContentType.objects.clear_cache()
        connections["default"].close()
        connections["default"] = usual
        connections.settings["default"]["NAME"] = name
        if not is_sqlite:
            with usual._nodb_cursor() as cursor:
                cursor.execute(f'DROP DATABASE "upgraded_{name}"')
