"""A thousand watchers of a real gateway that is killed, or ends, and is there again."""

import asyncio
import json
import resource
import signal
import sys
from contextlib import asynccontextmanager

import pytest

from tests.e2e.launched import free_port
from tests.gateway.fake_queue import CODE, FakeQueue, serve
from tests.gateway.test_process import environ

BOARD = f"/v1/streams/kecamatan/{CODE}/board"
OTHER = "/v1/streams/kecamatan/73.71.01/board"
MANY = 1000
PATIENCE = 120.0


@pytest.fixture(autouse=True)
def _files():
    """Enough of them, for the processes that are started too."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


class Gateway:
    """One that may be killed or ended and started again on the same port."""

    def __init__(self, queue_port, **settings):
        self.port = free_port()
        self.settings = {"port": self.port, "queue": f"ipv4:127.0.0.1:{queue_port}"} | settings
        self.process = None

    async def start(self):
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "services.gateway"),
            env=environ(log_level="warning", **self.settings),
            stderr=asyncio.subprocess.PIPE,
        )

    async def end(self, number=signal.SIGTERM):
        """How it ended, and all that it had to complain of."""
        self.process.send_signal(number)
        _, log = await asyncio.wait_for(self.process.communicate(), PATIENCE)
        return self.process.returncode, log.decode()


class Crowd:
    """The process of crowd.py."""

    def __init__(self, process):
        self.process = process

    async def state(self):
        self.process.stdin.write(b"\n")
        return json.loads(await asyncio.wait_for(self.process.stdout.readline(), PATIENCE))

    async def until(self, **wanted):
        """The state, once it has all that is wanted."""
        async with asyncio.timeout(PATIENCE):
            while not wanted.items() <= (state := await self.state()).items():
                await asyncio.sleep(0.1)
        return state


@asynccontextmanager
async def crowd(port, *groups):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.gateway.crowd", str(port), *groups),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Crowd(process)
    finally:
        process.stdin.close()
        await asyncio.wait_for(process.wait(), PATIENCE)


@asynccontextmanager
async def town():
    """A queue that shows one office's board, and a gateway."""
    queue, port = await serve(fake := FakeQueue())
    gateway = Gateway(port)
    await gateway.start()
    try:
        yield fake, gateway
    finally:
        if gateway.process.returncode is None:
            await gateway.end()
        await queue.stop(0)


async def test_a_thousand_watchers_come_back_to_a_killed_gateway_by_one_stream_of_the_queue():
    async with town() as (fake, gateway), crowd(gateway.port, f"{BOARD}:{MANY}") as many:
        state = await many.until(open=MANY, frames=MANY)
        assert fake.watched == 1
        await gateway.end(signal.SIGKILL)
        assert (await many.until(open=0))["retries"] == MANY  # it could not say more
        await gateway.start()
        state = await many.until(open=MANY)
        assert (state["frames"], state["refused"]) == (MANY, 0)  # who has the board is not sent it
        assert state["waits"] > MANY / 4
        assert fake.watched == 2
        await fake.changed()
        state = await many.until(frames=2 * MANY)
        assert state["ids"] == {f"{fake.day}/{fake.event}": MANY}


async def test_a_gateway_that_ends_tells_a_thousand_watchers_when_to_come_back_and_they_do():
    async with town() as (fake, gateway):
        ticket = (await fake.walk_in()).id
        groups = f"{BOARD}:{MANY - 200}", f"{OTHER}:100", f"/v1/streams/tickets/{ticket}:100"
        async with crowd(gateway.port, *groups) as many:
            await many.until(open=MANY, frames=MANY)
            assert await gateway.end() == (0, "")
            state = await many.until(open=0)
            assert (state["begun"], state["retries"]) == (MANY, 2 * MANY)
            await fake.changed()  # while nobody is there to hear of it
            fake.calls.clear()
            before = fake.watched
            await gateway.start()
            state = await many.until(open=MANY, frames=2 * MANY - 100)
            assert state["refused"] == 0
            assert state["ids"][f"{fake.day}/{fake.event}"] == MANY - 100
            assert fake.watched == before + 2
            assert [name for name, *_ in fake.calls].count("GetTicket") == 100
