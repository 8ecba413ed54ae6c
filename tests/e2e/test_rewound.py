"""A failover that loses the journal's end: noticed by all, and numbers go on from what is left.

Simulated by putting an earlier copy of the data folder in place while Redis is dead. What was
acknowledged in between is gone, which no queue can undo; the question is what it does then.
"""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.chassis.errors import Problem
from tests.e2e import offices, proof
from tests.e2e.offices import MARISO, PATIENCE, PAUSE, Create, Way, answered, new_id, refused
from tests.e2e.processes import Town
from tunggu.queue.v1 import queue_pb2 as pb

pytestmark = pytest.mark.timeout(180)

KEPT, LOST = 20, 7  # tickets before and after the copy


class Past:
    """A town with an office and some tickets, which can be thrown back to where it was."""

    def __init__(self, town: Town, way: Way, each: list[Way]) -> None:
        self.town, self.way, self.each = town, way, each

    async def take(self, count: int, service: str = "A", way: Way | None = None) -> list:
        """So many tickets, one after the other."""
        wishes = [
            Create(kecamatan=MARISO, service=service, request_id=new_id()) for _ in range(count)
        ]
        call = (way or self.way).queue.CreateTicket
        return [(wish, (await answered(call, wish)).ticket) for wish in wishes]

    async def remember(self) -> None:
        self.town.kill("redis")
        shutil.copytree(self.town.data, self.town.folder / "copy")
        await self.town.start("redis")

    async def throw_back(self) -> None:
        self.town.kill("redis")
        shutil.rmtree(self.town.data)
        shutil.copytree(self.town.folder / "copy", self.town.data)
        await self.town.start("redis")

    async def assert_all_follow(self) -> None:
        """Every replica shows the board of the journal's last event, and the same one."""
        account = await proof.read_day(self.way, MARISO)
        proof.assert_sound(account)
        await proof.assert_boards_agree(self.each, MARISO, account.events[-1].n)


@pytest_asyncio.fixture
async def past(tmp_path) -> AsyncIterator[Past]:
    with Town(tmp_path) as town:
        await town.start()
        each = [Way.to(town.target(name)) for name in town.replicas]
        async with Way.to(town.target()) as way:
            await offices.apply(town, way, MARISO)
            past = Past(town, way, each)
            await past.take(KEPT)
            await past.remember()
            yield past
        for one in each:
            await one.channel.close()


class Follower:
    """A consumer of WatchEvents as it should be written: it comes back with its cursor, and starts
    anew when the journal was rewound."""

    def __init__(self, way: Way) -> None:
        self.leaves: list[bytes] = []
        self.rewound = 0
        self._way = way
        self._cursor = "start"

    async def run(self) -> None:
        while True:
            try:
                request = pb.WatchEventsRequest(kecamatan=MARISO, cursor=self._cursor)
                async for event in self._way.queue.WatchEvents(request):
                    self._cursor = event.cursor
                    self.leaves.append(event.leaf)
            except Problem as problem:
                if problem.reason == "JOURNAL_REWOUND":
                    self.rewound += 1
                    self.leaves, self._cursor = [], "start"
            await asyncio.sleep(PAUSE)

    async def has(self, leaves: tuple[bytes, ...]) -> None:
        """Waits until it has exactly these."""
        async with asyncio.timeout(PATIENCE):
            while tuple(self.leaves) != leaves:
                await asyncio.sleep(0.02)


async def test_numbers_go_on_from_what_the_journal_still_says(past):
    lost = await past.take(LOST)
    await past.throw_back()
    account = await proof.read_day(past.way, MARISO)
    assert account.numbers["A"][-1] == f"A{KEPT:03d}"
    for _, ticket in lost:
        request = pb.GetTicketRequest(ticket_id=ticket.id)
        assert (await refused(past.way.queue.GetTicket, request)).reason == "TICKET_NOT_FOUND"
    again = [await answered(past.way.queue.CreateTicket, wish) for wish, _ in lost]
    numbers = [answer.ticket.number for answer in again]
    assert numbers == [f"A{KEPT + i:03d}" for i in range(1, LOST + 1)]
    assert {answer.ticket.id for answer in again}.isdisjoint(ticket.id for _, ticket in lost)
    await past.assert_all_follow()


async def test_every_consumer_of_events_learns_of_it_and_ends_with_the_journal_as_it_is(past):
    followers = [Follower(way) for way in past.each]
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(follower.run()) for follower in followers]
        await past.take(LOST)
        before = await proof.read_day(past.way, MARISO)
        for follower in followers:
            await follower.has(before.leaves)
        await past.throw_back()
        await past.take(2 * LOST, "B")
        after = await proof.read_day(past.way, MARISO)
        for follower in followers:
            await follower.has(after.leaves)
            assert follower.rewound
        for task in running:
            task.cancel()
    await past.assert_all_follow()


async def test_a_replica_that_slept_through_it_notices_although_new_events_took_the_numbers(past):
    await past.take(LOST)
    (asleep,) = [past.town[name] for name in past.town.replicas[-1:]]
    await proof.assert_boards_agree(past.each, MARISO, (await _last(past)))
    asleep.pause()
    try:
        await past.throw_back()
        await past.take(LOST, "B", past.each[0])
    finally:
        asleep.resume()
    await past.take(LOST, "C", past.each[1])
    await past.assert_all_follow()


async def test_a_board_is_made_anew_although_it_has_as_many_events_as_the_lost_one(past):
    await past.take(LOST)
    await proof.assert_boards_agree(past.each, MARISO, (await _last(past)))
    await past.throw_back()
    await past.take(LOST, "B", past.each[0])
    await past.assert_all_follow()
    for body in await proof.boards(past.each, MARISO):
        waiting = {s["code"]: s["waiting"] for s in json.loads(body)["services"]}
        assert waiting == {"A": [f"A001-A{KEPT:03d}"], "B": [f"B001-B{LOST:03d}"], "C": []}


async def _last(past: Past) -> int:
    return (await proof.read_day(past.way, MARISO)).events[-1].n
