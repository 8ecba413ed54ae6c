"""`make run` with real processes: ready, stopped, continued, killed, refused."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from services.local.office_file import code_of, read
from services.local.run import OFFICES
from tests.e2e.launched import LAST_LINE, Launched, free_port, take_number
from tests.local.dummies import alive, eventually


def start(folder, **settings):
    run = Launched("services.local", folder, {"PORT": str(free_port())} | settings)
    try:
        run.until(LAST_LINE)
    except BaseException:
        run.close()
        raise
    return run


def client(run):
    found = re.search(r"Tunggu is ready: .* · (http://\S+)/$", "\n".join(run.said), re.MULTILINE)
    assert found
    return httpx.Client(base_url=found[1], trust_env=False, timeout=10)


def take(http):
    return take_number(http, "73.71.03", "A")


def listed(http):
    return http.get("/v1/kecamatan").raise_for_status().json()["kecamatan"]


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("a run")
    run = start(folder, DATA=str(folder / ".tunggu"))
    yield run, folder
    run.close()


@pytest.fixture
def launch(tmp_path):
    """Starts `make run` in the test's own folder; what it started is gone afterwards."""
    runs = []

    def make(**settings):
        runs.append(start(tmp_path, **settings))
        return runs[-1]

    yield make
    for run in runs:
        run.close()


def refused(folder, **settings):
    """The one line of a `make run` that does not start."""
    run = Launched("services.local", folder, {"PORT": str(free_port())} | settings)
    try:
        code = run.ended()
    finally:
        run.close()
    assert code == 1
    assert len(run.said) == 1, "\n".join(run.said)
    return run.said[0]


def test_all_offices_of_the_city_are_there_and_open(running):
    run, _ = running
    with client(run) as http:
        offices = listed(http)
        assert len(offices) == len(list(OFFICES.glob("*.yaml"))) == 15
        # The days begin with the queue's next look at the clock.
        assert eventually(lambda: all(office["open"] for office in listed(http)))


def test_the_start_says_that_offices_are_open_around_the_clock(running):
    run, _ = running
    assert any("open around the clock" in line and "HOURS=real" in line for line in run.said)


def test_what_the_start_says_is_true(running):
    run, _ = running
    with client(run) as http:
        assert http.get("/").status_code == 200
        assert http.get("/version").status_code == 200
        for place in re.findall(r"metrics (\S+)/metrics", "\n".join(run.said)):
            assert "# HELP" in httpx.get(f"http://{place}/metrics", trust_env=False).text
    assert len(run.pids()) == 5
    assert all(alive(pid) for pid in run.pids())


