"""At the counter: success and every refusal of the verbs that officers call."""

import asyncio
from datetime import UTC, datetime

import pytest

from services.chassis.errors import Problem
from tests.queue.servicing import ADMIN, MONDAY, RULE, SPEED, state_name
from tunggu.queue.v1 import ticket_pb2 as tickets

WITH_TICKET = {
    "RecallTicket": "CALLED",
    "StartTicket": "CALLED",
    "CompleteTicket": "SERVING",
    "SkipTicket": "CALLED",
    "HoldTicket": "SERVING",
    "TransferTicket": "SERVING",
}
"""The state in which each verb finds the counter's ticket."""

AT_A_COUNTER = ["CloseCounter", "CallNextTicket", *WITH_TICKET]


def fields_of(rpc, number="A001", counter="1"):
    fields = {"counter": counter}
    if rpc in WITH_TICKET:
        fields["ticket"] = number
    return fields | ({"service": "B"} if rpc == "TransferTicket" else {})


def is_open(counter):
    return counter.state == tickets.Counter.STATE_OPEN


async def domain_seconds(seconds):
    await asyncio.sleep(seconds / SPEED)


# OpenCounter ------------------------------------------------------------------------------------


async def test_open_counter_opens_the_day_and_the_counter_with_its_services(office):
    counter = await office.open("1")
    assert is_open(counter)
    assert (counter.id, counter.kecamatan, counter.service_day) == ("1", office.code, MONDAY)
    assert list(counter.services) == ["A", "B"]
    assert not counter.HasField("ticket")
    assert not counter.HasField("last_completed")
    assert [leaf["e"] for leaf in office.leaves()] == ["day.open", "issue.go", "counter.open"]
    assert (office.last_leaf()["c"], counter.event) == ("1", 2)


async def test_open_counter_on_an_open_one_rebinds_it_without_an_event(office):
    await office.open("1")
    await office.take("A")
    before = office.leaves()
    again = await office.open("1", office.other_officer)
    assert office.leaves() == before
    assert again.event == 2
    assert [entry["s"] for entry in office.audit()[-2:]] == ["budi", "siti"]
    await office.refused("CallNextTicket", "COUNTER_TAKEN", office.officer, counter="1")
    await office.do("CallNextTicket", office.other_officer, counter="1")


async def test_open_counter_takes_a_closed_counter_over_from_another_officer(office):
    await office.open("1")
    await office.do("CloseCounter", office.officer, counter="1")
    assert is_open(await office.open("1", office.other_officer))


async def test_open_counter_by_one_officer_may_be_at_several(office):
    await office.open("1")
    await office.open("2")
    await office.take("A")
    assert (await office.call_next("2")).counter == "2"


@pytest.mark.parametrize("state", ["CALLED", "SERVING"])
async def test_open_counter_refuses_one_that_serves_for_another_officer(office, state):
    await office.ticket_in(state)
    said = await office.refused("OpenCounter", "COUNTER_TAKEN", office.other_officer, counter="1")
    assert said["counter"] == "1"
    counter = await office.open("1", office.head)
    assert (counter.ticket.number, tickets.Ticket.State.Name(counter.ticket.state)) == (
        *("A001", f"STATE_{state}"),
    )


async def test_open_counter_refuses_counters_that_are_not_there(office):
    for counter in ("9", "", "1|2", "Loket 1", "x" * 2000):
        await office.refused("OpenCounter", "COUNTER_NOT_FOUND", office.officer, counter=counter)


async def test_open_counter_refuses_on_a_closed_day_with_office_closed(office):
    await office.take("A")
    await closed_early(office)
    await office.refused("OpenCounter", "OFFICE_CLOSED", office.officer, counter="1")


async def closed_early(office):
    """A day that is closed although it is not over: the office was deleted and came back."""
    await office.do("DeleteKecamatan", ADMIN)
    await office.apply()


# What all verbs at a counter refuse -------------------------------------------------------------


