"""From one day to the next, by processes on one Redis whose clocks stand at different moments."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from redis import Redis

from services.chassis.errors import Problem
from tests.queue.servicing import (
    ADMIN,
    HOLDER,
    MONDAY,
    PATH,
    TUESDAY,
    Office,
    file_of,
    start_queue,
    state_name,
)

WEDNESDAY, SUNDAY = "2026-03-04", "2026-03-08"
ID = "0123456789-0123456789-abc"
TWICE = [{"open": "07:30", "close": "12:00"}, {"open": "13:00", "close": "15:30"}]
WEEK = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), TWICE)


class City:
    """A Redis of the test's own, and one office that is asked at different moments."""

    def __init__(self, server, folder, view):
        self.server, self.folder, self.view = server, folder, view
        self.code = Office(None, view).code

    @asynccontextmanager
    async def at(self, moment, **settings):
        """The office through a process whose clock begins at `moment`; by default no ticks."""
        settings = {"start": moment, "speed": 1.0, **settings}
        process = start_queue(self.folder / "queue", self.server.url, **settings)
        try:
            async with process.channel() as channel:
                yield Office(channel, self.view, self.code)
        finally:
            status = process.end()
        assert status == 0
        assert not [line for line in process.lines if line["level"] == "error"]


@pytest.fixture
def city(own_redis, tmp_path):
    with Redis(unix_socket_path=str(own_redis.socket)) as view:
        yield City(own_redis, tmp_path, view)


async def everything(office):
    """A ticket in each state at 24:00: the holder's keys by state."""
    taken = {"CANCELLED": await office.ticket_in("CANCELLED")}
    for state in ("COMPLETED", "ON_HOLD", "NO_SHOW"):
        taken[state] = await office.ticket_in(state)
    taken["SERVING"] = await office.take("A")
    taken["CALLED"] = await office.take("A")
    taken["WAITING"] = await office.take("A", holder=HOLDER, request_id="1")
    await office.take("B", holder=HOLDER)
    await office.call_next("1")
    await office.at_counter("StartTicket", taken["SERVING"].number)
    await office.open("2")
    await office.call_next("2")
    assert set(taken) == {"WAITING", "CANCELLED", *PATH}
    return taken


def events_of(office, day):
    return [leaf for leaf in office.leaves() if leaf["d"] == day]


async def until(true):
    async with asyncio.timeout(15):
        while not true():
            await asyncio.sleep(0.05)


async def archived(office, day):
    """Once the ticks have closed and kept the day and have nothing more to write."""
    older = {leaf["d"] for leaf in office.leaves() if leaf["d"] < day}
    await until(lambda: office.redis.hexists(office.key("days"), day))
    await until(lambda: not older & {leaf["d"] for leaf in office.leaves()})


async def test_midnight_ends_a_day_and_what_is_left_of_it_stays_readable(city):
    async with city.at(f"{MONDAY}T22:00") as office:
        await office.apply()
        taken = await everything(office)
        leaves = (await office.do("ListEvents", day=MONDAY)).body
        salt = office.redis.hget(office.key("office"), "salt")
        assert salt
    async with city.at(f"{TUESDAY}T10:00", tick=0.05) as office:
        await archived(office, MONDAY)
        fresh = await office.take("A", holder=HOLDER)
        assert (fresh.number, fresh.service_day) == ("A001", TUESDAY)
        # The day closed with a tally; only then the next one began.
        closed = events_of(office, MONDAY)[-1]
        assert closed["tally"] == {"issued": 8, "done": 1, "noshow": 1, "cancel": 1, "lapsed": 5}
        # What lapsed and what did not.
        for state, ticket in taken.items():
            shown = await office.do("GetTicket", ticket_id=ticket.id)
            same = state in ("COMPLETED", "CANCELLED", "NO_SHOW")
            assert state_name(shown) == (state if same else "LAPSED")
            assert not shown.HasField("return_by")
            by_number = {"number": ticket.number, "service_day": MONDAY}
            assert (await office.do("GetTicket", office.kiosk, **by_number)).event == shown.event
            for rpc in ("CancelTicket", "CheckInTicket", "ReturnTicket"):
                said = await office.refused(rpc, "WRONG_STATE", ticket_id=ticket.id)
                assert said["state"] == state_name(shown)
        assert not (await office.do("GetCounter", office.officer, counter="1")).HasField("ticket")
        # Yesterday's request id still answers with yesterday's ticket and event.
        again = await office.take("A", holder=HOLDER, request_id="1")
        first = taken["WAITING"]
        assert (again.id, again.number, again.event) == (first.id, first.number, first.event)
        assert (state_name(again), again.service_day) == ("LAPSED", MONDAY)
        other = {"service": "B", "holder": HOLDER, "request_id": "1"}
        await office.refused("CreateTicket", "REQUEST_ID_REUSED", **other)
        # The holder's hash tells no day and no service from another; the salt is gone.
        hashes = [leaf["h"] for leaf in office.leaves() if leaf.get("h")]
        assert len(hashes) == len(set(hashes)) == 3
        assert all(len(h) == 32 for h in hashes)
        assert office.redis.hget(office.key("office"), "salt") != salt
        kept = {key: office.redis.dump(key) for key in office.redis.keys("*")}
        assert not any(salt in value for value in kept.values() if value)
        assert not any(HOLDER.encode() in value for value in kept.values() if value)
        assert (await office.do("ListEvents", day=MONDAY)).body.startswith(leaves)


