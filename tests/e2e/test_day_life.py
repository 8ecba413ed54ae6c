"""The life of a day by the clock: opening, breaks, closing, midnight, calendars, changed files.

The clock of these tests stands: each moment is a queue process of its own on the same Redis. Days
that flow are in `test_several_days.py`.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.mapped import (
    AFTERNOON,
    MORNING,
    City,
    Office,
    intervals,
    mapped_city,
    ms,
    office_file,
    refusal,
    week,
)
from tunggu.queue.v1 import queue_pb2, ticket_pb2

MONDAY, TUESDAY = "2026-03-02", "2026-03-03"
HOLDER = "a-phone-with-its-random-key"
REQUEST = "a-request-id-that-nobody-guesses"
AT_ONCE = {"skip": {"calls": 1, "after": "0s"}}
"""A rule by which an absent citizen may be passed over without waiting."""


@pytest_asyncio.fixture
async def city(tmp_path: Path) -> AsyncIterator[City]:
    async with mapped_city(tmp_path) as it:
        yield it


def state_of(ticket: Any) -> str:
    return str(ticket_pb2.Ticket.State.Name(ticket.state)).removeprefix("STATE_")


def tally(
    issued: int, done: int = 0, noshow: int = 0, cancel: int = 0, lapsed: int = 0
) -> dict[str, int]:
    return {"issued": issued, "done": done, "noshow": noshow, "cancel": cancel, "lapsed": lapsed}


async def days_refusals(office: Office, ticket: Any) -> dict[str, str]:
    """Why each verb of the day is refused now."""
    number, counter = ticket.number, "1"
    at_counter = {"counter": counter, "ticket": number}
    asked: dict[str, dict[str, Any]] = {
        "CreateTicket": {"service": "A"},
        "CancelTicket": {"ticket_id": ticket.id},
        "CheckInTicket": {"ticket_id": ticket.id},
        "ReturnTicket": {"ticket_id": ticket.id},
        "SetTicketLane": {"number": number, "lane": ticket_pb2.LANE_PRIORITY},
        "RequeueTicket": {"number": number},
        "OpenCounter": {"counter": counter},
        "CloseCounter": {"counter": counter},
        "SetCounterServices": {"counter": counter, "services": ["A"]},
        "CallNextTicket": {"counter": counter},
        **dict.fromkeys(
            [f"{v}Ticket" for v in ("Recall", "Start", "Complete", "Skip", "Hold")], at_counter
        ),
        "TransferTicket": {**at_counter, "service": "B"},
        "StopIssuing": {"reason": queue_pb2.STOP_REASON_POWER},
        "ResumeIssuing": {},
    }
    return {verb: await refusal(office.do(verb, **fields)) for verb, fields in asked.items()}


async def test_an_ordinary_monday_is_opened_paused_and_closed_by_the_clock_alone(city):
    await city.at(ms(f"{MONDAY} 07:29:59.999"))
    office = await city.office()
    for moment in ("07:29:59.999", "07:30", "11:59:59.999", "12:00", "13:00", "15:30"):
        await city.at(ms(f"{MONDAY} {moment}"))
        if moment == "07:29:59.999":
            assert office.wrote_nothing()
    await city.at(ms(f"{MONDAY} 17:30"))
    assert await office.lines(MONDAY) == [
        "07:30 day.open",
        "07:30 issue.go hours",
        "12:00 issue.stop hours",
        "13:00 issue.go hours",
        "15:30 issue.stop hours",
        "17:30 day.close",
    ]
    assert await office.tally(MONDAY) == tally(0)
    assert await office.verified() == [MONDAY]


async def test_a_worked_monday_issues_within_its_hours_and_works_until_two_hours_after(city):
    await city.at(ms(f"{MONDAY} 07:15"))
    office = await city.office()
    assert await refusal(office.take()) == "OFFICE_CLOSED"
    assert await refusal(office.call()) == "COUNTER_CLOSED"
    assert office.wrote_nothing()

    await office.open("1")
    assert await office.lines(MONDAY) == ["07:15 day.open", "07:15 counter.open 1"]
    assert await refusal(office.take()) == "OFFICE_CLOSED"
    assert not (await office.seen()).open

    await city.at(ms(f"{MONDAY} 07:30"))
    first = list(enumerate("AAAB"))
    taken = [await office.take(service, request_id=f"{REQUEST}-{i}") for i, service in first]
    assert [ticket.number for ticket in taken] == ["A001", "A002", "A003", "B001"]
    assert (await office.seen()).open
    await office.at("1", "Start", await office.call())

    await city.at(ms(f"{MONDAY} 12:00"))
    assert await refusal(office.take()) == "OFFICE_CLOSED"
    await office.at("1", "Complete", "A001")
    assert await office.serve() == "A002"

    await city.at(ms(f"{MONDAY} 15:29:59.999"))
    assert (await office.take()).number == "A004"
    await city.at(ms(f"{MONDAY} 15:30"))
    assert await refusal(office.take()) == "OFFICE_CLOSED"
    assert await office.call() == "A003"

    await city.at(ms(f"{MONDAY} 17:29:59.999"))
    await office.at("1", "Start", "A003")
    await office.open("2")
    assert await office.serve("2") == "B001"

    await city.at(ms(f"{MONDAY} 17:30"))
    closed = await office.leaves(MONDAY)
    refused = await days_refusals(office, taken[0])
    assert set(refused.values()) == {"OFFICE_CLOSED"}, refused
    await city.rounds()
    assert await office.leaves(MONDAY) == closed
    again = [await office.take(service, request_id=f"{REQUEST}-{i}") for i, service in first]
    assert [ticket.id for ticket in again] == [ticket.id for ticket in taken]
    states = [state_of(ticket) for ticket in again]
    assert states == ["COMPLETED", "COMPLETED", "LAPSED", "COMPLETED"]

    assert await office.lines(MONDAY) == [
        "07:15 day.open",
        "07:15 counter.open 1",
        "07:30 issue.go hours",
        "07:30 issue A001",
        "07:30 issue A002",
        "07:30 issue A003",
        "07:30 issue B001",
        "07:30 call A001 1",
        "07:30 start A001 1",
        "12:00 issue.stop hours",
        "12:00 done A001 1",
        "12:00 call A002 1",
        "12:00 start A002 1",
        "12:00 done A002 1",
        "15:29:59.999 issue.go hours",
        "15:29:59.999 issue A004",
        "15:30 issue.stop hours",
        "15:30 call A003 1",
        "17:29:59.999 start A003 1",
        "17:29:59.999 counter.open 2",
        "17:29:59.999 call B001 2",
        "17:29:59.999 start B001 2",
        "17:29:59.999 done B001 2",
        "17:30 day.close",
    ]
    assert await office.tally(MONDAY) == tally(5, done=3, lapsed=2)
    board = await office.board()
    assert (board["day"], board["open"], board["notice"]) == (MONDAY, False, "")
    assert {counter["state"] for counter in board["counters"]} == {"CLOSED"}
    assert await office.verified() == [MONDAY]


FRIDAY = "2027-02-12"
RAMADAN = {
    "name": "Ramadan",
    "from": "2027-02-08",
    "to": "2027-03-09",
    "weekly": week(("08:00", "15:00"), fri=[("08:00", "11:00"), ("12:30", "14:30")], sat=[]),
}
WEEKLY = week(MORNING, AFTERNOON, fri=[("07:30", "11:30"), AFTERNOON], sat=[], sun=[])
CLOSED = {"date": FRIDAY, "closed": True, "reason": "Cuti bersama"}
SHORT = {"date": FRIDAY, "hours": intervals(("09:00", "10:00"))}


async def test_an_exception_beats_a_season_and_a_season_beats_the_week(city):
    await city.at(ms(f"{FRIDAY} 06:00"))
    friday = await city.office("73.71.01", hours={"weekly": WEEKLY})
    fasting = await city.office("73.71.02", hours={"weekly": WEEKLY, "seasons": [RAMADAN]})
    calendar = {"weekly": WEEKLY, "seasons": [RAMADAN]}
    holiday = await city.office("73.71.03", hours={**calendar, "exceptions": [CLOSED]})
    short = await city.office("73.71.04", hours={**calendar, "exceptions": [SHORT]})
    offices = {"friday": friday, "fasting": fasting, "holiday": holiday, "short": short}

    issuing = {
        "07:29:59.999": [],
        "07:30": ["friday"],
        "08:00": ["friday", "fasting"],
        "09:00": ["friday", "fasting", "short"],
        "10:00": ["friday", "fasting"],
        "11:00": ["friday"],
        "11:30": [],
        "12:30": ["fasting"],
        "13:00": ["friday", "fasting"],
        "14:30": ["friday"],
        "15:30": [],
    }
    for moment, expected in issuing.items():
        await city.at(ms(f"{FRIDAY} {moment}"))
        found = [name for name, office in offices.items() if await office.issues()]
        assert (moment, found) == (moment, expected)
    await city.at(ms(f"{FRIDAY} 17:30"))

    switches = {
        name: [line for line in await office.lines(FRIDAY) if " issue " not in line]
        for name, office in offices.items()
    }
    assert switches == {
        "friday": [
            "07:30 day.open",
            "07:30 issue.go hours",
            "11:30 issue.stop hours",
            "13:00 issue.go hours",
            "15:30 issue.stop hours",
            "17:30 day.close",
        ],
        "fasting": [
            "08:00 day.open",
            "08:00 issue.go hours",
            "11:00 issue.stop hours",
            "12:30 issue.go hours",
            "14:30 issue.stop hours",
            "17:30 day.close",
        ],
        "holiday": [],
        "short": [
            "09:00 day.open",
            "09:00 issue.go hours",
            "10:00 issue.stop hours",
            "12:30 day.close",
        ],
    }
    for office in (friday, fasting, short):
        assert await office.verified() == [FRIDAY]


async def test_on_a_holiday_nothing_opens_whoever_asks(city):
    await city.at(ms(f"{FRIDAY} 10:00"))
    office = await city.office(hours={"weekly": WEEKLY, "exceptions": [CLOSED]})
    await city.rounds()
    stop = office.do("StopIssuing", reason=queue_pb2.STOP_REASON_POWER)
    for asked in (office.take(), office.open("1"), office.call(), stop):
        assert await refusal(asked) == "OFFICE_CLOSED"
    assert not list((await office.seen()).hours_today)
    assert await refusal(office.do("GetDay", day=FRIDAY)) == "DAY_NOT_FOUND"
    assert (await office.board())["event"] == -1
    assert office.wrote_nothing()


async def test_a_season_holds_on_its_last_day_and_not_on_the_day_after(city):
    hours = {"weekly": WEEKLY, "seasons": [RAMADAN]}
    await city.at(ms("2027-03-09 06:00"))
    office = await city.office(hours=hours)
    today = [(i.open, i.close) for i in (await office.seen()).hours_today]
    assert today == [("08:00", "15:00")]
    await city.at(ms("2027-03-10 06:00"))
    today = [(i.open, i.close) for i in (await office.seen()).hours_today]
    assert today == [MORNING, AFTERNOON]


# Midnight


async def a_day_with_every_state(office: Office) -> dict[str, Any]:
    """A ticket in each state of service A, by that state; one of B that was moved there."""
    states = ("COMPLETED", "NO_SHOW", "ON_HOLD", "MOVED", "SERVING", "CALLED", "CANCELLED")
    tickets = {state: await office.take() for state in states}
    tickets["WAITING"] = await office.take(holder=HOLDER, request_id=REQUEST)
    await office.open("1", "2", "3")
    assert await office.serve("1") == "A001"
    await office.at("1", "Skip", await office.call("1"))
    for verb, more in (("Hold", {}), ("Transfer", {"service": "B"})):
        number = await office.call("1")
        await office.at("1", "Start", number)
        await office.at("1", verb, number, **more)
    await office.at("2", "Start", await office.call("2"))
    await office.do("SetCounterServices", counter="4", services=["B"])
    await office.call("3")
    await office.do("CancelTicket", ticket_id=tickets["CANCELLED"].id, request_id=REQUEST)
    found = {name: state_of(await office.ticket(t.id)) for name, t in tickets.items()}
    assert found.pop("MOVED") == "WAITING"
    assert found == {state: state for state in found}
    return tickets


@pytest.mark.parametrize("hours", ["real", "always"])
async def test_midnight_ends_a_day_with_tickets_in_every_state_and_begins_the_next(tmp_path, hours):
    async with mapped_city(tmp_path, hours) as city:
        weekly = week(("00:00", "24:00")) if hours == "real" else {}
        counters = [{"id": str(i), "services": ["A"]} for i in (1, 2, 3, 4)]
        await city.at(ms(f"{MONDAY} 23:50"))
        office = await city.office(hours={"weekly": weekly}, counters=counters, rule=AT_ONCE)
        tickets = await a_day_with_every_state(office)
        await city.at(ms(f"{MONDAY} 23:59:59.999"))
        tickets["LAST"] = await office.take()
        assert tickets["LAST"].number == "A009"

        await city.at(ms(f"{TUESDAY} 00:00"))
        assert (await office.lines(MONDAY))[-1] == "00:00 day.close"
        assert await office.lines(TUESDAY) == ["00:00 day.open", "00:00 issue.go hours"]
        assert await office.tally(MONDAY) == tally(9, done=1, noshow=1, cancel=1, lapsed=6)
        left = {name: await office.ticket(ticket.id) for name, ticket in tickets.items()}
        kept = {"COMPLETED", "NO_SHOW", "CANCELLED"}
        assert {name: state_of(ticket) for name, ticket in left.items()} == {
            name: name if name in kept else "LAPSED" for name in tickets
        }
        assert {ticket.service_day for ticket in left.values()} == {MONDAY}

        await yesterday_is_over(office, tickets)
        await today_is_new(office)
        assert await office.verified() == [MONDAY, TUESDAY]


async def yesterday_is_over(office: Office, tickets: dict[str, Any]) -> None:
    """Nothing can be done with its tickets, but what was done can be asked for again."""
    for name, ticket in tickets.items():
        for verb in ("Cancel", "Return", "CheckIn"):
            asked = office.do(f"{verb}Ticket", ticket_id=ticket.id, request_id=f"{verb}{REQUEST}")
            assert (name, verb, await refusal(asked)) == (name, verb, "WRONG_STATE")
    again = await office.take(holder=HOLDER, request_id=REQUEST)
    before = tickets["WAITING"]
    assert (again.id, again.event, state_of(again)) == (before.id, before.event, "LAPSED")
    other = office.take("B", holder=HOLDER, request_id=REQUEST)
    assert await refusal(other) == "REQUEST_ID_REUSED"
    cancelled = tickets["CANCELLED"].id
    repeated = await office.do("CancelTicket", ticket_id=cancelled, request_id=REQUEST)
    assert state_of(repeated.ticket) == "CANCELLED"
    await office.followed()
    for counter in "1234":
        desk = (await office.do("GetCounter", counter=counter)).counter
        assert (desk.state, desk.ticket.number) == (ticket_pb2.Counter.STATE_CLOSED, "")
        assert list(desk.services) == ["A"]
    assert await refusal(office.call("1")) == "COUNTER_CLOSED"
    assert await refusal(office.at("2", "Complete", tickets["SERVING"].number)) == "COUNTER_CLOSED"


async def today_is_new(office: Office) -> None:
    """Numbers begin anew, for yesterday's holders too, and nothing links the two days."""
    ticket = await office.take(holder=HOLDER)
    assert (ticket.number, ticket.service_day, ticket.ahead) == ("A001", TUESDAY, 0)
    assert await refusal(office.take(holder=HOLDER)) == "LIVE_TICKET_EXISTS"
    yesterday, today = await holders(office, MONDAY), await holders(office, TUESDAY)
    assert len(yesterday) == len(today) == 1
    assert yesterday.isdisjoint(today)


