"""What a failure of Redis means for a step."""

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from services.chassis.errors import Problem
from services.chassis.redis_policy import NotConnectedError
from services.queue.steps import asked, unavailable, unknown


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
