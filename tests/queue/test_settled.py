"""With replicas, what no replica has is not shown: not on the board, not in the journal."""

import asyncio
import contextlib

import pytest

from services.chassis.errors import Problem
from services.queue import kecamatan
from services.queue.archive import Archive
from services.queue.live import Live
from services.queue.model import Channel, Lane
from services.queue.request import Request
from services.queue.store import Store
from services.redis_link.link import redis_connection
from services.survey.store import Store as SurveyStore
from tests.e2e.offices import office_file
from tests.redis_link.shapes import replicated
from tests.survey.served import queue_day

CODE = "73.71.03"


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    with replicated(tmp_path_factory.mktemp("pair"), replicas=1) as shape:
        yield shape


@pytest.fixture
async def store(pair):
    async with redis_connection(pair.url, replicas=1) as link:
        await link.flushall()
        store = Store(link, always_open=True)
        file = kecamatan.dump(office_file(CODE))
        await store.apply_kecamatan(Request(CODE, "ApplyKecamatan"), file)
        yield store


@contextlib.asynccontextmanager
async def without_the_replica(pair):
    pair.servers[1].pause()
    try:
        yield
    finally:
        pair.servers[1].resume()
        await asyncio.to_thread(pair.in_step)


@contextlib.asynccontextmanager
async def followed(store):
    live = Live(CODE, store, Archive(store.redis))
    following = asyncio.create_task(live.run())
    try:
        yield live
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


def asks(id: str) -> Request:
    return Request(CODE, "CreateTicket", id, "somebody", b"payload")


async def take(store, id):
    return await store.create_ticket(asks(id), "A", Lane.REGULAR, Channel.WEB, "")


async def test_a_ticket_that_no_replica_has_is_neither_acknowledged_nor_shown(store, pair):
    async with followed(store) as live:
        first = await take(store, "one")
        assert await live.reach(first.day, first.event)
        before = await live.settled_board()
        async with without_the_replica(pair):
            with pytest.raises(Problem, match="OUTCOME_UNKNOWN"):
                await take(store, "two")
            assert (await live.settled_board()).body == before.body
            with pytest.raises(Problem, match="REDIS_UNAVAILABLE"):
                await Archive(store.redis).leaves(CODE, first.day)
        again = await take(store, "two")
        assert again.event == first.event + 1, "it was done, and is not done twice"
        assert await live.reach(again.day, again.event)
        assert (await live.settled_board()).event == again.event


async def test_a_repetition_is_no_more_acknowledged_than_what_it_repeats(store, pair):
    await take(store, "first of the day")
    async with without_the_replica(pair):
        for _ in range(2):
            with pytest.raises(Problem, match="OUTCOME_UNKNOWN"):
                await take(store, "one")
        async with redis_connection(pair.url, replicas=1) as link:
            with pytest.raises(Problem, match="OUTCOME_UNKNOWN"):
                await take(Store(link, always_open=True), "one")


async def test_an_office_is_on_the_list_when_that_is_acknowledged(store, pair):
    replica = pair.servers[1].client
    assert await store.codes() == [CODE]
    assert replica.smembers("tunggu:{city}:kecamatan") == {CODE.encode()}


async def test_the_survey_acknowledges_no_sooner(store, pair):
    survey = SurveyStore(store.redis)
    async with without_the_replica(pair):
        with pytest.raises(Problem, match="OUTCOME_UNKNOWN"):
            await survey.close_day(CODE, "2026-03-02", queue_day())
    await survey.close_day(CODE, "2026-03-02", queue_day())
