"""Taking a number, and what its holder and the desk do with it: success and every refusal."""

import pytest

from services.chassis.errors import from_status
from tests.queue.servicing import ADMIN, HOLDER, MONDAY, RULE, SERVICES, Office, state_name
from tunggu.queue.v1 import queue_pb2 as pb
from tunggu.queue.v1 import ticket_pb2 as tickets

SHORT = {**RULE, "return": {"afterCalls": 1, "within": "0s", "times": 1}}
SHORT |= {"hold": {"times": 1, "within": "0s"}}
SCARCE = [{"code": "A", "name": "Langka", "quota": {"day": 2, "web": 1}}]
ONE_COUNTER = [{"id": "1", "services": ["A"]}]


async def refused_by_both(office, rpc, reason, ticket, **fields):
    """The holder by id and the desk by number get the same answer."""
    await office.refused(rpc, reason, ticket_id=ticket.id, **fields)
    return await office.refused(rpc, reason, office.officer, number=ticket.number, **fields)


# CreateTicket -----------------------------------------------------------------------------------


async def test_create_ticket_answers_the_first_number_with_its_id_and_opens_the_day(office):
    ticket = await office.take("A")
    assert (ticket.number, ticket.service, state_name(ticket)) == ("A001", "A", "WAITING")
    assert (ticket.kecamatan, ticket.service_day) == (office.code, MONDAY)
    assert (ticket.lane, ticket.channel) == (tickets.LANE_REGULAR, tickets.CHANNEL_WEB)
    assert (ticket.ahead, ticket.counter, ticket.present) == (0, "", False)
    assert ticket.id.startswith(f"{office.code.replace('.', '')}-260302-")
    assert len(ticket.id) == len("737103-260302-") + 22
    opened, go, issue = office.leaves()
    assert (opened["e"], go["e"], go["why"]) == ("day.open", "issue.go", "hours")
    assert issue["n"] == ticket.event == 2
    assert issue["t"] == ticket.issued_at.ToMilliseconds()
    assert [issue[name] for name in ("e", "k", "s", "l", "ch", "h")] == [
        *("issue", "A001", "A", "R", "W", "")
    ]


async def test_create_ticket_numbers_each_service_from_one_and_says_who_is_ahead(office):
    taken = [await office.take(service) for service in "AABA"]
    assert [ticket.number for ticket in taken] == ["A001", "A002", "B001", "A003"]
    assert [ticket.ahead for ticket in taken] == [0, 1, 0, 2]
    assert len({ticket.id for ticket in taken}) == 4


async def test_create_ticket_in_the_priority_lane_stands_before_ordinary_numbers(office):
    for _ in range(3):
        await office.take("A")
    ticket = await office.take("A", lane=tickets.LANE_PRIORITY)
    assert ticket.lane == tickets.LANE_PRIORITY
    assert ticket.ahead == 2  # priorityAfter: two ordinary ones go first
    assert office.last_leaf()["l"] == "P"


@pytest.mark.parametrize(
    ("name", "role", "letter"),
    [
        ("KIOSK", "KIOSK", "K"),
        ("DESK", "OFFICER", "D"),
        ("DESK", "SUPERVISOR", "D"),
        ("WHATSAPP", "INTERNAL", "A"),
    ],
)
async def test_create_ticket_by_a_channel_of_the_staff_needs_its_role(office, name, role, letter):
    asked = {"service": "A", "channel": tickets.Channel.Value(f"CHANNEL_{name}")}
    await office.refused("CreateTicket", "UNAUTHENTICATED", **asked)
    admitted = {"OFFICER", "SUPERVISOR"} if name == "DESK" else {role}
    for other in {"KIOSK", "OFFICER", "INTERNAL", "WAR_ROOM", "ADMIN"} - admitted:
        await office.refused("CreateTicket", "PERMISSION_DENIED", office.who(other), **asked)
    elsewhere = Office(office.channel, office.redis).who(role)
    await office.refused("CreateTicket", "OTHER_KECAMATAN", elsewhere, **asked)
    ticket = await office.do("CreateTicket", office.who(role), **asked)
    assert ticket.channel == asked["channel"]
    assert office.last_leaf()["ch"] == letter


