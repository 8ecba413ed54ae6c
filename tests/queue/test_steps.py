"""What a failure of Redis means for a read and for a write."""

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from services.chassis.errors import Problem
from services.queue import kecamatan
from services.queue.model import Channel, Lane
from services.queue.request import Request
from services.queue.steps import asked, unavailable, unknown
from services.queue.store import Store
from services.redis_link.redis_policy import NotConnectedError
from tests.e2e.offices import office_file


@pytest.mark.parametrize(
    ("error", "read", "written"),
    [
        (RedisConnectionError("reset"), "REDIS_UNAVAILABLE", "OUTCOME_UNKNOWN"),
        (NotConnectedError("refused"), "REDIS_UNAVAILABLE", "REDIS_UNAVAILABLE"),
        (ResponseError("MISCONF disk full"), "REDIS_UNAVAILABLE", "REDIS_UNAVAILABLE"),
        (ResponseError("ERR a bug of ours"), "INTERNAL", "INTERNAL"),
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


async def test_a_repetition_that_cannot_be_read_does_not_say_that_nothing_has_changed(
    redis, monkeypatch
):
    async def unreadable(self, code, day, number):
        raise Problem("REDIS_UNAVAILABLE")

    code, store = "73.71.01", Store(redis, always_open=True)
    await store.apply_kecamatan(Request(code, "ApplyKecamatan"), kecamatan.dump(office_file(code)))
    request = Request(code, "CreateTicket", "an-id", "somebody", b"payload")
    first = await store.create_ticket(request, "A", Lane.REGULAR, Channel.WEB, "")
    monkeypatch.setattr(Store, "ticket", unreadable)
    with pytest.raises(Problem, match="OUTCOME_UNKNOWN"):
        await store.create_ticket(request, "A", Lane.REGULAR, Channel.WEB, "")
    monkeypatch.undo()
    again = await store.create_ticket(request, "A", Lane.REGULAR, Channel.WEB, "")
    assert again == first