async def holders(office: Office, day: str) -> set[str]:
    """What the journal shows of the holders of the day's tickets."""
    return {event["h"] for event in await office.events(day) if event.get("h")}


async def test_an_evening_office_closes_at_midnight_and_stays_closed_until_its_next_opening(city):
    await city.at(ms(f"{MONDAY} 23:59:59.999"))
    office = await city.office(hours={"weekly": week(("17:00", "24:00"))})
    ticket = await office.take()
    await office.open("1")
    await office.at("1", "Start", await office.call())
    await city.at(ms(f"{TUESDAY} 00:00"))
    assert (await office.lines(MONDAY))[-1] == "00:00 day.close"
    assert await refusal(office.take()) == "OFFICE_CLOSED"
    assert await refusal(office.do("CancelTicket", ticket_id=ticket.id)) == "WRONG_STATE"
    assert state_of(await office.ticket(ticket.id)) == "LAPSED"
    assert await office.lines(TUESDAY) == []
    board = await office.board()
    assert (board["day"], board["open"]) == (MONDAY, False)
    assert await office.verified() == [MONDAY]


async def test_a_replica_that_has_not_yet_seen_midnight_takes_the_new_days_tickets(city):
    await city.at(ms(f"{MONDAY} 23:59:59.999"))
    office = await city.office(hours={"weekly": week(("00:00", "24:00"))})
    slow = city.start(f"0,{ms(f'{MONDAY} 23:59:59.999')},0", tick=3600)
    try:
        await office.do("CreateTicket", to=slow, service="A")
        await city.at(ms(f"{TUESDAY} 00:00"))
        ticket = await office.take()
        assert ticket.service_day == TUESDAY
        cancelled = await office.do("CancelTicket", to=slow, ticket_id=ticket.id)
        assert state_of(cancelled.ticket) == "CANCELLED"
    finally:
        await slow.end()