async def test_create_ticket_refuses_an_office_and_services_that_are_not_there(office):
    for code in ("", "99.99.99", "makassar", "73.71.033", "٧٣.٧١.٠٣"):
        request = pb.CreateTicketRequest(kecamatan=code, service="A")
        await office.refused_as("CreateTicket", request, "KECAMATAN_NOT_FOUND")
    for service in ("Z", "a", "AB", "A|"):
        await office.refused("CreateTicket", "SERVICE_NOT_FOUND", service=service)
    assert await office.refused("CreateTicket", "INVALID_REQUEST") == {"field": "service"}


async def test_create_ticket_refuses_enums_and_keys_that_nobody_knows(office):
    for fields, field in (
        ({"lane": 9}, "lane"),
        ({"channel": 9}, "channel"),
        ({"holder": "too short"}, "holder"),
        ({"holder": "h" * 129}, "holder"),
        ({"request_id": "with a space that no key has"}, "requestId"),
        ({"request_id": "k" * 129}, "requestId"),
    ):
        said = await office.refused("CreateTicket", "INVALID_REQUEST", service="A", **fields)
        assert said == {"field": field}


async def test_create_ticket_refuses_a_channel_that_the_service_does_not_admit(office):
    said = await office.refused("CreateTicket", "CHANNEL_NOT_ADMITTED", service="C")
    assert (said["service"], said["channel"]) == ("C", "WEB")
    by_kiosk = await office.take("C", office.kiosk, channel=tickets.CHANNEL_KIOSK)
    assert by_kiosk.number == "C001"


async def test_create_ticket_refuses_while_issuing_is_stopped_and_says_why(office):
    await office.take("A")
    await office.do("StopIssuing", office.head, reason=pb.STOP_REASON_FULL)
    said = await office.refused("CreateTicket", "ISSUING_STOPPED", service="A")
    assert said["why"] == "FULL"
    await office.do("ResumeIssuing", office.head)
    assert (await office.take("A")).number == "A002"


async def test_create_ticket_refuses_once_the_day_is_closed_with_office_closed(office):
    await office.take("A")
    await office.do("DeleteKecamatan", ADMIN)
    await office.apply()
    await office.refused("CreateTicket", "OFFICE_CLOSED", service="A")


async def test_create_ticket_refuses_the_holder_a_second_live_one_and_hands_the_first_back(office):
    first = await office.take("A", holder=HOLDER)
    said = await office.refused("CreateTicket", "LIVE_TICKET_EXISTS", service="A", holder=HOLDER)
    assert (said["ticketId"], said["number"]) == (first.id, first.number)
    other_service = await office.take("B", holder=HOLDER)
    other_holder = await office.take("A", holder=HOLDER[::-1])
    assert (other_service.number, other_holder.number) == ("B001", "A002")
    await office.do("CancelTicket", ticket_id=first.id)
    assert (await office.take("A", holder=HOLDER)).number == "A003"


@pytest.mark.parametrize("state", ["CALLED", "SERVING", "ON_HOLD", "NO_SHOW"])
async def test_create_ticket_refuses_the_holder_of_one_that_can_still_be_served(office, state):
    first = await office.ticket_in(state, holder=HOLDER)
    said = await office.refused("CreateTicket", "LIVE_TICKET_EXISTS", service="A", holder=HOLDER)
    assert said["ticketId"] == first.id


async def test_create_ticket_gives_the_holder_a_new_one_once_the_first_cannot_be_served(office):
    await office.apply(rule=SHORT)
    for number, state in enumerate(("COMPLETED", "ON_HOLD", "NO_SHOW", "CANCELLED"), 1):
        ticket = await office.ticket_in(state, holder=HOLDER)
        assert ticket.number == f"A{number:03d}"
    assert (await office.take("A", holder=HOLDER)).number == "A005"


