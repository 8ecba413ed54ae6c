"""A primary with two replicas and three Sentinels, under load: the loss of any one node."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from redis.exceptions import RedisError

from services.redis_link.link import redis_connection
from services.redis_link.redis_policy import problem
from tests.e2e import offices, proof
from tests.e2e.load import Ledger, Load
from tests.e2e.offices import Way
from tests.e2e.processes import Town
from tests.redis_link.shapes import Node, Replicated, replicated, until

pytestmark = pytest.mark.timeout(240)

GROWTH = 100


@pytest.fixture(scope="module")
def shape(tmp_path_factory):
    with replicated(tmp_path_factory.mktemp("shape"), sentinels=3) as shape:
        yield shape


@pytest.fixture
def town(shape, tmp_path):
    settings = {"REDIS_URL": shape.url, "REDIS_REPLICAS": "1"}
    with Town(tmp_path, replicas=2, queue=settings) as town:
        yield town


async def changes_hands(shape: Replicated, first: Node) -> None:
    async with asyncio.timeout(60):
        while await asyncio.to_thread(lambda: shape.primary) is first:
            await asyncio.sleep(0.1)


async def serves_again(ledger: Ledger, what: str, begun: float) -> None:
    await ledger.grows(1)
    waited = time.monotonic() - begun
    print(f"\n{what}: acknowledging again after {waited:.1f} s", end="")
    await ledger.grows(GROWTH)


async def assert_all_is_kept(town: Town, way: Way, codes: list[str], ledger: Ledger) -> None:
    print(f"; {ledger.size} acknowledged, repeated after {dict(ledger.unanswered)}")
    await proof.assert_kept(town, way, codes, ledger)
    async with AsyncExitStack() as stack:
        each = [
            await stack.enter_async_context(Way.to(town.target(name))) for name in town.replicas
        ]
        for code in codes:
            account = await proof.read_day(way, code)
            await proof.assert_boards_agree(each, code, account.events[-1].n)


async def test_what_was_acknowledged_survives_a_killed_primary(shape, town):
    codes = ["73.71.01", "73.71.02"]
    await town.start(*town.replicas)
    async with Way.to(town.target()) as way:
        for code in codes:
            await offices.apply(town, way, code)
        async with Load(town, codes, people=8, officers=4).running() as ledger:
            await ledger.grows(GROWTH)
            first = shape.primary
            begun = time.monotonic()
            first.kill()
            await changes_hands(shape, first)
            await serves_again(ledger, "killed", begun)
            await asyncio.to_thread(first.start)
            await asyncio.to_thread(shape.in_step)
            await ledger.grows(GROWTH)
        await assert_all_is_kept(town, way, codes, ledger)


async def test_a_frozen_primary_acknowledges_nothing_when_it_thaws(shape, town):
    codes = ["73.71.03", "73.71.04"]
    await town.start(*town.replicas)
    async with Way.to(town.target()) as way:
        for code in codes:
            await offices.apply(town, way, code)
        async with Load(town, codes, people=8, officers=4).running() as ledger:
            await ledger.grows(GROWTH)
            first = shape.primary
            begun = time.monotonic()
            async with frozen_with_a_write(first) as answer:
                await changes_hands(shape, first)
                await serves_again(ledger, "frozen", begun)
                first.resume()
                await assert_not_acknowledged(shape, answer)
            await asyncio.to_thread(until, lambda: first.role == "slave")
            await ledger.grows(GROWTH)
        await assert_all_is_kept(town, way, codes, ledger)
        await asyncio.to_thread(shape.in_step)


@asynccontextmanager
async def frozen_with_a_write(primary: Node) -> AsyncIterator[asyncio.Task[object]]:
    """Freezes a primary with a write in its hands, of somebody who knows no other server."""
    url = f"redis://127.0.0.1:{primary.port}"
    async with redis_connection(url, timeout=120, replicas=1) as faithful:
        await faithful.settled("faithful", "SET", "faithful", "before")
        primary.pause()
        try:
            write = faithful.settled("faithful", "SET", "faithful", "lost")
            yield asyncio.create_task(write)
        finally:
            primary.resume()


async def assert_not_acknowledged(shape: Replicated, answer: asyncio.Task[object]) -> None:
    with pytest.raises(RedisError) as refused:
        await answer
    found = problem(refused.value)
    assert found is not None
    assert found.reason in ("OUTCOME_UNKNOWN", "REDIS_UNAVAILABLE")
    kept = await asyncio.to_thread(lambda: shape.primary.client.get("faithful"))
    assert kept == b"before"


async def test_a_killed_sentinel_and_a_killed_replica_are_hardly_noticed(shape, town):
    codes = ["73.71.05"]
    await town.start(*town.replicas)
    async with Way.to(town.target()) as way:
        await offices.apply(town, way, codes[0])
        async with Load(town, codes, people=8, officers=2).running() as ledger:
            await ledger.grows(GROWTH)
            shape.sentinels[0].kill()
            await ledger.grows(GROWTH)
            shape.sentinels[0].start()
            replica = next(node for node in shape.servers if node is not shape.primary)
            replica.kill()
            await ledger.grows(GROWTH)
            replica.start()
            await ledger.grows(GROWTH)
        await assert_all_is_kept(town, way, codes, ledger)
        await asyncio.to_thread(shape.in_step)
