"""QueueService over gRPC: one method a verb, each a few lines between request and answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
from google.protobuf import json_format

from services.chassis.errors import Problem, to_status
from services.queue import asking
from services.queue.audit import audit_entry, entry_before, token_of
from services.queue.board import Boards
from services.queue.display_report import display_message, report_of
from services.queue.displays import Displays
from services.queue.draining import until
from services.queue.journal_pages import EventReader
from services.queue.model import Channel, Lane
from services.queue.offices import Offices
from services.queue.rows import Done, TicketRow, ticket_id
from services.queue.steps import after_writing
from services.queue.store import Store
from services.queue.view import counter_message, ticket_message, watch_message
from tunggu.queue.v1 import queue_pb2 as pb
from tunggu.queue.v1 import queue_pb2_grpc, ticket_pb2

Context = grpc.aio.ServicerContext[Any, Any]

BATCH_MOST = 256
SLICE = 32
"""Answers of a batch that are made before others get their turn."""

EVENTS_PAGE, EVENTS_MOST = 2000, 5000
AUDIT_PAGE, AUDIT_MOST = 100, 500
JSON = "application/json"
NDJSON = "application/x-ndjson"


class QueueServicer(queue_pb2_grpc.QueueServiceServicer):
    """Admission is the chassis' (roles) and `asking`'s (form); the rule is the scripts'."""

    def __init__(
        self, store: Store, offices: Offices, displays: Displays, draining: asyncio.Event
    ) -> None:
        self._store = store
        self._offices = offices
        self._displays = displays
        self._draining = draining

    # Taking a number ----------------------------------------------------------------------------

    async def CreateTicket(self, request: pb.CreateTicketRequest, context: Context) -> Any:
        item = _new_ticket(request)
        done = await self._store.create_ticket(*item)
        return pb.CreateTicketResponse(ticket=await self._new(done, item[0].code))

    async def BatchCreateTickets(
        self, request: pb.BatchCreateTicketsRequest, context: Context
    ) -> Any:
        if not 1 <= len(request.requests) <= BATCH_MOST:
            raise Problem("INVALID_REQUEST", {"field": "requests"})
        items = [_admitted(one) for one in request.requests]
        good = [item for item in items if not isinstance(item, Problem)]
        outcomes = iter(await self._store.batch_create_tickets(good))
        results: list[pb.BatchCreateTicketsResponse.Result] = []
        for item, one in zip(items, request.requests, strict=True):
            if len(results) % SLICE == SLICE - 1:
                await asyncio.sleep(0)
            outcome = item if isinstance(item, Problem) else next(outcomes)
            results.append(await self._result(outcome, one.kecamatan))
        return pb.BatchCreateTicketsResponse(results=results)

    async def _result(
        self, outcome: Done | Problem, code: str
    ) -> pb.BatchCreateTicketsResponse.Result:
        if isinstance(outcome, Problem):
            return pb.BatchCreateTicketsResponse.Result(error=to_status(outcome))
        return pb.BatchCreateTicketsResponse.Result(ticket=await self._new(outcome, code))

    async def _new(self, done: Done, code: str) -> ticket_pb2.Ticket:
        """The ticket of an issue, with its id: whoever took it may have it again."""
        row = _ticket(done)
        return await self._done(code, done, ticket_id(code, row.day, row.secret))

    async def GetTicket(self, request: pb.GetTicketRequest, context: Context) -> Any:
        if request.ticket_id:
            code, day, number = await self._store.number_of(request.ticket_id)
        else:
            code = asking.code_of(request)
            number = asking.number_of(request.number, "number")
            named = request.service_day
            day = asking.day_of(named, "serviceDay") if named else await self._today(code)
        row = await self._store.ticket(code, day, number)
        return pb.GetTicketResponse(ticket=await self._ticket(code, row, request.ticket_id))

    async def CancelTicket(self, request: pb.CancelTicketRequest, context: Context) -> Any:
        ask, day, number = await self._named("CancelTicket", request)
        by = "holder" if request.ticket_id else "desk"
        done = await self._store.cancel_ticket(ask, day, number, by)
        return pb.CancelTicketResponse(ticket=await self._done(ask.code, done, request.ticket_id))

    async def CheckInTicket(self, request: pb.CheckInTicketRequest, context: Context) -> Any:
        ask, day, number = await self._named("CheckInTicket", request)
        done = await self._store.check_in_ticket(ask, day, number)
        return pb.CheckInTicketResponse(ticket=await self._done(ask.code, done, request.ticket_id))

    async def ReturnTicket(self, request: pb.ReturnTicketRequest, context: Context) -> Any:
        ask, day, number = await self._named("ReturnTicket", request)
        done = await self._store.return_ticket(ask, day, number)
        return pb.ReturnTicketResponse(ticket=await self._done(ask.code, done, request.ticket_id))

    async def _named(self, verb: str, request: Any) -> tuple[Any, str, str]:
        """The request, and the ticket's day and number: its own by id, today's by number."""
        if request.ticket_id:
            code, day, number = await self._store.number_of(request.ticket_id)
            return asking.request(verb, request, code, request.ticket_id), day, number
        code = asking.code_of(request)
        number = asking.number_of(request.number, "number")
        return asking.request(verb, request, code), "", number

    async def SetTicketLane(self, request: pb.SetTicketLaneRequest, context: Context) -> Any:
        ask = asking.request("SetTicketLane", request, asking.code_of(request))
        number = asking.number_of(request.number, "number")
        if request.lane != ticket_pb2.LANE_PRIORITY:
            raise Problem("INVALID_REQUEST", {"field": "lane"})
        done = await self._store.set_ticket_lane(ask, number)
        return pb.SetTicketLaneResponse(ticket=await self._done(ask.code, done))

    async def RequeueTicket(self, request: pb.RequeueTicketRequest, context: Context) -> Any:
        ask = asking.request("RequeueTicket", request, asking.code_of(request))
        done = await self._store.requeue_ticket(ask, asking.number_of(request.number, "number"))
        return pb.RequeueTicketResponse(ticket=await self._done(ask.code, done))

    # At the counter -----------------------------------------------------------------------------

    async def OpenCounter(self, request: pb.OpenCounterRequest, context: Context) -> Any:
        ask, counter = _at_counter("OpenCounter", request)
        done = await self._store.open_counter(ask, counter)
        return pb.OpenCounterResponse(counter=await self._desk(ask.code, done))

    async def CloseCounter(self, request: pb.CloseCounterRequest, context: Context) -> Any:
        ask, counter = _at_counter("CloseCounter", request)
        done = await self._store.close_counter(ask, counter)
        return pb.CloseCounterResponse(counter=await self._desk(ask.code, done))

    async def SetCounterServices(
        self, request: pb.SetCounterServicesRequest, context: Context
    ) -> Any:
        ask, counter = _at_counter("SetCounterServices", request)
        if not request.services:
            raise Problem("INVALID_REQUEST", {"field": "services"})
        services = [asking.service_of(service) for service in request.services]
        done = await self._store.set_counter_services(ask, counter, services)
        return pb.SetCounterServicesResponse(counter=await self._desk(ask.code, done))

    async def CallNextTicket(self, request: pb.CallNextTicketRequest, context: Context) -> Any:
        ask, counter = _at_counter("CallNextTicket", request)
        done = await self._store.call_next_ticket(ask, counter)
        return pb.CallNextTicketResponse(ticket=await self._done(ask.code, done))

    async def RecallTicket(self, request: pb.RecallTicketRequest, context: Context) -> Any:
        ask, counter, number = _with_ticket("RecallTicket", request)
        done = await self._store.recall_ticket(ask, counter, number)
        return pb.RecallTicketResponse(ticket=await self._done(ask.code, done))

    async def StartTicket(self, request: pb.StartTicketRequest, context: Context) -> Any:
        ask, counter, number = _with_ticket("StartTicket", request)
        done = await self._store.start_ticket(ask, counter, number)
        return pb.StartTicketResponse(ticket=await self._done(ask.code, done))

    async def CompleteTicket(self, request: pb.CompleteTicketRequest, context: Context) -> Any:
        ask, counter, number = _with_ticket("CompleteTicket", request)
        done = await self._store.complete_ticket(ask, counter, number)
        return pb.CompleteTicketResponse(ticket=await self._done(ask.code, done))

    async def SkipTicket(self, request: pb.SkipTicketRequest, context: Context) -> Any:
        ask, counter, number = _with_ticket("SkipTicket", request)
        done = await self._store.skip_ticket(ask, counter, number)
        return pb.SkipTicketResponse(ticket=await self._done(ask.code, done))

    async def HoldTicket(self, request: pb.HoldTicketRequest, context: Context) -> Any:
        ask, counter, number = _with_ticket("HoldTicket", request)
        done = await self._store.hold_ticket(ask, counter, number)
        return pb.HoldTicketResponse(ticket=await self._done(ask.code, done))

    async def TransferTicket(self, request: pb.TransferTicketRequest, context: Context) -> Any:
        ask, counter, number = _with_ticket("TransferTicket", request)
        service = asking.service_of(request.service)
        done = await self._store.transfer_ticket(ask, counter, number, service)
        return pb.TransferTicketResponse(ticket=await self._done(ask.code, done))

    async def GetCounter(self, request: pb.GetCounterRequest, context: Context) -> Any:
        code, counter = asking.code_of(request), asking.counter_of(request)
        agenda = await self._store.agenda(code)
        services = agenda.policy.counters.get(counter)
        if services is None:
            raise Problem("COUNTER_NOT_FOUND", {"counter": counter})
        row = await self._store.counter(code, agenda.day, counter)
        ticket = (
            await self._store.ticket(code, agenda.day, row.ticket) if row and row.ticket else None
        )
        state = ticket.state if ticket else ""
        message = counter_message(code, agenda.day, counter, row, "".join(services), state)
        return pb.GetCounterResponse(counter=message)

    # In the hall --------------------------------------------------------------------------------

    async def ReportDisplay(self, request: pb.ReportDisplayRequest, context: Context) -> Any:
        code = asking.code_of(request)
        display = await self._displays.report_display(code, report_of(request))
        return pb.ReportDisplayResponse(display=display_message(code, display))

    # The head of the office ---------------------------------------------------------------------

    async def StopIssuing(self, request: pb.StopIssuingRequest, context: Context) -> Any:
        ask = asking.request("StopIssuing", request, asking.code_of(request))
        why = asking.enum_of(request.reason, _REASONS, "reason")
        done = await self._store.stop_issuing(ask, why)
        with after_writing():
            await self._folded(ask.code, done.day, done.event)
        issuing = pb.Issuing(
            kecamatan=ask.code,
            service_day=done.day,
            stopped=True,
            reason=request.reason,
            event=done.event,
        )
        return pb.StopIssuingResponse(issuing=issuing)

    async def ResumeIssuing(self, request: pb.ResumeIssuingRequest, context: Context) -> Any:
        ask = asking.request("ResumeIssuing", request, asking.code_of(request))
        done = await self._store.resume_issuing(ask)
        with after_writing():
            await self._folded(ask.code, done.day, done.event)
        issuing = pb.Issuing(kecamatan=ask.code, service_day=done.day, event=done.event)
        return pb.ResumeIssuingResponse(issuing=issuing)

    async def ListAudit(self, request: pb.ListAuditRequest, context: Context) -> Any:
        code = asking.code_of(request)
        await self._store.file(code)
        size = asking.size_of(request.page_size, AUDIT_PAGE, AUDIT_MOST)
        rows = await self._store.audit(code, size, entry_before(request.page_token))
        entries = [audit_entry(fields) for _, fields in rows]
        more = token_of(rows[-1][0]) if len(rows) == size else ""
        return pb.ListAuditResponse(entries=entries, next_page_token=more)

    # What everyone may see ----------------------------------------------------------------------

    async def GetBoard(self, request: pb.GetBoardRequest, context: Context) -> Any:
        live = await self._offices.get(asking.code_of(request))
        built = await live.settled_board()
        return pb.GetBoardResponse(body=built.body, etag=built.etag, content_type=JSON)

    async def WatchBoard(
        self, request: pb.WatchBoardRequest, context: Context
    ) -> AsyncIterator[pb.WatchBoardResponse]:
        live = await self._offices.get(asking.code_of(request))
        async for publication, whole in until(self._draining, live.watch()):
            yield watch_message(live, publication, whole)

    async def WatchEvents(
        self, request: pb.WatchEventsRequest, context: Context
    ) -> AsyncIterator[pb.WatchEventsResponse]:
        live = await self._offices.get(asking.code_of(request))
        reader = EventReader(live, self._offices.archive)
        async for page in until(self._draining, reader.pages(request.cursor)):
            for day, event, leaf, cursor in page:
                yield pb.WatchEventsResponse(day=day, event=event, leaf=leaf, cursor=cursor)

    async def ListEvents(self, request: pb.ListEventsRequest, context: Context) -> Any:
        code, day = asking.code_of(request), asking.day_of(request.day, "day")
        size = asking.size_of(request.page_size, EVENTS_PAGE, EVENTS_MOST)
        after = request.after if request.HasField("after") else -1
        if after < -1:
            raise Problem("INVALID_REQUEST", {"field": "after"})
        leaves = await self._offices.archive.leaves(code, day, after, size)
        body = b"".join(leaf + b"\n" for leaf in leaves)
        return pb.ListEventsResponse(body=body, content_type=NDJSON)

    async def GetDay(self, request: pb.GetDayRequest, context: Context) -> Any:
        code, day = asking.code_of(request), asking.day_of(request.day, "day")
        live = await self._offices.past(code)
        figures = (await live.figures(day))["figures"]
        return pb.GetDayResponse(day=json_format.ParseDict(figures, pb.Day()))

    async def GetPolicy(self, request: pb.GetPolicyRequest, context: Context) -> Any:
        digest = asking.hash_of(request)
        body = await self._store.policy(asking.code_of(request), digest)
        return pb.GetPolicyResponse(body=body, content_type=JSON, etag=digest)

    # Answers ------------------------------------------------------------------------------------

    async def _today(self, code: str) -> str:
        return (await self._store.agenda(code)).day

    async def _done(self, code: str, done: Done, id: str = "") -> ticket_pb2.Ticket:
        with after_writing():
            return await self._ticket(code, _ticket(done), id, done.event)

    async def _ticket(
        self, code: str, row: TicketRow, id: str, event: int | None = None
    ) -> ticket_pb2.Ticket:
        """As the fold sees it, once it has the ticket's last event; as stored where it does not
        follow that day, or still has another journal, of which a failover lost the end. `event` is
        shown in place of the last one: a repetition's own."""
        boards = await self._folded(code, row.day, row.event)
        ticket = boards.day.tickets.get(row.number) if boards else None
        if boards is None or ticket is None or ticket.issued_at != row.issued_at:
            message = ticket_message(code, row.day, row, id=id)
        else:
            rule = None if boards.day.closed else boards.day.policy.rule
            place = boards.place(row.number)
            message = ticket_message(code, row.day, ticket, id=id, rule=rule, place=place)
        if event is not None:
            message.event = event
        return message

    async def _folded(self, code: str, day: str, event: int) -> Boards | None:
        """The fold once it has the event, so that what the caller reads next shows it; None where
        it does not follow that day."""
        live = await self._offices.past(code)
        return await live.reach(day, event) if live.follows(day) else None

    async def _desk(self, code: str, done: Done) -> ticket_pb2.Counter:
        row = done.counter
        if row is None:
            raise Problem("INTERNAL", private="a counter verb without a counter")
        with after_writing():
            ticket = await self._store.ticket(code, row.day, row.ticket) if row.ticket else None
            await self._folded(code, done.day, done.event)
        state = ticket.state if ticket else ""
        message = counter_message(code, row.day, row.id, row, "", state)
        message.event = done.event  # a repetition's own
        return message