async def test_create_ticket_refuses_what_is_above_the_quota_of_the_web_and_of_the_day(office):
    await office.apply(services=SCARCE, counters=ONE_COUNTER)
    web = await office.take("A")
    said = await office.refused("CreateTicket", "QUOTA_EXHAUSTED", service="A")
    assert said["service"] == "A"
    whatsapp = {"service": "A", "channel": tickets.CHANNEL_WHATSAPP}
    await office.refused("CreateTicket", "QUOTA_EXHAUSTED", office.sender, **whatsapp)
    walk_in = {"service": "A", "channel": tickets.CHANNEL_KIOSK}
    assert (await office.do("CreateTicket", office.kiosk, **walk_in)).number == "A002"
    await office.refused("CreateTicket", "QUOTA_EXHAUSTED", office.kiosk, **walk_in)
    await office.do("CancelTicket", ticket_id=web.id)
    assert (await office.take("A")).number == "A003"
    await office.refused("CreateTicket", "QUOTA_EXHAUSTED", service="A")


# BatchCreateTickets -----------------------------------------------------------------------------


def item(office, **fields):
    return pb.CreateTicketRequest(**({"kecamatan": office.code, "service": "A"} | fields))


async def test_batch_create_tickets_answers_each_item_for_itself_in_order(office):
    items = [
        item(office),
        item(office, service="Z"),
        item(office, service="B"),
        item(office, channel=tickets.CHANNEL_DESK),
        item(office, kecamatan="99.99.99"),
        item(office),
    ]
    answer = await office.do("BatchCreateTickets", requests=items)
    said = [
        r.ticket.number if r.HasField("ticket") else from_status(r.error).reason
        for r in answer.results
    ]
    assert said == [
        *("A001", "SERVICE_NOT_FOUND", "B001", "UNAUTHENTICATED", "KECAMATAN_NOT_FOUND", "A002")
    ]
    assert all(r.ticket.id for r in answer.results if r.HasField("ticket"))
    assert [leaf["k"] for leaf in office.leaves()[2:]] == ["A001", "B001", "A002"]


async def test_batch_create_tickets_admits_a_channel_only_to_who_create_ticket_admits(office):
    items = [item(office, channel=channel) for channel in (0, 1, 2, 3, 4)]
    answer = await office.do("BatchCreateTickets", office.kiosk, requests=items)
    said = [r.ticket.number or from_status(r.error).reason for r in answer.results]
    assert said == ["A001", "A002", "A003", "PERMISSION_DENIED", "PERMISSION_DENIED"]


async def test_batch_create_tickets_keeps_holders_and_quotas_within_one_batch(office):
    await office.apply(services=[*SERVICES[1:], SCARCE[0] | {"quota": {"day": 3, "web": 3}}])
    same = [item(office, holder=HOLDER)] * 2
    answer = await office.do("BatchCreateTickets", requests=[*same, *[item(office)] * 3])
    first, second, *rest = answer.results
    problem = from_status(second.error)
    assert problem.reason == "LIVE_TICKET_EXISTS"
    assert problem.metadata["ticketId"] == first.ticket.id
    said = [r.ticket.number or from_status(r.error).reason for r in rest]
    assert said == ["A002", "A003", "QUOTA_EXHAUSTED"]


async def test_batch_create_tickets_refuses_none_and_more_than_256(office):
    for count in (0, 257):
        requests = [item(office)] * count
        said = await office.refused("BatchCreateTickets", "INVALID_REQUEST", requests=requests)
        assert said == {"field": "requests"}
    answer = await office.do("BatchCreateTickets", requests=[item(office)] * 256)
    numbers = [result.ticket.number for result in answer.results]
    assert numbers == [f"A{n:03d}" for n in range(1, 257)]


