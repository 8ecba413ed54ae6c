"""Requests for numbers are gathered, fairly, boundedly, and each gets its own answer."""

import asyncio

import pytest

from services.chassis.errors import Problem, to_status
from services.gateway import batch
from services.gateway.batch import Batches, Limits
from tunggu.queue.v1.queue_pb2 import BatchCreateTicketsResponse, CreateTicketRequest
from tunggu.queue.v1.ticket_pb2 import Ticket


class Queue:
    """Answers batches when it is let; keeps what it got."""

    def __init__(self):
        self.batches = []
        self.let = asyncio.Event()
        self.outcomes = {}

    async def send(self, request, seconds):
        assert 0 < seconds <= 60
        self.batches.append([(item.kecamatan, item.service) for item in request.requests])
        await self.let.wait()
        return BatchCreateTicketsResponse(results=[self.result(item) for item in request.requests])

    def result(self, item):
        for problem in self.outcomes.get(item.service, []):
            self.outcomes[item.service] = self.outcomes[item.service][1:]
            return BatchCreateTicketsResponse.Result(error=to_status(problem))
        return BatchCreateTicketsResponse.Result(ticket=Ticket(number=item.service))


def wish(service, kecamatan="k"):
    return CreateTicketRequest(kecamatan=kecamatan, service=service, request_id="r" * 22)


async def settled():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_first_request_leaves_at_once_and_those_behind_two_batches_gather():
    queue = Queue()
    batches = Batches(queue.send, Limits())
    answers = [batches.submit(wish(str(n))) for n in range(10)]
    await settled()
    assert [len(batch) for batch in queue.batches] == [1, 1]
    assert batches.waiting == 8
    queue.let.set()
    assert [ticket.number for ticket in await asyncio.gather(*answers)] == [
        str(n) for n in range(10)
    ]
    assert [len(batch) for batch in queue.batches] == [1, 1, 8]


async def test_a_batch_is_never_larger_than_its_limit():
    queue = Queue()
    batches = Batches(queue.send, Limits(size=4))
    answers = [batches.submit(wish("A")) for _ in range(23)]
    await settled()
    queue.let.set()
    await asyncio.gather(*answers)
    assert max(map(len, queue.batches)) == 4
    assert sum(map(len, queue.batches)) == 23


async def test_offices_take_turns_so_a_rush_on_one_does_not_hold_up_another():
    queue = Queue()
    batches = Batches(queue.send, Limits(size=4, express=0))
    answers = [batches.submit(wish("A", "busy")) for _ in range(40)]
    answers += [batches.submit(wish("A", "quiet")) for _ in range(2)]
    await settled()
    queue.let.set()
    await asyncio.gather(*answers)
    offices = [[office for office, _ in batch] for batch in queue.batches]
    assert offices[2] == ["busy", "quiet", "busy", "quiet"]


async def test_beyond_its_bound_the_longest_line_loses_its_last():
    queue = Queue()
    batches = Batches(queue.send, Limits(waiting=6, express=0))
    busy = [batches.submit(wish(str(n), "busy")) for n in range(9)]
    quiet = [batches.submit(wish(str(n), "quiet")) for n in range(2)]
    refused = [answer for answer in busy if answer.done()]
    for answer in refused:
        with pytest.raises(Problem) as caught:
            answer.result()
        assert caught.value.reason == "OVERLOADED"
    assert refused == [busy[8], busy[7], busy[6]][::-1]
    assert batches.waiting == 6
    queue.let.set()
    await asyncio.gather(*busy[:6], *quiet)


async def test_an_office_with_nothing_on_its_way_does_not_wait_for_the_batches_of_others():
    queue = Queue()
    batches = Batches(queue.send, Limits(in_flight=1, express=1))
    answers = [batches.submit(wish("A", "busy")) for _ in range(3)]
    await settled()
    answers += [batches.submit(wish("A", "quiet")) for _ in range(2)]
    await settled()
    assert queue.batches == [[("busy", "A")], [("quiet", "A")]]
    queue.let.set()
    await asyncio.gather(*answers)
    assert sorted(map(len, queue.batches[2:])) in ([1, 2], [3])


