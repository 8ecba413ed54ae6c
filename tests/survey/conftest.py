"""A client of the session's Redis, empty at the start of each test."""

from collections.abc import AsyncIterator

import pytest_asyncio
from redis.asyncio import Redis

from services.redis_link.redis_policy import redis_connection
from tests.conftest import RedisServer


@pytest_asyncio.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    client = redis_connection(redis_server.url)
    await client.flushall()
    yield client
    await client.aclose()