# GetTicket --------------------------------------------------------------------------------------


async def test_get_ticket_by_id_shows_the_holder_where_the_ticket_stands(office):
    first, second = await office.take("A"), await office.take("A")
    shown = await office.do("GetTicket", ticket_id=second.id)
    assert shown == second
    await office.open()
    await office.call_next()
    assert (await office.do("GetTicket", ticket_id=second.id)).ahead == 0
    called = await office.do("GetTicket", ticket_id=first.id)
    assert (state_name(called), called.counter, called.event) == ("CALLED", "1", 5)
    assert called.called_at.ToMilliseconds() == office.last_leaf()["t"]


@pytest.mark.parametrize("role", ["KIOSK", "OFFICER", "SUPERVISOR", "INTERNAL"])
async def test_get_ticket_by_number_shows_the_staff_the_same_without_the_id(office, role):
    ticket = await office.take("A")
    for day in ("", MONDAY):
        shown = await office.do("GetTicket", office.who(role), number="A001", service_day=day)
        assert shown.id == ""
        shown.id = ticket.id
        assert shown == ticket


async def test_get_ticket_refuses_ids_and_numbers_that_are_not_there(office):
    ticket = await office.take("A")
    for id in (ticket.id[:-1], ticket.id[:-1] + "_", "x", "737103-260302-" + "é" * 22):
        await office.refused("GetTicket", "TICKET_NOT_FOUND", ticket_id=id)
    for number in ("A002", "B001", "a001", "A1", "A001|", "A" * 999):
        await office.refused("GetTicket", "TICKET_NOT_FOUND", office.kiosk, number=number)
    other_day = {"number": "A001", "service_day": "2026-03-01"}
    await office.refused("GetTicket", "TICKET_NOT_FOUND", office.kiosk, **other_day)


@pytest.mark.parametrize("day", ["20260302", "2026-3-2", "today", "2026-02-32", "}:journal"])
async def test_get_ticket_refuses_a_day_that_is_none(office, day):
    await office.take("A")
    said = await office.refused(
        "GetTicket", "INVALID_REQUEST", office.officer, number="A001", service_day=day
    )
    assert said == {"field": "serviceDay"}


# CancelTicket -----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["WAITING", "ON_HOLD", "NO_SHOW"])
async def test_cancel_ticket_gives_a_number_back_for_its_holder(office, state):
    ticket = await office.ticket_in(state)
    cancelled = await office.do("CancelTicket", ticket_id=ticket.id)
    assert (state_name(cancelled), cancelled.id) == ("CANCELLED", ticket.id)
    leaf = office.last_leaf()
    assert (leaf["e"], leaf["k"], leaf["by"]) == ("cancel", "A001", "holder")
    assert leaf["n"] == cancelled.event
    assert leaf["t"] == cancelled.closed_at.ToMilliseconds()
    assert not cancelled.HasField("return_by")


async def test_cancel_ticket_by_the_desk_names_the_desk_and_shows_no_id(office):
    await office.take("A")
    cancelled = await office.do("CancelTicket", office.officer, number="A001")
    assert (state_name(cancelled), cancelled.id) == ("CANCELLED", "")
    assert office.last_leaf()["by"] == "desk"


async def test_cancel_ticket_refuses_numbers_that_are_not_there(office):
    ticket = await office.take("A")
    await office.refused("CancelTicket", "TICKET_NOT_FOUND", office.officer, number="A002")
    await office.refused("CancelTicket", "TICKET_NOT_FOUND", ticket_id=ticket.id[:-2] + "zz")
    said = await office.refused("CancelTicket", "INVALID_REQUEST", office.officer)
    assert said == {"field": "number"}


@pytest.mark.parametrize("state", ["CALLED", "SERVING", "COMPLETED", "CANCELLED"])
async def test_cancel_ticket_refuses_one_that_is_at_a_counter_or_done(office, state):
    ticket = await office.ticket_in(state)
    said = await refused_by_both(office, "CancelTicket", "WRONG_STATE", ticket)
    assert said["state"] == state


