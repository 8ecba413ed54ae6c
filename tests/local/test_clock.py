"""Mapped time."""

import pytest

from services.local import clock
from services.local.clock import Clock


def test_the_mapping_starts_at_its_epoch_and_runs_at_its_speed(monkeypatch):
    fast = Clock(epoch_ms=1_000_000, start_ms=5_000_000, speed=300)
    monkeypatch.setattr("time.time", lambda: 1_000.0)
    assert fast.now_ms() == 5_000_000
    monkeypatch.setattr("time.time", lambda: 1_002.0)
    assert fast.now_ms() == 5_600_000
    assert fast.real_seconds_until(5_900_000) == 1.0


def test_a_clock_reads_what_it_wrote():
    fast = Clock(1, 2, 0.5)
    assert clock.parse(fast.text()) == fast
    assert Clock(1, 2, 300).text() == "1,2,300"


@pytest.mark.parametrize("text", ["", "1,2", "a,b,c", "1,2,3,4"])
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        clock.parse(text)
