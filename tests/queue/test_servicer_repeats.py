"""Retrying is safe: the same id from the same caller is the same request, and nobody else's."""

import asyncio

import pytest

from services.chassis.errors import Problem
from tests.queue.servicing import ADMIN, HOLDER, RULE, Office, Who, file_of, state_name
from tunggu.queue.v1 import queue_pb2 as pb

ID = "0123456789-0123456789-abc"


# What each verb is called with, and the state in which it finds ticket A001 (None: no ticket).
VERBS = {
    "CancelTicket": ("officer", "WAITING", {"number": "A001"}),
    "CheckInTicket": ("officer", "WAITING", {"number": "A001"}),
    "ReturnTicket": ("officer", "ON_HOLD", {"number": "A001"}),
    "SetTicketLane": ("officer", "WAITING", {"number": "A001", "lane": 2}),
    "RequeueTicket": ("head", "CALLED", {"number": "A001"}),
    "OpenCounter": ("officer", None, {"counter": "1"}),
    "CloseCounter": ("officer", "COMPLETED", {"counter": "1"}),
    "SetCounterServices": ("head", None, {"counter": "2", "services": ["A"]}),
    "CallNextTicket": ("officer", "COMPLETED", {"counter": "1"}),
    "RecallTicket": ("officer", "CALLED", {"counter": "1", "ticket": "A001"}),
    "StartTicket": ("officer", "CALLED", {"counter": "1", "ticket": "A001"}),
    "CompleteTicket": ("officer", "SERVING", {"counter": "1", "ticket": "A001"}),
    "SkipTicket": ("officer", "CALLED", {"counter": "1", "ticket": "A001"}),
    "HoldTicket": ("officer", "SERVING", {"counter": "1", "ticket": "A001"}),
    "TransferTicket": ("officer", "SERVING", {"counter": "1", "ticket": "A001", "service": "B"}),
    "StopIssuing": ("head", None, {"reason": pb.STOP_REASON_FULL}),
    "ResumeIssuing": ("head", "STOPPED", {}),
    "CreateTicket": ("kiosk", None, {"service": "A"}),
}
OTHER = {
    "number": "A002",
    "counter": "3",
    "ticket": "A002",
    "reason": pb.STOP_REASON_OTHER,
    "service": "C",
}
BY_ID = {"CancelTicket": "WAITING", "CheckInTicket": "WAITING", "ReturnTicket": "NO_SHOW"}


def test_every_mutation_of_the_queue_is_repeated_here():
    named = {
        name.removesuffix("Request")
        for name, message in pb.DESCRIPTOR.message_types_by_name.items()
        if "request_id" in message.fields_by_name
    }
    assert named == set(VERBS)


async def prepared(office, rpc):
    """The caller and request of a verb that can be done now."""
    role, state, fields = VERBS[rpc]
    if state == "STOPPED":
        await office.do("StopIssuing", office.head, reason=pb.STOP_REASON_FULL)
    elif state:
        await office.ticket_in(state)
        await office.take("A")
    if rpc == "RecallTicket":
        await asyncio.sleep(21 / 60)
    return getattr(office, role), office.request(rpc, request_id=ID, **fields)


@pytest.mark.parametrize("rpc", VERBS)
async def test_a_repetition_answers_the_same_and_writes_nothing(office, rpc):
    who, request = await prepared(office, rpc)
    first = await office.send(rpc, request, who)
    before = office.state()
    again = await office.send(rpc, request, who)
    assert again == first
    assert office.state() == before


@pytest.mark.parametrize("rpc", [rpc for rpc in VERBS if rpc != "ResumeIssuing"])
async def test_the_same_id_with_another_payload_is_refused_as_reused(office, rpc):
    who, request = await prepared(office, rpc)
    await office.send(rpc, request, who)
    for name, value in OTHER.items():
        if name in request.DESCRIPTOR.fields_by_name and getattr(request, name):
            other = type(request)()
            other.CopyFrom(request)
            setattr(other, name, value)
            await office.refused_as(rpc, other, "REQUEST_ID_REUSED", who)


