"""Days are closed here once they are there, whatever was missed meanwhile."""

import asyncio
import json
from contextlib import suppress

import pytest

from services.chassis.errors import Problem
from services.survey.follower import ABSENT_MOST, Follower
from services.survey.store import Store
from tests.survey.served import CODE, queue_day


class FakeQueue:
    """Days by office: closed or not; and news that a test puts in."""

    def __init__(self, days):
        self.days = days
        self.asked = []
        self.cursors = []
        self.news_ = asyncio.Queue()
        self.away = False

    async def running_days(self):
        if self.away:
            raise Problem("SERVICE_UNAVAILABLE")
        return {CODE: max(self.days, default="")}

    def news(self, code, day):
        pass

    async def day(self, code, day):
        self.asked.append(day)
        if day not in self.days:
            raise Problem("DAY_NOT_FOUND")
        return self.days[day], queue_day()

    async def events(self, code, cursor):
        self.cursors.append(cursor)
        while True:
            item = await self.news_.get()
            if isinstance(item, Problem):
                raise item
            yield item

    def close(self, day):
        self.days[day] = True
        self.news_.put_nowait((json.dumps({"e": "day.close", "d": day}).encode(), f"{day}.9.x"))


@pytest.fixture
def follow(redis):
    """Runs a follower of the days while the test looks."""
    tasks = []

    def start(days, look=0.05):
        queue = FakeQueue(days)
        tasks.append(asyncio.create_task(Follower(Store(redis), queue, look).run()))
        return queue

    yield start
    for task in tasks:
        task.cancel()


async def closed_days(redis):
    names = await redis.hkeys(f"tunggu:{{{CODE}}}:survey:days")
    return sorted(name.decode() for name in names)


async def until(condition):
    async with asyncio.timeout(10):
        while not await condition():
            await asyncio.sleep(0.01)


async def test_a_day_is_closed_as_soon_as_the_journal_says_so(redis, follow):
    queue = follow({"2026-03-02": False}, look=1000)

    async def followed():
        return bool(queue.cursors)

    async def closed():
        return await closed_days(redis) == ["2026-03-02"]

    await until(followed)
    assert not await closed()
    queue.close("2026-03-02")
    await until(closed)


async def test_days_closed_while_nobody_followed_are_closed_at_the_next_look(redis, follow):
    queue = follow({"2026-03-02": False})

    async def first():
        return bool(queue.cursors)

    async def both():
        return await closed_days(redis) == ["2026-03-02", "2026-03-05"]

    await until(first)
    queue.days = {"2026-03-02": True, "2026-03-05": True, "2026-03-06": False}
    await until(both)


async def test_days_before_the_survey_are_looked_up_until_a_month_is_without_any(redis, follow):
    days = {"2026-03-02": False, "2026-02-27": True, "2026-02-01": True, "2025-11-03": True}
    queue = follow(days)

    async def found():
        return await closed_days(redis) == ["2026-02-01", "2026-02-27"]

    await until(found)
    assert len({day for day in queue.asked if day < "2026-02-01"}) == ABSENT_MOST + 1


async def test_settled_days_are_not_asked_for_again(redis, follow):
    queue = follow({"2026-03-02": True})

    async def settled():
        return await redis.get(f"tunggu:{{{CODE}}}:survey:through") == b"2026-03-02"

    await until(settled)
    queue.asked.clear()
    await asyncio.sleep(0.2)
    assert queue.asked == []


async def test_a_broken_stream_is_taken_up_where_it_broke_and_a_lost_place_anew(
    redis, follow, monkeypatch
):
    monkeypatch.setattr("services.survey.follower.PAUSE_S", 0.01)
    queue = follow({"2026-03-02": False})
    queue.news_.put_nowait((b'{"e":"issue","d":"2026-03-02"}', "2026-03-02.3.x"))
    queue.news_.put_nowait(Problem("SERVICE_UNAVAILABLE"))
    queue.news_.put_nowait(Problem("JOURNAL_REWOUND"))

    async def third():
        return len(queue.cursors) == 3

    await until(third)
    assert queue.cursors == ["", "2026-03-02.3.x", ""]


async def test_a_queue_that_is_away_is_tried_again(redis, follow):
    queue = follow({"2026-03-02": True})
    queue.away = True
    await asyncio.sleep(0.1)
    queue.away = False

    async def closed():
        return await closed_days(redis) == ["2026-03-02"]

    await until(closed)


async def test_an_office_that_has_left_the_list_is_followed_no_longer_and_its_day_is_closed(redis):
    queue = FakeQueue({"2026-03-02": False})
    follower = Follower(Store(redis), queue, 1000)
    run = asyncio.create_task(follower.run())

    async def followed():
        return bool(queue.cursors)

    await until(followed)

    async def none():
        return {}

    queue.running_days = none
    queue.days["2026-03-02"] = True
    await follower._round()
    assert follower._tasks == {}
    assert await closed_days(redis) == ["2026-03-02"]
    run.cancel()
    with suppress(asyncio.CancelledError):
        await run