@pytest.mark.parametrize("rpc", AT_A_COUNTER)
async def test_a_counter_that_is_not_there_is_refused(office, rpc):
    await office.take("A")
    fields = fields_of(rpc, counter="9")
    said = await office.refused(rpc, "COUNTER_NOT_FOUND", office.officer, **fields)
    assert said["counter"] == "9"


@pytest.mark.parametrize("rpc", AT_A_COUNTER)
async def test_a_closed_counter_is_refused(office, rpc):
    await office.take("A")
    await office.refused(rpc, "COUNTER_CLOSED", office.officer, **fields_of(rpc))


@pytest.mark.parametrize("rpc", AT_A_COUNTER)
async def test_another_officers_counter_is_refused_but_not_to_the_head(office, rpc):
    if rpc in WITH_TICKET:
        await office.ticket_in(WITH_TICKET[rpc])
        await domain_seconds(21)
    else:
        await office.take("A")
        await office.open("1")
    fields = fields_of(rpc)
    await office.refused(rpc, "COUNTER_TAKEN", office.other_officer, **fields)
    before = len(office.leaves())
    await office.do(rpc, office.head, **fields)
    assert len(office.leaves()) == before + 1
    assert office.audit()[-1]["s"] == "camat"


@pytest.mark.parametrize("rpc", WITH_TICKET)
async def test_a_number_that_was_not_issued_is_refused(office, rpc):
    await office.open("1")
    for number in ("A001", "B007", "A1", "a001", "A001|"):
        await office.refused(rpc, "TICKET_NOT_FOUND", office.officer, **fields_of(rpc, number))
    said = await office.refused(rpc, "INVALID_REQUEST", office.officer, **fields_of(rpc, ""))
    assert said == {"field": "ticket"}


@pytest.mark.parametrize("rpc", WITH_TICKET)
async def test_a_number_that_is_not_at_the_counter_is_refused_with_ticket_changed(office, rpc):
    await office.ticket_in(WITH_TICKET[rpc])
    await office.take("A")
    fields = fields_of(rpc, "A002")
    said = await office.refused(rpc, "TICKET_CHANGED", office.officer, **fields)
    assert said["ticket"] == "A001"


# CloseCounter -----------------------------------------------------------------------------------


async def test_close_counter_closes_and_unbinds_it(office):
    await office.open("1")
    counter = await office.do("CloseCounter", office.officer, counter="1")
    assert not is_open(counter)
    leaf = office.last_leaf()
    assert (leaf["e"], leaf["c"], leaf["n"]) == ("counter.close", "1", counter.event)
    assert is_open(await office.open("1", office.other_officer))


@pytest.mark.parametrize("state", ["CALLED", "SERVING"])
async def test_close_counter_refuses_a_busy_one(office, state):
    await office.ticket_in(state)
    said = await office.refused("CloseCounter", "COUNTER_BUSY", office.officer, counter="1")
    assert said["ticket"] == "A001"


async def test_close_counter_refuses_unknown_closed_and_taken_ones(office):
    await office.open("1")
    for counter, reason in (("9", "COUNTER_NOT_FOUND"), ("2", "COUNTER_CLOSED")):
        await office.refused("CloseCounter", reason, office.officer, counter=counter)
    await office.refused("CloseCounter", "COUNTER_TAKEN", office.other_officer, counter="1")


# CallNextTicket ---------------------------------------------------------------------------------


async def test_call_next_ticket_calls_the_one_that_the_rule_names(office):
    await office.open("1")
    for service, lane in (("B", 1), ("A", 1), ("A", 2), ("B", 1)):
        await office.take(service, lane=lane)
    called = []
    for _ in range(4):
        ticket = await office.call_next()
        assert (state_name(ticket), ticket.counter, ticket.id) == ("CALLED", "1", "")
        leaf = office.last_leaf()
        assert [leaf[name] for name in "ekcn"] == ["call", ticket.number, "1", ticket.event]
        assert leaf["t"] == ticket.called_at.ToMilliseconds()
        called.append(ticket.number)
        await office.at_counter("SkipTicket", ticket.number)
    assert called == ["A002", "B001", "A001", "B002"]  # a counter begins with its credit full


