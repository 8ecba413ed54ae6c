"""What is acknowledged, when replicas are to have it too."""

import asyncio

import pytest

from services.redis_link.link import redis_connection
from services.redis_link.redis_policy import RedisPolicyError, UnsettledError, problem
from tests.redis_link.shapes import replicated, until


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    with replicated(tmp_path_factory.mktemp("pair"), replicas=1) as shape:
        yield shape


@pytest.fixture
async def link(pair):
    async with redis_connection(pair.url, replicas=1) as link:
        await link.flushall()
        yield link


@pytest.fixture
async def alone(pair, link):
    """While the replica is frozen."""
    await link.settled("key", "SET", "key", "before")
    replica = pair.servers[1]
    replica.pause()
    yield replica
    replica.resume()
    pair.in_step()


async def test_what_is_settled_is_on_the_replica(pair, link):
    replica = pair.servers[1].client
    for n in range(50):
        await link.settled("key", "SET", "key", n)
        assert replica.get("key") == b"%d" % n


async def test_what_no_replica_has_is_not_acknowledged_though_it_is_done(alone, link):
    with pytest.raises(UnsettledError) as unknown:
        await link.settled("key", "SET", "key", "after")
    found = problem(unknown.value)
    assert found is not None
    assert found.reason == "OUTCOME_UNKNOWN"
    assert await link.get("key") == b"after"
    alone.resume()
    assert await link.settled("key", "GET", "key") == b"after"


async def test_what_is_read_is_settled_only_when_the_replicas_have_what_it_tells(alone, link):
    await link.set("key", "after")
    with pytest.raises(UnsettledError):
        await link.settled("key", "GET", "key")


async def test_a_new_connection_vouches_for_no_write_of_another(alone, link, pair):
    await link.set("key", "after")
    async with redis_connection(pair.url, replicas=1) as other:
        with pytest.raises(UnsettledError):
            await other.settled("key", "GET", "key")


async def test_many_who_wait_share_a_round_and_fail_together(alone, link):
    begun = asyncio.get_running_loop().time()
    told = await link.many([("k", ("INCR", "k"))] * 20, settled=True)
    others = (link.many([("k", ("INCR", "k"))], settled=True) for _ in range(50))
    replies = [*told, *(reply for (reply,) in await asyncio.gather(*others))]
    assert all(isinstance(reply, UnsettledError) for reply in replies)
    print(f"\n70 writes without a replica: {asyncio.get_running_loop().time() - begun:.1f} s")


async def test_who_loses_the_connection_after_a_write_is_not_told_that_nothing_happened(
    alone, link, pair
):
    writing = asyncio.create_task(link.settled("key", "SET", "key", "after"))
    await asyncio.sleep(0.1)
    pair.servers[0].client.client_kill_filter(_type="normal", skipme=True)
    with pytest.raises(UnsettledError):
        await writing
    assert await link.get("key") == b"after"


async def test_reads_do_not_wait_for_replicas(alone, link):
    writing = asyncio.create_task(link.settled("key", "SET", "key", "after"))
    await asyncio.sleep(0.05)
    assert await link.get("key") == b"after"
    assert not writing.done()
    with pytest.raises(UnsettledError):
        await writing


async def test_an_error_stays_an_error(link):
    wrong, right = await link.many(
        [("key", ("HGET", "key", "f")), ("key", ("GET", "key"))], settled=True
    )
    assert (wrong, right) == (None, None)
    await link.set("key", "text")
    wrong, right = await link.many(
        [("key", ("HGET", "key", "f")), ("key", ("GET", "key"))], settled=True
    )
    assert "wrong kind" in str(wrong)
    assert right == b"text"


async def test_a_primary_that_writes_without_replicas_is_refused(pair, link):
    await link.config_set("min-replicas-to-write", 0)
    try:
        async with redis_connection(pair.url, replicas=1) as other:
            with pytest.raises(RedisPolicyError, match="CONFIG SET min-replicas-to-write 1"):
                await other.ping()
        async with redis_connection(pair.url) as other:
            assert await other.ping()
    finally:
        await link.config_set("min-replicas-to-write", 1)


async def test_a_replica_is_no_place_to_read_or_write(pair):
    async with redis_connection(f"redis://127.0.0.1:{pair.servers[1].port}") as link:
        with pytest.raises(Exception, match="no primary but a slave") as refused:
            await link.get("key")
    found = problem(refused.value)
    assert found is not None
    assert found.reason == "REDIS_UNAVAILABLE"


async def test_a_primary_that_became_a_replica_is_left_at_the_first_refusal(pair, link):
    first, second = pair.servers
    async with redis_connection(f"redis://127.0.0.1:{first.port}") as other:
        assert await other.set("key", "1")
        first.client.replicaof("127.0.0.1", second.port)
        try:
            with pytest.raises(Exception, match="can't write against a read only replica"):
                await other.set("key", "2")
            await asyncio.sleep(0.05)
            with pytest.raises(Exception, match="no primary"):
                await other.get("key")
        finally:
            first.client.replicaof("NO", "ONE")
            pair.in_step()
    until(lambda: first.role == "master")