# Late starts


async def test_a_queue_that_starts_late_opens_what_should_be_open_and_nothing_else(city):
    await city.at(ms("2026-02-28 23:00"))
    running = await city.office("73.71.01")
    paused = await city.office("73.71.02", hours={"weekly": week(("07:00", "09:00"), AFTERNOON)})
    over = await city.office("73.71.03", hours={"weekly": week(("05:00", "08:00"))})
    later = await city.office("73.71.04", hours={"weekly": week(("11:00", "12:00"))})
    await city.stop()

    await city.at(ms(f"{MONDAY} 10:17:03"))
    assert await running.lines(MONDAY) == ["10:17:03 day.open", "10:17:03 issue.go hours"]
    assert await paused.lines(MONDAY) == ["10:17:03 day.open"]
    assert await refusal(paused.take()) == "OFFICE_CLOSED"
    for office in (over, later):
        assert office.wrote_nothing()
        assert await refusal(office.take()) == "OFFICE_CLOSED"
    assert await refusal(over.open("1")) == "OFFICE_CLOSED"
    await later.open("1")
    assert (await running.take()).number == "A001"
    await city.stop()

    await city.at(ms(f"{TUESDAY} 07:05"))
    assert (await running.lines(MONDAY))[-1] == "07:05 day.close"
    assert await running.tally(MONDAY) == tally(1, lapsed=1)
    assert await running.lines(TUESDAY) == []
    assert await paused.lines(MONDAY) == ["10:17:03 day.open", "07:05 day.close"]
    assert await paused.lines(TUESDAY) == ["07:05 day.open", "07:05 issue.go hours"]
    assert await over.lines(TUESDAY) == ["07:05 day.open", "07:05 issue.go hours"]
    both = [MONDAY, TUESDAY]
    for office, days in ((running, [MONDAY]), (paused, both), (over, [TUESDAY]), (later, [MONDAY])):
        assert await office.verified() == days


