"""A soak that is too short to say anything of memory, but whose books must balance."""

import json

import pytest

from tests.e2e.proof import Account
from tests.load.reckoning import unbalanced, unsound, weight_faults
from tests.load.soak import Plan, soak
from tests.load.weights import MB, Sample, growth, slope


@pytest.mark.timeout(240)
async def test_a_short_soak_loses_nothing_and_is_clean(tmp_path):
    assert await soak(Plan(whole=20, measure=2, weighs=False), tmp_path) == []


def test_a_slope_is_that_of_the_line():
    assert slope([0, 1, 2, 3], [5, 7, 9, 11]) == 2
    assert slope([1], [5]) == 0


def test_growth_is_told_by_the_minute_and_by_the_event():
    samples = [Sample(at, 10 * at, {"queue": 1000.0 * at}) for at in range(5)]
    assert growth(samples, "queue") == (60_000, 100)


def test_what_grows_faster_than_its_events_is_a_fault():
    samples = [
        Sample(at, 100 * at, {"queue-1": 60 * MB + 1e6 * at, "redis": 9 * MB}) for at in range(60)
    ]
    assert weight_faults(samples) == ["queue-1 grows by 10000 bytes an event: more than 1000"]


def leaf(n, kind, **more):
    event = {"v": 1, "o": "73.71.03", "d": "2026-03-02", "n": n, "t": 1_772_416_800_000, "e": kind}
    return json.dumps(event | more, separators=(",", ":")).encode()


def test_an_acknowledged_event_that_is_not_in_the_journal_is_a_fault():
    account = Account((leaf(0, "start", k="A001", c="1"), leaf(1, "done", k="A001", c="1")), b"")
    told = {0: ("start", "A001"), 1: ("done", "A001")}
    assert unbalanced("73.71.03", account, told) == []
    (fault,) = unbalanced("73.71.03", account, told | {2: ("call", "A002")})
    assert "not there: 1, the first [2]" in fault
    (fault,) = unbalanced("73.71.03", account, {})
    assert "to nobody: 2" in fault


def test_an_event_of_another_kind_or_number_than_was_acknowledged_is_a_fault():
    account = Account((leaf(0, "start", k="A001", c="1"),), b"")
    assert unbalanced("73.71.03", account, {0: ("call", "A001")})
    assert unbalanced("73.71.03", account, {0: ("start", "A002")})


def test_a_journal_that_the_verifier_cannot_clear_is_a_fault():
    assert unsound("73.71.03", Account((leaf(1, "start", k="A001", c="1"),), b"{}"))
