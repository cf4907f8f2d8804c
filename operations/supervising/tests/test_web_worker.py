"""One process of the web server looks for garbage when nobody waits for an answer."""

import asyncio
import gc

import pytest

from operations.supervising.web_worker import GARBAGE, Worker


@pytest.fixture
def a_lot_of_garbage():
    """Made by objects that hold each other, as those of a page that failed do."""
    gc.collect()
    gc.disable()
    for _ in range(2 * GARBAGE):
        one = []
        one.append(one)
    yield
    gc.enable()


@pytest.mark.parametrize(("under_way", "left"), [(set(), False), ({"a request"}, True)])
@pytest.mark.usefixtures("a_lot_of_garbage")
def test_garbage_is_looked_for_while_nobody_waits(under_way, left):
    worker = Worker(ready=0, parent=0)
    worker.server_state.tasks = under_way

    asyncio.run(worker.on_tick(1))

    assert (gc.get_count()[0] > GARBAGE) == left
