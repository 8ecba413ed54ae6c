"""G3 under races: a request id means one thing at all replicas, and only to its own caller."""

import asyncio
import random
from collections import Counter

import pytest

from services.chassis.errors import Problem
from tests.e2e import offices, proof
from tests.e2e.offices import SERVICES, Create, Way, acting, new_id, refused, tried
from tunggu.queue.v1 import queue_pb2 as pb

pytestmark = pytest.mark.timeout(240)


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
