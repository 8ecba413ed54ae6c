"""The queue as the survey knows it: its gRPC API and nothing else.

What may be a second or so old is kept that long, so that many who look at an office cost the
queue one question a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import grpc
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.errors import Problem
from services.survey.model import Served
from services.survey.periods import ROW, QueueDay, Row
from tunggu.queue.v1 import kecamatan_pb2, kecamatan_pb2_grpc, queue_pb2, queue_pb2_grpc
from tunggu.queue.v1.ticket_pb2 import Ticket

PATIENCE_S = 1.5
"""How long any answer is waited for: who asks us waits for several, and not for long."""

DAY_S, OFFICE_S = 1.0, 5.0
"""How old a running day's statistics and an office's description may be."""

UNTRUSTED = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)
AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)

T = TypeVar("T")


class Kept:
    """Answers by key, each asked for once in `seconds` however many want it. Failures are not
    kept."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._known: dict[Any, tuple[float, asyncio.Future[Any]]] = {}

    async def get(self, key: Any, ask: Callable[[], Awaitable[T]]) -> T:
        now = asyncio.get_running_loop().time()
        since, answer = self._known.get(key, (0.0, None))
        if answer is None or (answer.done() and (_failed(answer) or now - since > self._seconds)):
            self._drop_old(now)
            answer = asyncio.ensure_future(ask())
            self._known[key] = now, answer
        return await asyncio.shield(answer)

    def forget(self, key: Any) -> None:
        self._known.pop(key, None)

    def _drop_old(self, now: float) -> None:
        old = [k for k, (t, a) in self._known.items() if a.done() and now - t > self._seconds]
        for key in old:
            del self._known[key]


def _failed(answer: asyncio.Future[Any]) -> bool:
    return answer.cancelled() or answer.exception() is not None


class QueueClient:
    """`channel` carries our own INTERNAL token."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._queue = queue_pb2_grpc.QueueServiceStub(channel)
        self._offices = kecamatan_pb2_grpc.KecamatanServiceStub(channel)
        self._days, self._over, self._known = Kept(DAY_S), Kept(DAY_S), Kept(OFFICE_S)

    # Tickets ------------------------------------------------------------------------------------

    async def served(self, ticket_id: str) -> Served:
        """The ticket of an id. TICKET_NOT_FOUND, NOT_SERVED."""
        ask = queue_pb2.GetTicketRequest(ticket_id=ticket_id)
        return await self._served((await _said(self._queue.GetTicket, ask)).ticket)

    async def just_served(self, code: str, counter: str) -> Served:
        """The ticket last completed at a counter. COUNTER_NOT_FOUND, NOTHING_COMPLETED."""
        at = queue_pb2.GetCounterRequest(kecamatan=code, counter=counter)
        desk = (await _said(self._queue.GetCounter, at)).counter
        if not desk.HasField("last_completed"):
            raise Problem("NOTHING_COMPLETED", {"counter": counter})
        ask = queue_pb2.GetTicketRequest(
            kecamatan=code, number=desk.last_completed.number, service_day=desk.service_day
        )
        return await self._served((await _said(self._queue.GetTicket, ask)).ticket)

    async def _served(self, ticket: Ticket) -> Served:
        if ticket.state != Ticket.STATE_COMPLETED:
            state = Ticket.State.Name(ticket.state).removeprefix("STATE_")
            raise Problem("NOT_SERVED", {"number": ticket.number, "state": state})
        zone = (await self.office(ticket.kecamatan)).timezone
        return Served(
            ticket.kecamatan, ticket.service_day, ticket.number, ticket.service, ticket.counter,
            _hour(ticket.issued_at, zone), ticket.closed_at.ToMilliseconds(),
        )  # fmt: skip

    # Offices and days ---------------------------------------------------------------------------

    async def office(self, code: str) -> kecamatan_pb2.Office:
        """KECAMATAN_NOT_FOUND."""

        async def ask() -> kecamatan_pb2.Office:
            request = kecamatan_pb2.GetKecamatanRequest(kecamatan=code)
            return (await _said(self._offices.GetKecamatan, request)).office  # type: ignore[no-any-return]

        return await self._known.get(code, ask)

    async def running_days(self) -> dict[str, str]:
        """The running or last day of each office, empty before the first."""
        answer = await _said(self._offices.ListKecamatan, kecamatan_pb2.ListKecamatanRequest())
        return {line.code: line.service_day for line in answer.kecamatan}

    async def day(self, code: str, day: str) -> tuple[bool, QueueDay]:
        """Whether the day is closed, and its statistics. DAY_NOT_FOUND."""
        return await self._days.get((code, day), lambda: self._ask_day(code, day))

    async def is_over(self, code: str, day: str) -> bool:
        """Whether the day is closed; a crowd of answers asks this, so no news makes it forget."""
        return (await self._over.get((code, day), lambda: self._ask_day(code, day)))[0]

    async def _ask_day(self, code: str, day: str) -> tuple[bool, QueueDay]:
        request = queue_pb2.GetDayRequest(kecamatan=code, day=day)
        found = (await _said(self._queue.GetDay, request)).day
        return found.closed, _queue_day(found)

    def news(self, code: str, day: str) -> None:
        """Something has happened on the day: what is known of it is old."""
        self._days.forget((code, day))

    async def events(self, code: str, cursor: str) -> AsyncIterator[tuple[bytes, str]]:
        """The leaves that come after the cursor (empty: from now on), each with the cursor after
        it, until the stream ends or breaks off with a Problem."""
        request = queue_pb2.WatchEventsRequest(kecamatan=code, cursor=cursor)
        async for message in self._queue.WatchEvents(request):
            yield message.leaf, message.cursor


async def _said(call: Callable[..., Awaitable[Any]], request: Message) -> Any:
    """That the queue does not accept our own token is our trouble, not the caller's."""
    try:
        return await call(request, timeout=PATIENCE_S)
    except Problem as problem:
        if problem.status in UNTRUSTED:
            private = f"the queue refuses our token: {problem.reason}"
            raise Problem("SERVICE_UNAVAILABLE", private=private) from None
        raise


def _hour(moment: Timestamp, zone: str) -> int:
    return datetime.fromtimestamp(moment.seconds, UTC).astimezone(ZoneInfo(zone)).hour


def _queue_day(day: queue_pb2.Day) -> QueueDay:
    return QueueDay(
        _row(day.total),
        {service.service: _row(service.total) for service in day.services},
        {
            (service.service, hour.hour): _row(hour.figures)
            for service in day.services
            for hour in service.hours
        },
        {counter.counter: counter.completed for counter in day.counters},
    )


def _row(figures: queue_pb2.DayFigures) -> Row:
    return [getattr(figures, name) for name in ROW]
