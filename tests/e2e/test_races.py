"""G1, G3, G4, G5 under races: three queue replicas and a gateway over one Redis."""

import asyncio
import random
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from functools import partial

import httpx
import pytest
import pytest_asyncio

from services.chassis.errors import Problem
from tests.e2e import offices, proof
from tests.e2e.offices import (
    MAKASSAR,
    OFFICES,
    SERVICES,
    Create,
    Way,
    acting,
    new_id,
    refused,
    tried,
)
from tests.e2e.processes import Town
from tunggu.queue.v1 import queue_pb2 as pb
from tunggu.queue.v1.ticket_pb2 import LANE_PRIORITY, LANE_REGULAR, Ticket

pytestmark = pytest.mark.timeout(240)

BATCHES, BATCH, UNARY, HTTP = 320, 50, 2500, 1500  # 20,000 tickets
MANY = "ABCDEFGHIJ"  # services, so that lines are about as long as on a bad day
BATCHERS, SINGLES, PHONES = 12, 32, 20  # 64 clients


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("races")


@pytest.fixture(scope="module")
def town(folder) -> Iterator[Town]:
    """One town for this file: each test has offices of its own."""
    with Town(folder, gateway=True) as town:
        asyncio.run(town.start())
        yield town


@dataclass
class Ways:
    """`all` spreads over the replicas; `each` goes to one of them."""

    town: Town
    all: Way
    each: list[Way]
    phone: httpx.AsyncClient

    def token(self, role: str, subject: str) -> str:
        return self.town.token(role, subject)


@pytest_asyncio.fixture
async def ways(town: Town) -> AsyncIterator[Ways]:
    limits = httpx.Limits(max_connections=PHONES)
    async with httpx.AsyncClient(
        base_url=town.url, trust_env=False, limits=limits, timeout=offices.PATIENCE
    ) as phone:
        each = [Way.to(town.target(name)) for name in town.replicas]
        async with Way.to(town.target()) as way:
            yield Ways(town, way, each, phone)
        for one in each:
            await one.channel.close()


# Numbers ----------------------------------------------------------------------------------------


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


# Repetition -------------------------------------------------------------------------------------


async def test_the_same_request_ids_at_all_replicas_at_once_get_the_same_answers(ways):
    office, count = "73.71.07", 60
    await offices.apply(ways.town, ways.all, office)
    requests = [
        Create(kecamatan=office, service=SERVICES[i % 3], request_id=new_id()) for i in range(count)
    ]

    async def take(way: Way, request: Create) -> tuple[str, str, str, int]:
        ticket = (await offices.answered(way.queue.CreateTicket, request)).ticket
        return request.request_id, ticket.id, ticket.number, ticket.event

    calls = [take(way, request) for request in requests for way in ways.each * 2]
    random.Random(2).shuffle(calls)
    answers = Counter(await asyncio.gather(*calls))
    assert len(answers) == count
    assert set(answers.values()) == {2 * len(ways.each)}
    account = await proof.read_day(ways.all, office)
    assert sum(map(len, account.numbers.values())) == count


async def test_the_same_request_ids_from_another_caller_are_other_requests(ways):
    office, count = "73.71.08", 40
    await offices.apply(ways.town, ways.all, office)
    ids = [new_id() for _ in range(count)]

    async def take(way: Way, id: str, holder: str) -> tuple[str, str]:
        request = Create(kecamatan=office, service="A", holder=f"{holder}-{id}", request_id=id)
        return id, (await offices.answered(way.queue.CreateTicket, request)).ticket.number

    calls = [
        take(way, id, holder)
        for id in ids
        for way in ways.each
        for holder in ("the-first-phone", "the-other-phone")
    ]
    answers = set(await asyncio.gather(*calls))
    assert len(answers) == 2 * count
    proof.assert_each_once(number for _, number in answers)
    proof.assert_sound(await proof.read_day(ways.all, office))


