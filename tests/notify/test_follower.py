"""The follower, with a queue that says what a test wants and a real Redis."""

import asyncio
import contextlib
import json

import pytest

from services.chassis.errors import Problem
from services.notify import follower as module
from services.notify.follower import Follower
from services.notify.model import AT_COUNTER
from services.notify.store import Step, Store
from tests.notify.kept import CODE, DAY, N, outbox, said, subscribe
from tunggu.queue.v1.kecamatan_pb2 import CounterSpec, NotifySpec, Office
from tunggu.queue.v1.queue_pb2 import Line, WatchBoardResponse
from tunggu.queue.v1.ticket_pb2 import Ticket

NOON = 1_772_424_000_000


def board(event, lines=(), tickets=(), *, whole=False, day=DAY, notice=""):
    body = json.dumps({"notice": notice, "at": "2026-03-02T04:00:00.000Z"}).encode()
    return WatchBoardResponse(
        body=body, service_day=day, event=event, snapshot=whole,
        lines=[Line(service=service, numbers=numbers) for service, numbers in lines],
        tickets=tickets,
    )  # fmt: skip


def ticket(number, state, event, **more):
    made = Ticket(number=number, state=f"STATE_{state}", event=event, **more)
    made.called_at.FromMilliseconds(NOON)
    return made


class FakeQueue:
    """Streams of boards and leaves that a test feeds; a Problem ends the stream."""

    def __init__(self, thresholds=(5, 2)):
        self.boards_, self.leaves = asyncio.Queue(), asyncio.Queue()
        self.cursors = []
        self.tickets = {}
        self.described = Office(
            code=CODE, name="Makassar", timezone="Asia/Makassar",
            notify=NotifySpec(thresholds=thresholds),
            counters=[CounterSpec(id="1", name="Loket 1")],
        )  # fmt: skip

    async def office(self, code):
        return self.described

    async def numbered(self, code, day, number):
        return self.tickets[number]

    async def boards(self, code):
        while True:
            yield _given(await self.boards_.get())

    async def events(self, code, cursor):
        self.cursors.append(cursor)
        while True:
            yield _given(await self.leaves.get())

    def say(self, *messages):
        for message in messages:
            self.boards_.put_nowait(message)

    def leaf(self, n, e, day=DAY, **fields):
        leaf = {"d": day, "n": n, "t": NOON + n, "e": e, **fields}
        self.leaves.put_nowait((json.dumps(leaf).encode(), f"{day}.{n}.x"))


def _given(item):
    if isinstance(item, Problem):
        raise item
    return item


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(module, "PAUSE_S", 0.01)
    monkeypatch.setattr(module, "REST_S", 0.0)


@pytest.fixture
def following(redis):
    @contextlib.asynccontextmanager
    async def run(queue):
        woken = []
        follower = Follower(CODE, Store(redis), queue, lambda: woken.append(1))
        task = asyncio.create_task(follower.run())
        try:
            yield follower
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return run


async def until(condition):
    async with asyncio.timeout(10):
        while not await condition():
            await asyncio.sleep(0.01)


def saying(redis, *expected):
    async def look():
        return await said(redis) == list(expected)

    return look


def at_place(redis, n, day=DAY):
    async def look():
        return await redis.hmget(f"{N}:place", "day", "n") == [day.encode(), str(n).encode()]

    return look


async def test_the_heads_of_lines_are_told_how_near_they_are(redis, following):
    queue, store = FakeQueue(), Store(redis)
    for number in ("A001", "A003", "A006", "A007"):
        await subscribe(store, number)
    async with following(queue):
        line = [f"A00{i}" for i in range(1, 9)]
        queue.say(board(9, [("A", line)], whole=True))
        await until(saying(redis, "A001 NEAR.2.0", "A003 NEAR.2.0", "A006 NEAR.5.0"))
        queue.say(board(10, [("A", line[1:])]))
        await until(
            saying(redis, "A001 NEAR.2.0", "A003 NEAR.2.0", "A006 NEAR.5.0", "A007 NEAR.5.0")
        )
        assert [due["ahead"] for due in await outbox(redis)] == [0, 2, 5, 5]
        assert (await outbox(redis))[0]["due"] == NOON


