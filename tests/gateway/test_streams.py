"""The fan-out core, without a server."""

import asyncio
import re

import pytest
from prometheus_client import REGISTRY

from services.chassis.errors import Problem
from services.gateway.hub import Hub
from services.gateway.streams import HEARTBEAT, Feed, Timing, Whole, follow, frame, retry

QUICK = Timing(beat=30, stale=0.05, linger=0.05, ready=0.2)


class Client:
    """Takes what is written; may be slow or hang up."""

    def __init__(self, most=1000):
        self.got = []
        self.most = most
        self.free = asyncio.Event()
        self.free.set()

    async def write(self, data):
        await self.free.wait()
        self.got.append(data)
        return len(self.got) < self.most

    def shown(self):
        return [re.sub(rb"retry: \d+", b"retry", data).decode().strip() for data in self.got]


def state(number):
    return frame("board", f"2026-03-02/{number}", b'{"event":%d}' % number)


def shown(number):
    return f'event: board\nid: 2026-03-02/{number}\ndata: {{"event":{number}}}'


async def settled():
    for _ in range(10):
        await asyncio.sleep(0)


def watching(feed, client, seen=""):
    return asyncio.create_task(follow(Whole(feed), seen, client.write))


async def test_a_watcher_first_hears_when_to_come_back_then_the_present():
    feed, client = Feed(QUICK), Client()
    feed.publish(state(1))
    task = watching(feed, client)
    await settled()
    feed.publish(state(2))
    await settled()
    assert client.shown() == ["retry", shown(1), shown(2)]
    feed.end()
    await task
    assert client.shown()[-1] == "retry"


async def test_who_has_the_present_frame_already_hears_nothing_until_the_next():
    feed, client = Feed(QUICK), Client()
    feed.publish(state(1))
    task = watching(feed, client, seen="2026-03-02/1")
    await settled()
    assert client.shown() == ["retry"]
    feed.publish(state(2))
    await settled()
    assert client.shown() == ["retry", shown(2)]
    feed.end()
    await task


async def test_a_late_watcher_gets_the_latest_frame_and_none_between():
    feed, client = Feed(QUICK), Client()
    feed.publish(state(1))
    task = watching(feed, client)
    await settled()
    client.free.clear()
    for number in range(2, 50):
        feed.publish(state(number))
        await settled()
    client.free.set()
    await settled()
    assert client.shown()[2:] in ([shown(2), shown(49)], [shown(49)])
    feed.end()
    await task


async def test_all_watchers_are_written_the_very_same_bytes():
    feed, clients = Feed(QUICK), [Client() for _ in range(50)]
    feed.publish(state(1))
    tasks = [watching(feed, client) for client in clients]
    await settled()
    feed.publish(state(2))
    await settled()
    assert len({id(client.got[-1]) for client in clients}) == 1
    feed.end()
    await asyncio.gather(*tasks)


async def test_the_way_to_the_last_watcher_is_timed_once_a_change_and_not_for_who_comes_later():
    def timed():
        return REGISTRY.get_sample_value("tunggu_gateway_fanout_seconds_count")

    before, feed = timed(), Feed(QUICK)
    feed.publish(state(1))
    tasks = [watching(feed, Client()) for _ in range(3)]
    await settled()
    feed.publish(state(2))
    assert timed() == before  # the first frame was there before them
    await settled()
    feed.publish(state(3))
    assert timed() == before + 1
    await settled()
    feed.end()
    feed.end()
    assert timed() == before + 2
    await asyncio.gather(*tasks)


async def test_one_watcher_that_is_cancelled_leaves_the_others_watching():
    feed, clients = Feed(QUICK), [Client(), Client()]
    feed.publish(state(1))
    tasks = [watching(feed, client) for client in clients]
    await settled()
    tasks[0].cancel()
    feed.publish(state(2))
    await settled()
    assert tasks[0].cancelled()
    assert clients[1].shown()[-1] == shown(2)
    feed.end()
    await tasks[1]


async def test_who_hangs_up_is_not_written_to_again():
    feed, client = Feed(QUICK), Client(most=2)
    feed.publish(state(1))
    task = watching(feed, client)
    await settled()
    feed.publish(state(2))
    await task
    assert client.shown() == ["retry", shown(1)]


async def test_heartbeats_come_when_nothing_else_does():
    feed, client = Feed(Timing(beat=0.02)), Client(most=4)
    feed.publish(state(1))
    await watching(feed, client)
    assert client.got[2:] == [HEARTBEAT, HEARTBEAT]


async def test_a_lost_source_is_told_after_a_while_and_its_return_too():
    feed, client = Feed(QUICK), Client()
    feed.publish(state(1))
    task = watching(feed, client)
    feed.lost()
    feed.found()
    await asyncio.sleep(0.1)
    assert client.shown() == ["retry", shown(1)]
    feed.lost()
    await asyncio.sleep(0.1)
    feed.found()
    await settled()
    assert client.shown()[2:] == ["event: stale\ndata: {}", "event: fresh\ndata: {}"]
    feed.end()
    await task


def test_the_time_to_come_back_is_spread_over_two_to_five_seconds():
    times = {int(retry().split()[1]) for _ in range(300)}
    assert min(times) >= 2000
    assert max(times) <= 5000
    assert len(times) > 100


class Source:
    started = 0

    def __init__(self, key, first=True, failure=None):
        self.feed = Feed(QUICK)
        self.key, self.first, self.failure = key, first, failure
        self.ended = False

    async def run(self):
        Source.started += 1
        try:
            if self.failure:
                self.feed.end(self.failure)
                return
            if self.first:
                self.feed.publish(state(1))
            await asyncio.Event().wait()
        finally:
            self.ended = True


async def test_the_first_watcher_starts_a_source_and_a_while_after_the_last_it_ends():
    hub, before = Hub(Source, QUICK), Source.started
    async with hub.following("a") as one, hub.following("a") as two, hub.following("b") as other:
        assert one is two
        assert other is not one
    async with hub.following("a") as again:
        assert again is one
    await asyncio.sleep(0.12)
    assert one.ended
    assert one.feed.ended
    async with hub.following("a") as new:
        assert new is not one
    assert Source.started == before + 3
    await asyncio.sleep(0.12)


async def test_a_source_that_fails_refuses_its_watchers_and_the_next_one_starts_anew():
    hub = Hub(lambda key: Source(key, failure=Problem("KECAMATAN_NOT_FOUND")), QUICK)
    for _ in range(2):
        with pytest.raises(Problem) as caught:
            async with hub.following("x"):
                pass
        assert caught.value.reason == "KECAMATAN_NOT_FOUND"


async def test_a_source_without_a_first_frame_is_unavailable():
    hub = Hub(lambda key: Source(key, first=False), QUICK)
    with pytest.raises(Problem) as caught:
        async with hub.following("x"):
            pass
    assert caught.value.reason == "SERVICE_UNAVAILABLE"
    await asyncio.sleep(0.1)


async def test_draining_ends_every_stream_and_admits_no_other():
    hub, client = Hub(Source, QUICK), Client()
    async with hub.following("a") as source:
        task = watching(source.feed, client)
        await settled()
        hub.drain()
        await task
    assert client.shown() == ["retry", shown(1), "retry"]
    with pytest.raises(Problem) as caught:
        async with hub.following("a"):
            pass
    assert caught.value.reason == "SERVICE_UNAVAILABLE"
    await settled()
