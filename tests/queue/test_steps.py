"""How a step's awaiting behaves where redis-py and Python 3.11 would lose something."""

import asyncio

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from services.chassis.errors import Problem
from services.chassis.redis_policy import NotConnectedError
from services.queue.steps import asked, unavailable, unknown, unswallowed


async def swallowing(result):
    """What asyncio.wait_for of Python 3.11 does with a cancellation that comes with its result."""
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        return result


@pytest.mark.parametrize("way", [unswallowed, asked])
async def test_a_cancellation_that_redis_loses_is_a_cancellation_all_the_same(way):
    task = asyncio.create_task(way(swallowing("result")))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task], timeout=5)
    assert task.cancelled()


async def test_a_deadline_that_redis_loses_still_ends_the_call():
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await asked(swallowing("result"))


@pytest.mark.parametrize(
    ("error", "read", "written"),
    [
        (RedisConnectionError("reset"), "REDIS_UNAVAILABLE", "OUTCOME_UNKNOWN"),
        (NotConnectedError("refused"), "REDIS_UNAVAILABLE", "REDIS_UNAVAILABLE"),
        (ResponseError("MISCONF disk full"), "REDIS_UNAVAILABLE", "REDIS_UNAVAILABLE"),
        (ResponseError("ERR a bug of ours"), "REDIS_UNAVAILABLE", "INTERNAL"),
    ],
)
def test_only_a_write_that_was_sent_leaves_its_outcome_open(error, read, written):
    assert unavailable(error).reason == read
    assert unknown(error).reason == written


async def test_a_failed_read_is_a_problem():
    async def failing():
        raise RedisConnectionError("reset")

    with pytest.raises(Problem, match="REDIS_UNAVAILABLE"):
        await asked(failing())