async def test_call_next_ticket_refuses_a_busy_counter(office):
    await office.ticket_in("CALLED")
    await office.take("A")
    said = await office.refused("CallNextTicket", "COUNTER_BUSY", office.officer, counter="1")
    assert (said["counter"], said["ticket"]) == ("1", "A001")


async def test_call_next_ticket_refuses_when_nobody_waits_for_the_counters_services(office):
    await office.open("1")
    await office.take("C", office.kiosk, channel=tickets.CHANNEL_KIOSK)
    await office.refused("CallNextTicket", "NOBODY_WAITING", office.officer, counter="1")


async def test_call_next_ticket_refuses_unknown_closed_and_taken_counters(office):
    await office.take("A")
    await office.open("1")
    for counter, reason in (("9", "COUNTER_NOT_FOUND"), ("2", "COUNTER_CLOSED")):
        await office.refused("CallNextTicket", reason, office.officer, counter=counter)
    await office.refused("CallNextTicket", "COUNTER_TAKEN", office.other_officer, counter="1")


async def test_call_next_ticket_from_two_counters_at_once_never_calls_one_twice(office):
    await asyncio.gather(*(office.take("A") for _ in range(20)))
    await asyncio.gather(office.open("1"), office.open("2"))

    async def officer(counter):
        numbers = []
        while True:
            try:
                numbers.append((await office.call_next(counter)).number)
            except Problem as problem:
                assert problem.reason == "NOBODY_WAITING"  # noqa: PT017
                return numbers
            await office.at_counter("SkipTicket", numbers[-1], counter)

    by_one, by_two = await asyncio.gather(officer("1"), officer("2"))
    assert sorted(by_one + by_two) == [f"A{n:03d}" for n in range(1, 21)]


# RecallTicket -----------------------------------------------------------------------------------


async def test_recall_ticket_calls_again_after_twenty_seconds(office):
    ticket = await office.ticket_in("CALLED")
    first = office.last_leaf()
    await domain_seconds(21)
    again = await office.at_counter("RecallTicket", ticket.number)
    leaf = office.last_leaf()
    assert [leaf[name] for name in "ekcn"] == ["recall", "A001", "1", again.event]
    assert leaf["t"] >= first["t"] + 20_000
    assert state_name(again) == "CALLED"


async def test_recall_ticket_refuses_too_early_and_says_when(office):
    ticket = await office.ticket_in("CALLED")
    called = office.last_leaf()
    said = await office.refused(
        "RecallTicket", "TOO_EARLY", office.officer, counter="1", ticket=ticket.number
    )
    assert said["when"] == moment(called["t"] + 20_000)


def moment(ms):

    return (
        datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"
    )


async def test_recall_ticket_refuses_other_tickets_and_states(office):
    await refuses_other_tickets_and_states(office, "RecallTicket")


async def refuses_other_tickets_and_states(office, rpc):
    """TICKET_NOT_FOUND, TICKET_CHANGED; WRONG_STATE in the other state a counter can have."""
    other = "SERVING" if WITH_TICKET[rpc] == "CALLED" else "CALLED"
    await office.ticket_in(other)
    await office.take("A")
    for number, reason in (("A003", "TICKET_NOT_FOUND"), ("A002", "TICKET_CHANGED")):
        await office.refused(rpc, reason, office.officer, **fields_of(rpc, number))
    said = await office.refused(rpc, "WRONG_STATE", office.officer, **fields_of(rpc))
    assert said["state"] == other


# StartTicket, CompleteTicket --------------------------------------------------------------------