@pytest.mark.parametrize("rpc", VERBS)
async def test_the_same_id_by_another_caller_is_another_request(office, rpc):
    """It is done or refused for what it is, but never answered with the first one's event."""
    who, request = await prepared(office, rpc)
    first = await office.send(rpc, request, who)
    other = Who(f"{who.roles},SUPERVISOR", office.code, "somebody-else")
    before = office.leaves()
    second = await outcome(office.send(rpc, request, other))
    if isinstance(second, Problem):
        assert not second.reason.startswith("REQUEST_ID")
        assert office.leaves() == before
    else:
        assert second.event != first.event or rpc == "OpenCounter"
        assert office.audit()[-1]["s"] == "somebody-else"


async def outcome(answer):
    try:
        return await answer
    except Problem as problem:
        return problem


@pytest.mark.parametrize("rpc", BY_ID)
async def test_a_holders_repetition_by_id_answers_the_same(office, rpc):
    ticket = await office.ticket_in(BY_ID[rpc])
    request = office.request(rpc, ticket_id=ticket.id, request_id="1")
    first = await office.send(rpc, request)
    before = office.state()
    assert await office.send(rpc, request) == first
    assert office.state() == before
    staffs = office.request(rpc, number=ticket.number, request_id="1")
    reason = {"CheckInTicket": "ALREADY_PRESENT"}.get(rpc, "WRONG_STATE")
    await office.refused_as(rpc, staffs, reason, office.officer)


async def test_a_repetition_shows_live_fields_fresh_and_its_own_event(office):
    first = await office.take("A", holder=HOLDER, request_id="1")
    await office.open()
    await office.call_next()
    again = await office.take("A", holder=HOLDER, request_id="1")
    assert (again.id, again.number, again.event) == (first.id, first.number, first.event)
    assert (state_name(again), again.counter) == ("CALLED", "1")
    assert (await office.do("GetTicket", ticket_id=first.id)).event > first.event


async def test_a_repeated_counter_verb_shows_its_own_event_and_the_counter_as_it_is(office):
    opened = {"counter": "1", "request_id": "1"}
    first = await office.do("OpenCounter", office.officer, **opened)
    await office.take("A")
    await office.call_next()
    again = await office.do("OpenCounter", office.officer, **opened)
    assert again.event == first.event
    assert again.ticket.number == "A001"


async def test_only_successes_are_remembered(office):
    asked = {"counter": "1", "request_id": "1"}
    await office.open()
    await office.refused("CallNextTicket", "NOBODY_WAITING", office.officer, **asked)
    await office.take("A")
    called = await office.do("CallNextTicket", office.officer, **asked)
    assert called.number == "A001"
    again = await office.do("CallNextTicket", office.officer, **asked)
    assert again == called


async def test_without_an_id_each_request_is_its_own(office):
    assert [(await office.take("A")).number for _ in range(3)] == ["A001", "A002", "A003"]


async def test_twenty_at_once_with_one_id_are_one_event(office):
    answers = await asyncio.gather(*(office.take("A", request_id=ID) for _ in range(20)))
    assert len({(t.id, t.number, t.event) for t in answers}) == 1
    assert [leaf["e"] for leaf in office.leaves()] == ["day.open", "issue.go", "issue"]
    await office.open()
    called = await asyncio.gather(
        *(
            office.do("CallNextTicket", office.officer, counter="1", request_id=ID)
            for _ in range(20)
        )
    )
    assert len({(t.number, t.event) for t in called}) == 1
    assert [leaf["e"] for leaf in office.leaves()[-2:]] == ["counter.open", "call"]