async def test_thresholds_are_the_offices_own_also_none(redis, following):
    store = Store(redis)
    await subscribe(store, "A001")
    async with following(queue := FakeQueue(thresholds=())):
        queue.say(board(9, [("A", ["A001"])], whole=True))
        queue.leaf(10, "counter.open", c="1")
        await until(at_place(redis, 10))
        assert await said(redis) == []
        queue.described.notify.thresholds.append(1)
        queue.say(board(11, [("A", ["A001"])], whole=True))
        await until(saying(redis, "A001 NEAR.1.0"))


async def test_events_move_tickets_and_say_what_follows(redis, following):
    store, queue = Store(redis), FakeQueue()
    await subscribe(store, "A001")
    over = Ticket(number="A001", state=Ticket.STATE_NO_SHOW)
    over.return_by.FromMilliseconds(NOON + 600_000)
    queue.tickets["A001"] = over
    async with following(queue):
        queue.say(board(9, whole=True))
        queue.leaf(10, "call", k="A001", c="1")
        queue.leaf(11, "noshow", k="A001", c="1")
        queue.leaf(12, "return", k="A001")
        queue.leaf(13, "call", k="A001", c="1")
        queue.leaf(14, "call", k="A999", c="1")
        await until(saying(redis, "A001 CALLED.10", "A001 PASSED_OVER.11", "A001 CALLED.13"))
        dues = await outbox(redis)
        assert (dues[0]["desk"], dues[0]["due"]) == ("Loket 1", NOON + 10)
        assert dues[1]["back"] == NOON + 600_000
        queue.leaf(15, "done", k="A001", c="1")
        await until(at_place(redis, 15))
        assert (await store.record(CODE, DAY, "A001")).over


async def test_what_became_due_while_nobody_followed_is_found_in_the_whole_day(redis, following):
    store, queue = Store(redis), FakeQueue()
    for number in ("A001", "A002", "A003", "A004"):
        await subscribe(store, number, ev=1)
    await store.advance_place(Step(CODE, DAY, 2, "c2"))
    over = ticket("A002", "NO_SHOW", 20)
    over.closed_at.FromMilliseconds(NOON)
    states = [
        ticket("A001", "CALLED", 30, counter="1"), over, ticket("A003", "COMPLETED", 25),
        ticket("A004", "WAITING", 1),
    ]  # fmt: skip
    async with following(queue):
        queue.say(board(30, [("A", ["A004"])], states, whole=True))
        for n, e in ((10, "call"), (11, "start"), (12, "done")):  # what the day has told already
            queue.leaf(n, e, k="A003", c="1")
        queue.leaf(13, "call", k="A001", c="1")
        await until(at_place(redis, 13))
        assert queue.cursors == ["c2"]
        assert await said(redis) == ["A001 CALLED.30", "A002 PASSED_OVER.20", "A004 NEAR.2.0"]


async def test_two_followers_of_one_office_say_everything_once(redis, following):
    store, queues = Store(redis), [FakeQueue(), FakeQueue()]
    await subscribe(store, "A001")
    async with following(queues[0]), following(queues[1]):
        for queue in queues:
            queue.say(board(9, [("A", ["A000", "A001"])], whole=True))
            queue.leaf(10, "call", k="A001", c="1")
            queue.leaf(11, "issue.stop", why="power")
        await until(at_place(redis, 11))
        assert await said(redis) == ["A001 NEAR.2.0", "A001 CALLED.10"]


