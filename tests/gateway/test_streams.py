"""The fan-out core, without a server."""

import asyncio
import re

import pytest
from prometheus_client import REGISTRY

from services.chassis.errors import Problem
from services.gateway import turns
from services.gateway.crowd import Crowd
from services.gateway.hub import Hub
from services.gateway.sse import Client
from services.gateway.streams import (
    HEARTBEAT,
    Fanout,
    Feed,
    Frame,
    Timing,
    frame,
    retry,
    spread_of,
)

QUICK = Timing(beat=30, stale=0.05, linger=0.05, ready=0.2)
ADDRESS = "192.0.2.7"


class Wire:
    """A transport that keeps what is written; `unsent` is how much of it the client has not."""

    def __init__(self, client):
        self.client = client
        self.got = []
        self.unsent = 0
        self.closed = ""

    def get_extra_info(self, _):
        return self

    def setsockopt(self, *_):
        pass

    def get_write_buffer_size(self):
        return self.unsent

    def is_closing(self):
        return bool(self.closed)

    def write(self, data):
        self.got.append(data)

    def close(self):
        self.closed = self.closed or "closed"

    def abort(self):
        self.closed = "aborted"

    def hang_up(self):
        """As a real one's end is told."""
        self.close()
        if self.client:
            self.client.connection_lost(None)
        self.client = None

    def shown(self):
        return [re.sub(rb"retry: \d+", b"retry", data).decode().strip() for data in self.got]


@pytest.fixture
def wires():
    """All of a test, which end with it."""
    made = []
    yield made
    for wire in made:
        wire.hang_up()


@pytest.fixture
def watching(wires):
    """Begins a stream; its wire."""

    def begin(feed, seen="", view=None):
        feed.fanout.places.take(ADDRESS)
        client = Client("board", view or feed.whole, seen, ADDRESS)
        client.connections, client.seat = {client}, Crowd(1, 1, 0).enter("")
        wires.append(wire := Wire(client))
        client.begin(wire, b"")
        return wire

    return begin


def state(number):
    return frame("board", f"2026-03-02/{number}", b'{"event":%d}' % number)


def shown(number):
    return f'event: board\nid: 2026-03-02/{number}\ndata: {{"event":{number}}}'


def feed_of(timing=QUICK, first=1):
    feed = Feed(Fanout(timing))
    if first is not None:
        feed.publish(state(first))
    return feed


async def settled():
    for _ in range(10):
        await asyncio.sleep(0)


