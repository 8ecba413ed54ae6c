"""A flood at the gateway's port, of connections or of garbage: the others do not notice."""

import asyncio
import contextlib
import random
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.e2e.offices import PATIENCE
from tests.gateway.garbage import GARBAGE

HOLDING = Path(__file__).with_name("holding.py")
IDLE = 10_000
FILES = IDLE + 512  # what the gateway, and the process that holds them, must be admitted
LEAK = 24 * 1024  # KiB that a second flood may leave more than the first: allocators are not exact


class Gateway:
    """What the system says of the gateway's process."""

    def __init__(self, town):
        self.port = town.ports[-1]
        self.proc = Path("/proc") / str(town.parts["gateway"].pid)

    @property
    def files(self):
        return len(list((self.proc / "fd").iterdir()))

    @property
    def memory(self):
        """KiB."""
        lines = (self.proc / "status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    async def rests(self, files):
        """Returns when it has no more open files than it had."""
        deadline = time.monotonic() + PATIENCE
        while self.files > files:
            assert time.monotonic() < deadline, f"{self.files} files stay open, {files} were"
            await asyncio.sleep(0.1)


@pytest.fixture
def gateway(calm_town, ways):
    return Gateway(calm_town)


async def visits(phone, times):
    """A citizen's requests, each of which must be answered; the median's milliseconds."""
    took = []
    for _ in range(times):
        for path in ("/", "/v1/kecamatan", "/readyz"):
            begun = time.perf_counter()
            (await phone.get(path)).raise_for_status()
            took.append((time.perf_counter() - begun) * 1000)
    return statistics.median(took)


@contextlib.contextmanager
def holding(port, count):
    command = [sys.executable, str(HOLDING), str(port), str(count)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process


async def test_ten_thousand_idle_connections_are_not_noticed_and_leave_nothing(gateway, ways):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < FILES:
        missing(f"ulimit -Hn is {hard}: {IDLE} connections need {FILES}")
    alone, files, left = await visits(ways.phone, 30), gateway.files, []
    for _ in range(2):
        before = gateway.memory
        with holding(gateway.port, IDLE) as process:
            assert await asyncio.to_thread(process.stdout.readline) == f"held {IDLE}\n"
            among = await visits(ways.phone, 30)
            held, grown = gateway.files - files, gateway.memory - before
            process.stdin.close()
        print(
            f"{held} connections held: {grown / held:.1f} KiB each, a request {among / alone:.1f}"
        )
        await gateway.rests(files + 2)
        left.append(gateway.memory)
    assert held > IDLE // 4  # on a slow machine the first are cut off before the last are there
    assert left[1] - left[0] < LEAK


async def throw(port, sent, end):
    """Whatever becomes of it. `end` says whether it closes its half."""
    with contextlib.suppress(OSError, TimeoutError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(sent)
            if end:
                writer.write_eof()
            async with asyncio.timeout(0.2):
                await reader.read()
        finally:
            writer.transport.abort()


def pieces(times):
    """All sorts of garbage, whole and in halves, and bytes that mean nothing."""
    made_up = random.Random(7)
    for _ in range(times):
        for garbage in GARBAGE.values():
            yield garbage
            yield garbage[: made_up.randrange(len(garbage))]
            yield made_up.randbytes(made_up.randrange(1, 5000))


async def storm(port):
    thrown = list(pieces(3))
    random.Random(8).shuffle(thrown)
    for start in range(0, len(thrown), 30):
        some = thrown[start : start + 30]
        await asyncio.gather(*(throw(port, sent, n % 2) for n, sent in enumerate(some)))


async def test_garbage_is_not_noticed_and_leaves_nothing(gateway, ways):
    alone, files, left = await visits(ways.phone, 30), gateway.files, []
    for _ in range(2):
        thrown = asyncio.create_task(storm(gateway.port))
        among = []
        while not thrown.done():
            among.append(await visits(ways.phone, 3))
        await thrown
        print(f"amid garbage a request takes {statistics.median(among) / alone:.1f}")
        await gateway.rests(files + 2)
        left.append(gateway.memory)
    assert left[1] - left[0] < LEAK
