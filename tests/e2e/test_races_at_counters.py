"""G4 under races: counters on three queue replicas that call at the same moment."""

import asyncio
import random
from collections import Counter

import pytest

from services.chassis.errors import Problem
from tests.e2e import offices, proof
from tests.e2e.offices import SERVICES, Create, Way, Ways, acting, new_id, tried
from tunggu.queue.v1 import queue_pb2 as pb
from tunggu.queue.v1.ticket_pb2 import LANE_PRIORITY, LANE_REGULAR

pytestmark = pytest.mark.timeout(240)


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