async def test_start_ticket_begins_the_service(office):
    await office.ticket_in("CALLED")
    serving = await office.at_counter("StartTicket", "A001")
    leaf = office.last_leaf()
    assert [leaf[name] for name in "ekcn"] == ["start", "A001", "1", serving.event]
    assert (state_name(serving), serving.counter) == ("SERVING", "1")
    assert serving.started_at.ToMilliseconds() == leaf["t"]


async def test_start_ticket_refuses_other_tickets_and_states(office):
    await refuses_other_tickets_and_states(office, "StartTicket")


async def test_complete_ticket_ends_it_and_frees_the_counter(office):
    await office.ticket_in("SERVING")
    done = await office.at_counter("CompleteTicket", "A001")
    leaf = office.last_leaf()
    assert [leaf[name] for name in "ekcn"] == ["done", "A001", "1", done.event]
    assert (state_name(done), done.counter) == ("COMPLETED", "1")
    assert done.closed_at.ToMilliseconds() == leaf["t"]
    await office.refused("CallNextTicket", "NOBODY_WAITING", office.officer, counter="1")


async def test_complete_ticket_refuses_other_tickets_and_states(office):
    await refuses_other_tickets_and_states(office, "CompleteTicket")


# SkipTicket -------------------------------------------------------------------------------------


async def test_skip_ticket_passes_over_one_who_did_not_come(office):
    await office.ticket_in("CALLED")
    missed = await office.at_counter("SkipTicket", "A001")
    leaf = office.last_leaf()
    assert [leaf[name] for name in "ekcn"] == ["noshow", "A001", "1", missed.event]
    assert (state_name(missed), missed.counter) == ("NO_SHOW", "")
    assert missed.return_by.ToMilliseconds() == leaf["t"] + 3_600_000


async def test_skip_ticket_refuses_before_the_calls_and_the_time_of_the_rule(office):
    await office.apply(rule={**RULE, "skip": {"calls": 2, "after": "90s"}})
    await office.ticket_in("CALLED")
    called = office.last_leaf()["t"]
    fields = fields_of("SkipTicket")
    said = await office.refused("SkipTicket", "TOO_EARLY", office.officer, **fields)
    assert said["when"] == moment(called + 90_000)
    await domain_seconds(91)
    await office.refused("SkipTicket", "TOO_EARLY", office.officer, **fields)
    await office.at_counter("RecallTicket", "A001")
    assert state_name(await office.at_counter("SkipTicket", "A001")) == "NO_SHOW"


async def test_skip_ticket_refuses_other_tickets_and_states(office):
    await refuses_other_tickets_and_states(office, "SkipTicket")


# HoldTicket -------------------------------------------------------------------------------------


async def test_hold_ticket_lets_the_citizen_step_aside(office):
    await office.ticket_in("SERVING")
    held = await office.at_counter("HoldTicket", "A001")
    leaf = office.last_leaf()
    assert [leaf[name] for name in "ekcn"] == ["hold", "A001", "1", held.event]
    assert (state_name(held), held.counter) == ("ON_HOLD", "")
    assert held.return_by.ToMilliseconds() == leaf["t"] + 7_200_000


async def test_hold_ticket_refuses_more_often_than_the_rule_says_with_limit_reached(office):
    await office.ticket_in("ON_HOLD")
    await office.do("ReturnTicket", office.officer, number="A001")
    await office.call_next()
    await office.at_counter("StartTicket", "A001")
    await office.refused("HoldTicket", "LIMIT_REACHED", office.officer, **fields_of("HoldTicket"))


async def test_hold_ticket_refuses_other_tickets_and_states(office):
    await refuses_other_tickets_and_states(office, "HoldTicket")


# TransferTicket ---------------------------------------------------------------------------------


async def test_transfer_ticket_keeps_number_and_arrival_in_the_new_line(office):
    await office.ticket_in("SERVING")
    await office.take("B")
    sent = await office.at_counter("TransferTicket", "A001", service="B")
    leaf = office.last_leaf()
    assert [leaf[name] for name in "ekcsn"] == ["xfer", "A001", "1", "B", sent.event]
    assert (state_name(sent), sent.number, sent.service) == ("WAITING", "A001", "B")
    assert (sent.ahead, sent.counter) == (0, "")
    assert (await office.call_next()).number == "A001"


