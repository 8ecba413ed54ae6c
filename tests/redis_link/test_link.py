"""What stores hold of Redis: commands by name, many at once, callers who leave."""

import asyncio

import pytest
from redis.exceptions import ResponseError

from services.redis_link.link import redis_connection
from services.redis_link.redis_policy import NotConnectedError


@pytest.fixture
async def link(redis_server):
    async with redis_connection(redis_server.url) as link:
        await link.flushall()
        yield link


async def connections(link) -> int:
    clients: dict[str, int] = await link.info("clients")
    return clients["connected_clients"]


async def test_a_thousand_callers_share_one_connection(link):
    before = await connections(link)
    assert await asyncio.gather(*(link.incr("key") for _ in range(1000))) == [*range(1, 1001)]
    assert await connections(link) == before


async def test_replies_are_redis_pys(link):
    await link.hset("hash", mapping={"a": 1, "b": 2})
    assert await link.hgetall("hash") == {b"a": b"1", b"b": b"2"}
    await link.xadd("stream", {"l": "leaf"}, id="1-1")
    assert await link.xrange("stream") == [(b"1-1", {b"l": b"leaf"})]
    assert await link.set("key", "v", nx=True) is True
    assert await link.set("key", "v", nx=True) is None
    assert await link.smembers("none") == set()
    with pytest.raises(ResponseError, match="wrong kind"):
        await link.get("hash")


async def test_commands_of_a_whole_see_one_state(link):
    async def change():
        while True:
            await link.whole("a{1}", ("INCR", "a{1}"), ("INCR", "b{1}"))

    changing = [asyncio.create_task(change()) for _ in range(5)]
    for _ in range(200):
        a, b = await link.whole("a{1}", ("GET", "a{1}"), ("GET", "b{1}"))
        assert a == b
    for task in changing:
        task.cancel()
    await asyncio.gather(*changing, return_exceptions=True)


async def test_a_command_that_blocks_keeps_nobody_else_waiting(link):
    waiting = [asyncio.create_task(link.blpop(["list"], timeout=30)) for _ in range(3)]
    assert await link.ping()
    while (await link.info("clients"))["blocked_clients"] < 3:
        await asyncio.sleep(0.01)
    await link.rpush("list", 1, 2, 3)
    assert sorted(value for _, value in await asyncio.gather(*waiting)) == [b"1", b"2", b"3"]


async def test_whoever_leaves_while_blocked_takes_the_connection_along(link):
    before = await connections(link)
    waiting = asyncio.create_task(link.blpop(["list"], timeout=30))
    while (await link.info("clients"))["blocked_clients"] < 1:
        await asyncio.sleep(0.01)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    while await connections(link) > before:
        await asyncio.sleep(0.01)


async def test_no_command_is_none(link):
    assert await link.many([]) == []


async def test_a_password_opens_and_a_wrong_one_does_not(own_redis):
    own_redis.kill()
    own_redis.start()
    async with redis_connection(own_redis.url) as link:
        await link.config_set("requirepass", "right")
    async with redis_connection(own_redis.url, password="right") as link:
        assert await link.ping()
    async with redis_connection(own_redis.url, password="wrong") as link:
        with pytest.raises(NotConnectedError, match="invalid username-password"):
            await link.ping()
    async with redis_connection(own_redis.url) as link:
        with pytest.raises(NotConnectedError, match="Authentication required"):
            await link.ping()


async def test_a_database_of_its_own_is_chosen_in_the_address(redis_server):
    async with (
        redis_connection(f"{redis_server.url}?db=1") as one,
        redis_connection(redis_server.url) as other,
    ):
        await one.set("only here", 1)
        assert await other.get("only here") is None
        await one.flushdb()


async def test_many_who_come_while_it_is_gone_fail_at_the_same_attempt(own_redis):
    async with redis_connection(own_redis.url) as link:
        await link.ping()
        own_redis.kill()
        await asyncio.sleep(0.05)  # until the loop has seen the connection end
        told = await asyncio.gather(*(link.ping() for _ in range(500)), return_exceptions=True)
        assert all(isinstance(error, NotConnectedError) for error in told)
        own_redis.start()
        assert await link.ping()