async def test_the_same_request_id_with_another_wish_is_refused_wherever_it_arrives(ways):
    office, id = "73.71.09", new_id()
    await offices.apply(ways.town, ways.all, office)

    async def take(way: Way, service: str) -> str:
        request = Create(kecamatan=office, service=service, request_id=id)
        answer = await tried(way.queue.CreateTicket, request)
        return answer.reason if isinstance(answer, Problem) else answer.ticket.number

    said = Counter(await asyncio.gather(*(take(way, s) for way in ways.each for s in SERVICES * 3)))
    (number,) = said.keys() - {"REQUEST_ID_REUSED"}
    assert said[number] == len(ways.each) * 3
    account = await proof.read_day(ways.all, office)
    assert [leaf.k for leaf in account.of("issue")] == [number]


async def test_an_officers_repeated_call_is_one_call_and_another_officers_is_not_answered(ways):
    office, id = "73.71.10", new_id()
    await offices.apply(ways.town, ways.all, office)
    for _ in range(3):
        await ways.all.queue.CreateTicket(Create(kecamatan=office, service="A"))
    request = pb.CallNextTicketRequest(kecamatan=office, counter="1", request_id=id)
    with acting(ways.token("OFFICER", "ani")):
        await ways.all.queue.OpenCounter(pb.OpenCounterRequest(kecamatan=office, counter="1"))
        said = await asyncio.gather(*(way.queue.CallNextTicket(request) for way in ways.each * 4))
    assert len({(answer.ticket.number, answer.ticket.event) for answer in said}) == 1
    with acting(ways.token("OFFICER", "budi")):
        assert (await refused(ways.all.queue.CallNextTicket, request)).reason == "COUNTER_TAKEN"
    account = await proof.read_day(ways.all, office)
    assert [event.k for event in account.of("call")] == ["A001"]


# Calls ------------------------------------------------------------------------------------------


async def test_eight_counters_on_three_replicas_call_every_ticket_once_and_in_order(ways):
    office, people = "73.71.11", 400
    await offices.apply(ways.town, ways.all, office)
    chance = random.Random(3)
    await asyncio.gather(
        *(
            offices.answered(
                ways.all.queue.CreateTicket,
                Create(
                    kecamatan=office,
                    service=chance.choice(SERVICES),
                    lane=LANE_PRIORITY if chance.random() < 0.2 else LANE_REGULAR,
                    request_id=new_id(),
                ),
            )
            for _ in range(people)
        )
    )
    counters = [str(c) for c in range(1, offices.COUNTERS + 1)]
    called = await asyncio.gather(*(_work(ways, office, counter) for counter in counters))

    account = await proof.read_day(ways.all, office)
    proof.assert_sound(account)
    numbers = [number for calls in called for number in calls]
    proof.assert_each_once(numbers)
    assert len(numbers) == people
    assert {event.k for event in account.of("call")} == set(numbers)
    assert len(account.of("done")) == people
    assert all(called), "each counter had its part"


async def _work(ways: Ways, office: str, counter: str) -> list[str]:
    """An officer calls until nobody waits, each verb through another replica."""
    turns = iter(random.Random(counter).choices(ways.each, k=10_000))
    called: list[str] = []
    with acting(ways.token("OFFICER", f"officer-{counter}")):
        at = {"kecamatan": office, "counter": counter}
        await next(turns).queue.OpenCounter(pb.OpenCounterRequest(**at))
        while True:
            call = pb.CallNextTicketRequest(**at)
            answer = await tried(next(turns).queue.CallNextTicket, call)
            if isinstance(answer, Problem):
                assert answer.reason == "NOBODY_WAITING"
                return called
            at_ticket = at | {"ticket": answer.ticket.number}
            called.append(answer.ticket.number)
            await next(turns).queue.StartTicket(pb.StartTicketRequest(**at_ticket))
            await next(turns).queue.CompleteTicket(pb.CompleteTicketRequest(**at_ticket))