async def test_each_request_gets_the_problem_that_is_its_own():
    queue = Queue()
    queue.let.set()
    queue.outcomes["B"] = [Problem("LIVE_TICKET_EXISTS", {"ticketId": "x"})]
    batches = Batches(queue.send, Limits())
    answers = [batches.submit(wish(service)) for service in "AABA"]
    done = await asyncio.gather(*answers, return_exceptions=True)
    assert [type(one) for one in done] == [Ticket, Ticket, Problem, Ticket]
    assert done[2].metadata == {"ticketId": "x"}


async def test_a_request_whose_client_is_gone_is_not_sent():
    queue = Queue()
    batches = Batches(queue.send, Limits())
    answers = [batches.submit(wish(str(n))) for n in range(5)]
    answers[3].cancel()
    queue.let.set()
    await asyncio.gather(*answers, return_exceptions=True)
    assert "3" not in [service for batch in queue.batches for _, service in batch]


async def test_an_unknown_outcome_is_repeated_with_the_same_request_id_then_told(monkeypatch):
    monkeypatch.setattr(batch, "PAUSES", (0.001, 0.002))
    queue = Queue()
    queue.let.set()
    queue.outcomes = {"A": [Problem("OUTCOME_UNKNOWN")], "B": [Problem("OUTCOME_UNKNOWN")] * 3}
    batches = Batches(queue.send, Limits())
    good, bad = batches.submit(wish("A")), batches.submit(wish("B"))
    assert (await good).number == "A"
    with pytest.raises(Problem) as caught:
        await bad
    assert caught.value.reason == "OUTCOME_UNKNOWN"
    assert [service for batch in queue.batches for _, service in batch].count("B") == 3


async def test_a_request_that_has_waited_too_long_is_told_so():
    queue = Queue()
    batches = Batches(queue.send, Limits(deadline=0.05))
    answers = [batches.submit(wish(str(n))) for n in range(3)]
    await asyncio.sleep(0.1)
    queue.let.set()
    done = await asyncio.gather(*answers, return_exceptions=True)
    assert isinstance(done[2], Problem)
    assert done[2].reason == "DEADLINE_EXCEEDED"
    assert len(queue.batches) == 2


async def test_a_batch_that_fails_as_a_whole_fails_each_of_its_requests():
    async def refuse(request, seconds):
        raise Problem("REDIS_UNAVAILABLE")

    batches = Batches(refuse, Limits())
    done = await asyncio.gather(
        *(batches.submit(wish("A")) for _ in range(3)), return_exceptions=True
    )
    assert {problem.reason for problem in done} == {"REDIS_UNAVAILABLE"}
    assert len({id(problem) for problem in done}) == 3


async def test_an_answer_with_too_few_results_fails_the_batch_and_not_the_next():
    answers = [BatchCreateTicketsResponse()]

    async def send(request, seconds):
        if answers:
            return answers.pop()
        return BatchCreateTicketsResponse(results=[{"ticket": Ticket(number="A1")}])

    batches = Batches(send, Limits())
    with pytest.raises(Problem) as caught:
        await batches.submit(wish("A"))
    assert caught.value.reason == "INTERNAL"
    assert (await batches.submit(wish("A"))).number == "A1"


async def test_who_has_gone_is_not_sent_and_nobody_else_waits_for_it():
    queue, present = Queue(), True
    batches = Batches(queue.send, Limits(in_flight=1))
    first = batches.submit(wish("A"))
    gone = batches.submit(wish("B"), lambda: not present)
    last = batches.submit(wish("C"), lambda: False)
    await settled()
    present = False
    queue.let.set()
    assert (await first).number == "A"
    assert (await last).number == "C"
    assert gone.cancelled()
    assert queue.batches == [[("k", "A")], [("k", "C")]]


async def test_one_office_fills_no_more_than_its_share_of_a_batch_and_then_has_its_turn_again():
    queue = Queue()
    batches = Batches(queue.send, Limits(in_flight=1, express=0, size=6, share=3))
    answers = [batches.submit(wish("A", "busy")) for _ in range(9)]
    answers += [batches.submit(wish("A", "quiet")) for _ in range(2)]
    await settled()
    queue.let.set()
    await asyncio.gather(*answers)
    offices = [[office for office, _ in batch] for batch in queue.batches]
    assert offices == [
        ["busy"],
        ["busy", "quiet", "busy", "quiet", "busy"],
        ["busy"] * 3,
        ["busy"] * 2,
    ]