def test_every_command_that_the_start_shows_works_as_printed(running):
    run, folder = running
    commands = [line[line.index("curl") :] for line in run.said if "curl " in line]
    assert len(commands) == 6
    for command in commands:
        said = subprocess.run(
            command.replace("curl ", "curl --silent --fail-with-body --noproxy '*' ", 1),
            shell=True,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert said.returncode == 0, (command, said.stdout)
        assert json.loads(said.stdout).keys() & {"ticket", "counter", "issuing"}, said.stdout


def test_every_make_line_that_the_start_shows_works_as_printed(running):
    run, _ = running
    lines = [line[line.index("make ") :] for line in run.said if re.search(r" make \w+ \w+=", line)]
    lines = [line for line in lines if not line.startswith("make run")]
    said = [made(line) for line in lines]
    assert "73.71.03 Makassar applied" in said[0]
    with client(run) as http:
        headers = {"Authorization": f"Bearer {said[1].strip()}"}
        opened = http.post("/v1/kecamatan/73.71.03/counters/2:open", headers=headers)
        assert opened.status_code == 200, opened.text


def made(line):
    """What a line for make prints, with this very interpreter instead of a `make setup`."""
    command = line.replace("make ", f"make -o setup BIN={Path(sys.executable).parent} ", 1)
    ended = subprocess.run(
        command, shell=True, cwd=OFFICES.parent, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended
    return ended.stdout


def test_the_terminal_shows_no_token_and_only_the_owner_can_read_them(running):
    run, folder = running
    tokens = list((folder / ".tunggu" / "tokens").iterdir())
    assert {token.name for token in tokens} == {"officer", "supervisor", "kiosk", "admin"}
    said = "\n".join(run.said)
    for token in tokens:
        assert token.stat().st_mode & 0o777 == 0o600
        assert token.read_text().strip() not in said


def test_make_apply_gives_a_file_to_what_runs(running):
    run, folder = running
    office = next(iter(sorted(OFFICES.glob("*.yaml"))))
    url = str(client(run).base_url)
    for path, code, said in (
        (office, 0, " applied"),
        (folder / "nothing.yaml", 1, "No such file"),
    ):
        command = [sys.executable, "-P", "-m", "services.local.apply", "--url", url, str(path)]
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert (ended.returncode, said in ended.stdout + ended.stderr) == (code, True), ended
        assert len((ended.stdout + ended.stderr).splitlines()) == 1


def test_an_office_applied_again_on_the_day_it_was_deleted_is_said_to_open_on_its_next(running):
    run, folder = running
    office = max(OFFICES.glob("*.yaml"))
    code = code_of(read(office)[0])
    token = (folder / ".tunggu" / "tokens" / "admin").read_text().strip()
    with client(run) as http:
        assert eventually(lambda: http.get(f"/v1/kecamatan/{code}").json()["open"])
        gone = http.delete(f"/v1/kecamatan/{code}", headers={"Authorization": f"Bearer {token}"})
        assert gone.status_code == 200, gone.text
        there = f"PORT={http.base_url.port} DATA={shlex.quote(str(folder))}/.tunggu"
    said = made(f"make apply FILE={office} {there}")
    assert " applied; its day " in said
    assert said.endswith(" is closed: it opens on its next day\n")


def test_a_second_start_on_the_same_folder_is_refused(running):
    _, folder = running
    assert "is in use by process" in refused(folder)


def test_a_port_in_use_is_one_line_and_leaves_nothing(running, tmp_path):
    run, _ = running
    port = client(run).base_url.port
    said = refused(tmp_path, PORT=str(port))
    assert said.startswith(f"tunggu: port {port} of 127.0.0.1 is in use")
    assert "PORT=" in said
    assert not (tmp_path / ".tunggu").exists()


def test_a_queue_that_is_killed_comes_back_and_numbers_go_on(launch):
    run = launch()
    with client(run) as http:
        first = take(http)
        before, (_, queue, *_) = len(run.said), run.pids()
        os.kill(queue, signal.SIGKILL)
        run.until("queue-1 was killed by SIGKILL; restarting it.")
        assert eventually(lambda: http.get("/readyz").status_code == 200)
        assert take(http)["number"] == "A002"
        assert http.get(f"/v1/tickets/{first['id']}").json()["number"] == "A001"
    assert len(run.said) == before + 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_asked_to_end_it_stops_everything_with_one_line(launch, number):
    run = launch()
    pids, before = run.pids(), len(run.said)
    assert run.interrupt(number) == 0
    assert [line for line in run.said[before:] if line] == [
        "Stopped. The next start continues the day."
    ]
    assert not any(alive(pid) for pid in pids)


def test_asked_to_end_while_it_starts_it_leaves_nothing(tmp_path):
    run = Launched("services.local", tmp_path, {"PORT": str(free_port())})
    try:
        assert eventually((tmp_path / ".tunggu" / "logs" / "queue-1.log").exists)
        children = run.children()
        assert children
        assert run.interrupt() == 0
    finally:
        run.close()
    assert [line for line in run.said if line] == ["Stopped. The next start continues the day."]
    assert not any(alive(pid) for pid in children)


def test_an_open_stream_does_not_hold_up_the_end(launch):
    run = launch()
    with (
        client(run) as http,
        http.stream("GET", "/v1/streams/kecamatan/73.71.03/board") as board,
    ):
        next(board.iter_lines())
        assert run.interrupt() == 0
    assert not any("killing it" in line for line in run.said)


def test_the_next_start_continues_the_day(launch):
    run = launch()
    with client(run) as http:
        first = take(http)
    run.interrupt()
    with client(launch()) as http:
        kept = http.get(f"/v1/tickets/{first['id']}").raise_for_status().json()
        assert (kept["number"], kept["state"]) == ("A001", "WAITING")
        assert take(http)["number"] == "A002"


def test_nothing_outlives_a_killed_launcher_and_what_was_acknowledged_is_kept(launch):
    run = launch()
    with client(run) as http:
        first = take(http)
    pids = run.pids()
    run.process.kill()
    assert eventually(lambda: not any(alive(pid) for pid in pids))
    with client(launch()) as http:
        assert http.get(f"/v1/tickets/{first['id']}").json()["number"] == "A001"
        assert take(http)["number"] == "A002"


def test_time_may_run_faster_and_the_folder_remembers_how_fast(launch, tmp_path):
    run = launch(SPEED="60")
    assert any("60 times as fast" in line for line in run.said)
    with client(run) as http:
        take(http)
    run.interrupt()
    assert "kept with SPEED=60" in refused(tmp_path)
    with client(launch(SPEED="60")) as http:
        take(http)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"HOURS": "sometimes"}, "TUNGGU_HOURS"),
        ({"PORT": "http"}, "TUNGGU_PORT"),
        ({"SPEED": "0"}, "SPEED must lie above 0"),
        ({"HOST": "192.0.2.1"}, "HOST=192.0.2.1"),
        ({"DATA": "/dev/null/data"}, "DATA=/dev/null/data"),
        ({"HOUR": "real"}, "TUNGGU_HOUR is not a setting"),
    ],
)
def test_what_cannot_be_is_one_line_that_names_the_variable(tmp_path, settings, said):
    assert said in refused(tmp_path, **settings)


def test_data_of_a_newer_redis_is_refused_before_redis_starts(tmp_path):
    (tmp_path / ".tunggu").mkdir()
    (tmp_path / ".tunggu" / "redis-version").write_text("99.0.0\n")
    said = refused(tmp_path)
    assert "was written by Redis 99.0.0" in said
    assert "install redis-server 99.0.0 or newer" in said
    assert list((tmp_path / ".tunggu" / "redis").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("clock", "clock does not say how fast"),
        ("keys/private.pem", "remove it, and the next start makes another"),
        ("redis-version", "does not hold a version"),
    ],
)
def test_an_empty_file_in_the_data_folder_is_one_line(tmp_path, name, said):
    path = tmp_path / ".tunggu" / name
    path.parent.mkdir(parents=True)
    path.touch()
    assert said in refused(tmp_path)


def test_a_file_of_the_data_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / ".tunggu" / "logs" / "redis.log").mkdir(parents=True)
    said = refused(tmp_path)
    assert said.startswith("tunggu: cannot use ")
    assert "logs/redis.log: Is a directory" in said


def test_offices_may_keep_their_own_hours(launch):
    assert any("keep their own hours" in line for line in launch(HOURS="real").said)
