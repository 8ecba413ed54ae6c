"""When to try again, and whom to leave alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.pace import (
    FAILURES,
    FORGET_HOSTS,
    MOST_PAUSE_S,
    MOST_REST_S,
    REST_S,
    Breaker,
    pause,
)


@given(st.integers(1, 60), st.floats(0, 1), st.floats(0.01, 5))
def test_a_pause_doubles_within_bounds_and_jitters_by_half(tries, chance, backoff):
    wait = pause(tries, backoff, None, chance)
    base = min(MOST_PAUSE_S, backoff * 2 ** min(tries - 1, 16))
    assert base * 0.5 <= wait <= base * 1.5


@given(st.integers(1, 60), st.floats(0, 1), st.floats(0, 100_000))
def test_a_pause_is_never_shorter_than_the_other_side_asks(tries, chance, after):
    assert pause(tries, 1.0, after, chance) >= after


class Time:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Time()


def fail(breaker, times=FAILURES, host="h"):
    for _ in range(times):
        breaker.failed(host)


def test_a_host_rests_after_failures_in_a_row_and_not_before(time):
    breaker = Breaker(time)
    fail(breaker, FAILURES - 1)
    assert breaker.wait("h") == 0
    breaker.succeeded("h")
    fail(breaker, FAILURES - 1)
    assert breaker.wait("h") == 0
    fail(breaker, 1)
    assert breaker.wait("h") > 0
    assert breaker.wait("other") == 0
    assert breaker.resting == 1


def test_after_a_rest_one_attempt_decides_while_the_others_wait(time):
    breaker = Breaker(time)
    fail(breaker)
    time.now += REST_S
    assert breaker.wait("h") == 0
    assert breaker.wait("h") > 0
    breaker.succeeded("h")
    assert breaker.wait("h") == 0
    assert breaker.resting == 0


def test_a_host_that_fails_again_rests_twice_as_long_and_a_minute_at_most(time):
    breaker, rests = Breaker(time), []
    fail(breaker)
    for _ in range(8):
        rests.append(breaker.wait("h"))
        time.now += rests[-1]
        assert breaker.wait("h") == 0
        breaker.failed("h")
    assert rests[:3] == [REST_S, 2 * REST_S, 4 * REST_S]
    assert rests[-1] == MOST_REST_S


def test_an_attempt_that_was_not_made_lets_another_decide(time):
    breaker = Breaker(time)
    fail(breaker)
    time.now += REST_S
    assert breaker.wait("h") == 0
    breaker.abandoned("h")
    assert breaker.wait("h") == 0


def test_only_so_many_hosts_are_remembered(time):
    breaker = Breaker(time)
    for number in range(FORGET_HOSTS + 50):
        breaker.failed(f"host-{number}")
    assert len(breaker.hosts) == FORGET_HOSTS
