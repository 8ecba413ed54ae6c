"""Which line a call waits in, and that streams wait in none."""

import asyncio

import pytest

from services.chassis import access
from services.chassis.turns import Turns
from services.queue.in_turn import InTurn, line_of
from tunggu.queue.v1 import kecamatan_pb2
from tunggu.queue.v1 import queue_pb2 as pb


@pytest.fixture
def officer():
    token = access.CALLER.set(access.Caller("somebody", frozenset({"OFFICER"})))
    yield
    access.CALLER.reset(token)


def test_an_office_is_one_line_by_its_code_and_by_its_tickets():
    assert line_of(pb.GetBoardRequest(kecamatan="73.71.03")) == "737103"
    assert line_of(pb.GetTicketRequest(ticket_id="737103-260302-" + "x" * 22)) == "737103"
    assert line_of(pb.BatchCreateTicketsRequest()) == ""
    assert line_of(kecamatan_pb2.ListKecamatanRequest()) == ""


def test_its_staff_are_a_line_of_their_own(officer):
    assert line_of(pb.CallNextTicketRequest(kecamatan="73.71.03", counter="1")) == "737103 staff"


class Slow:
    """Answers when it is let."""

    def __init__(self):
        self.let = asyncio.Event()

    async def GetTicket(self, request, context):
        await self.let.wait()
        return request.ticket_id

    async def WatchBoard(self, request, context):
        yield request.kecamatan


async def test_who_waits_behind_a_busy_office_is_of_that_office_and_streams_pass():
    slow = Slow()
    servicer = InTurn(slow, Turns(running=8, each=2, waiting=99, patience=60))
    busy = [
        asyncio.create_task(servicer.GetTicket(pb.GetTicketRequest(ticket_id=f"111111-{i}"), None))
        for i in range(3)
    ]
    await asyncio.sleep(0)
    ask = pb.WatchBoardRequest(kecamatan="11.11.11")
    assert [code async for code in servicer.WatchBoard(ask, None)] == ["11.11.11"]
    quiet = asyncio.create_task(servicer.GetTicket(pb.GetTicketRequest(ticket_id="222222-"), None))
    slow.let.set()
    assert await quiet == "222222-"
    assert await asyncio.gather(*busy) == ["111111-0", "111111-1", "111111-2"]
