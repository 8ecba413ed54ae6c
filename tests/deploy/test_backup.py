"""A backup of one machine: a new Redis from it has the same boards and days."""

import fcntl
import shutil
import subprocess

import pytest
import redis as sync_redis

from services.local.settings import read
from tests.conftest import start_redis
from tests.deploy.rendered import ROOT
from tests.e2e.mapped import mapped_city
from tests.e2e.mapped_office import MONDAY, TUESDAY, ms
from tests.e2e.mapped_office import Office as MappedOffice
from tests.e2e.replica import until
from tests.queue.servicing import Office, start_queue

CODE = "73.71.89"
WEDNESDAY = "2026-03-04"


def make(*arguments):
    done = subprocess.run(
        ["make", *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


async def seen(folder, lives=None):
    """What the office shows and what Redis keeps of it, by processes over this data folder."""
    server = start_redis(folder / "redis")
    try:
        queue = start_queue(folder / "logs", server.url)
        try:
            async with queue.channel() as channel:
                office = Office(
                    channel, sync_redis.Redis(unix_socket_path=str(server.socket)), CODE
                )
                if lives:
                    await lives(office)
                board = await office.do("GetBoard")
                return board.body, office.leaves(), office.audit(), office.state().keys()
        finally:
            queue.kill()
    finally:
        server.kill()


async def a_morning(office):
    await office.apply()
    for _ in range(5):
        await office.take()
    await office.open()
    await office.call_next()
    await office.board(office.last_leaf()["n"])


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    for name in ("redis", "logs"):
        (folder / name).mkdir(parents=True)
    (folder / "lock").touch()
    return folder


async def test_a_new_redis_from_a_backup_has_the_same_boards_and_days(data, tmp_path):
    before = await seen(data, a_morning)
    code, said = make("backup", f"DATA={data}", f"TO={tmp_path / 'tunggu.tar'}")
    assert code == 0, said
    shutil.rmtree(data)
    code, said = make("restore", f"DATA={data}", f"FROM={tmp_path / 'tunggu.tar'}")
    assert code == 0, said
    (data / "logs").mkdir()
    assert await seen(data) == before


async def test_a_day_that_was_closed_before_the_backup_is_there_after_it(data, tmp_path):
    async with mapped_city(data / "redis") as city:
        await city.at(ms(f"{MONDAY} 09:00"))
        office = await city.office()
        await office.open("1")
        for _ in range(3):
            await office.take("A")
        await office.at("1", "Start", await office.call())
        for day in (TUESDAY, WEDNESDAY):
            await city.at(ms(f"{day} 09:00"))
            await office.take("A")
        await until(lambda: MONDAY not in office.streamed_days(), "Monday only in the archive")
        before = await told(office)
    to = tmp_path / "tunggu.tar"
    assert make("backup", f"DATA={data}", f"TO={to}")[0] == 0
    shutil.rmtree(data)
    assert make("restore", f"DATA={data}", f"FROM={to}")[0] == 0
    async with mapped_city(data / "redis") as city:
        await city.at(ms(f"{WEDNESDAY} 09:00"))
        assert await told(MappedOffice(city, office.code)) == before


async def told(office):
    """The published days, the figures of the first, today's board."""
    figures = await office.do("GetDay", day=MONDAY)
    return await office.verified(), figures, await office.board_bytes()


def test_what_runs_is_not_backed_up_and_nothing_is_overwritten(data, tmp_path):
    to = tmp_path / "tunggu.tar"
    with (data / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, said = make("backup", f"DATA={data}", f"TO={to}")
        assert code
        assert "stop it first" in said
    assert list(tmp_path.iterdir()) == [data]
    to.write_text("an older one")
    assert make("backup", f"DATA={data}", f"TO={to}")[0]
    assert to.read_text() == "an older one"
    code, said = make("restore", f"DATA={data}", f"FROM={to}")
    assert code
    assert "nothing is overwritten" in said


def test_the_service_starts_what_make_run_starts_with_settings_that_there_are():
    lines = (ROOT / "deploy" / "tunggu.service").read_text().splitlines()
    unit = dict(line.split("=", 1) for line in lines if "=" in line and line[0] not in "#[")
    environ = dict(given.split("=", 1) for given in unit["Environment"].split())
    settings = read(environ)
    assert settings.hours == "real"
    assert unit["ExecStart"].endswith("python -P -m services.local")
    assert "python -P -m services.local\n" in (ROOT / "Makefile").read_text().replace("$(BIN)/", "")
