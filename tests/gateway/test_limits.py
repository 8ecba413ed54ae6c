"""Token buckets, against what a bucket is by definition, with time that a test makes."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.gateway.limits import Buckets, Rate, Recent

CALMLY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
RATES = st.builds(Rate, st.sampled_from([0.1, 1, 3, 50, 1000]), st.integers(1, 30))
PAUSES = st.floats(0, 20, allow_nan=False)
ASKED = st.lists(st.tuples(st.integers(0, 4), PAUSES), max_size=120)
START = 1_000_000.0  # seconds since boot: sums of floats are coarse there


def ask(buckets, asked):
    """(key, moment, whether it was admitted) of each."""
    now, told = START, []
    for key, pause in asked:
        now += pause
        told.append((key, now, buckets.take(key, now) == 0))
    return told


def test_a_burst_is_admitted_at_once_and_then_so_many_a_second():
    buckets = Buckets(Rate(2, 5))
    admitted = [buckets.take("a", 100.0) == 0 for _ in range(10)]
    assert admitted == [True] * 5 + [False] * 5
    assert buckets.take("a", 100.4)
    assert buckets.take("a", 100.5) == 0
    assert buckets.take("a", 100.5)


def test_who_waits_as_long_as_was_said_is_admitted():
    buckets = Buckets(Rate(0.3, 2))
    now = START
    for _ in range(50):
        wait = buckets.take("a", now)
        now += wait
        assert not wait or buckets.take("a", now) == 0


def test_asking_in_vain_costs_nothing():
    buckets = Buckets(Rate(1, 1))
    buckets.take("a", 0.0)
    waits = [buckets.take("a", 0.5) for _ in range(100)]
    assert set(waits) == {0.5}
    assert buckets.take("a", 1.0) == 0


def test_to_look_takes_nothing():
    buckets = Buckets(Rate(1, 1))
    assert [buckets.wait("a", 0.0) for _ in range(3)] == [0, 0, 0]
    assert buckets.take("a", 0.0) == 0
    assert buckets.wait("a", 0.0) == 1.0


def test_a_charge_for_what_has_happened_empties_no_bucket_below_empty():
    buckets = Buckets(Rate(1, 3))
    for _ in range(1000):
        buckets.charge("a", 50.0)
    assert buckets.wait("a", 50.0) == 1.0
    assert buckets.wait("a", 51.0) == 0


@CALMLY
@given(RATES, ASKED)
def test_no_more_than_the_burst_and_the_rate_allow_in_any_stretch_of_time(rate, asked):
    told = ask(Buckets(rate), asked)
    for key in range(5):
        moments = [now for asked_by, now, admitted in told if asked_by == key and admitted]
        for first, start in enumerate(moments):
            for last in range(first, len(moments)):
                most = rate.burst + rate.per_second * (moments[last] - start)
                assert last - first + 1 <= most + 0.01 * len(moments)


@CALMLY
@given(RATES, ASKED)
def test_it_is_the_bucket_of_the_textbook(rate, asked):
    tokens, seen = {}, {}
    for key, now, admitted in ask(Buckets(rate), asked):
        before = tokens.get(key, rate.burst)
        left = min(rate.burst, before + (now - seen.get(key, now)) * rate.per_second)
        if abs(left - 1) > 0.01:  # a hair's breadth either way is the float's
            assert admitted == (left >= 1)
        tokens[key], seen[key] = left - admitted, now


@CALMLY
@given(RATES, st.integers(1, 40), PAUSES)
def test_who_asks_no_faster_than_the_rate_is_never_refused(rate, times, more):
    buckets = Buckets(rate)
    for n in range(times):
        assert buckets.take("a", START + n * (1 / rate.per_second + more)) == 0


@CALMLY
@given(RATES, st.lists(st.tuples(st.integers(0, 50), PAUSES), max_size=300), st.integers(1, 8))
def test_memory_is_bounded_and_being_forgotten_only_ever_helps(rate, asked, most):
    bounded, free = Buckets(rate, most), Buckets(rate)
    now = START
    for key, pause in asked:
        now += pause
        assert bounded.wait(key, now) <= free.wait(key, now) + 1e-6
        if free.take(key, now) == 0:
            assert bounded.take(key, now) == 0
        assert len(bounded) <= most


def test_a_flood_of_others_does_not_reset_who_is_over_the_limit():
    buckets = Buckets(Rate(1, 10), most=100)
    for _ in range(10):
        buckets.take("greedy", START)
    for n in range(10_000):
        assert buckets.take(f"flood {n}", START + n / 10_000) == 0
    assert buckets.take("greedy", START + 0.9)
    assert len(buckets) == 100


def test_a_flood_of_others_does_not_take_from_who_behaves():
    buckets = Buckets(Rate(1, 10), most=100)
    now = START
    for n in range(1000):
        for stranger in range(50):
            buckets.take((n, stranger), now)
        assert buckets.take("regular", now) == 0
        now += 1.0


def test_what_was_noted_is_known_until_so_many_others_were():
    recent = Recent(most=3)
    for key in "abca":
        recent.note(key)
    recent.note("d")
    assert [key in recent for key in "abcd"] == [True, False, True, True]
