"""The head of the office: stopping, resuming, and who did what."""

import json

import pytest

from services.chassis.errors import Problem
from tests.queue.servicing import MONDAY, RULE, Who, state_name
from tunggu.queue.v1 import queue_pb2 as pb

REASONS = {
    pb.STOP_REASON_POWER: "power",
    pb.STOP_REASON_DISASTER: "disaster",
    pb.STOP_REASON_FULL: "full",
    pb.STOP_REASON_OTHER: "other",
}


@pytest.mark.parametrize(("reason", "word"), REASONS.items())
async def test_stop_issuing_stops_numbers_for_a_reason_that_the_board_shows(office, reason, word):
    issuing = await office.do("StopIssuing", office.head, reason=reason)
    leaf = office.last_leaf()
    assert (leaf["e"], leaf["why"], leaf["n"]) == ("issue.stop", word, issuing.event)
    assert (issuing.stopped, issuing.reason) == (True, reason)
    assert (issuing.kecamatan, issuing.service_day) == (office.code, MONDAY)
    board = await office.board(issuing.event)
    assert (board["open"], board["notice"]) == (False, word.upper())


async def test_stop_issuing_leaves_everything_else_to_go_on(office):
    ticket = await office.take("A")
    await office.do("StopIssuing", office.head, reason=pb.STOP_REASON_POWER)
    await office.open()
    await office.call_next()
    await office.at_counter("StartTicket", ticket.number)
    assert state_name(await office.at_counter("CompleteTicket", ticket.number)) == "COMPLETED"


async def test_stop_issuing_refuses_twice_without_a_reason_and_to_officers(office):
    await office.do("StopIssuing", office.head, reason=pb.STOP_REASON_POWER)
    again = pb.StopIssuingRequest(kecamatan=office.code, reason=pb.STOP_REASON_FULL)
    await office.refused_as("StopIssuing", again, "ALREADY_STOPPED", office.head)
    await office.refused_as("StopIssuing", again, "PERMISSION_DENIED", office.officer)
    for reason in (pb.STOP_REASON_UNSPECIFIED, 9):
        none = pb.StopIssuingRequest(kecamatan=office.code, reason=reason)
        said = await office.refused_as("StopIssuing", none, "INVALID_REQUEST", office.head)
        assert said == {"field": "reason"}


async def test_resume_issuing_gives_numbers_again_and_repeats_the_reason(office):
    await office.do("StopIssuing", office.head, reason=pb.STOP_REASON_DISASTER)
    issuing = await office.do("ResumeIssuing", office.head)
    leaf = office.last_leaf()
    assert (leaf["e"], leaf["why"], leaf["n"]) == ("issue.go", "disaster", issuing.event)
    assert (issuing.stopped, issuing.reason) == (False, pb.STOP_REASON_UNSPECIFIED)
    assert (await office.take("A")).number == "A001"


async def test_resume_issuing_refuses_when_nothing_is_stopped_and_to_officers(office):
    await office.refused("ResumeIssuing", "NOT_STOPPED", office.head)
    await office.refused("ResumeIssuing", "PERMISSION_DENIED", office.officer)


# ListAudit --------------------------------------------------------------------------------------


async def whole_day(office):
    """Every verb of the staff once, by subjects of their own."""
    await office.do("StopIssuing", office.head, reason=pb.STOP_REASON_FULL)
    await office.do("ResumeIssuing", office.head)
    await office.do("SetCounterServices", office.head, counter="2", services=["A"])
    await office.ticket_in("NO_SHOW")
    await office.do("ReturnTicket", office.officer, number="A001")
    await office.do("SetTicketLane", office.officer, number="A001", lane=2)
    await office.do("CheckInTicket", office.kiosk, number="A001")
    await office.call_next()
    await office.do("RequeueTicket", office.head, number="A001")
    await office.do("CancelTicket", office.officer, number="A001")
    await office.do("CloseCounter", office.officer, counter="1")


async def test_list_audit_names_who_did_which_verb_newest_first(office):
    await whole_day(office)
    answer = await office.do("ListAudit", office.head)
    said = [(e.subject, e.verb, e.counter, e.number, e.event) for e in reversed(answer.entries)]
    assert said == [
        ("ops@city", "ApplyKecamatan", "", "", -1),
        ("camat", "StopIssuing", "", "", 2),
        ("camat", "ResumeIssuing", "", "", 3),
        ("camat", "SetCounterServices", "2", "", 4),
        ("budi", "OpenCounter", "1", "", 6),
        ("budi", "CallNextTicket", "1", "A001", 7),
        ("budi", "SkipTicket", "1", "A001", 8),
        ("budi", "ReturnTicket", "", "A001", 9),
        ("budi", "SetTicketLane", "", "A001", 10),
        ("kiosk-1", "CheckInTicket", "", "A001", 11),
        ("budi", "CallNextTicket", "1", "A001", 12),
        ("camat", "RequeueTicket", "1", "A001", 13),
        ("budi", "CancelTicket", "", "A001", 14),
        ("budi", "CloseCounter", "1", "", 15),
    ]
    assert answer.next_page_token == ""
    times = {leaf["n"]: leaf["t"] for leaf in office.leaves()}
    for entry in answer.entries[:-1]:
        assert entry.service_day == MONDAY
        assert entry.at.ToMilliseconds() == times[entry.event]


async def test_subjects_are_in_the_audit_and_nowhere_in_the_journal(office):
    await whole_day(office)
    journal = json.dumps(office.leaves())
    for subject in ("budi", "camat", "kiosk-1", "ops@city"):
        assert subject not in journal
    assert len(office.leaves()) == 16  # the citizen's own event is in it and not in the audit


async def test_list_audit_pages_through_everything_once(office):
    await whole_day(office)
    whole = (await office.do("ListAudit", office.head)).entries
    paged, token = [], ""
    while True:
        answer = await office.do("ListAudit", office.head, page_size=5, page_token=token)
        paged += answer.entries
        token = answer.next_page_token
        if not token:
            break
    assert paged == list(whole)


async def test_list_audit_shows_a_subject_as_its_token_has_it(office):
    subject = "Budi | {petugas}\n\u00e9 %7C"
    await office.open("1", Who("OFFICER", office.code, subject))
    answer = await office.do("ListAudit", office.head, page_size=1)
    assert answer.entries[0].subject == subject
    await office.take("A")
    called = await office.do("CallNextTicket", Who("OFFICER", office.code, subject), counter="1")
    assert called.number == "A001"


async def test_list_audit_refuses_officers_sizes_and_tokens_that_make_no_sense(office):
    await office.refused("ListAudit", "PERMISSION_DENIED", office.officer)
    for size in (-1, 501):
        said = await office.refused("ListAudit", "INVALID_REQUEST", office.head, page_size=size)
        assert said == {"field": "pageSize"}
    for token in (
        "x",
        "é",
        "MTIz",
        "2aEt2aE=",
        "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTktMA==",
        "MC0w",
        "\n",
    ):
        said = await office.refused("ListAudit", "INVALID_REQUEST", office.head, page_token=token)
        assert said == {"field": "pageToken"}


async def test_a_refused_verb_is_not_in_the_audit(office):
    await office.apply(rule={**RULE, "transfers": 0})
    await office.ticket_in("SERVING")
    before = office.audit()
    with pytest.raises(Problem, match="LIMIT_REACHED"):
        await office.at_counter("TransferTicket", "A001", service="B")
    assert office.audit() == before