# CheckInTicket ----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["WAITING", "ON_HOLD"])
async def test_check_in_ticket_says_once_that_the_holder_is_here(office, state):
    ticket = await office.ticket_in(state)
    present = await office.do("CheckInTicket", ticket_id=ticket.id)
    assert present.present
    assert state_name(present) == state
    leaf = office.last_leaf()
    assert (leaf["e"], leaf["k"], leaf["n"]) == ("present", "A001", present.event)
    await refused_by_both(office, "CheckInTicket", "ALREADY_PRESENT", ticket)


@pytest.mark.parametrize("role", ["KIOSK", "OFFICER", "SUPERVISOR"])
async def test_check_in_ticket_by_number_is_for_the_staff(office, role):
    await office.take("A")
    present = await office.do("CheckInTicket", office.who(role), number="A001")
    assert (present.present, present.id) == (True, "")


async def test_check_in_ticket_refuses_already_present_and_numbers_that_are_not_there(office):
    ticket = await office.take("A")
    await office.do("CheckInTicket", ticket_id=ticket.id)
    await office.refused("CheckInTicket", "ALREADY_PRESENT", ticket_id=ticket.id)
    await office.refused("CheckInTicket", "TICKET_NOT_FOUND", office.kiosk, number="B001")


@pytest.mark.parametrize("state", ["CALLED", "SERVING", "COMPLETED", "CANCELLED", "NO_SHOW"])
async def test_check_in_ticket_refuses_one_that_does_not_wait(office, state):
    ticket = await office.ticket_in(state)
    said = await refused_by_both(office, "CheckInTicket", "WRONG_STATE", ticket)
    assert said["state"] == state


# ReturnTicket -----------------------------------------------------------------------------------


async def test_return_ticket_after_a_hold_stands_where_its_arrival_puts_it(office):
    ticket = await office.ticket_in("ON_HOLD")
    later = await office.take("A")
    returned = await office.do("ReturnTicket", ticket_id=ticket.id)
    assert (state_name(returned), returned.ahead) == ("WAITING", 0)
    leaf = office.last_leaf()
    assert (leaf["e"], leaf["k"], leaf["n"]) == ("return", "A001", returned.event)
    assert (await office.do("GetTicket", ticket_id=later.id)).ahead == 1


async def test_return_ticket_after_a_no_show_waits_for_the_calls_of_the_rule(office):
    ticket = await office.ticket_in("NO_SHOW")
    shown = await office.do("GetTicket", ticket_id=ticket.id)
    missed = office.last_leaf()
    assert shown.return_by.ToMilliseconds() == missed["t"] + 3_600_000
    for _ in range(2):
        await office.take("A")
    returned = await office.do("ReturnTicket", office.officer, number=ticket.number)
    assert (state_name(returned), returned.ahead, returned.id) == ("WAITING", 1, "")
    calls = [(await office.call_next(c)).number for c in "12" if await office.open(c)]
    assert calls == ["A002", "A001"]


async def test_return_ticket_refuses_a_second_return_with_limit_reached(office):
    ticket = await office.ticket_in("NO_SHOW")
    await office.do("ReturnTicket", ticket_id=ticket.id)
    await office.call_next()
    await office.at_counter("SkipTicket", ticket.number)
    gone = await office.do("GetTicket", ticket_id=ticket.id)
    assert not gone.HasField("return_by")
    await refused_by_both(office, "ReturnTicket", "LIMIT_REACHED", ticket)


@pytest.mark.parametrize("state", ["NO_SHOW", "ON_HOLD"])
async def test_return_ticket_refuses_after_the_time_of_the_rule_with_return_expired(office, state):
    await office.apply(rule=SHORT)
    ticket = await office.ticket_in(state)
    await refused_by_both(office, "ReturnTicket", "RETURN_EXPIRED", ticket)


