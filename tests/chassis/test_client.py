"""Channels: what is repeated, what is passed on, what a failure says."""

import asyncio

import pytest

from services.chassis import client
from services.chassis.errors import Problem
from services.chassis.telemetry import REQUEST_ID
from tests.chassis import tiny
from tests.chassis.test_server import finished, refused
from tests.chassis.tiny import Word

BUSY = Problem("REDIS_UNAVAILABLE")


@pytest.fixture
def two_repetitions(monkeypatch):
    monkeypatch.setattr(client, "PAUSES", (0.01, 0.01))


async def test_reading_is_repeated_while_the_service_is_unavailable(own_tiny):
    own_tiny.servicer.failures = [BUSY, BUSY]
    async with own_tiny.serving(), own_tiny.stub() as stub:
        assert (await stub.GetWord(Word(word="tunggu"))).word == "tunggu"
    assert own_tiny.servicer.calls == ["GetWord"] * 3


async def test_after_the_last_repetition_the_problem_is_told(own_tiny, two_repetitions):
    own_tiny.servicer.failures = [BUSY, BUSY, BUSY]
    async with own_tiny.serving(), own_tiny.stub() as stub:
        assert (await refused(stub.GetWord(Word()))).reason == "REDIS_UNAVAILABLE"
    assert own_tiny.servicer.calls == ["GetWord"] * 3


async def test_a_mutation_with_a_request_id_is_repeated(own_tiny):
    own_tiny.servicer.failures = [BUSY]
    async with own_tiny.serving(), own_tiny.stub() as stub:
        assert (await stub.SayWord(Word(word="x", request_id="r" * 22))).word == "x"
    assert own_tiny.servicer.calls == ["SayWord"] * 2


async def test_a_mutation_without_a_request_id_is_sent_once(own_tiny):
    own_tiny.servicer.failures = [BUSY]
    async with own_tiny.serving(), own_tiny.stub() as stub:
        assert (await refused(stub.SayWord(Word(word="x")))).reason == "REDIS_UNAVAILABLE"
    assert own_tiny.servicer.calls == ["SayWord"]


@pytest.mark.parametrize("reason", ["NOBODY_WAITING", "OVERLOADED", "INTERNAL", "STALE_DAY"])
async def test_a_refusal_is_not_repeated(own_tiny, reason):
    own_tiny.servicer.failures = [Problem(reason)]
    async with own_tiny.serving(), own_tiny.stub() as stub:
        assert (await refused(stub.GetWord(Word(request_id="r" * 22)))).reason == reason
    assert own_tiny.servicer.calls == ["GetWord"]


async def test_a_service_that_is_not_there_leaves_only_a_mutation_open(own_tiny, two_repetitions):
    async with own_tiny.stub() as stub:
        assert (await refused(stub.GetWord(Word()))).reason == "SERVICE_UNAVAILABLE"
        assert (await refused(stub.SayWord(Word()))).reason == "OUTCOME_UNKNOWN"


async def test_a_service_that_is_not_ready_gets_no_calls(own_tiny, two_repetitions):
    async with own_tiny.serving(), own_tiny.stub() as stub:
        await stub.GetWord(Word())
        own_tiny.healthy = False
        while (await outcome(stub.GetWord(Word()))) != "SERVICE_UNAVAILABLE":
            await asyncio.sleep(0.05)
        own_tiny.healthy = True
        while (await outcome(stub.GetWord(Word()))) != "OK":
            await asyncio.sleep(0.05)


async def outcome(call) -> str:
    try:
        await call
    except Problem as problem:
        return problem.reason
    return "OK"


async def test_a_service_that_came_back_is_found_again(own_tiny, two_repetitions):
    async with own_tiny.stub() as stub:
        assert await outcome(stub.GetWord(Word())) == "SERVICE_UNAVAILABLE"
        async with own_tiny.serving():
            while (await outcome(stub.GetWord(Word()))) != "OK":
                await asyncio.sleep(0.05)


async def test_a_restart_goes_unnoticed_by_a_call_that_may_be_repeated(own_tiny, monkeypatch):
    monkeypatch.setattr(client, "DEADLINE", 60.0)
    monkeypatch.setattr(client, "PAUSES", (0.05,) * 500)
    async with own_tiny.stub() as stub:
        call = asyncio.create_task(finished(stub.SayWord(Word(word="x", request_id="r" * 22))))
        await asyncio.sleep(0.1)
        async with own_tiny.serving():
            assert (await call).word == "x"


async def test_a_call_has_a_deadline_even_if_none_is_named(own_tiny, monkeypatch):
    monkeypatch.setattr(client, "DEADLINE", 0.1)
    async with own_tiny.serving(), own_tiny.stub() as stub:
        assert (await refused(stub.GetWord(Word(word="slow")))).reason == "DEADLINE_EXCEEDED"
        named = stub.GetWord(Word(word="slow"), timeout=0.05)
        assert (await refused(named)).reason == "DEADLINE_EXCEEDED"


async def test_the_request_id_of_the_running_call_is_passed_on(own_tiny):
    REQUEST_ID.set("from-the-gateway")
    async with own_tiny.serving(), own_tiny.stub() as stub:
        assert (await stub.GetWord(Word(word="request id"))).word == "from-the-gateway"


async def test_a_strange_request_id_is_replaced(own_tiny):
    REQUEST_ID.set("<script>")
    async with own_tiny.serving(), own_tiny.stub() as stub:
        assert len((await stub.GetWord(Word(word="request id"))).word) == 16


async def test_the_authorization_of_the_running_call_is_passed_on(own_tiny):
    client.AUTHORIZATION.set(own_tiny.bearer("OFFICER")())
    async with own_tiny.serving(), client.channel(own_tiny.address) as channel:
        answer = await tiny.Stub(channel).OpenCounter(Word(kecamatan="73.71.03"))
    assert answer.word == "officer-1"


async def test_a_stream_can_be_cancelled_and_the_server_goes_on(own_tiny):
    async with own_tiny.serving(), own_tiny.stub() as stub:
        stream = stub.WatchWords(Word())
        assert (await anext(aiter(stream))).word == "first"
        stream.cancel()
        assert (await stub.GetWord(Word(word="still"))).word == "still"
        assert not own_tiny.draining.is_set()


async def test_a_stream_to_a_service_that_is_not_there_is_a_problem(own_tiny):
    async with own_tiny.stub() as stub:
        stream = aiter(stub.WatchWords(Word()))
        assert (await refused(anext(stream))).reason == "SERVICE_UNAVAILABLE"


async def test_a_batch_is_repeated_only_if_each_item_has_a_request_id():
    class Batch:
        def __init__(self, *ids: str) -> None:
            self.requests = [Word(request_id=name) for name in ids]

    assert client._named(Batch("a", "b"))
    assert not client._named(Batch("a", ""))
