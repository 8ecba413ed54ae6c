"""The board: the same bytes from everywhere, and streams that add up to it."""

import asyncio
import hashlib
import json
from random import Random

import pytest

from services.chassis.errors import Problem
from tests.queue.servicing import ADMIN, Office, start_queue, state_name
from tunggu.queue.v1 import queue_pb2 as pb
from tunggu.queue.v1 import ticket_pb2 as tickets


class Copy:
    """What a gateway keeps of a stream: lines and tickets, from snapshots and what changed."""

    def __init__(self):
        self.lines, self.tickets, self.event = {}, {}, -1

    def take(self, message):
        if message.snapshot:
            self.lines, self.tickets = {}, {}
        self.lines |= {line.service: line for line in message.lines}
        self.tickets |= {ticket.number: ticket for ticket in message.tickets}
        self.event = message.event
        return self

    @classmethod
    def of(cls, messages):
        copy = cls()
        for message in messages:
            copy.take(message)
        return copy

    def ticket(self, number):
        """The ticket as a gateway composes it."""
        ticket = tickets.Ticket()
        ticket.CopyFrom(self.tickets[number])
        line = self.lines[ticket.service]
        if ticket.state == tickets.Ticket.STATE_WAITING:
            ticket.ahead = list(line.numbers).index(number)
            if ticket.ahead < len(line.p50_seconds):
                ticket.forecast.p50_seconds = line.p50_seconds[ticket.ahead]
                ticket.forecast.p90_seconds = line.p90_seconds[ticket.ahead]
        return ticket


async def random_day(office, steps, seed):
    """Verbs by chance, refusals included; the number of the last event."""
    random = Random(seed)
    numbers = []
    await office.open("1")
    await office.open("2", office.officer)
    for _ in range(steps):
        number = random.choice(numbers) if numbers else "A001"
        counter = random.choice("12")
        step = random.choice(
            ["take"] * 6 + ["call"] * 5 + ["StartTicket", "CompleteTicket", "SkipTicket"] * 3
            + ["HoldTicket", "TransferTicket", "ReturnTicket", "CancelTicket", "CheckInTicket"]
            + ["SetTicketLane", "RequeueTicket"]
        )  # fmt: skip
        at = {"counter": counter, "ticket": await at_counter(office, counter)}
        try:
            if step == "take":
                lane = random.choice([1, 1, 1, 2])
                numbers.append((await office.take(random.choice("AAB"), lane=lane)).number)
            elif step == "call":
                await office.call_next(counter)
            elif step in ("ReturnTicket", "CancelTicket", "CheckInTicket", "RequeueTicket"):
                await office.do(step, office.head, number=number)
            elif step == "SetTicketLane":
                await office.do(step, office.head, number=number, lane=2)
            elif step == "TransferTicket":
                await office.do(step, office.officer, service=random.choice("AB"), **at)
            else:
                await office.do(step, office.officer, **at)
        except Problem as problem:
            assert problem.reason != "INVALID_REQUEST"  # noqa: PT017
    await office.open("3")  # news that nobody waits a second for
    return office.last_leaf()["n"]


async def at_counter(office, counter):
    shown = await office.do("GetCounter", office.officer, counter=counter)
    return shown.ticket.number or "A001"


# GetBoard ---------------------------------------------------------------------------------------


async def test_get_board_of_an_office_without_a_journal_has_event_minus_one(office):
    answer = await office.do("GetBoard")
    assert json.loads(answer.body) == {
        "kecamatan": office.code,
        "day": "",
        "event": -1,
        "at": "",
        "open": False,
        "notice": "",
        "counters": [],
        "calls": [],
        "services": [],
    }


