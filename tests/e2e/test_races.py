"""G1 and G5 under races for numbers: three queue replicas and a gateway over one Redis."""

import asyncio
import random
import time
from collections import deque
from dataclasses import dataclass, field
from functools import partial

import pytest

from services.chassis.errors import Problem
from tests.e2e import offices, proof
from tests.e2e.offices import MAKASSAR, OFFICES, SERVICES, Create, Way, Ways, new_id, tried
from tunggu.queue.v1 import queue_pb2 as pb
from tunggu.queue.v1.ticket_pb2 import LANE_PRIORITY, LANE_REGULAR, Ticket

pytestmark = pytest.mark.timeout(240)

BATCHES, BATCH, UNARY, HTTP = 320, 50, 2500, 1500  # 20,000 tickets
MANY = "ABCDEFGHIJ"  # services, so that lines are about as long as on a bad day
BATCHERS, SINGLES, PHONES = 12, 32, 20  # 64 clients


@dataclass
class Rush:
    """Work that clients share, and what they were given: (office, number, id, event)."""

    ways: Ways
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    given: list[tuple[str, str, str, int]] = field(default_factory=list)

    def request(self) -> Create:
        lane = LANE_PRIORITY if self.chance.random() < 0.1 else LANE_REGULAR
        office, service = self.chance.choice(OFFICES), self.chance.choice(MANY)
        return Create(kecamatan=office, service=service, lane=lane, request_id=new_id())

    def took(self, ticket: Ticket) -> None:
        self.given.append((ticket.kecamatan, ticket.number, ticket.id, ticket.event))

    async def batcher(self, way: Way, work: deque) -> None:
        """Straight at one replica."""
        while work:
            requests = [self.request() for _ in range(work.popleft())]
            message = pb.BatchCreateTicketsRequest(requests=requests)
            ask = partial(way.queue.BatchCreateTickets, timeout=offices.PATIENCE)
            answer = await offices.answered(ask, message)
            for result in answer.results:
                assert result.WhichOneof("outcome") == "ticket", result
                self.took(result.ticket)

    async def single(self, way: Way, work: deque) -> None:
        while work:
            work.popleft()
            answer = await offices.answered(way.queue.CreateTicket, self.request())
            self.took(answer.ticket)

    async def caller(self, work: deque) -> None:
        """By HTTP through the gateway."""
        while work:
            work.popleft()
            wish = self.request()
            while isinstance(found := await offices.post(self.ways.phone, wish), str):
                await asyncio.sleep(offices.PAUSE)
            self.given.append((found["kecamatan"], found["number"], found["id"], found["event"]))


async def test_twenty_thousand_tickets_by_64_clients_are_numbered_without_gap_or_double(ways):
    for office in OFFICES:
        await offices.apply(ways.town, ways.all, office, services=MANY)
    rush = Rush(ways)
    batches, singles, calls = deque([BATCH] * BATCHES), deque(range(UNARY)), deque(range(HTTP))
    clients = [rush.batcher(ways.each[i % len(ways.each)], batches) for i in range(BATCHERS)]
    clients += [rush.single(ways.all, singles) for _ in range(SINGLES)]
    clients += [rush.caller(calls) for _ in range(PHONES)]
    begun = time.monotonic()
    await asyncio.gather(*clients)
    took = time.monotonic() - begun
    print(f"\n{len(rush.given)} tickets, {len(clients)} clients: {len(rush.given) / took:.0f}/s")

    assert len(rush.given) == BATCHES * BATCH + UNARY + HTTP
    proof.assert_each_once((office, number) for office, number, _, _ in rush.given)
    proof.assert_each_once(id for _, _, id, _ in rush.given)
    for office in OFFICES:
        account = await proof.read_day(ways.all, office)
        proof.assert_sound(account)
        acknowledged = {(event, number) for o, number, _, event in rush.given if o == office}
        assert {(leaf.n, leaf.k) for leaf in account.of("issue")} == acknowledged
        assert len(await proof.boards(ways.each, office)) == 1


async def test_many_replicas_and_clients_at_the_first_moment_open_the_day_once(ways):
    office = "73.71.04"
    await offices.apply(ways.town, ways.all, office)
    answers = await asyncio.gather(
        *(
            offices.answered(way.queue.CreateTicket, Create(kecamatan=office, service=service))
            for way in ways.each
            for service in SERVICES * 8
        )
    )
    account = await proof.read_day(ways.all, office)
    proof.assert_sound(account)
    assert account.events[0].e == "day.open"
    assert sum(map(len, account.numbers.values())) == len(answers)


async def test_a_race_for_the_last_places_gives_exactly_the_quota(ways):
    office, quota, clients = "73.71.05", 25, 90
    await offices.apply(ways.town, ways.all, office, services="A", quota=quota)

    async def take(way: Way) -> str:
        answer = await tried(way.queue.CreateTicket, Create(kecamatan=office, service="A"))
        return answer.reason if isinstance(answer, Problem) else answer.ticket.number

    said = await asyncio.gather(*(take(ways.each[i % 3]) for i in range(clients)))
    numbers = [word for word in said if word != "QUOTA_EXHAUSTED"]
    assert sorted(numbers) == [f"A{i:03d}" for i in range(1, quota + 1)]
    proof.assert_sound(await proof.read_day(ways.all, office))


async def test_one_holder_on_many_replicas_at_once_gets_one_live_ticket(ways):
    office = "73.71.06"
    await offices.apply(ways.town, ways.all, office)
    request = Create(kecamatan=office, service="A", holder="one-and-the-same-phone")

    async def take(way: Way) -> tuple[bool, str]:
        answer = await tried(way.queue.CreateTicket, request)
        if not isinstance(answer, Problem):
            return True, answer.ticket.id
        assert answer.reason == "LIVE_TICKET_EXISTS"
        return False, answer.metadata["ticketId"]

    said = await asyncio.gather(*(take(way) for way in ways.each * 10))
    assert [got for got, _ in said].count(True) == 1
    assert len({id for _, id in said}) == 1


async def test_every_event_is_one_leaf_of_the_replica_that_anybody_asks(ways):
    leaves = [(await proof.read_day(way, MAKASSAR)).leaves for way in ways.each]
    assert len(set(leaves)) == 1
    assert leaves[0]