@pytest.mark.parametrize("state", ["WAITING", "CALLED", "SERVING", "COMPLETED", "CANCELLED"])
async def test_return_ticket_refuses_one_that_is_not_away(office, state):
    ticket = await office.ticket_in(state)
    said = await refused_by_both(office, "ReturnTicket", "WRONG_STATE", ticket)
    assert said["state"] == state


async def test_return_ticket_refuses_numbers_that_are_not_there(office):
    await office.take("A")
    await office.refused("ReturnTicket", "TICKET_NOT_FOUND", office.officer, number="A009")


# SetTicketLane ----------------------------------------------------------------------------------

PRIORITY = {"lane": tickets.LANE_PRIORITY}


@pytest.mark.parametrize("role", ["OFFICER", "SUPERVISOR"])
async def test_set_ticket_lane_moves_a_waiting_ticket_and_keeps_its_arrival(office, role):
    for _ in range(3):
        await office.take("A")
    moved = await office.do("SetTicketLane", office.who(role), number="A003", **PRIORITY)
    assert (moved.lane, moved.id) == (tickets.LANE_PRIORITY, "")
    leaf = office.last_leaf()
    assert [leaf[name] for name in ("e", "k", "l", "n")] == ["lane", "A003", "P", moved.event]
    assert moved.ahead == 2  # still after two ordinary ones


@pytest.mark.parametrize(
    "state", ["CALLED", "SERVING", "COMPLETED", "CANCELLED", "NO_SHOW", "ON_HOLD"]
)
async def test_set_ticket_lane_refuses_one_that_does_not_wait(office, state):
    await office.ticket_in(state)
    said = await office.refused(
        "SetTicketLane", "WRONG_STATE", office.officer, number="A001", **PRIORITY
    )
    assert said["state"] == state


async def test_set_ticket_lane_refuses_twice_unknown_numbers_and_the_way_back(office):
    await office.take("A")
    await office.do("SetTicketLane", office.officer, number="A001", **PRIORITY)
    for number, reason in (("A001", "WRONG_STATE"), ("A002", "TICKET_NOT_FOUND")):
        await office.refused("SetTicketLane", reason, office.officer, number=number, **PRIORITY)
    for lane in (0, tickets.LANE_REGULAR, 7):
        said = await office.refused(
            "SetTicketLane", "INVALID_REQUEST", office.officer, number="A001", lane=lane
        )
        assert said == {"field": "lane"}


# RequeueTicket ----------------------------------------------------------------------------------


async def test_requeue_ticket_puts_a_called_one_back_to_where_it_stood(office):
    ticket = await office.ticket_in("CALLED")
    await office.take("A")
    back = await office.do("RequeueTicket", office.head, number="A001")
    assert (state_name(back), back.ahead, back.counter) == ("WAITING", 0, "")
    leaf = office.last_leaf()
    assert [leaf[name] for name in ("e", "k", "c", "n")] == ["requeue", "A001", "1", back.event]
    counter = await office.do("GetCounter", office.officer, counter="1")
    assert not counter.HasField("ticket")
    assert (await office.call_next()).number == ticket.number


@pytest.mark.parametrize(
    "state", ["WAITING", "SERVING", "COMPLETED", "CANCELLED", "NO_SHOW", "ON_HOLD"]
)
async def test_requeue_ticket_refuses_one_that_is_not_called(office, state):
    await office.ticket_in(state)
    said = await office.refused("RequeueTicket", "WRONG_STATE", office.head, number="A001")
    assert said["state"] == state


async def test_requeue_ticket_refuses_officers_and_numbers_that_are_not_there(office):
    await office.ticket_in("CALLED")
    await office.refused("RequeueTicket", "PERMISSION_DENIED", office.officer, number="A001")
    await office.refused("RequeueTicket", "TICKET_NOT_FOUND", office.head, number="A002")