async def test_transfer_ticket_refuses_the_same_unknown_and_missing_service(office):
    await office.ticket_in("SERVING")
    for service, reason in (
        ("A", "SAME_SERVICE"),
        ("Z", "SERVICE_NOT_FOUND"),
        ("b", "SERVICE_NOT_FOUND"),
        ("", "INVALID_REQUEST"),
    ):
        fields = fields_of("TransferTicket") | {"service": service}
        said = await office.refused("TransferTicket", reason, office.officer, **fields)
        assert said.get("service", "") == service


async def test_transfer_ticket_refuses_more_often_than_the_rule_says_with_limit_reached(office):
    await office.ticket_in("SERVING")
    await office.at_counter("TransferTicket", "A001", service="B")
    await office.call_next()
    await office.at_counter("StartTicket", "A001")
    fields = fields_of("TransferTicket") | {"service": "A"}
    await office.refused("TransferTicket", "LIMIT_REACHED", office.officer, **fields)


async def test_transfer_ticket_refuses_other_tickets_and_states(office):
    await refuses_other_tickets_and_states(office, "TransferTicket")


# GetCounter -------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["KIOSK", "OFFICER", "SUPERVISOR", "INTERNAL"])
async def test_get_counter_shows_the_ticket_there_and_the_one_last_completed(office, role):
    who = office.who(role)
    untouched = await office.do("GetCounter", who, counter="1")
    assert (is_open(untouched), untouched.event) == (False, -1)
    assert list(untouched.services) == ["A", "B"]
    await office.ticket_in("COMPLETED")
    done = office.last_leaf()
    await office.take("A")
    await office.call_next()
    counter = await office.do("GetCounter", who, counter="1")
    assert is_open(counter)
    assert (counter.ticket.number, counter.ticket.state) == ("A002", tickets.Ticket.STATE_CALLED)
    last = counter.last_completed
    assert (last.number, last.event) == ("A001", done["n"])
    assert last.completed_at.ToMilliseconds() == done["t"]
    assert counter.event == office.last_leaf()["n"]


async def test_get_counter_refuses_counters_that_are_not_there(office):
    for counter in ("9", "", "1 ", "}"):
        await office.refused("GetCounter", "COUNTER_NOT_FOUND", office.officer, counter=counter)


# SetCounterServices -----------------------------------------------------------------------------


async def test_set_counter_services_changes_a_closed_counters_set_for_the_day(office):
    counter = await office.do(
        "SetCounterServices", office.head, counter="2", services=["C", "A", "C"]
    )
    assert list(counter.services) == ["A", "C"]
    leaf = office.last_leaf()
    assert (leaf["e"], leaf["c"], leaf["s"]) == ("counter.set", "2", ["A", "C"])
    assert leaf["n"] == counter.event
    assert list((await office.open("2")).services) == ["A", "C"]
    await office.take("C", office.kiosk, channel=tickets.CHANNEL_KIOSK)
    assert (await office.call_next("2")).number == "C001"


async def test_set_counter_services_refuses_open_unknown_and_empty(office):
    await office.open("1")
    for counter, services, reason in (
        ("1", ["A"], "COUNTER_OPEN"),
        ("9", ["A"], "COUNTER_NOT_FOUND"),
        ("2", ["A", "Z"], "SERVICE_NOT_FOUND"),
        ("2", ["a"], "SERVICE_NOT_FOUND"),
        ("2", [], "INVALID_REQUEST"),
        ("2", [""], "INVALID_REQUEST"),
    ):
        await office.refused(
            "SetCounterServices", reason, office.head, counter=counter, services=services
        )
    fields = {"counter": "2", "services": ["A"]}
    await office.refused("SetCounterServices", "PERMISSION_DENIED", office.officer, **fields)