async def test_a_repetition_within_a_batch_and_across_the_two_ways_is_one_ticket(office):
    one = pb.CreateTicketRequest(kecamatan=office.code, service="A", request_id=ID)
    answer = await office.do("BatchCreateTickets", requests=[one, one])
    again = await office.do("BatchCreateTickets", requests=[one])
    alone = await office.take("A", request_id=ID)
    tickets = [r.ticket for r in (*answer.results, *again.results)]
    assert all((t.id, t.event) == (alone.id, alone.event) for t in tickets)
    other = pb.CreateTicketRequest(kecamatan=office.code, service="B", request_id=ID)
    mixed = await office.do("BatchCreateTickets", requests=[other, one])
    assert "REQUEST_ID_REUSED" in str(mixed.results[0].error)
    assert mixed.results[1].ticket.id == alone.id
    assert len(office.leaves()) == 3


async def test_an_anonymous_id_needs_22_characters_because_others_could_choose_the_same(office):
    await office.refused("CreateTicket", "REQUEST_ID_TOO_SHORT", service="A", request_id="k" * 21)
    requests = [office.request("CreateTicket", service="A", request_id="k" * 21)]
    answer = await office.do("BatchCreateTickets", requests=requests)
    assert "REQUEST_ID_TOO_SHORT" in str(answer.results[0].error)
    assert (await office.take("A", request_id="k" * 22)).number == "A001"
    assert (await office.take("A", holder=HOLDER, request_id="k")).number == "A002"


async def test_the_same_id_of_two_holders_and_nobody_is_three_tickets(office):
    taken = [
        await office.take("A", request_id=ID, holder=HOLDER),
        await office.take("A", request_id=ID, holder=HOLDER[::-1]),
        await office.take("A", request_id=ID),
        await office.take("A", office.kiosk, request_id=ID),
    ]
    assert [ticket.number for ticket in taken] == ["A001", "A002", "A003", "A004"]
    assert len({ticket.id for ticket in taken}) == 4


async def test_a_holder_key_that_is_an_officers_subject_has_ids_of_its_own(office):
    subject = "f47ac10b-58cc-4372-a567-0e02b2c3d479"
    who = Who("KIOSK", office.code, subject)
    by_kiosk = await office.take("A", who, request_id="1")
    by_citizen = await office.take("A", holder=subject, request_id="1")
    assert (by_kiosk.number, by_citizen.number) == ("A001", "A002")


async def test_the_same_id_in_another_office_is_another_request(office):
    elsewhere = Office(office.channel, office.redis)
    await elsewhere.apply()
    here, there = await office.take("A", request_id=ID), await elsewhere.take("A", request_id=ID)
    assert (here.number, there.number) == ("A001", "A001")
    assert here.id != there.id
    await elsewhere.do("DeleteKecamatan", ADMIN)


async def test_applying_a_file_can_be_repeated_and_its_id_not_reused(office):
    named = {"request_id": "1"}
    changed = file_of(office.code, name="Makassar Kota")
    await office.do("ApplyKecamatan", ADMIN, file=changed, **named)
    before = office.state()
    answer = await office.do("ApplyKecamatan", ADMIN, file=changed, **named)
    assert answer.name == "Makassar Kota"
    assert office.state() == before
    other = office.request(
        "ApplyKecamatan", file=file_of(office.code, rule=RULE | {"transfers": 9})
    )
    other.request_id = "1"
    await office.refused_as("ApplyKecamatan", other, "REQUEST_ID_REUSED", ADMIN)


async def test_deleting_can_be_repeated_and_undoes_nothing_that_came_later(office):
    await office.take("A")
    await office.do("DeleteKecamatan", ADMIN, request_id="1")
    before = office.state()
    await office.do("DeleteKecamatan", ADMIN, request_id="1")
    assert office.state() == before
    await office.apply()
    before = office.state()
    await office.do("DeleteKecamatan", ADMIN, request_id="1")
    assert office.state() == before
    assert (await office.do("GetKecamatan")).code == office.code
