"""Days that closed while nobody was there to archive them, and the boards of the day after."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

from services.queue import kecamatan
from services.queue.archive import Archive
from services.queue.live import Live
from services.queue.model import Channel, Lane
from services.queue.request import Request
from services.queue.store import Store
from services.redis_link.clock import Clock
from services.redis_link.link import Link
from tests.e2e.offices import office_file

CODE = "73.71.03"


def at(redis: Link, moment: str) -> Store:
    """A store whose clock stands, as if its process ticked never."""
    zone = ZoneInfo("Asia/Makassar")
    start = int(datetime.fromisoformat(moment).replace(tzinfo=zone).timestamp() * 1000)
    return Store(redis, Clock(0, start, 0.0, mapped=True), always_open=True)


def asks(verb: str) -> Request:
    return Request(CODE, verb)


async def take(store: Store, count: int) -> None:
    for _ in range(count):
        await store.create_ticket(asks("CreateTicket"), "A", Lane.REGULAR, Channel.WEB, "")


async def a_day(redis: Link, date: str, minutes: int) -> None:
    """A day with a few calls, one every so many minutes; it stays open."""
    await take(at(redis, f"{date} 08:00"), 5)
    await at(redis, f"{date} 08:00").open_counter(asks("OpenCounter"), "1")
    for i in range(1, 4):
        store = at(redis, f"{date} {8 + i * minutes // 60:02}:{i * minutes % 60:02}")
        called = (await store.call_next_ticket(asks("CallNextTicket"), "1")).ticket
        assert called
        number = called.number
        await store.start_ticket(asks("StartTicket"), "1", number)
        await store.complete_ticket(asks("CompleteTicket"), "1", number)


@asynccontextmanager
async def following(redis: Link) -> AsyncIterator[Live]:
    live = Live(CODE, at(redis, "2026-03-05 09:00"), Archive(redis))
    task = asyncio.create_task(live.run())
    try:
        async with asyncio.timeout(10):
            while not live.ready:
                await asyncio.sleep(0.01)
        yield live
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_board_is_the_same_before_and_after_previous_days_are_archived(redis):
    store = at(redis, "2026-03-02 08:00")
    await store.apply_kecamatan(asks("ApplyKecamatan"), kecamatan.dump(office_file(CODE)))
    for date, minutes in (("2026-03-02", 5), ("2026-03-03", 25), ("2026-03-04", 45)):
        await a_day(redis, date, minutes)
    today = at(redis, "2026-03-05 09:00")
    await take(today, 5)
    await today.open_counter(asks("OpenCounter"), "1")
    async with following(redis) as live:
        assert await Archive(redis).recorded_days(CODE) == []
        before = (await live.settled_board()).body
        await live.keep_closed_days()
    days = ["2026-03-02", "2026-03-03", "2026-03-04"]
    assert await Archive(redis).recorded_days(CODE) == days
    async with following(redis) as live:
        assert (await live.settled_board()).body == before
