"""One process of the web server looks for garbage when nobody waits for an answer."""

import asyncio
import gc
import weakref

import pytest

from operations.supervising.web_worker import GARBAGE, LOOKS, Worker


class _Held:
    """An object that holds itself, as those of a page that failed hold each other."""

    def __init__(self):
        self.itself = self


def make_a_lot_of_garbage():
    for _ in range(2 * GARBAGE):
        _Held()


@pytest.fixture
def a_lot_of_garbage():
    gc.collect()
    gc.disable()
    make_a_lot_of_garbage()
    yield
    gc.enable()


@pytest.mark.parametrize(("under_way", "left"), [(set(), False), ({"a request"}, True)])
@pytest.mark.usefixtures("a_lot_of_garbage")
def test_garbage_is_looked_for_while_nobody_waits(under_way, left):
    worker = Worker(ready=0, parent=0)
    worker.server_state.tasks = under_way

    asyncio.run(worker.on_tick(1))

    assert (gc.get_count()[0] > GARBAGE) == left


@pytest.mark.usefixtures("a_lot_of_garbage")
def test_what_becomes_garbage_after_it_was_looked_at_goes_as_well():
    """Such as what a thread of the server holds until its next request."""
    worker = Worker(ready=0, parent=0)
    held = _Held()
    last = weakref.ref(held)
    asyncio.run(worker.on_tick(1))
    del held

    for _ in range(LOOKS + 1):
        make_a_lot_of_garbage()
        asyncio.run(worker.on_tick(1))

    assert last() is None
