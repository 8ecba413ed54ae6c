"""When a replica says that it may get work."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest

from services.chassis.errors import Problem
from services.queue import kecamatan
from services.queue.archive import Archive
from services.queue.offices import Offices
from services.queue.request import Request
from services.queue.store import Store
from tests.e2e.offices import office_file


@asynccontextmanager
async def running(offices):
    task = asyncio.create_task(offices.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def apply(store, code):
    await store.apply_kecamatan(Request(code, "ApplyKecamatan"), kecamatan.dump(office_file(code)))


async def test_a_journal_that_cannot_be_read_stops_its_own_office_alone(redis):
    store = Store(redis, always_open=True)
    for code in ("73.71.01", "73.71.02"):
        await apply(store, code)
    await redis.xadd("tunggu:{73.71.01}:journal", {"l": b"{}"}, id="20260302-0")
    offices = Offices(store, Archive(redis), period=0.01)
    async with running(offices):
        async with asyncio.timeout(10):
            while not offices.ready:
                await asyncio.sleep(0.01)
        assert (await offices.get("73.71.02")).board().event >= -1
        with pytest.raises(Problem):
            (await offices.get("73.71.01")).board()


async def test_a_new_office_does_not_take_the_replica_out_of_service(redis):
    store = Store(redis, always_open=True)
    offices = Offices(store, Archive(redis), period=0.01)
    await apply(store, "73.71.01")
    async with running(offices):
        assert not offices.ready
        async with asyncio.timeout(10):
            while not offices.ready:
                await asyncio.sleep(0.01)
        await apply(store, "73.71.02")
        new = await offices.get("73.71.02")
        assert offices.ready
        async with asyncio.timeout(10):
            while not new.ready:
                await asyncio.sleep(0.01)