async def test_a_first_citizen_before_any_tick_closes_yesterday_and_opens_today(city):
    await city.at(ms(f"{MONDAY} 10:00"))
    office = await city.office()
    await office.take()
    await city.stop()
    slow = city.start(f"0,{ms(f'{TUESDAY} 10:00')},0", tick=3600)
    city.replicas = [slow]
    assert (await office.take()).number == "A001"
    assert (await office.lines(MONDAY))[-1] == "10:00 day.close"
    assert await office.lines(TUESDAY) == [
        "10:00 day.open",
        "10:00 issue.go hours",
        "10:00 issue A001",
    ]
    assert await office.verified() == [MONDAY, TUESDAY]


@pytest.mark.parametrize("moment", ["07:30", "12:00", "17:30"])
async def test_replicas_that_tick_at_once_write_each_due_event_once(city, moment):
    await city.at(ms(f"{MONDAY} 07:29"))
    offices = [await city.office(f"73.71.{i:02}") for i in range(1, 9)]
    if moment != "07:30":
        for office in offices:
            await office.open("1")
    if moment == "12:00":
        await city.at(ms(f"{MONDAY} 07:30"))
    await city.at(ms(f"{MONDAY} {moment}"), replicas=3)
    expected = {
        "07:30": ["07:30 day.open", "07:30 issue.go hours"],
        "12:00": ["07:30 issue.go hours", "12:00 issue.stop hours"],
        "17:30": ["07:29 counter.open 1", "17:30 day.close"],
    }
    await city.rounds(9)
    for office in offices:
        assert (await office.lines(MONDAY))[-2:] == expected[moment]
        assert await office.verified() == [MONDAY]


