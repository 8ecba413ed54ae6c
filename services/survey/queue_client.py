"""The queue as the survey knows it: its gRPC API and nothing else.

What may be a second or so old is kept that long, so that many who look at an office cost the
queue one question a second.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.errors import Problem
from services.queue_link.kept import Kept
from services.queue_link.link import QueueLink, said
from services.survey.model import Served
from services.survey.periods import ROW, QueueDay, Row
from tunggu.queue.v1 import queue_pb2
from tunggu.queue.v1.ticket_pb2 import Ticket

DAY_S = 1.0
"""How old a running day's statistics may be."""


class QueueClient(QueueLink):
    """`channel` carries our own INTERNAL token."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        super().__init__(channel)
        self._days, self._over = Kept(DAY_S), Kept(DAY_S)

    # Tickets ------------------------------------------------------------------------------------

    async def served(self, ticket_id: str) -> Served:
        """The ticket of an id. TICKET_NOT_FOUND, NOT_SERVED."""
        ask = queue_pb2.GetTicketRequest(ticket_id=ticket_id)
        return await self._served((await said(self.queue.GetTicket, ask)).ticket)

    async def just_served(self, code: str, counter: str) -> Served:
        """The ticket last completed at a counter. COUNTER_NOT_FOUND, NOTHING_COMPLETED."""
        at = queue_pb2.GetCounterRequest(kecamatan=code, counter=counter)
        desk = (await said(self.queue.GetCounter, at)).counter
        if not desk.HasField("last_completed"):
            raise Problem("NOTHING_COMPLETED", {"counter": counter})
        ask = queue_pb2.GetTicketRequest(
            kecamatan=code, number=desk.last_completed.number, service_day=desk.service_day
        )
        return await self._served((await said(self.queue.GetTicket, ask)).ticket)

    async def _served(self, ticket: Ticket) -> Served:
        if ticket.state != Ticket.STATE_COMPLETED:
            state = Ticket.State.Name(ticket.state).removeprefix("STATE_")
            raise Problem("NOT_SERVED", {"number": ticket.number, "state": state})
        zone = (await self.office(ticket.kecamatan)).timezone
        return Served(
            ticket.kecamatan, ticket.service_day, ticket.number, ticket.service, ticket.counter,
            _hour(ticket.issued_at, zone), ticket.closed_at.ToMilliseconds(),
        )  # fmt: skip

    # Days ---------------------------------------------------------------------------------------

    async def day(self, code: str, day: str) -> tuple[bool, QueueDay]:
        """Whether the day is closed, and its statistics. DAY_NOT_FOUND."""
        return await self._days.get((code, day), lambda: self._ask_day(code, day))

    async def is_over(self, code: str, day: str) -> bool:
        """Whether the day is closed; a crowd of answers asks this, so no news makes it forget."""
        return (await self._over.get((code, day), lambda: self._ask_day(code, day)))[0]

    async def _ask_day(self, code: str, day: str) -> tuple[bool, QueueDay]:
        request = queue_pb2.GetDayRequest(kecamatan=code, day=day)
        found = (await said(self.queue.GetDay, request)).day
        return found.closed, _queue_day(found)

    def news(self, code: str, day: str) -> None:
        """Something has happened on the day: what is known of it is old."""
        self._days.forget((code, day))


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
