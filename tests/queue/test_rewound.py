"""A journal that loses its end between two reads, with no connection lost that would tell."""

import asyncio
from contextlib import asynccontextmanager, suppress

from services.queue import kecamatan
from services.queue.archive import Archive
from services.queue.live import Live
from services.queue.model import Channel, Lane
from services.queue.request import Request
from services.queue.store import Store
from tests.e2e.offices import office_file

CODE = "73.71.01"


@asynccontextmanager
async def following(store, redis):
    """The office as a replica follows it."""
    live = Live(CODE, store, Archive(redis))
    task = asyncio.create_task(live.run())
    try:
        yield live
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def take(store, service, count):
    for _ in range(count):
        request = Request(CODE, "CreateTicket")
        await store.create_ticket(request, service, Lane.REGULAR, Channel.WEB, "")


async def shows(live, board):
    """Waits until it shows exactly this board."""
    async with asyncio.timeout(20):
        while not live.ready or live.board().body != board:
            await asyncio.sleep(0.01)


async def fresh_board(store, redis):
    """The board of a replica that has just started."""
    async with following(store, redis) as live:
        return (await live.settled_board()).body


async def test_a_replica_notices_though_the_journal_has_grown_past_what_it_knew(redis):
    store = Store(redis, always_open=True)
    await store.apply_kecamatan(Request(CODE, "ApplyKecamatan"), kecamatan.dump(office_file(CODE)))
    await take(store, "A", 3)
    kept = {key: await redis.dump(key) for key in await redis.keys("*")}
    async with following(store, redis) as live:
        await take(store, "A", 2)
        await shows(live, await fresh_board(store, redis))
        await redis.flushall()
        for key, value in kept.items():
            await redis.restore(key, 0, value)
        await take(store, "B", 4)
        await shows(live, await fresh_board(store, redis))