# The supervisor's stop


async def switched(office: Office, *, on: bool, why: int = queue_pb2.STOP_REASON_POWER) -> None:
    await (office.do("ResumeIssuing") if on else office.do("StopIssuing", reason=why))


async def test_a_supervisors_stop_and_the_hours_are_two_switches_and_both_must_be_on(city):
    await city.at(ms(f"{MONDAY} 10:00"))
    office = await city.office()
    await office.take()
    await switched(office, on=False)
    assert await refusal(switched(office, on=False)) == "ALREADY_STOPPED"
    assert await refusal(office.take()) == "ISSUING_STOPPED"
    await office.open("1")
    assert await office.serve() == "A001"
    assert (await office.seen()).notice == "POWER"

    await city.at(ms(f"{MONDAY} 12:00"))
    assert await refusal(office.take()) == "ISSUING_STOPPED"
    await city.at(ms(f"{MONDAY} 13:00"))
    assert await refusal(office.take()) == "ISSUING_STOPPED"
    assert not (await office.seen()).open
    await switched(office, on=True)
    assert await refusal(switched(office, on=True)) == "NOT_STOPPED"
    await office.take()

    await switched(office, on=False, why=queue_pb2.STOP_REASON_FULL)
    await city.at(ms(f"{MONDAY} 15:30"))
    await switched(office, on=True)
    assert await refusal(office.take()) == "OFFICE_CLOSED"
    await switched(office, on=False, why=queue_pb2.STOP_REASON_DISASTER)
    assert (await office.seen()).notice == "DISASTER"
    await city.at(ms(f"{MONDAY} 17:30"))
    assert (await office.seen()).notice == ""

    await city.at(ms(f"{TUESDAY} 07:30"))
    assert (await office.take()).number == "A001"
    assert (await office.seen()).notice == ""
    assert await office.lines(MONDAY) == [
        "10:00 day.open",
        "10:00 issue.go hours",
        "10:00 issue A001",
        "10:00 issue.stop power",
        "10:00 counter.open 1",
        "10:00 call A001 1",
        "10:00 start A001 1",
        "10:00 done A001 1",
        "12:00 issue.stop hours",
        "13:00 issue.go hours",
        "13:00 issue.go power",
        "13:00 issue A002",
        "13:00 issue.stop full",
        "15:30 issue.stop hours",
        "15:30 issue.go full",
        "15:30 issue.stop disaster",
        "17:30 day.close",
    ]
    assert await office.verified() == [MONDAY, TUESDAY]


