"""An ordinary day by the clock, and a supervisor's stop across its breaks.

The clock of these tests, and of their neighbours that take `city`, stands: each moment is a queue
process of its own on the same Redis. Days that flow are in `test_several_days.py`.
"""

from typing import Any

from tests.e2e.mapped_office import MONDAY, REQUEST, TUESDAY, Office, ms, state_of, tally
from tests.e2e.replica import refusal
from tunggu.queue.v1 import queue_pb2, ticket_pb2


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
