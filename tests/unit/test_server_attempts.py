"""Guessing passwords gets slower and slower, and nobody else is locked out by it."""

import pytest

from camera_hub.server import attempts
from camera_hub.server.attempts import Attempts
from tests.support.clocks import HandClock


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def tries(clock: HandClock) -> Attempts:
    return Attempts(clock)


def _fail(tries: Attempts, times: int, address: str = "192.0.2.1", name: str = "an") -> None:
    for _ in range(times):
        tries.failed(address, name)


def test_a_few_failures_are_free(tries: Attempts) -> None:
    _fail(tries, attempts.FREE_FAILURES - 1)
    assert tries.wait_s("192.0.2.1", "an") == 0


def test_then_one_waits_and_longer_each_time(tries: Attempts, clock: HandClock) -> None:
    _fail(tries, attempts.FREE_FAILURES - 1)
    waits = []
    for _ in range(8):
        _fail(tries, 1)
        waits.append(tries.wait_s("192.0.2.1", "an"))
        clock.go(waits[-1] - 1)
        assert tries.wait_s("192.0.2.1", "an") == 1
        clock.go(1)
        assert tries.wait_s("192.0.2.1", "an") == 0
    assert waits == sorted(waits)
    assert waits[0] == attempts.FIRST_WAIT_S
    assert waits[-1] == attempts.LONGEST_WAIT_S


def test_others_do_not_wait(tries: Attempts) -> None:
    _fail(tries, 10)
    assert tries.wait_s("192.0.2.2", "an") == 0
    assert tries.wait_s("192.0.2.1", "binh") == 0


def test_an_address_that_tries_many_names_waits(tries: Attempts) -> None:
    for number in range(attempts.FREE_FAILURES_OF_ADDRESS):
        _fail(tries, 1, name=f"user{number}")
    assert tries.wait_s("192.0.2.1", "somebody else") > 0


def test_success_forgets_the_name_but_not_the_address(tries: Attempts) -> None:
    _fail(tries, 3)
    tries.succeeded("192.0.2.1", "an")
    _fail(tries, attempts.FREE_FAILURES - 1)
    assert tries.wait_s("192.0.2.1", "an") == 0
    for _ in range(attempts.FREE_FAILURES_OF_ADDRESS):
        _fail(tries, 1, name="an")
        tries.succeeded("192.0.2.1", "an")
    assert tries.wait_s("192.0.2.1", "an") > 0


def test_failures_of_long_ago_are_forgotten(tries: Attempts, clock: HandClock) -> None:
    _fail(tries, attempts.FREE_FAILURES - 1)
    clock.go(attempts.FORGET_AFTER_S + 1)
    _fail(tries, 1)
    assert tries.wait_s("192.0.2.1", "an") == 0


def test_memory_is_bounded(tries: Attempts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "MAX_KEYS", 100)
    for number in range(1000):
        _fail(tries, 1, address=f"192.0.{number}.1")
    assert len(tries._counts) <= 100