async def test_a_stop_before_the_first_opening_opens_the_day_and_holds_at_it(city):
    await city.at(ms(f"{MONDAY} 06:30"))
    office = await city.office()
    await switched(office, on=False)
    await city.at(ms(f"{MONDAY} 07:30"))
    assert await refusal(office.take()) == "ISSUING_STOPPED"
    await switched(office, on=True)
    assert (await office.take()).number == "A001"
    assert await office.lines(MONDAY) == [
        "06:30 day.open",
        "06:30 issue.stop power",
        "07:30 issue.go hours",
        "07:30 issue.go power",
        "07:30 issue A001",
    ]
    assert await office.verified() == [MONDAY]


# A changed file


async def test_a_changed_policy_waits_for_tomorrow_and_a_changed_name_does_not(city):
    old_services = [
        {"code": "A", "name": "Akta", "quota": {"day": 2}},
        {"code": "B", "name": "Berkas"},
    ]
    await city.at(ms(f"{MONDAY} 12:00"))
    office = await city.office(services=old_services, rule={"transfers": 0, **AT_ONCE})
    await office.open("1")
    before = await office.seen()
    assert not before.change_pending

    new = {
        "name": "Makassar Baru",
        "services": [
            {"code": "A", "name": "Akta kelahiran", "quota": {"day": 1}},
            {"code": "B", "name": "Berkas", "channels": ["CHANNEL_KIOSK"]},
            {"code": "C", "name": "Catatan"},
        ],
        "counters": [{"id": i, "services": ["A", "B", "C"]} for i in ("1", "9")],
        "hours": {"weekly": week(("07:30", "14:00"))},
        "rule": {"transfers": 1, **AT_ONCE},
    }
    applied = await office.apply(**new)
    assert (applied.name, applied.change_pending) == ("Makassar Baru", True)
    assert [s.name for s in applied.services] == ["Akta kelahiran", "Berkas", "Catatan"]
    assert applied.policy == before.policy

    await city.at(ms(f"{MONDAY} 15:00"))
    await the_old_policy_still_decides(office)
    today = await office.seen()
    assert (today.policy, today.change_pending) == (before.policy, True)
    assert [s["name"] for s in (await office.board())["services"]] == ["Akta", "Berkas"]

    await city.at(ms(f"{TUESDAY} 07:30"))
    tomorrow = await office.seen()
    assert (tomorrow.change_pending, tomorrow.service_day) == (False, TUESDAY)
    assert tomorrow.policy != before.policy
    names = [s["name"] for s in (await office.board())["services"]]
    assert names == ["Akta kelahiran", "Berkas", "Catatan"]
    await the_new_policy_decides(office)
    documents = [
        json.loads((await office.do("GetPolicy", hash=digest)).body)
        for digest in (before.policy, tomorrow.policy)
    ]
    assert [[s["code"] for s in d["services"]] for d in documents] == [["A", "B"], ["A", "B", "C"]]
    assert [d["rule"]["transfers"] for d in documents] == [0, 1]
    assert await office.verified() == [MONDAY, TUESDAY]