def _new_ticket(request: pb.CreateTicketRequest) -> Any:
    code, service = asking.code_of(request), asking.service_of(request.service)
    lane: Lane = asking.enum_of(request.lane, asking.LANES, "lane")
    channel: Channel = asking.enum_of(request.channel, asking.CHANNELS, "channel")
    holder = asking.holder_of(request)
    asking.admit_channel(code, channel)
    return asking.request("CreateTicket", request, code, holder), service, lane, channel, holder


def _admitted(request: pb.CreateTicketRequest) -> Any:
    try:
        return _new_ticket(request)
    except Problem as problem:
        return problem


def _at_counter(verb: str, request: Any) -> tuple[Any, str]:
    code, counter = asking.code_of(request), asking.counter_of(request)
    return asking.request(verb, request, code), counter


def _with_ticket(verb: str, request: Any) -> tuple[Any, str, str]:
    return *_at_counter(verb, request), asking.number_of(request.ticket, "ticket")


def _ticket(done: Done) -> TicketRow:
    if done.ticket is None:
        raise Problem("INTERNAL", private="a ticket verb without a ticket")
    return done.ticket


_REASONS = {
    pb.STOP_REASON_POWER: "power",
    pb.STOP_REASON_DISASTER: "disaster",
    pb.STOP_REASON_FULL: "full",
    pb.STOP_REASON_OTHER: "other",
}
