"""A soak that is too short to say anything of memory, but whose books must balance."""

import pytest

from tests.load.soak import Plan, soak
from tests.load.weights import Sample, growth, slope


@pytest.mark.timeout(240)
async def test_a_short_soak_loses_nothing_and_is_clean(tmp_path):
    assert await soak(Plan(whole=20, measure=2, weighs=False), tmp_path) == []


def test_a_slope_is_that_of_the_line():
    assert slope([0, 1, 2, 3], [5, 7, 9, 11]) == 2
    assert slope([1], [5]) == 0


def test_growth_is_told_by_the_minute_and_by_the_event():
    samples = [Sample(at, 10 * at, {"queue": 1000.0 * at}) for at in range(5)]
    assert growth(samples, "queue") == (60_000, 100)