async def the_old_policy_still_decides(office: Office) -> None:
    """Two numbers of A a day, B for everyone, no C, counters 1 and 2, no transfers, until 15:30."""
    assert [(await office.take(s)).number for s in "AAB"] == ["A001", "A002", "B001"]
    assert await refusal(office.take("A")) == "QUOTA_EXHAUSTED"
    assert await refusal(office.take("C")) == "SERVICE_NOT_FOUND"
    await office.open("2")
    assert await refusal(office.open("9")) == "COUNTER_NOT_FOUND"
    await office.at("2", "Start", await office.call("2"))
    refused = office.at("2", "Transfer", "A001", service="B")
    assert await refusal(refused) == "LIMIT_REACHED"


async def the_new_policy_decides(office: Office) -> None:
    assert (await office.take("A")).number == "A001"
    assert await refusal(office.take("A")) == "QUOTA_EXHAUSTED"
    assert await refusal(office.take("B")) == "CHANNEL_NOT_ADMITTED"
    assert (await office.take("C")).number == "C001"
    assert await refusal(office.open("2")) == "COUNTER_NOT_FOUND"
    await office.open("9")
    await office.at("9", "Start", await office.call("9"))
    await office.at("9", "Transfer", "A001", service="C")


async def test_a_file_that_changes_only_what_citizens_read_leaves_nothing_pending(city):
    await city.at(ms(f"{MONDAY} 10:00"))
    office = await city.office()
    await city.rounds()
    policy = (await office.seen()).policy
    spec = office_file(office.code)["spec"]
    services = [{**s, "typicalMinutes": 3, "standard": {"cost": "Rp 0"}} for s in spec["services"]]
    applied = await office.apply(name="Lain", address="Jalan Lain", services=services)
    assert (applied.change_pending, applied.policy) == (False, policy)
    assert (applied.name, applied.services[0].standard.cost) == ("Lain", "Rp 0")


async def test_a_file_changed_before_the_day_opens_holds_today(city):
    await city.at(ms(f"{MONDAY} 07:00"))
    office = await city.office()
    await city.rounds()
    await office.apply(hours={"weekly": week(("07:00", "09:00"))})
    await city.rounds()
    assert await office.lines(MONDAY) == ["07:00 day.open", "07:00 issue.go hours"]


async def test_an_office_taken_off_the_list_closes_its_day_and_may_come_back_tomorrow(city):
    await city.at(ms(f"{MONDAY} 10:00"))
    office = await city.office()
    ticket = await office.take()
    await office.do("DeleteKecamatan")
    assert await refusal(office.take()) == "KECAMATAN_NOT_FOUND"
    assert await refusal(office.board()) == "KECAMATAN_NOT_FOUND"
    await city.rounds()
    assert (await office.lines(MONDAY))[-1] == "10:00 day.close"
    assert (await office.do("GetDay", day=MONDAY)).day.total.lapsed == 1
    assert state_of(await office.ticket(ticket.id)) == "LAPSED"

    await office.apply()
    await city.rounds()
    assert await refusal(office.take()) == "OFFICE_CLOSED"
    assert (await office.lines(MONDAY))[-1] == "10:00 day.close"
    await city.at(ms(f"{TUESDAY} 10:00"))
    assert (await office.take()).number == "A001"
    assert await office.verified() == [MONDAY, TUESDAY]


@pytest.mark.parametrize(
    ("timezone", "opening"),
    [("Europe/Warsaw", f"{TUESDAY} 14:30"), ("Asia/Jayapura", f"{TUESDAY} 06:30")],
)
async def test_a_changed_time_zone_waits_for_tomorrow_and_makes_no_date_twice(
    city, timezone, opening
):
    await city.at(ms(f"{MONDAY} 10:00"))
    office = await city.office()
    await office.take()
    await office.apply(timezone=timezone)
    await city.at(ms(f"{MONDAY} 15:29:59.999"))
    await office.take()
    await city.at(ms(f"{MONDAY} 15:30"))
    assert await refusal(office.take()) == "OFFICE_CLOSED"
    await city.at(ms(f"{TUESDAY} 00:00"))
    assert (await office.lines(MONDAY))[-1] == "00:00 day.close"
    await city.at(ms(opening) - 1)
    assert await refusal(office.take()) == "OFFICE_CLOSED"
    await city.at(ms(opening))
    assert (await office.take()).service_day == TUESDAY
    assert await office.verified() == [MONDAY, TUESDAY]


# Clocks that disagree


