"""`make demo`: the promise of the demonstration, kept."""

import signal

import pytest

from tests.e2e.launched import Launched


@pytest.fixture
def demo(tmp_path, monkeypatch):
    """Runs it with its temporary folders in the test's own."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    runs = []

    def make(speed):
        runs.append(Launched("services.local.demo", tmp_path, {"SPEED": speed}))
        return runs[-1]

    yield make
    for run in runs:
        run.close()


def test_the_recorded_day_is_replayed_without_an_error_and_the_verifier_agrees(demo, tmp_path):
    # The plan is over at about 18:30, 85 s at this speed; a machine that is slower than
    # that has until 24:00, half as long again.
    run = demo("450")
    assert run.ended() == 0, "\n".join(run.said)
    checks = [line for line in run.said if line.startswith(("ok  ", "NO  "))]
    assert all(line.startswith("ok  ") for line in checks)
    assert "ok  995 tickets of 995" in checks
    assert "ok  numbers consecutive from 001 in each service" in checks
    assert "ok  error responses: none" in checks
    assert any("the verifier: 99.99.01 2020-01-13: by the rules" in line for line in checks)
    assert any(line.startswith("The last number was given at ") for line in run.said)
    assert any("synthetic" in line.lower() for line in run.said)
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_ends_it_and_leaves_nothing(demo, tmp_path):
    run = demo("300")
    run.until(" tickets ")
    assert run.interrupt(signal.SIGINT) == 130
    assert run.said[-1] == "Stopped."
    assert list(tmp_path.iterdir()) == []


def test_a_speed_that_cannot_be_is_one_line(demo):
    run = demo("fast")
    assert run.ended() == 1
    assert len(run.said) == 1
    assert "TUNGGU_SPEED" in run.said[0]
