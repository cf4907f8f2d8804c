"""The sliding window, and the busiest one."""

from sandbox.limits import Busiest, SlidingWindow


class Clock:
    now = 1_000.0

    def __call__(self):
        return self.now


def test_a_request_over_the_limit_is_told_how_long_to_wait():
    clock = Clock()
    window = SlidingWindow(60, clock)
    window.admit(2)
    clock.now += 10
    window.admit(2)

    assert window.admit(2) == 50
    assert window.remaining(2) == 0


def test_the_window_slides():
    clock = Clock()
    window = SlidingWindow(60, clock)
    window.admit(1)

    clock.now += 60

    assert window.remaining(1) == 1
    assert window.admit(1) is None


def test_a_refused_request_does_not_count():
    clock = Clock()
    window = SlidingWindow(1, clock)
    window.admit(1)
    window.admit(1)

    assert window.resets_in() == 1
    clock.now += 1
    assert window.admit(1) is None


def test_a_limit_lowered_meanwhile_waits_for_enough_to_leave():
    clock = Clock()
    window = SlidingWindow(60, clock)
    for _ in range(3):
        window.admit(3)
        clock.now += 10

    assert window.admit(1) == 50
    assert window.admit(2) == 40


def test_an_empty_window_has_nothing_to_wait_for():
    assert SlidingWindow(60).resets_in() == 0


def test_a_limit_of_none_at_all_refuses():
    assert SlidingWindow(60).admit(0) == 60


def test_the_busiest_window_is_remembered_wherever_it_began():
    clock = Clock()
    busiest = Busiest(clock)
    for seconds in (0, 50, 5, 4, 60, 1):
        clock.now += seconds
        busiest.note(60)

    assert busiest.most == 4


def test_a_request_as_old_as_the_window_is_not_in_it():
    clock = Clock()
    busiest = Busiest(clock)
    busiest.note(60)

    clock.now += 60
    busiest.note(60)

    assert busiest.most == 1