async def test_a_closed_day_is_archived_trimmed_and_read_as_if_it_were_not(city):
    async with city.at(f"{MONDAY}T22:00") as office:
        await office.apply()
        await everything(office)
    async with city.at(f"{TUESDAY}T10:00") as office:
        await office.take("A")
        monday = (await office.do("ListEvents", day=MONDAY)).body
        figures = await office.do("GetDay", day=MONDAY)
        assert (figures.closed, figures.total.lapsed) == (True, 5)
        async with office.watch("WatchEvents", cursor="start") as stream:
            await stream.until(lambda s: s.messages and s.messages[-1].day == TUESDAY)
        cursor = stream.messages[4].cursor
    async with city.at(f"{WEDNESDAY}T10:00", tick=0.05) as office:
        await archived(office, TUESDAY)
        await until(lambda: {leaf["d"] for leaf in office.leaves()} == {TUESDAY, WEDNESDAY})
        assert (await office.do("ListEvents", day=MONDAY)).body == monday
        one = await office.do("ListEvents", day=MONDAY, after=2, page_size=3)
        assert one.body.splitlines() == monday.splitlines()[3:6]
        assert await office.do("GetDay", day=MONDAY) == figures
        digest = json.loads(monday.splitlines()[0])["pol"]
        assert (await office.do("GetPolicy", hash=digest)).etag == digest
        for begin, skipped in (("start", 0), (cursor, 5)):
            async with office.watch("WatchEvents", cursor=begin) as stream:
                await stream.until(lambda s: s.messages and s.messages[-1].day == WEDNESDAY)
            leaves = [m.leaf for m in stream.messages if m.day == MONDAY]
            assert leaves == monday.splitlines()[skipped:]
            days = [m.day for m in stream.messages]
            assert days == sorted(days)
        # A year later the archived day is gone, and a cursor into it says where to begin.
        office.redis.delete(office.key("20260302:archive"))
        async with office.watch("WatchEvents", cursor=cursor) as stream:
            problem = await stream.end()
        assert problem.reason == "EVENTS_EXPIRED"
        async with office.watch("WatchEvents", cursor=problem.metadata["earliest"]) as stream:
            await stream.until(lambda s: s.messages)
            assert stream.messages[0].day == TUESDAY
        await office.refused("ListEvents", "DAY_NOT_FOUND", day=MONDAY)


async def test_a_board_before_the_next_opening_shows_the_last_day_closed(city):
    async with city.at(f"{MONDAY}T15:00", hours="real") as office:
        await office.apply(hours={"weekly": WEEK})
        await office.take("A")
    async with city.at(f"{TUESDAY}T06:00", hours="real", tick=0.05) as office:
        await archived(office, MONDAY)
        board = json.loads((await office.do("GetBoard")).body)
        assert (board["day"], board["open"]) == (MONDAY, False)
        summary = (await office.do("ListKecamatan")).kecamatan[0]
        assert (summary.service_day, summary.open, summary.waiting) == (MONDAY, False, 0)


