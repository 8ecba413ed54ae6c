"""A client of the session's Redis, empty at the start of each test; a queue with offices."""

from collections.abc import AsyncIterator, Iterator

import grpc
import pytest
import pytest_asyncio
from redis import Redis as SyncRedis

from services.redis_link.link import Link, redis_connection
from tests.conftest import RedisServer, start_redis
from tests.queue.servicing import ADMIN, Office, Process, start_queue


@pytest_asyncio.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Link]:
    client = redis_connection(redis_server.url)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture(scope="session")
def queue_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """The Redis of the session's queue; nobody empties it."""
    server = start_redis(tmp_path_factory.mktemp("queue-redis"))
    yield server
    server.kill()


@pytest.fixture(scope="session")
def redis_view(queue_redis: RedisServer) -> Iterator[SyncRedis]:
    """What a test sees of that Redis without asking the queue."""
    with SyncRedis(unix_socket_path=str(queue_redis.socket)) as client:
        yield client


@pytest.fixture(scope="session")
def queue(queue_redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """One process for the session: always open, sixty times as fast, without ticks."""
    process = start_queue(tmp_path_factory.mktemp("queue"), queue_redis.url)
    yield process
    assert process.end() == 0
    unexpected = [line for line in process.lines if line["level"] == "error"]
    assert unexpected == []


@pytest.fixture(scope="session")
def replica(
    queue_redis: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Process]:
    """A second process on the same Redis."""
    process = start_queue(tmp_path_factory.mktemp("replica"), queue_redis.url)
    yield process
    assert process.end() == 0


@pytest_asyncio.fixture
async def channel(queue: Process) -> AsyncIterator[grpc.aio.Channel]:
    async with queue.channel() as channel:
        yield channel


@pytest_asyncio.fixture
async def office(channel: grpc.aio.Channel, redis_view: SyncRedis) -> AsyncIterator[Office]:
    """An office of the test's own, with `servicing`'s file."""
    office = Office(channel, redis_view)
    await office.apply()
    yield office
    await office.do("DeleteKecamatan", ADMIN)
