"""Which offices are followed: those of the list, and new ones at the first subscription."""

import asyncio

import pytest
from prometheus_client import generate_latest

from services.chassis.errors import Problem
from services.notify import metrics
from services.notify.offices import Offices
from services.notify.store import Store
from tests.notify.kept import CODE, N, subscribe


class Queue:
    """A list of offices whose streams never say anything."""

    def __init__(self, *codes):
        self.codes = list(codes)
        self.away = False
        self.followed = []

    async def running_days(self):
        if self.away:
            raise Problem("SERVICE_UNAVAILABLE")
        return dict.fromkeys(self.codes, "2026-03-02")

    async def boards(self, code):
        self.followed.append(code)
        await asyncio.Event().wait()
        yield

    async def events(self, code, cursor):
        yield


class Sender:
    """Has nothing to do."""

    async def serve(self, code, day, woken):
        await asyncio.Event().wait()


@pytest.fixture
def running(redis):
    tasks = []

    def start(queue, look=0.02):
        offices = Offices(Store(redis), queue, Sender(), look)
        tasks.append(asyncio.create_task(offices.run()))
        return offices

    yield start
    for task in tasks:
        task.cancel()


async def until(condition):
    async with asyncio.timeout(10):
        while not (await condition() if asyncio.iscoroutinefunction(condition) else condition()):
            await asyncio.sleep(0.01)


async def test_every_office_of_the_list_is_followed_once_also_new_ones(running):
    queue = Queue("73.71.01", CODE)
    offices = running(queue)
    await until(lambda: offices.codes == ["73.71.01", CODE])
    queue.codes.append("73.71.15")
    await until(lambda: "73.71.15" in queue.followed)
    assert sorted(queue.followed) == ["73.71.01", CODE, "73.71.15"]


async def test_an_office_with_a_first_subscription_is_not_waited_for(running):
    queue = Queue("73.71.01")
    offices = running(queue, look=1000)
    await until(lambda: offices.codes == ["73.71.01"])
    offices.see(CODE)
    offices.see(CODE)
    await until(lambda: CODE in queue.followed)
    assert queue.followed.count(CODE) == 1


async def test_an_office_that_leaves_the_list_is_forgotten_with_everybody_who_subscribed(
    redis, running
):
    queue = Queue(CODE)
    offices = running(queue)
    await until(lambda: offices.codes == [CODE])
    await subscribe(Store(redis))
    queue.codes.clear()

    async def forgotten():
        return not await redis.keys(f"{N}:2026*")

    await until(forgotten)
    assert offices.codes == []


def test_an_office_that_is_no_longer_looked_after_shows_no_outbox():
    metrics.OUTBOX.labels("73.71.99").set(5)
    metrics.forget("73.71.99")
    metrics.forget("73.71.99")
    assert "73.71.99" not in generate_latest(metrics.OUTBOX).decode()


async def test_a_queue_that_is_away_is_asked_again_and_nobody_is_forgotten(redis, running):
    queue = Queue(CODE)
    queue.away = True
    offices = running(queue)
    await asyncio.sleep(0.1)
    queue.away = False
    await until(lambda: offices.codes == [CODE])
    queue.away = True
    await asyncio.sleep(0.1)
    assert offices.codes == [CODE]