async def test_time_never_runs_back_and_a_clock_far_behind_is_written_once_while_it_is_held(city):
    noon = ms(f"{MONDAY} 11:00")
    await city.at(noon)
    office = await city.office()
    assert (await office.take()).number == "A001"
    await city.at(noon - 3_000)
    assert (await office.take()).number == "A002"
    await city.at(noon - 5_000)
    assert (await office.take()).number == "A003"
    await city.at(noon - 60_000)
    assert (await office.take()).number == "A004"
    assert (await office.take()).number == "A005"
    await city.rounds(5)
    await city.at(noon + 1_000)
    assert (await office.take()).number == "A006"
    await city.at(noon - 60_000)
    assert (await office.take()).number == "A007"
    await city.rounds(5)
    assert await office.lines(MONDAY) == [
        "11:00 day.open",
        "11:00 issue.go hours",
        "11:00 issue A001",
        "11:00 issue A002",
        "11:00 issue A003",
        "11:00 clock 60000",
        "11:00 issue A004",
        "11:00 issue A005",
        "11:00:01 issue A006",
        "11:00:01 clock 61000",
        "11:00:01 issue A007",
    ]
    assert await office.verified() == [MONDAY]


async def test_replicas_whose_clocks_disagree_write_one_journal_without_a_step_back(city):
    await city.at(ms(f"{MONDAY} 11:00"), speed=1.0)
    office = await city.office()
    behind = [
        city.start(f"0,{ms(f'{MONDAY} 10:59')},0"),
        city.start(f"0,{ms(f'{MONDAY} 10:58')},0"),
    ]
    city.replicas += behind
    for _ in range(20):
        for replica in city.replicas:
            await office.do("CreateTicket", to=replica, service="B")
    times = [event["t"] for event in await office.events(MONDAY)]
    assert times == sorted(times)
    issued = [e["k"] for e in await office.events(MONDAY) if e["e"] == "issue" and e["s"] == "B"]
    assert issued == [f"B{n:03}" for n in range(1, 61)]
    assert await office.verified() == [MONDAY]


async def test_a_clock_behind_midnight_neither_reopens_yesterday_nor_writes_into_it(city):
    await city.at(ms(f"{MONDAY} 23:59"))
    office = await city.office(hours={"weekly": week(("00:00", "24:00"))})
    await office.take()
    await city.at(ms(f"{TUESDAY} 00:00:00.001"))
    yesterday = await office.leaves(MONDAY)
    await city.at(ms(f"{MONDAY} 23:59:58"))
    ticket = await office.take()
    assert (ticket.number, ticket.service_day) == ("A001", TUESDAY)
    assert await office.leaves(MONDAY) == yesterday
    assert await office.verified() == [MONDAY, TUESDAY]


# Summer time


WARSAW = "Europe/Warsaw"
HOUR = 3_600_000


@pytest.mark.parametrize(("date", "length"), [("2026-03-29", 23), ("2026-10-25", 25)])
async def test_a_day_on_which_the_clocks_change_has_its_local_hours_and_its_own_length(
    city, date, length
):
    start, opening = ms(f"{date} 00:00", WARSAW), ms(f"{date} 08:00", WARSAW)
    assert opening - start == (length - 16) * HOUR
    await city.at(start - 1)
    always = await city.office(
        "73.71.01", timezone=WARSAW, hours={"weekly": week(("00:00", "24:00"))}
    )
    hours = {"weekly": week(("08:00", "12:00"))}
    office = await city.office("73.71.02", timezone=WARSAW, hours=hours)
    assert (await always.take()).service_day < date

    await city.at(start)
    ticket = await always.take()
    assert (ticket.service_day, ticket.number) == (date, "A001")
    await city.at(opening - 1)
    assert await refusal(office.take()) == "OFFICE_CLOSED"
    await city.at(opening)
    assert (await office.take()).number == "A001"
    await city.at(opening + 4 * HOUR)
    assert await refusal(office.take()) == "OFFICE_CLOSED"
    await city.at(opening + 6 * HOUR)
    await city.at(start + length * HOUR - 1)
    assert (await always.take()).service_day == date
    await city.at(start + length * HOUR)
    assert (await always.take()).service_day > date

    assert await office.lines(date, WARSAW) == [
        "08:00 day.open",
        "08:00 issue.go hours",
        "08:00 issue A001",
        "12:00 issue.stop hours",
        "14:00 day.close",
    ]
    day = await always.events(date)
    assert day[0]["t"] == start
    assert (day[-1]["e"], day[-1]["t"]) == ("day.close", start + length * HOUR)
    assert await office.verified() == [date]
    assert len(await always.verified()) == 3
