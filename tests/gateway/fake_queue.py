"""A queue service for the gateway's tests: the real wire, a small memory, and a script.

It keeps one line of tickets and makes boards from it, so that streams and the page
have something to show; `refusals` says what the next calls of a method raise, and
`calls` holds what was asked, with its metadata. It knows nothing of the real rule.
"""

import asyncio
import hashlib
import json
from collections import defaultdict, deque

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from services.chassis.errors import Problem, to_status, translated
from tunggu.queue.v1 import kecamatan_pb2 as k
from tunggu.queue.v1 import kecamatan_pb2_grpc, queue_pb2_grpc
from tunggu.queue.v1 import queue_pb2 as q
from tunggu.queue.v1 import ticket_pb2 as t

CODE = "73.71.03"
DAY = "2026-03-02"
State = t.Ticket.State


class FakeQueue(queue_pb2_grpc.QueueServiceServicer, kecamatan_pb2_grpc.KecamatanServiceServicer):
    def __init__(self):
        self.boards = asyncio.Condition()
        self.version = 0  # of the boards: what was told while a stream was busy is not lost on it
        self.watching = 0
        self.watched = 0
        self.reset()

    def reset(self):
        self.calls = []
        self.refusals = defaultdict(deque)
        self.delays = defaultdict(float)
        self.answers = {}
        self.tickets = {}
        self.by_request = {}
        self.event = 0
        self.day = DAY
        self.batches = []
        self.filler = ""
        self.notice = ""
        self.end_streams = False
        self.trusted = ""

    async def forget(self):
        """An empty day, told to whoever watches."""
        self.reset()
        self.fresh = True
        await self.told()

    # --- what every call does --------------------------------------------------

    async def asked(self, name, request, context):
        metadata = {key: str(value) for key, value in context.invocation_metadata() or ()}
        self.calls.append((name, request, metadata))
        if self.delays[name]:
            await asyncio.sleep(self.delays[name])
        if metadata.get("authorization", "Bearer good") not in ("Bearer good", self.trusted):
            raise Problem("TOKEN_INVALID")
        if self.refusals[name]:
            raise self.refusals[name].popleft()
        if getattr(request, "kecamatan", CODE) not in (CODE, "73.71.01", ""):
            raise Problem("KECAMATAN_NOT_FOUND", {"kecamatan": request.kecamatan})

    async def changed(self):
        self.event += 1
        await self.told()

    async def told(self):
        async with self.boards:
            self.version += 1
            self.boards.notify_all()

    # --- tickets -----------------------------------------------------------------

    def line(self):
        waiting = [one for one in self.tickets.values() if one.state == State.STATE_WAITING]
        return [one.number for one in sorted(waiting, key=lambda one: one.number)]

    def shown(self, ticket):
        one = t.Ticket()
        one.CopyFrom(ticket)
        if one.state == State.STATE_WAITING:
            one.ahead = self.line().index(one.number)
            one.forecast.p50_seconds = 300 * (one.ahead + 1)
            one.forecast.p90_seconds = 900 * (one.ahead + 1)
        return one

    def create(self, request):
        if request.service == "Z":
            raise Problem("SERVICE_NOT_FOUND", {"service": "Z"})
        if request.service == "Q":
            raise Problem("QUOTA_EXHAUSTED", {"service": "Q"})
        if request.request_id not in self.by_request:
            self.event += 1
            number = f"A{len(self.tickets) + 1:03}"
            ticket = t.Ticket(
                id=f"737103-260302-{len(self.tickets):022}",
                kecamatan=request.kecamatan,
                service_day=DAY,
                number=number,
                service=request.service,
                lane=request.lane or t.LANE_REGULAR,
                channel=request.channel or t.CHANNEL_WEB,
                state=State.STATE_WAITING,
                event=self.event,
            )
            ticket.issued_at.FromMilliseconds(1772416800123)
            self.tickets[ticket.id] = ticket
            self.by_request[request.request_id] = ticket
        return self.shown(self.by_request[request.request_id])

    def found(self, request):
        if request.ticket_id not in self.tickets:
            raise Problem("TICKET_NOT_FOUND")
        return self.tickets[request.ticket_id]

    async def move(self, ticket, state, counter=""):
        ticket.state, ticket.counter = state, counter or ticket.counter
        await self.changed()
        ticket.event = self.event
        await self.told()

    async def CreateTicket(self, request, context):
        async with translated(context):
            await self.asked("CreateTicket", request, context)
            ticket = self.create(request)
            await self.told()
            return q.CreateTicketResponse(ticket=ticket)

    async def BatchCreateTickets(self, request, context):
        async with translated(context):
            await self.asked("BatchCreateTickets", request, context)
            self.batches.append([item.kecamatan for item in request.requests])
            results = [self.result(item) for item in request.requests]
            await self.told()
            return q.BatchCreateTicketsResponse(results=results)

    def result(self, item):
        try:
            if self.refusals["item"]:
                raise self.refusals["item"].popleft()
            if item.kecamatan not in (CODE, "73.71.01"):
                raise Problem("KECAMATAN_NOT_FOUND", {"kecamatan": item.kecamatan})
            return q.BatchCreateTicketsResponse.Result(ticket=self.create(item))
        except Problem as problem:
            return q.BatchCreateTicketsResponse.Result(error=to_status(problem))

    async def GetTicket(self, request, context):
        async with translated(context):
            await self.asked("GetTicket", request, context)
            return q.GetTicketResponse(ticket=self.shown(self.found(request)))

    async def CancelTicket(self, request, context):
        async with translated(context):
            await self.asked("CancelTicket", request, context)
            ticket = self.found(request)
            if ticket.state != State.STATE_WAITING:
                raise Problem("WRONG_STATE", {"state": State.Name(ticket.state)[6:]})
            await self.move(ticket, State.STATE_CANCELLED)
            return q.CancelTicketResponse(ticket=self.shown(ticket))

    async def CheckInTicket(self, request, context):
        async with translated(context):
            await self.asked("CheckInTicket", request, context)
            ticket = self.found(request)
            ticket.present = True
            await self.move(ticket, ticket.state)
            return q.CheckInTicketResponse(ticket=self.shown(ticket))

    async def ReturnTicket(self, request, context):
        async with translated(context):
            await self.asked("ReturnTicket", request, context)
            ticket = self.found(request)
            await self.move(ticket, State.STATE_WAITING)
            return q.ReturnTicketResponse(ticket=self.shown(ticket))

    async def CallNextTicket(self, request, context):
        async with translated(context):
            await self.asked("CallNextTicket", request, context)
            return q.CallNextTicketResponse(ticket=await self.call_next(request.counter))

    async def call_next(self, counter="1"):
        line = self.line()
        if not line:
            raise Problem("NOBODY_WAITING")
        ticket = next(one for one in self.tickets.values() if one.number == line[0])
        await self.move(ticket, State.STATE_CALLED, counter)
        return self.shown(ticket)

    async def walk_in(self):
        """Somebody else's number."""
        request = q.CreateTicketRequest(kecamatan=CODE, service="A", request_id=str(self.event))
        ticket = self.create(request)
        await self.told()
        return ticket

    async def refuse_item(self, reason, **metadata):
        self.refusals["item"].append(Problem(reason, metadata))

    # --- boards ---------------------------------------------------------------------

    def board(self):
        services = [{"code": "A", "name": "Kependudukan", "waiting": self.line(), "priority": []}]
        board = {"kecamatan": CODE, "day": self.day, "event": self.event, "notice": self.notice}
        board |= {
            "calls": [],
            "open": True,
            "services": services,
            "counters": [],
            "filler": self.filler,
        }
        return json.dumps(board, separators=(",", ":")).encode()

    async def GetBoard(self, request, context):
        async with translated(context):
            await self.asked("GetBoard", request, context)
            body = self.board()
            etag = hashlib.sha256(body).hexdigest()
            return q.GetBoardResponse(body=body, etag=etag, content_type="application/json")

    def message(self, snapshot):
        line = self.line()
        message = q.WatchBoardResponse(
            body=self.board(), service_day=self.day, event=self.event, snapshot=snapshot
        )
        ahead = range(1, len(line) + 1)
        message.lines.add(
            service="A",
            numbers=line,
            p50_seconds=[300 * n for n in ahead],
            p90_seconds=[900 * n for n in ahead],
        )
        for ticket in self.tickets.values() if self.day == DAY else ():
            message.tickets.add().CopyFrom(ticket)
            message.tickets[-1].ClearField("id")
        return message

    async def later_than(self, told):
        """The next version of the boards."""
        async with self.boards:
            await self.boards.wait_for(lambda: self.version != told)
        return self.version

    async def WatchBoard(self, request, context):
        async with translated(context):
            await self.asked("WatchBoard", request, context)
            self.watching += 1
            self.watched += 1
            try:
                told = self.version
                yield self.message(snapshot=True)
                while not self.end_streams:
                    told = await self.later_than(told)
                    if not self.end_streams:
                        yield self.message(snapshot=self.day != DAY)
            finally:
                self.watching -= 1

    # --- the rest ---------------------------------------------------------------------

    async def ListKecamatan(self, request, context):
        async with translated(context):
            await self.asked("ListKecamatan", request, context)
            one = k.KecamatanSummary(
                code=CODE, name="Makassar", open=True, waiting=len(self.line()), event=self.event
            )
            return k.ListKecamatanResponse(kecamatan=[one])

    async def GetKecamatan(self, request, context):
        async with translated(context):
            await self.asked("GetKecamatan", request, context)
            office = k.Office(code=CODE, name="Makassar", open=True, timezone="Asia/Makassar")
            office.services.add(code="A", name="Kependudukan")
            office.services.add(code="B", name="Perizinan")
            return k.GetKecamatanResponse(office=office)

    def __getattribute__(self, name):
        """An RPC without behaviour answers what `answers` says, else an empty message."""
        own = name in FakeQueue.__dict__ or not name[0].isupper()
        return super().__getattribute__(name) if own else self.plain(name)

    def plain(self, name):
        async def answer(request, context):
            async with translated(context):
                await self.asked(name, request, context)
                module = (
                    q
                    if name in q.DESCRIPTOR.services_by_name["QueueService"].methods_by_name
                    else k
                )
                return self.answers.get(name) or getattr(module, f"{name}Response")()

        return answer


async def serve(fake, address="127.0.0.1:0"):
    """A started server and its port."""
    server = grpc.aio.server()
    queue_pb2_grpc.add_QueueServiceServicer_to_server(fake, server)
    kecamatan_pb2_grpc.add_KecamatanServiceServicer_to_server(fake, server)
    state = health.aio.HealthServicer()
    await state.set("readiness", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(state, server)
    port = server.add_insecure_port(address)
    await server.start()
    return server, port