async def test_get_board_shows_lines_counters_and_calls_after_the_last_event(office):
    await office.ticket_in("CALLED")
    for lane in (1, 1, 2):
        last = await office.take("A", lane=lane)
    answer = await office.do("GetBoard")
    assert answer.content_type == "application/json"
    assert answer.etag == hashlib.sha256(answer.body).hexdigest()[:32]
    board = json.loads(answer.body)
    assert (board["kecamatan"], board["event"], board["open"]) == (office.code, last.event, True)
    assert board["counters"][0] == {
        "id": "1",
        "state": "OPEN",
        "services": ["A", "B"],
        "ticket": {"number": "A001", "state": "CALLED"},
    }
    assert [(call["number"], call["counter"]) for call in board["calls"]] == [("A001", "1")]
    service = board["services"][0]
    assert (service["waiting"], service["priority"]) == (["A002-A004"], ["A004"])
    assert (service["issued"], service["completed"], service["issuing"]) == (4, 0, True)
    assert service["forecast"][0]["position"] == 1


async def test_get_board_gives_equal_bytes_from_two_replicas_at_the_same_event(office, replica):
    last = await random_day(office, 40, seed=1)
    async with replica.channel() as channel:
        there = office.on(channel)
        assert (await there.board(last))["event"] == (await office.board(last))["event"] == last
        assert await there.do("GetBoard") == await office.do("GetBoard")


async def test_get_board_refuses_offices_that_are_not_there(office):
    for code in ("99.99.99", "", "makassar", "9" * 1000):
        request = pb.GetBoardRequest(kecamatan=code)
        await office.refused_as("GetBoard", request, "KECAMATAN_NOT_FOUND")


# WatchBoard -------------------------------------------------------------------------------------


async def test_watch_board_begins_with_a_snapshot_of_the_whole_day(office):
    await office.ticket_in("CALLED")
    last = await office.take("B")
    async with office.watch("WatchBoard") as stream:
        first = await stream.until_event(last.event)
    board = await office.do("GetBoard")
    assert (first.snapshot, first.body, first.etag) == (True, board.body, board.etag)
    assert (first.service_day, first.event) == (last.service_day, last.event)
    assert [ticket.number for ticket in first.tickets] == ["A001", "B001"]
    assert {line.service: list(line.numbers) for line in first.lines} == {
        "A": [],
        "B": ["B001"],
        "C": [],
    }
    assert not any(t.id or t.ahead or t.HasField("forecast") for t in first.tickets)


async def test_watch_board_of_an_office_without_a_journal_begins_with_nothing(office):
    async with office.watch("WatchBoard") as stream:
        await stream.until(lambda s: s.messages)
        first = stream.messages[0]
        assert (first.snapshot, first.event, first.service_day) == (True, -1, "")
        assert (list(first.lines), list(first.tickets)) == ([], [])
        ticket = await office.take("A")
        await stream.until_event(ticket.event)
        whole = next(m for m in stream.messages if m.service_day)
        assert whole.snapshot


@pytest.mark.parametrize("seed", [2, 3])
async def test_watch_board_deltas_add_up_to_a_later_snapshot(office, replica, seed):
    await office.take("A")
    async with office.watch("WatchBoard") as early, replica.channel() as channel:
        await early.until_event(2)
        last = await random_day(office, 60, seed)
        await early.until_event(last)
        assert [m.snapshot for m in early.messages].count(True) == 1
        async with (
            office.watch("WatchBoard") as late,
            office.on(channel).watch("WatchBoard") as there,
        ):
            await late.until_event(last)
            await there.until_event(last)
    copy, snapshot = Copy.of(early.messages), Copy.of(late.messages)
    assert (copy.lines, copy.tickets) == (snapshot.lines, snapshot.tickets)
    other = Copy.of(there.messages)
    assert (other.lines, other.tickets) == (snapshot.lines, snapshot.tickets)


async def test_watch_board_and_get_ticket_tell_the_same_of_every_ticket(office):
    last = await random_day(office, 60, seed=4)
    async with office.watch("WatchBoard") as stream:
        await stream.until_event(last)
    copy = Copy.of(stream.messages)
    assert len(copy.tickets) > 10
    for number in copy.tickets:
        shown = await office.do("GetTicket", office.officer, number=number)
        assert copy.ticket(number) == shown
    waiting = [t for t in copy.tickets if state_name(copy.tickets[t]) == "WAITING"]
    assert any(copy.ticket(number).HasField("forecast") for number in waiting)