def sample(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_a_watcher_first_hears_when_to_come_back_then_the_present(watching):
    feed = feed_of()
    wire = watching(feed)
    feed.publish(state(2))
    await settled()
    assert wire.shown() == ["retry", shown(1), shown(2)]
    feed.end()
    await settled()
    assert wire.shown()[-1] == "retry"
    assert wire.closed == "closed"


async def test_who_has_the_present_frame_already_hears_nothing_until_the_next(watching):
    feed = feed_of()
    wire = watching(feed, seen="2026-03-02/1")
    assert wire.shown() == ["retry"]
    feed.publish(state(2))
    await settled()
    assert wire.shown() == ["retry", shown(2)]
    feed.end()


async def test_all_watchers_are_written_the_very_same_bytes(watching):
    feed = feed_of()
    wires = [watching(feed) for _ in range(50)]
    feed.publish(state(2))
    await settled()
    assert len({id(wire.got[-1]) for wire in wires}) == 1
    feed.end()


async def test_frames_of_one_turn_are_one_write(watching):
    feed = feed_of()
    wire = watching(feed)
    for number in range(2, 50):
        feed.publish(state(number))
    await settled()
    assert wire.shown() == ["retry", shown(1), shown(49)]
    feed.end()


async def test_a_frame_amid_a_walk_takes_the_place_of_the_one_before(monkeypatch, watching):
    monkeypatch.setattr(turns, "STEP", 2)
    feed = feed_of()
    wires = [watching(feed) for _ in range(5)]
    feed.publish(state(2))
    await asyncio.sleep(0)
    assert [wire.shown()[-1] for wire in wires] == [shown(2)] * 2 + [shown(1)] * 3
    feed.publish(state(3))
    await settled()
    assert wires[0].shown()[2:] == wires[1].shown()[2:] == [shown(2), shown(3)]
    assert all(wire.shown()[2:] == [shown(3)] for wire in wires[2:])
    feed.end()


async def test_frames_that_come_faster_than_a_walk_reach_the_last_watcher_too(
    monkeypatch, watching
):
    monkeypatch.setattr(turns, "STEP", 1)
    feed = feed_of()
    wires = [watching(feed) for _ in range(8)]
    for number in range(2, 42):
        feed.publish(state(number))
        await asyncio.sleep(0)
    assert len(wires[-1].got) > 4
    await settled()
    assert {wire.shown()[-1] for wire in wires} == {shown(41)}
    feed.end()


async def test_between_the_steps_of_a_walk_the_loop_does_other_work(monkeypatch, watching):
    monkeypatch.setattr(turns, "STEP", 1)
    fanout = Fanout(QUICK)
    one, two = Feed(fanout), Feed(fanout)
    wires = [watching(feed) for feed in (one, two) for _ in range(3)]
    turned = []

    def turn():
        turned.append([len(wire.got) for wire in wires])
        if len(turned) < 10:
            asyncio.get_running_loop().call_soon(turn)

    one.publish(state(1))
    two.publish(state(1))
    turn()
    await settled()
    assert [1, 1, 1, 1, 1, 1] in turned
    assert [2, 1, 1, 2, 1, 1] in turned  # both walk, a step each in turn
    assert turned[-1] == [2] * 6
    one.end()
    two.end()


async def test_the_way_to_the_last_watcher_is_timed_once_a_change_and_not_for_who_comes_later(
    watching,
):
    name = "tunggu_gateway_fanout_seconds_count"
    before, feed = sample(name), feed_of()
    await settled()
    wires = [watching(feed) for _ in range(3)]
    await settled()
    assert sample(name) == before  # the first frame was there before them
    feed.publish(state(2))
    await settled()
    assert sample(name) == before + 1
    feed.lost()
    await asyncio.sleep(0.1)
    assert wires[0].shown()[-1] == "event: stale\ndata: {}"
    feed.end()
    await settled()
    assert sample(name) == before + 1


async def test_who_hangs_up_amid_a_walk_is_passed_over_and_gives_its_place_back(
    monkeypatch, watching
):
    monkeypatch.setattr(turns, "STEP", 1)
    feed = feed_of()
    wires = [watching(feed) for _ in range(4)]
    feed.publish(state(2))
    await asyncio.sleep(0)
    gone = wires[2].client
    wires[2].hang_up()
    await settled()
    assert [len(wire.got) for wire in wires] == [3, 3, 2, 3]
    assert feed.fanout.places.taken == len(feed.watchers) == 3
    assert not gone.connections
    feed.end()


async def test_who_falls_behind_is_dropped_and_counted_and_the_others_are_served(watching):
    before = sample("tunggu_gateway_dropped_total", stream="board")
    feed = feed_of()
    wires = [watching(feed) for _ in range(3)]
    wires[1].unsent = feed.fanout.backlog
    feed.publish(state(2))
    await settled()
    wires[1].unsent += 1
    feed.publish(state(3))
    await settled()
    assert [wire.closed for wire in wires] == ["", "aborted", ""]
    assert [wire.shown()[-1] for wire in wires] == [shown(3), shown(2), shown(3)]
    assert sample("tunggu_gateway_dropped_total", stream="board") == before + 1
    feed.end()


class Broken:
    """A view that fails."""

    def __init__(self, feed):
        self.feed = feed
        self.sound = True

    def news(self, seen):
        if not self.sound:
            raise ValueError("broken")

    def over(self):
        return False

    def last_word(self):
        return None


async def test_a_watcher_that_fails_is_cut_off_alone(caplog, watching):
    feed = feed_of()
    view = Broken(feed)
    wires = [watching(feed), watching(feed, view=view), watching(feed)]
    view.sound = False
    feed.publish(state(2))
    await settled()
    assert [wire.closed for wire in wires] == ["", "aborted", ""]
    assert wires[2].shown()[-1] == shown(2)
    assert "a stream broke off" in caplog.text
    feed.end()


class Ending:
    """A view with one frame and, perhaps, a last word."""

    def __init__(self, feed, word):
        self.feed = feed
        self.word = word

    def news(self, seen):
        return None if seen == "only" else Frame("only", b"only\n\n")

    def over(self):
        return True

    def last_word(self):
        return self.word


async def test_a_view_that_is_over_ends_its_stream_after_its_frame(watching):
    feed = feed_of()
    wires = [watching(feed, seen, Ending(feed, None)) for seen in ("", "only")]
    assert [wire.shown() for wire in wires] == [["retry", "only"], ["retry"]]
    assert [wire.closed for wire in wires] == ["closed", "closed"]
    assert not feed.watchers
    feed.end()


async def test_what_is_still_to_be_found_out_is_said_last_whatever_becomes_of_the_feed(watching):
    feed = feed_of()
    found = asyncio.get_running_loop().create_future()
    wire = watching(feed, view=Ending(feed, found))
    feed.end()
    await settled()
    assert (wire.shown(), wire.closed) == (["retry", "only"], "")
    found.set_result(b"last\n\n")
    await settled()
    assert (wire.shown(), wire.closed) == (["retry", "only", "last"], "closed")


async def test_heartbeats_come_when_nothing_else_does(watching):
    feed = feed_of(Timing(beat=0.02))
    wire = watching(feed)
    while len(wire.got) < 4:
        await asyncio.sleep(0.01)
    assert wire.got[2:4] == [HEARTBEAT, HEARTBEAT]
    feed.end()


async def test_when_many_more_watch_the_first_are_told_to_take_their_time(watching):
    feed = feed_of(Timing(beat=0.02))
    wire = watching(feed)
    for _ in range(20_000):
        feed.fanout.places.take("198.51.100.1")
    while len(wire.got) < 5:
        await asyncio.sleep(0.01)
    assert wire.shown()[2:5] == ["retry", ": heartbeat", ": heartbeat"]
    feed.end()


async def test_a_lost_source_is_told_after_a_while_and_its_return_too(watching):
    feed = feed_of()
    wire = watching(feed)
    feed.lost()
    feed.found()
    await asyncio.sleep(0.1)
    assert wire.shown() == ["retry", shown(1)]
    feed.lost()
    await asyncio.sleep(0.1)
    late = watching(feed)
    feed.found()
    await settled()
    told = ["event: stale\ndata: {}", "event: fresh\ndata: {}"]
    assert wire.shown()[2:] == late.shown()[2:] == told
    feed.end()


async def test_a_client_that_sends_on_and_on_is_hung_up_on(watching):
    feed = feed_of()
    wire = watching(feed)
    wire.client.data_received(b"x" * 16_000)
    assert not wire.closed
    wire.client.data_received(b"x" * 1000)
    assert wire.closed == "aborted"
    feed.end()


def test_the_time_to_come_back_is_spread_the_wider_the_more_watch():
    times = {int(retry().split()[1]) for _ in range(300)}
    assert min(times) >= 2000
    assert max(times) <= 5000
    assert len(times) > 100
    assert [spread_of(n) for n in (0, 3000, 3001, 10_000)] == [3000, 3000, 6000, 12_000]
    assert max(int(retry(12_000).split()[1]) for _ in range(300)) > 5000


class Source:
    started = 0

    def __init__(self, key, first=True, failure=None):
        self.feed = Feed(Fanout(QUICK))
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


async def test_the_first_watcher_starts_a_source_and_a_while_after_the_last_it_ends(watching):
    hub, before = Hub(Source, QUICK.linger), Source.started
    async with hub.following("a") as one, hub.following("a") as two, hub.following("b") as other:
        assert one is two
        assert other is not one
        wire = watching(one.feed)
    await asyncio.sleep(0.12)
    assert other.ended
    assert not one.ended  # somebody watches, though nobody waits
    wire.hang_up()
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
    hub = Hub(lambda key: Source(key, failure=Problem("KECAMATAN_NOT_FOUND")), QUICK.linger)
    for _ in range(2):
        with pytest.raises(Problem) as caught:
            async with hub.following("x"):
                pass
        assert caught.value.reason == "KECAMATAN_NOT_FOUND"


async def test_a_source_without_a_first_frame_is_unavailable():
    hub = Hub(lambda key: Source(key, first=False), QUICK.linger)
    with pytest.raises(Problem) as caught:
        async with hub.following("x"):
            pass
    assert caught.value.reason == "SERVICE_UNAVAILABLE"
    await asyncio.sleep(0.1)


async def test_draining_ends_every_stream_and_admits_no_other(watching):
    hub = Hub(Source, QUICK.linger)
    async with hub.following("a") as source:
        wire = watching(source.feed)
    hub.drain()
    await settled()
    assert wire.shown() == ["retry", shown(1), "retry"]
    assert wire.closed == "closed"
    with pytest.raises(Problem) as caught:
        async with hub.following("a"):
            pass
    assert caught.value.reason == "SERVICE_UNAVAILABLE"
    await settled()