async def test_a_stop_is_told_to_those_who_wait_and_ends_when_it_goes_on(redis, following):
    store, queue = Store(redis), FakeQueue()
    await subscribe(store, "A001")
    async with following(queue):
        queue.say(board(9, whole=True))
        queue.leaf(10, "issue.stop", why="hours")
        queue.leaf(11, "issue.stop", why="disaster")
        await until(saying(redis, "A001 ISSUING_STOPPED.11"))
        assert (await outbox(redis))[0]["why"] == "disaster"
        queue.leaf(12, "issue.go", why="office")
        await until(at_place(redis, 12))
        assert await redis.hget(f"{N}:place", "stop") == b""


@pytest.mark.parametrize(("notice", "told"), [("POWER", 1), ("", 0), ("FULL", 0)])
async def test_of_a_stop_that_is_past_only_the_one_that_holds_is_told(
    redis, following, notice, told
):
    queue = FakeQueue()
    await subscribe(Store(redis), "A001")
    async with following(queue):
        queue.say(board(20, whole=True, notice=notice))
        queue.leaf(10, "issue.stop", why="power")
        await until(at_place(redis, 10))
        assert len(await said(redis)) == told


async def test_a_days_close_and_a_new_day_forget_it(redis, following):
    store, queue = Store(redis), FakeQueue()
    await subscribe(store, "A001")
    async with following(queue):
        queue.say(board(9, whole=True))
        queue.leaf(10, "day.close")

        async def forgotten():
            return not await redis.keys(f"{N}:2026*")

        await until(forgotten)
        await subscribe(store, "A001")
        queue.say(board(0, whole=True, day="2026-03-03"))
        await until(forgotten)


async def test_a_journal_that_lost_its_end_is_followed_anew_from_what_holds(redis, following):
    store, queue = Store(redis), FakeQueue()
    await subscribe(store, "A001")
    async with following(queue):
        queue.say(board(9, whole=True))
        queue.leaf(90, "call", k="A001", c="1")
        await until(saying(redis, "A001 CALLED.90"))
        queue.leaves.put_nowait(Problem("JOURNAL_REWOUND"))
        await asyncio.sleep(0.05)
        queue.say(board(40, tickets=[ticket("A001", "WAITING", 3)], whole=True))
        queue.leaf(41, "call", k="A001", c="1")
        await until(saying(redis, "A001 CALLED.90", "A001 CALLED.41"))
        assert queue.cursors[-1] == f"{DAY}/-1"


async def test_streams_that_break_are_taken_up_again(redis, following):
    store, queue = Store(redis), FakeQueue()
    await subscribe(store, "A001")
    async with following(queue):
        queue.say(Problem("SERVICE_UNAVAILABLE"), board(9, whole=True))
        queue.leaf(10, "call", k="A999", c="1")
        queue.leaves.put_nowait(Problem("SERVICE_UNAVAILABLE"))
        queue.leaf(11, "call", k="A001", c="1")
        await until(saying(redis, "A001 CALLED.11"))
        assert queue.cursors == [f"{DAY}/-1", f"{DAY}.10.x"]


async def test_a_leaf_that_nobody_understands_stops_nothing_for_good(redis, following):
    store, queue = Store(redis), FakeQueue()
    await subscribe(store, "A001")
    async with following(queue):
        queue.say(board(9, whole=True))
        queue.leaves.put_nowait((b"no json", "x"))
        await asyncio.sleep(0.05)
        queue.say(board(12, tickets=[ticket("A001", "CALLED", 12, counter="1")], whole=True))
        await until(saying(redis, "A001 CALLED.12"))
        assert (await store.record(CODE, DAY, "A001")).state == AT_COUNTER


async def test_before_the_first_day_there_is_nothing_to_do(redis, following):
    queue = FakeQueue()
    async with following(queue) as follower:
        queue.say(WatchBoardResponse(body=b"{}", snapshot=True, event=-1))
        queue.leaf(0, "day.open", pol="x")
        await until(at_place(redis, 0))
        assert follower.day == ""
        assert queue.cursors == ["start"]