async def test_the_hours_of_a_day_admit_numbers_and_a_break_does_not(city):
    async with city.at(f"{MONDAY}T07:15", hours="real") as office:
        await office.apply(hours={"weekly": WEEK})
        await office.refused("CreateTicket", "OFFICE_CLOSED", service="A")
        assert office.leaves() == []
        await office.open("1")  # before the first opening time the day may begin at the desk
        assert [leaf["e"] for leaf in office.leaves()] == ["day.open", "counter.open"]
        await office.refused("CreateTicket", "OFFICE_CLOSED", service="A")
    async with city.at(f"{MONDAY}T11:59", hours="real") as office:
        assert (await office.take("A")).number == "A001"
        assert [leaf["e"] for leaf in office.leaves()[2:]] == ["issue.go", "issue"]
        assert (await office.take("A")).number == "A002"
    async with city.at(f"{MONDAY}T12:30", hours="real", tick=0.05) as office:
        await until(lambda: office.last_leaf()["e"] == "issue.stop")
        await office.refused("CreateTicket", "OFFICE_CLOSED", service="A")
        assert (await office.call_next()).number == "A001"
        stop, call = office.leaves()[-2:]
        assert (stop["e"], stop["why"], call["e"]) == ("issue.stop", "hours", "call")
    async with city.at(f"{MONDAY}T17:29", hours="real") as office:
        await office.refused("CreateTicket", "OFFICE_CLOSED", service="A")
        await office.at_counter("StartTicket", "A001")
    async with city.at(f"{MONDAY}T17:31", hours="real", tick=0.05) as office:
        await archived(office, MONDAY)
        fields = {"counter": "1", "ticket": "A001"}
        await office.refused("CompleteTicket", "OFFICE_CLOSED", office.officer, **fields)
    async with city.at(f"{SUNDAY}T10:00", hours="real") as office:
        for rpc, who, fields in (
            ("CreateTicket", None, {"service": "A"}),
            ("OpenCounter", office.officer, {"counter": "1"}),
            ("StopIssuing", office.head, {"reason": 1}),
        ):
            request = office.request(rpc, **fields)
            with pytest.raises(Problem, match="OFFICE_CLOSED"):
                await office.send(rpc, request, who)
        assert {leaf["d"] for leaf in office.leaves()} == {MONDAY}


async def test_the_clock_alone_opens_and_closes_a_day(city):
    async with city.at(f"{MONDAY}T07:29", hours="real", tick=0.05) as office:
        await office.apply(hours={"weekly": WEEK})
        await office.do("GetBoard")
        assert office.leaves() == []
    async with city.at(f"{MONDAY}T07:30", hours="real", tick=0.05) as office:
        async with office.watch("WatchEvents", cursor="start") as stream:
            await stream.until_event(1)
        assert [leaf["e"] for leaf in office.leaves()] == ["day.open", "issue.go"]
    async with city.at(f"{MONDAY}T17:30", hours="real", tick=0.05) as office:
        await archived(office, MONDAY)
        assert [leaf["e"] for leaf in office.leaves()][2:] == ["day.close"]


async def test_a_clock_that_was_set_back_is_held_and_said_so_once(city):
    async with city.at(f"{MONDAY}T10:00") as office:
        await office.apply()
        await office.take("A")
    async with city.at(f"{MONDAY}T09:00") as office:
        for _ in range(3):
            await office.take("A")
    tail = office.leaves()[3:]
    assert [leaf["e"] for leaf in tail] == ["clock", "issue", "issue", "issue"]
    assert {leaf["t"] for leaf in tail} == {office.leaves()[2]["t"]}
    assert abs(tail[0]["ms"] - 3_600_000) < 60_000


async def test_a_changed_file_waits_for_the_next_day_and_texts_do_not(city):
    async with city.at(f"{MONDAY}T10:00") as office:
        await office.apply()
        await office.take("A")
        before = await office.do("GetKecamatan")
        assert not before.change_pending
        changed = file_of(
            office.code, name="Makassar Baru", services=[{"code": "Z", "name": "Baru"}],
            counters=[{"id": "9", "services": ["Z"]}],
        )  # fmt: skip
        after = await office.do("ApplyKecamatan", ADMIN, file=changed)
        assert (after.name, after.change_pending) == ("Makassar Baru", True)
        assert after.policy == before.policy == office.leaves()[0]["pol"]
        assert [service.code for service in after.services] == ["Z"]
        await office.refused("CreateTicket", "SERVICE_NOT_FOUND", service="Z")
        await office.refused("OpenCounter", "COUNTER_NOT_FOUND", office.officer, counter="9")
        assert (await office.take("A")).number == "A002"
    async with city.at(f"{TUESDAY}T10:00", tick=0.05) as office:
        await archived(office, MONDAY)
        assert (await office.take("Z")).number == "Z001"
        await office.refused("CreateTicket", "SERVICE_NOT_FOUND", service="A")
        today = await office.do("GetKecamatan")
        assert not today.change_pending
        assert today.policy == events_of(office, TUESDAY)[0]["pol"] != before.policy


async def test_a_file_put_back_before_the_next_day_changes_nothing(city):
    async with city.at(f"{MONDAY}T10:00") as office:
        await office.apply()
        await office.take("A")
        await office.apply(rule={"transfers": 0})
        assert not (await office.apply()).change_pending
