"""Followers of many streams, one connection."""

import asyncio

import pytest
from redis.exceptions import RedisError

from services.redis_link.doorbell import Doorbell
from services.redis_link.link import redis_connection

STREAMS = [f"tunggu:{{73.71.{n:02}}}:journal" for n in range(1, 16)]


@pytest.fixture
async def link(redis_server):
    async with redis_connection(redis_server.url) as link:
        await link.flushall()
        yield link


async def connections(link) -> int:
    clients: dict[str, int] = await link.info("clients")
    return clients["connected_clients"]


async def follow(link, bell, stream, seen):
    after = "0-0"
    while True:
        await bell.wait(stream, after, 1)
        for id, fields in await link.xrange(stream, f"({after}", "+"):
            after = id.decode()
            seen.append((stream, fields[b"n"]))


async def test_each_entry_of_each_stream_is_rung_for(link):
    bell, seen = Doorbell(link), []
    before = await connections(link)
    following = [asyncio.create_task(follow(link, bell, stream, seen)) for stream in STREAMS]
    wanted = []
    for n in range(40):
        for stream in STREAMS[:: n % 4 + 1]:
            await link.xadd(stream, {"n": n})
            wanted.append((stream, b"%d" % n))
        if n % 3 == 0:
            while len(seen) < len(wanted):
                await asyncio.sleep(0.001)
    while len(seen) < len(wanted):
        await asyncio.sleep(0.01)
    for stream in STREAMS:
        assert [at for at in seen if at[0] == stream] == [at for at in wanted if at[0] == stream]
    assert await connections(link) - before <= 2, "fifteen followers, one connection"
    for task in following:
        task.cancel()
    await asyncio.gather(*following, return_exceptions=True)
    await bell.aclose()


async def test_a_follower_who_comes_later_is_rung_at_once(link):
    bell = Doorbell(link)
    first = asyncio.create_task(bell.wait(STREAMS[0], "0-0", 30))
    await asyncio.sleep(0.05)
    await link.xadd(STREAMS[1], {"n": 1})
    await bell.wait(STREAMS[1], "0-0", 30)
    assert not first.done()
    await link.xadd(STREAMS[0], {"n": 1})
    await first
    await bell.aclose()


async def test_without_news_a_follower_waits_no_longer_than_told(link):
    bell = Doorbell(link)
    await link.xadd(STREAMS[0], {"n": 1}, id="1-1")
    await bell.wait(STREAMS[0], "1-1", 0.05)
    await bell.aclose()


async def test_one_who_is_slow_does_not_keep_the_others_from_hearing(link):
    bell = Doorbell(link)
    for stream in STREAMS[:2]:
        await link.xadd(stream, {"n": 1}, id="1-1")
    await bell.wait(STREAMS[0], "0-0", 30)  # and does not come back
    for n in range(2, 50):
        waiting = asyncio.create_task(bell.wait(STREAMS[1], f"1-{n - 1}", 30))
        await link.xadd(STREAMS[1], {"n": n}, id=f"1-{n}")
        await waiting
    await bell.aclose()


async def test_a_lost_server_is_told_to_who_waits_and_found_again_by_who_comes_back(own_redis):
    async with redis_connection(own_redis.url) as link:
        bell = Doorbell(link)
        waiting = [asyncio.create_task(bell.wait(stream, "0-0", 60)) for stream in STREAMS]
        while not (await link.info("clients"))["blocked_clients"]:
            await asyncio.sleep(0.01)
        own_redis.kill()
        told = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(error, RedisError) for error in told)
        own_redis.start()
        waiting = [asyncio.create_task(bell.wait(STREAMS[0], "0-0", 60))]
        await link.xadd(STREAMS[0], {"n": 1})
        await waiting[0]
        await bell.aclose()