async def test_watch_board_never_misses_what_people_look_up_for(office):
    """Each urgent event alone is sent soon after it, not only with the next one."""
    async with office.watch("WatchBoard") as stream:
        opened = await office.open()
        assert (await stream.until_event(opened.event)).event == opened.event
        await office.take("A")
        called = await office.call_next()
        message = await stream.until_event(called.event)
        assert json.loads(message.body)["calls"][0]["number"] == "A001"
        stopped = await office.do("StopIssuing", office.head, reason=pb.STOP_REASON_POWER)
        message = await stream.until_event(stopped.event)
        assert json.loads(message.body)["notice"] == "POWER"
        await office.at_counter("SkipTicket", "A001")
        closed = await office.do("CloseCounter", office.officer, counter="1")
        message = await stream.until_event(closed.event)
        assert json.loads(message.body)["counters"][0]["state"] == "CLOSED"


async def test_watch_board_sends_a_longer_line_too_and_gathers_many(office):
    await office.take("A")
    async with office.watch("WatchBoard") as stream:
        await stream.until_event(2)
        taken = await asyncio.gather(*(office.take("A") for _ in range(50)))
        last = max(ticket.event for ticket in taken)
        await stream.until_event(last)
        assert len(stream.messages) < 25  # a board for each number would be 50
        assert list(stream.messages[-1].lines[0].numbers) == [f"A{n:03d}" for n in range(1, 52)]


async def test_watch_board_refuses_offices_that_are_not_there(office):
    for code in ("99.99.99", "", "}"):
        async with office.watch("WatchBoard", kecamatan=code) as stream:
            problem = await stream.end()
        assert problem.reason == "KECAMATAN_NOT_FOUND"


async def test_streams_of_a_deleted_office_end_and_begin_again_when_it_is_back(office):
    await office.take("A")
    async with office.watch("WatchBoard") as board, office.watch("WatchEvents") as events:
        await board.until_event(2)
        await office.do("DeleteKecamatan", ADMIN)
        assert (await board.end()).reason == "KECAMATAN_NOT_FOUND"
        assert (await events.end()).reason == "KECAMATAN_NOT_FOUND"
    await office.apply()
    async with office.watch("WatchBoard") as board:
        closed = await board.until_event(3)
        assert json.loads(closed.body)["open"] is False


async def test_a_replica_without_part_in_the_deletion_ends_its_streams_too(
    office, queue_redis, tmp_path
):
    ticking = start_queue(tmp_path, queue_redis.url, tick=0.1)
    try:
        await office.take("A")
        async with (
            ticking.channel() as channel,
            office.on(channel).watch("WatchBoard") as board,
        ):
            await board.until_event(2)
            await office.do("DeleteKecamatan", ADMIN)
            assert (await board.end()).reason == "KECAMATAN_NOT_FOUND"
    finally:
        assert ticking.end() == 0
    await office.apply()


async def test_a_draining_server_ends_its_streams_without_a_problem_and_exits(
    office, queue_redis, tmp_path
):
    ticket = await office.take("A")
    leaving = start_queue(tmp_path, queue_redis.url)
    async with leaving.channel() as channel:
        there = office.on(channel)
        async with (
            there.watch("WatchBoard") as board,
            there.watch("WatchEvents", cursor="start") as events,
        ):
            await board.until_event(ticket.event)
            await events.until_event(ticket.event)
            assert await asyncio.to_thread(leaving.end) == 0
            assert (await board.end(), await events.end()) == (None, None)


async def test_a_foreign_office_changes_nothing_on_the_board(office):
    await office.take("A")
    before = await office.do("GetBoard")
    elsewhere = Office(office.channel, office.redis)
    await elsewhere.apply()
    await elsewhere.take("A")
    assert await office.do("GetBoard") == before
    await elsewhere.do("DeleteKecamatan", ADMIN)
