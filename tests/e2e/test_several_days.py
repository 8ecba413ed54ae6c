"""Days that flow: offices worked through many dates by three replicas, one of which is replaced.

A day of these offices lasts a second. What is asserted does not depend on how fast the machine is:
a date that passed while it was busy has no day, and the flow goes on until enough of them closed.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf import json_format

from services.queue.board import Boards, Frozen, FrozenService
from services.queue.days import summarise
from services.queue.journal import parse
from services.queue.policy import parse_policy
from tests.e2e.mapped import City, mapped_city
from tests.e2e.mapped_office import AFTERNOON, MORNING, Office, ms, week
from tests.e2e.replica import PATIENCE_S, refusal, unless, until
from tunggu.queue.v1 import queue_pb2, queue_pb2_grpc, ticket_pb2

pytestmark = pytest.mark.asyncio(loop_scope="module")

SPEED = 86_400.0
DAYS = 13
"""More than ten: forecasts look further back than that."""

REPLACED_AFTER = 5
MIDNIGHT = ms("2026-03-02 00:00")
MUCH_LATER = "2026-06-01"

WORKED = {"73.71.01": [("00:00", "24:00")], "73.71.02": [MORNING, ("13:00", "21:00")]}
IDLE = {"73.71.03": [MORNING, AFTERNOON], "73.71.04": [("06:00", "24:00")]}
LAWFUL = (
    "OFFICE_CLOSED",
    "NOBODY_WAITING",
    "COUNTER_CLOSED",
    "COUNTER_BUSY",
    "TICKET_NOT_FOUND",
    "TICKET_CHANGED",
    "WRONG_STATE",
)
"""What a clock that runs may do to somebody who works."""


@dataclass
class Flow:
    """What was seen while the days went by: leaves by office and day as WatchEvents sent them,
    boards by office, replica and (day, event), and what WatchBoard sent."""

    city: City
    offices: dict[str, Office] = field(default_factory=dict)
    watched: dict[str, dict[str, list[bytes]]] = field(default_factory=dict)
    cursors: dict[str, list[tuple[str, int, str]]] = field(default_factory=dict)
    boards: dict[tuple[str, int], dict[tuple[str, int], bytes]] = field(default_factory=dict)

    streamed: dict[str, list[Any]] = field(default_factory=dict)

    async def stream(self, code: str) -> None:
        """One stream of boards over all the days."""
        stub = queue_pb2_grpc.QueueServiceStub(self.city.replicas[0].channel)
        request = queue_pb2.WatchBoardRequest(kecamatan=code)
        async for message in stub.WatchBoard(request, wait_for_ready=True):
            self.streamed[code].append(message)

    async def watch(self, code: str) -> None:
        """Follows the journal from its start, for ever, from one replica or the next."""
        cursor = "start"
        while True:
            replica = self.city.replicas[-1]
            request = queue_pb2.WatchEventsRequest(kecamatan=code, cursor=cursor)
            stub = queue_pb2_grpc.QueueServiceStub(replica.channel)
            with suppress(grpc.aio.AioRpcError):
                async for item in stub.WatchEvents(request, wait_for_ready=True):
                    cursor = item.cursor
                    self.watched[code].setdefault(item.day, []).append(item.leaf)
                    self.cursors[code].append((item.day, item.event, cursor))

    async def work(self, office: Office) -> None:
        """A few people an hour, two of whom are served, one of whom goes; then a look at the
        boards while nobody moves."""
        while True:
            for service in "AAB":
                await unless(office.take(service), *LAWFUL)
            await unless(office.open("1", "2"), *LAWFUL)
            for counter in "12":
                await unless(office.serve(counter), *LAWFUL)
            await self.look(office)

    async def look(self, office: Office) -> None:
        for _ in range(2):
            for i in range(len(self.city.replicas)):
                replica = self.city.replicas[i]  # one that was replaced meanwhile is not asked
                body = await unless(office.board_bytes(replica), "REDIS_UNAVAILABLE")
                if body:
                    board = json.loads(body)
                    seen = self.boards.setdefault((office.code, replica.process.pid), {})
                    seen[board["day"], board["event"]] = body

    async def closed(self, count: int) -> None:
        """Waits until every office has so many closed days."""

        def enough() -> bool:
            return all(len(days) > count for days in self.watched.values())

        await until(enough, f"{count} days")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def flow(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Flow]:
    async with mapped_city(tmp_path_factory.mktemp("days")) as city:
        flow = Flow(city)
        await city.at(MIDNIGHT - 1)
        for code, hours in (WORKED | IDLE).items():
            flow.offices[code] = await city.office(code, hours={"weekly": week(*hours)})
            flow.watched[code], flow.cursors[code], flow.streamed[code] = {}, [], []
        await city.at(MIDNIGHT, SPEED, replicas=3)
        await live(flow)
        await city.at(ms(f"{MUCH_LATER} 09:00"))
        yield flow


async def live(flow: Flow) -> None:
    tasks = [asyncio.create_task(flow.watch(code)) for code in flow.offices]
    tasks += [asyncio.create_task(flow.work(flow.offices[code])) for code in WORKED]
    tasks += [asyncio.create_task(flow.stream(code)) for code in WORKED]
    passing = asyncio.create_task(pass_days(flow))
    try:
        await asyncio.wait([*tasks, passing], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (*tasks, passing):
            task.cancel()
        ended = await asyncio.gather(*tasks, passing, return_exceptions=True)
    for failure in ended:
        if isinstance(failure, Exception):
            raise failure


async def pass_days(flow: Flow) -> None:
    """Half way one of the replicas, whose boards were looked at, makes way for a fresh one."""
    await flow.closed(REPLACED_AFTER)
    city = flow.city
    fresh = city.start(city.clock)
    old, city.replicas = city.replicas[1], [city.replicas[0], fresh, city.replicas[2]]
    await old.end(gently=True)
    await flow.closed(DAYS)


def kinds(leaves: list[bytes]) -> list[str]:
    """What the clock wrote."""
    events = [json.loads(leaf) for leaf in leaves]
    return [e["e"] for e in events if e["e"].startswith("day.") or e.get("why") == "hours"]


async def test_three_replicas_write_each_opening_break_and_closing_once(flow):
    for code, office in flow.offices.items():
        assert len(await office.verified()) > DAYS
        days = flow.watched[code]
        for day in sorted(days)[:-1]:
            written = kinds(days[day])
            assert (written[0], written[-1]) == ("day.open", "day.close")
            switches = written[1:-1]
            assert switches == ["issue.go", "issue.stop"] * (len(switches) // 2) + ["issue.go"] * (
                len(switches) % 2
            )
            assert [json.loads(leaf)["n"] for leaf in days[day]] == list(range(len(days[day])))


async def test_a_closed_day_leaves_the_stream_and_its_bytes_stay(flow):
    for code, office in flow.offices.items():
        days = flow.watched[code]
        await until(lambda o=office: len(o.streamed_days()) <= 2, "a trimmed stream")
        trimmed = sorted(set(days) - set(office.streamed_days()))
        assert len(trimmed) >= DAYS
        for day in trimmed:
            assert await office.leaves(day) == days[day]


async def test_a_reader_goes_on_from_a_cursor_in_a_day_that_was_trimmed(flow):
    code = "73.71.01"
    office, seen = flow.offices[code], flow.cursors[code]
    trimmed = sorted(set(flow.watched[code]) - set(office.streamed_days()))
    start = next(i for i, (day, n, _) in enumerate(seen) if day == trimmed[2] and n == 3)
    request = queue_pb2.WatchEventsRequest(kecamatan=code, cursor=seen[start][2])
    stub = queue_pb2_grpc.QueueServiceStub(flow.city.replicas[0].channel)
    stream = stub.WatchEvents(request, timeout=PATIENCE_S)
    for day, n, cursor in seen[start + 1 :]:
        item = await stream.read()
        assert (item.day, item.event, item.cursor) == (day, n, cursor)
    stream.cancel()


async def test_the_figures_of_an_archived_day_are_those_of_its_leaves(flow):
    office = flow.offices["73.71.02"]
    for day, leaves in sorted(flow.watched[office.code].items())[:3]:
        answer = (await office.do("GetDay", day=day)).day
        policy = parse_policy(await policy_of(office, leaves))
        figures, _ = summarise(policy, day, [parse(leaf) for leaf in leaves])
        assert answer == json_format.ParseDict(figures, queue_pb2.Day())
        assert answer.closed
        assert answer.total.issued == sum(b'"e":"issue",' in leaf for leaf in leaves)
    assert await refusal(office.do("GetDay", day="2026-03-01")) == "DAY_NOT_FOUND"
    assert await refusal(office.do("ListEvents", day="2026-03-01")) == "DAY_NOT_FOUND"


async def policy_of(office: Office, leaves: list[bytes]) -> bytes:
    answer = await office.do("GetPolicy", hash=json.loads(leaves[0])["pol"])
    return bytes(answer.body)


async def test_every_replica_shows_the_same_board_for_the_same_event(flow):
    for code in WORKED:
        replicas = [seen for (of, _), seen in flow.boards.items() if of == code]
        assert len(replicas) == 4
        first, old, last, fresh = replicas
        for one, other in ((first, old), (first, last), (first, fresh), (last, fresh)):
            shared = one.keys() & other.keys()
            assert len({day for day, _ in shared}) >= 3
            assert all(one[event] == other[event] for event in shared)


async def test_a_stream_of_boards_begins_anew_each_day_and_its_lines_are_those_of_the_board(flow):
    for code in WORKED:
        messages = flow.streamed[code]
        assert len({message.service_day for message in messages}) >= DAYS // 2
        day, lines, tickets = None, {}, {}
        for message, following in zip(messages, [*messages[1:], messages[0]], strict=True):
            assert message.snapshot or message.service_day == day
            if message.snapshot:
                day, lines, tickets = message.service_day, {}, {}
            lines |= {line.service: list(line.numbers) for line in message.lines}
            tickets |= {ticket.number: ticket for ticket in message.tickets}
            board = json.loads(message.body)
            assert (board["day"], board["event"]) == (day, message.event)
            for service in board["services"]:
                assert sorted(lines[service["code"]]) == sorted(expanded(service["waiting"]))
            assert {ticket.service_day for ticket in tickets.values()} <= {day}
            if following.service_day == day:
                agree(lines, tickets, message.event)


def agree(lines: dict[str, list[str]], tickets: dict[str, Any], event: int) -> None:
    """Who waits by the lines and by the tickets; a ticket may be ahead of the board, not behind."""
    in_line = {number for line in lines.values() for number in line}
    for number, ticket in tickets.items():
        waits = ticket.state == ticket_pb2.Ticket.STATE_WAITING
        assert ticket.event > event or waits == (number in in_line)
    assert in_line <= tickets.keys()


def expanded(runs: list[str]) -> list[str]:
    """Every number of runs such as "A013-A045"."""
    numbers = []
    for run in runs:
        first, _, last = run.partition("-")
        numbers += [f"{run[0]}{n:03}" for n in range(int(first[1:]), int((last or first)[1:]) + 1)]
    return numbers


async def test_a_board_can_be_made_again_from_what_is_published_of_this_and_previous_days(flow):
    office = flow.offices["73.71.01"]
    await office.open("1")
    for service in "AABBA":
        await office.take(service)
    await office.at("1", "Start", await office.call())
    await office.followed()
    shown = await office.board_bytes()
    published = await office.days()
    today = max(published)
    assert today == MUCH_LATER
    history = [await record_of(office, d, published[d]) for d in sorted(published) if d < today]
    assert len(history) > DAYS
    assert await rebuilt(office, today, published[today], history) == shown
    # Fewer days give another forecast; not each fewer, for what is shown is rounded.
    fewer = [await rebuilt(office, today, published[today], history[-n:]) for n in range(1, 11)]
    assert any(body != shown for body in fewer)
    assert await rebuilt(office, today, published[today], []) != shown


async def record_of(office: Office, day: str, leaves: list[bytes]) -> dict[str, Any]:
    policy = parse_policy(await policy_of(office, leaves))
    return summarise(policy, day, [parse(leaf) for leaf in leaves])[1]


async def rebuilt(
    office: Office, day: str, leaves: list[bytes], history: list[dict[str, Any]]
) -> bytes:
    names = {"A": FrozenService("Akta", 10), "B": FrozenService("Berkas", 10)}
    policy = parse_policy(await policy_of(office, leaves))
    boards = Boards(policy, Frozen("Makassar", names), history, day)
    for leaf in leaves:
        boards.observe(parse(leaf))
    return boards.build().body