async def test_two_officers_race_for_one_counter_and_one_of_them_works_there(ways):
    office, rounds = "73.71.12", 12
    await offices.apply(ways.town, ways.all, office)
    for _ in range(rounds):
        await ways.all.queue.CreateTicket(Create(kecamatan=office, service="A"))
    winners = Counter([await _race_for_a_counter(ways, office) for _ in range(rounds)])
    print(f"\nwinners: {dict(winners)}")
    account = await proof.read_day(ways.all, office)
    proof.assert_sound(account)
    assert len(account.of("call")) == rounds


async def _race_for_a_counter(ways: Ways, office: str) -> str:
    """Both open the free counter and call; the winner's subject. The counter is free again."""
    at = {"kecamatan": office, "counter": "1"}

    async def come(way: Way, subject: str) -> tuple[str, str]:
        with acting(ways.token("OFFICER", subject)):
            opened = await tried(way.queue.OpenCounter, pb.OpenCounterRequest(**at))
            if isinstance(opened, Problem):
                return subject, opened.reason
            called = await tried(way.queue.CallNextTicket, pb.CallNextTicketRequest(**at))
            return subject, called.reason if isinstance(called, Problem) else called.ticket.number

    officers = [(ways.each[0], "ani"), (ways.each[1], "budi")]
    said = dict(await asyncio.gather(*(come(*officer) for officer in officers)))
    (winner,) = [subject for subject, word in said.items() if word != "COUNTER_TAKEN"]
    await _serve(ways, ways.token("OFFICER", winner), at | {"ticket": said[winner]})
    with acting(ways.token("OFFICER", winner)):
        await ways.all.queue.CloseCounter(pb.CloseCounterRequest(**at))
    return winner


async def test_cancel_and_call_race_for_one_ticket_and_one_of_them_has_it(ways):
    office = "73.71.13"
    await offices.apply(ways.town, ways.all, office)
    at = {"kecamatan": office, "counter": "1"}
    officer = ways.token("OFFICER", "ani")
    with acting(officer):
        await ways.all.queue.OpenCounter(pb.OpenCounterRequest(**at))
    outcomes: Counter[tuple[str, str]] = Counter()
    for turn in range(24):
        ticket = (await ways.all.queue.CreateTicket(Create(kecamatan=office, service="A"))).ticket
        cancel = _cancel(ways.each[turn % 3], ticket.id)
        call = _call(ways.each[(turn + 1) % 3], officer, at)
        if turn % 2:
            cancelled, called = await asyncio.gather(cancel, call)
        else:
            called, cancelled = await asyncio.gather(call, cancel)
        outcomes[cancelled, called] += 1
        if called == "OK":
            await _serve(ways, officer, at | {"ticket": ticket.number})
    print(f"\noutcomes (cancel, call): {dict(outcomes)}")
    assert outcomes.keys() <= {("OK", "NOBODY_WAITING"), ("WRONG_STATE", "OK")}
    proof.assert_sound(await proof.read_day(ways.all, office))


async def _cancel(way: Way, id: str) -> str:
    answer = await tried(way.queue.CancelTicket, pb.CancelTicketRequest(ticket_id=id))
    return answer.reason if isinstance(answer, Problem) else "OK"


async def _call(way: Way, officer: str, at: dict[str, str]) -> str:
    with acting(officer):
        answer = await tried(way.queue.CallNextTicket, pb.CallNextTicketRequest(**at))
    return answer.reason if isinstance(answer, Problem) else "OK"


async def _serve(ways: Ways, officer: str, at_ticket: dict[str, str]) -> None:
    with acting(officer):
        await ways.all.queue.StartTicket(pb.StartTicketRequest(**at_ticket))
        await ways.all.queue.CompleteTicket(pb.CompleteTicketRequest(**at_ticket))


async def test_every_event_is_one_leaf_of_the_replica_that_anybody_asks(ways):
    leaves = [(await proof.read_day(way, MAKASSAR)).leaves for way in ways.each]
    assert len(set(leaves)) == 1
    assert leaves[0]
