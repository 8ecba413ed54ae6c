"""Starting in order, supervision, stopping in reverse."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from services.local.crew import QUICK_DEATHS, Crew, restart_after
from services.local.errors import LocalError
from services.local.process import Program
from tests.local.dummies import alive, eventually, mortal, sleeper

ROOT = Path(__file__).parents[2]


@pytest.fixture
def said():
    return []


@pytest.fixture
def crew_of(tmp_path, said):
    crews = []

    def make(*stages: list[Program], supervise: bool = False) -> Crew:
        crew = Crew(stages, tmp_path, said.append, supervise=supervise)
        crews.append(crew)
        return crew

    yield make
    for crew in crews:
        crew.stop()


def test_each_stage_is_ready_before_the_next_begins(crew_of, tmp_path):
    seen = tmp_path / "seen"
    look = f"import os, pathlib; pathlib.Path({str(seen)!r}).write_text(' '.join(os.listdir()))"
    second = mortal("second", f"import os; os.chdir({str(tmp_path)!r}); {look}")
    crew_of([sleeper(tmp_path, "first")], [second]).start()
    assert eventually(lambda: seen.exists() and "first" in seen.read_text().split())


def test_stopping_ends_the_last_stage_first_and_leaves_nothing(crew_of, tmp_path):
    crew = crew_of(
        [sleeper(tmp_path, "redis")], [sleeper(tmp_path, "queue")], [sleeper(tmp_path, "gate")]
    )
    crew.start()
    pids = crew.pids()
    crew.stop()
    assert (tmp_path / "ended").read_text().split() == ["gate", "queue", "redis"]
    assert not any(alive(pid) for pid in pids.values())


def test_one_that_ignores_sigterm_is_killed_and_the_user_is_told(crew_of, tmp_path, said):
    crew = crew_of([sleeper(tmp_path, "mule", "stubborn", grace=0.2)])
    crew.start()
    pid = crew.pids()["mule"]
    crew.stop()
    assert not alive(pid)
    assert said == ["mule did not stop in time: killing it"]


def test_a_child_that_dies_while_starting_stops_all_and_shows_its_last_lines(crew_of, tmp_path):
    broken = Program(
        "broken",
        (sys.executable, "-c", "print('no such key'); raise SystemExit(3)"),
        {},
        lambda: "no",
    )
    crew = crew_of([sleeper(tmp_path, "first")], [broken])
    with pytest.raises(LocalError, match=r"broken exited with 3:\n    no such key") as error:
        crew.start()
    assert str(tmp_path / "broken.log") in str(error.value)
    assert crew.pids() == {}


def test_one_that_is_never_ready_is_explained_after_its_patience(crew_of):
    deaf = Program(
        "deaf",
        (sys.executable, "-c", "import time; time.sleep(600)"),
        {},
        lambda: "gRPC health: UNAVAILABLE",
        patience=0.1,
    )
    crew = crew_of([deaf])
    with pytest.raises(LocalError, match=r"deaf was not ready after 0 s: gRPC health: UNAVAILABLE"):
        crew.start()
    assert crew.pids() == {}


def test_a_dead_child_is_restarted_and_one_line_says_so(crew_of, tmp_path, said):
    crew = crew_of([sleeper(tmp_path, "queue-1")], supervise=True)
    crew.start()
    before = crew.pids()["queue-1"]
    os.kill(before, signal.SIGKILL)
    assert eventually(lambda: crew.pids().get("queue-1", before) != before)
    assert said == ["queue-1 was killed by SIGKILL; restarting it."]


def test_one_that_keeps_dying_quickly_is_given_up_with_its_last_lines(crew_of, said, tmp_path):
    crew = crew_of([mortal("queue-1")], supervise=True)
    crew.start()
    why = crew.wait(60)
    first, *lines, log = why.splitlines()
    assert first == f"queue-1 died {QUICK_DEATHS} times in a row; at last it exited with 3:"
    assert lines == ["    oh no"] * QUICK_DEATHS
    assert str(tmp_path / "queue-1.log") in log
    assert said == ["queue-1 exited with 3; restarting it."] * (QUICK_DEATHS - 1)


def test_restarts_wait_longer_after_each_quick_death():
    delays = [restart_after(deaths) for deaths in range(1, QUICK_DEATHS)]
    assert delays == [0.2, 0.4, 0.8, 1.6]


def test_deaths_by_kill_are_not_counted(crew_of, tmp_path):
    crew = crew_of([sleeper(tmp_path, "queue-1")], supervise=True)
    crew.start()
    for _ in range(QUICK_DEATHS + 1):
        before = crew.pids()["queue-1"]
        crew.kill("queue-1")
        assert eventually(lambda before=before: crew.pids().get("queue-1", before) != before)
    assert crew.wait(0) == ""


def test_without_supervision_the_dead_stay_dead_until_restarted(crew_of, tmp_path):
    crew = crew_of([sleeper(tmp_path, "redis")], [sleeper(tmp_path, "queue-1")])
    crew.start()
    before = crew.pids()
    crew.kill("redis")
    assert list(crew.pids()) == ["queue-1"]
    crew.restart("redis")
    assert crew.pids()["redis"] != before["redis"]
    assert crew.pids()["queue-1"] == before["queue-1"]


def test_a_power_cut_kills_all_and_restart_all_brings_all_back(crew_of, tmp_path):
    crew = crew_of([sleeper(tmp_path, "redis")], [sleeper(tmp_path, "queue-1")], supervise=True)
    crew.start()
    before = crew.pids()
    crew.kill_all()
    assert crew.pids() == {}
    crew.restart_all()
    assert set(crew.pids()) == set(before)
    assert not set(crew.pids().values()) & set(before.values())


def test_children_stay_in_the_session_but_not_in_the_group_that_ctrl_c_reaches(crew_of, tmp_path):
    crew = crew_of([sleeper(tmp_path, "redis")])
    crew.start()
    pid = crew.pids()["redis"]
    assert os.getsid(pid) == os.getsid(0)
    assert os.getpgid(pid) != os.getpgid(0)


def test_a_long_log_is_shortened_at_the_start_and_keeps_its_end(crew_of, tmp_path):
    log = tmp_path / "redis.log"
    log.write_text("an old line\n" * 500_000 + "the last line\n")
    crew_of([sleeper(tmp_path, "redis")]).start()
    assert eventually(lambda: log.read_text().endswith("the last line\nredis is up\n"))
    assert log.stat().st_size < 500_000
    assert log.read_text().startswith("an old line\n")


_LAUNCHER = """
import pathlib, sys, time
from services.local.crew import Crew
from tests.local.dummies import sleeper
folder = pathlib.Path(sys.argv[1])
crew = Crew([[sleeper(folder, "redis")], [sleeper(folder, "queue-1")]], folder, print)
crew.start()
crew.kill("queue-1")
crew.restart("queue-1")
print(*crew.pids().values(), flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the leash is Linux's")
def test_nothing_outlives_a_launcher_that_is_killed(tmp_path):
    command = [sys.executable, "-c", _LAUNCHER, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as launcher:
        assert launcher.stdout
        pids = [int(pid) for pid in launcher.stdout.readline().split()]
        assert len(pids) == 2
        assert all(alive(pid) for pid in pids)
        launcher.kill()
    assert eventually(lambda: not any(alive(pid) for pid in pids))
    assert not (tmp_path / "ended").exists()


def test_a_child_whose_launcher_died_before_the_leash_was_on_ends_at_once(tmp_path):
    leash = ROOT / "services" / "local" / "leash.py"
    command = [sys.executable, "-I", "-S", str(leash), "1", sys.executable, "-c", "print('ran')"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
