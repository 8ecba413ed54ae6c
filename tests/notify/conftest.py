"""A client of the session's Redis, empty at the start of each test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from services.redis_link.link import Link, redis_connection
from tests.conftest import RedisServer


@pytest_asyncio.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Link]:
    client = redis_connection(redis_server.url)
    await client.flushall()
    yield client
    await client.aclose()
