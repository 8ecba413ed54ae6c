"""G2 and G3 under kill -9: what was acknowledged is there, and repeating is safe."""

import time
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from tests.e2e import offices, proof
from tests.e2e.load import Ledger, Load
from tests.e2e.offices import Way
from tests.e2e.processes import Town

pytestmark = pytest.mark.timeout(240)

BEFORE, AFTER = 120, 120  # acknowledgements between two kills


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("kills")


@pytest.fixture(scope="module")
def shared_town(folder) -> Iterator[Town]:
    with Town(folder, gateway=True) as town:
        yield town


@pytest_asyncio.fixture
async def town(shared_town: Town) -> Town:
    """With everything running, whatever the test before has left."""
    await shared_town.mend()
    return shared_town


async def survives(
    town: Town, codes: list[str], rounds: list[list[str]], felt: bool = True
) -> None:
    """Each round kills parts under load and starts them again; then everything is proven."""
    async with Way.to(town.target()) as way:
        for code in codes:
            await offices.apply(town, way, code)
        async with Load(town, codes, phones=8).running() as ledger:
            for victims in rounds:
                await kill_and_restart(town, ledger, victims, felt)
        print(f"\n{len(ledger.tickets)} tickets, {len(ledger.acts)} acts of officers;", end=" ")
        print(f"repeated after {dict(ledger.unanswered)}")
        await proof.assert_kept(town, way, codes, ledger)
        await assert_replicas_agree(town, way, codes)


async def kill_and_restart(town: Town, ledger: Ledger, victims: list[str], felt: bool) -> None:
    """`felt`: they stay dead until a client has been left without an answer."""
    await ledger.grows(BEFORE)
    town.kill(*victims)
    if felt:
        await ledger.misses()
    begun = time.monotonic()
    await town.start(*victims)
    up = time.monotonic() - begun
    await ledger.grows(1)
    print(f"\n{'+'.join(victims)}: up after {up:.1f} s,", end=" ")
    print(f"acknowledging again after {time.monotonic() - begun:.1f} s", end="")
    await ledger.grows(AFTER)


async def assert_replicas_agree(town: Town, way: Way, codes: list[str]) -> None:
    async with AsyncExitStack() as stack:
        each = [
            await stack.enter_async_context(Way.to(town.target(name))) for name in town.replicas
        ]
        for code in codes:
            account = await proof.read_day(way, code)
            await proof.assert_boards_agree(each, code, account.events[-1].n)


async def test_what_was_acknowledged_survives_kills_of_redis(town):
    await survives(town, ["73.71.01", "73.71.02"], [["redis"]] * 3)


async def test_what_was_acknowledged_survives_kills_of_queue_replicas(town):
    rounds = [["queue-1"], ["queue-2"], ["queue-3", "queue-1"]]
    await survives(town, ["73.71.03", "73.71.04"], rounds, felt=False)


async def test_what_was_acknowledged_survives_kills_of_the_gateway(town):
    await survives(town, ["73.71.05", "73.71.06"], [["gateway"]] * 3)


async def test_what_was_acknowledged_survives_kills_of_everything_at_once(town):
    await survives(town, ["73.71.07", "73.71.08"], [list(town.parts)] * 3)


async def test_replicas_that_are_told_to_stop_under_load_leave_no_error_behind(town):
    codes = ["73.71.09", "73.71.10"]
    async with Way.to(town.target()) as way:
        for code in codes:
            await offices.apply(town, way, code)
        async with Load(town, codes, people=20, patient=False).running() as ledger:
            for name in town.replicas:
                await ledger.grows(BEFORE)
                assert await town[name].end() == "exited with 0"
                await ledger.grows(BEFORE)
                await town.start(name)
        assert not ledger.unanswered
        await proof.assert_kept(town, way, codes, ledger)
