"""Intervals of shares and of their differences."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest  # type: ignore[import-untyped]

from services.survey.interval import Z95, difference, wilson

SHARES = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def percent(ends):
    return tuple(round(end * 100, 1) for end in ends)


@pytest.mark.parametrize(
    ("count", "of", "ends"), [(27, 30, (74.4, 96.5)), (3, 5, (23.1, 88.2)), (0, 10, (0.0, 27.8))]
)
def test_wilsons_interval_of_known_shares(count, of, ends):
    assert percent(wilson(count, of)) == ends


@given(SHARES)
def test_an_interval_lies_within_0_and_1_around_the_share(share):
    count, of = share
    low, high = wilson(count, of)
    assert 0 <= low <= count / of <= high <= 1
    assert low < high


@given(SHARES)
def test_the_ends_are_the_shares_that_the_score_test_would_just_not_reject(share):
    count, of = share
    for end in wilson(count, of):
        if 0 < end < 1:
            gap = abs(count / of - end)
            assert gap == pytest.approx(Z95 * (end * (1 - end) / of) ** 0.5, rel=1e-6, abs=1e-12)


@given(SHARES)
def test_the_intervals_of_a_share_and_of_the_rest_mirror_each_other(share):
    count, of = share
    low, high = wilson(count, of)
    other_low, other_high = wilson(of - count, of)
    assert (1 - low, 1 - high) == pytest.approx((other_high, other_low))


@given(SHARES, st.integers(2, 50))
def test_more_answers_of_the_same_share_narrow_the_interval(share, times):
    count, of = share
    low, high = wilson(count, of)
    more_low, more_high = wilson(count * times, of * times)
    assert more_high - more_low < high - low


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_it_is_what_a_library_computes(share):
    count, of = share
    found = binomtest(count, of).proportion_ci(method="wilson")
    assert wilson(count, of) == pytest.approx((found.low, found.high), abs=1e-9)


@pytest.mark.parametrize(("count", "of"), [(1, 0), (0, 0), (-1, 5), (6, 5)])
def test_what_is_no_share_is_refused(count, of):
    with pytest.raises(ValueError, match="no share"):
        wilson(count, of)


def test_newcombes_interval_of_a_published_example():
    # Newcombe 1998, table II: 56/70 − 48/80, method 10: 0.0524 to 0.3339
    assert tuple(round(end, 4) for end in difference(56, 70, 48, 80)) == (0.0524, 0.3339)


@given(SHARES, SHARES)
def test_a_difference_lies_in_its_interval_and_turns_with_its_sides(one, other):
    low, high = difference(*one, *other)
    assert -1 <= low <= one[0] / one[1] - other[0] / other[1] <= high <= 1 < inf
    back_low, back_high = difference(*other, *one)
    assert (-low, -high) == pytest.approx((back_high, back_low))
