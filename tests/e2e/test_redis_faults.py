"""A Redis that would lose data, has no room left, or does not answer: a clear problem, no loss."""

import asyncio
import re
import resource
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest

from services.chassis.errors import from_rpc_error
from tests.e2e import offices, proof
from tests.e2e.load import Load
from tests.e2e.offices import MARISO, Create, Way, new_id
from tests.e2e.processes import KEEPING, PATIENCE, Part, Town
from tunggu.queue.v1 import queue_pb2_grpc

pytestmark = pytest.mark.timeout(180)

LOSSY = [("appendonly", "no"), ("appendfsync", "everysec"), ("maxmemory-policy", "allkeys-lru")]
HONEST = {"OUTCOME_UNKNOWN", "REDIS_UNAVAILABLE", "SERVICE_UNAVAILABLE", "DEADLINE_EXCEEDED"}
"""What a client may be told when nobody knows, or nothing has happened."""


@asynccontextmanager
async def town_with_an_office(folder: Path, replicas: int = 1) -> AsyncIterator[tuple[Town, Way]]:
    with Town(folder, replicas=replicas) as town:
        await town.start()
        async with Way.to(town.target()) as way:
            await offices.apply(town, way, MARISO)
            yield town, way


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Until it says so, for a bounded time."""
    async with asyncio.timeout(PATIENCE):
        while not await holds():
            await asyncio.sleep(0.05)


async def straight(town: Town) -> str:
    """What a replica says to somebody who does not care whether it is ready."""
    async with grpc.aio.insecure_channel(town.target("queue-1")) as channel:
        wish = Create(kecamatan=MARISO, service="A", request_id=new_id())
        try:
            await queue_pb2_grpc.QueueServiceStub(channel).CreateTicket(wish, timeout=PATIENCE)
        except grpc.aio.AioRpcError as error:
            return from_rpc_error(error).reason
    return "OK"


async def is_ready(part: Part) -> bool:
    return not await asyncio.to_thread(part.program.ready)


# Another persistence policy ---------------------------------------------------------------------


@pytest.mark.parametrize(("name", "value"), LOSSY)
async def test_on_a_redis_that_would_lose_data_no_queue_is_ready_and_the_log_has_the_remedy(
    tmp_path, name, value
):
    with Town(tmp_path, replicas=1, keeping=KEEPING | {name: value}) as town:
        await town.start("redis")
        queue = town["queue-1"]
        queue.start()

        async def names_the_remedy() -> bool:
            return f"CONFIG SET {name} {KEEPING[name]}" in queue.log.read_text()

        await until(names_the_remedy)
        assert await straight(town) == "REDIS_POLICY"
        assert not await is_ready(queue)
        async with town.redis() as redis:
            assert not await redis.dbsize(), "nothing was written"
            await redis.config_set(name, KEEPING[name])
        await queue.ready()
        async with Way.to(town.target()) as way:
            await offices.apply(town, way, MARISO)
        assert await straight(town) == "OK"


async def test_a_policy_changed_behind_its_back_is_noticed_at_the_next_connection(
    tmp_path,
):
    async with town_with_an_office(tmp_path) as (town, way), town.redis() as redis:
        assert await straight(town) == "OK"
        for name, value in LOSSY[1:]:
            before = await proof.read_day(way, MARISO)
            await redis.config_set(name, value)
            await redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

            async def refuses() -> bool:
                return await straight(town) == "REDIS_POLICY"

            async def unready() -> bool:
                return not await is_ready(town["queue-1"])

            await until(refuses)
            await until(unready)
            await redis.config_set(name, KEEPING[name])
            await town["queue-1"].ready()
            account = await proof.read_day(way, MARISO)
            assert account.leaves == before.leaves, "what was refused was not written"
            assert await straight(town) == "OK"
        proof.assert_sound(await proof.read_day(way, MARISO))


async def test_each_acknowledged_ticket_was_synced_to_the_disk(tmp_path):
    """A kill does not tell `always` from `everysec`, for the page cache outlives it: count."""
    if not shutil.which("strace"):
        pytest.skip("no strace: install it (Debian: the package strace)")
    tickets = 40
    async with town_with_an_office(tmp_path) as (town, way):
        with traced(town["redis"], tmp_path / "syncs") as strace:
            await attached(town["redis"], strace)
            for _ in range(tickets):
                await way.queue.CreateTicket(Create(kecamatan=MARISO, service="A"))
            strace.send_signal(signal.SIGINT)
            await asyncio.to_thread(strace.wait, PATIENCE)
        report = (tmp_path / "syncs").read_text()
    syncs = sum(int(line.split()[3]) for line in report.splitlines() if re.search(r"sync$", line))
    print(f"\n{syncs} syncs for {tickets} tickets")
    assert syncs >= tickets


def traced(redis: Part, report: Path) -> subprocess.Popen[bytes]:
    command = ["strace", "-f", "-c", "-e", "trace=fsync,fdatasync", "-o", str(report)]
    return subprocess.Popen([*command, "-p", str(redis.pid)], stderr=subprocess.DEVNULL)


async def attached(part: Part, strace: subprocess.Popen[bytes]) -> None:
    status = Path(f"/proc/{part.pid}/status")

    async def is_traced() -> bool:
        if strace.poll() is not None:
            pytest.skip("strace may not attach here: allow ptrace (in a container: SYS_PTRACE)")
        return f"TracerPid:\t{strace.pid}\n" in await asyncio.to_thread(status.read_text)

    await until(is_traced)


# No room left -----------------------------------------------------------------------------------


async def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path):
    async with town_with_an_office(tmp_path, replicas=2) as (town, way):
        redis = town["redis"]
        async with Load(town, [MARISO], people=8, officers=2).running() as ledger:
            await ledger.grows(100)
            for room in (20_000, 0, 3_000):  # bytes that still fit, then the disk is full
                if not redis.alive:
                    await town.start("redis")
                leave_room(town, room)
                await until(lambda: asyncio.to_thread(lambda: not redis.alive))
                await ledger.misses()
            await town.start("redis")
            await ledger.grows(100)
        print(f"\nrepeated after {dict(ledger.unanswered)}")
        assert ledger.unanswered.keys() <= HONEST
        assert "No space left" in redis.log.read_text() or "File too large" in redis.log.read_text()
        await proof.assert_kept(town, way, [MARISO], ledger)


def leave_room(town: Town, room: int) -> None:
    """As if the disk were full once Redis' file has grown by so many bytes: no process of ours may
    fill a disk, but a limit of the kernel refuses the write in the same way. (The launcher has
    SIGXFSZ ignored, else the signal would kill before the write could fail.)"""
    size = (town.data / "appendonly.aof").stat().st_size
    _, hard = resource.prlimit(town["redis"].pid, resource.RLIMIT_FSIZE)
    resource.prlimit(town["redis"].pid, resource.RLIMIT_FSIZE, (size + room, hard))


# No answer --------------------------------------------------------------------------------------


async def test_a_redis_that_is_frozen_for_a_while_makes_no_second_ticket(
    tmp_path,
):
    people = 8
    async with town_with_an_office(tmp_path, replicas=2) as (town, way):
        async with Load(town, [MARISO], people=people, officers=2).running() as ledger:
            await ledger.grows(100)
            town["redis"].pause()
            try:
                await ledger.misses(people + 2)
                await asyncio.sleep(3)  # what is repeated meanwhile waits behind its first try
            finally:
                town["redis"].resume()
            await ledger.grows(100)
        print(f"\nrepeated after {dict(ledger.unanswered)}")
        assert ledger.unanswered.keys() <= HONEST
        assert ledger.unanswered.keys() & {"DEADLINE_EXCEEDED", "OUTCOME_UNKNOWN"}
        await proof.assert_kept(town, way, [MARISO], ledger)
