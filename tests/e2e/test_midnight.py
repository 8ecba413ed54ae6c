"""Midnight, with tickets in every state."""

from typing import Any

import pytest

from tests.e2e.mapped import mapped_city
from tests.e2e.mapped_office import (
    AT_ONCE,
    HOLDER,
    MONDAY,
    REQUEST,
    TUESDAY,
    Office,
    ms,
    state_of,
    tally,
    week,
)
from tests.e2e.replica import refusal
from tunggu.queue.v1 import ticket_pb2


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
