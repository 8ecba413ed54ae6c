"""The queue as notify knows it: its gRPC API and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator

from services.chassis.errors import Problem
from services.notify.texts import Place
from services.queue_link.link import QueueLink, said
from tunggu.queue.v1 import kecamatan_pb2, queue_pb2
from tunggu.queue.v1.ticket_pb2 import Ticket

THRESHOLDS = (5, 2)
"""Where an office's file says nothing of them."""


class QueueClient(QueueLink):
    """`channel` carries our own INTERNAL token."""

    async def ticket(self, ticket_id: str) -> Ticket:
        """The ticket of an id, as fresh as can be. TICKET_NOT_FOUND."""
        if not ticket_id:
            raise Problem("TICKET_NOT_FOUND")
        ask = queue_pb2.GetTicketRequest(ticket_id=ticket_id)
        ticket: Ticket = (await said(self.queue.GetTicket, ask)).ticket
        return ticket

    async def numbered(self, code: str, day: str, number: str) -> Ticket:
        """The same by number. TICKET_NOT_FOUND."""
        ask = queue_pb2.GetTicketRequest(kecamatan=code, service_day=day, number=number)
        ticket: Ticket = (await said(self.queue.GetTicket, ask)).ticket
        return ticket

    async def boards(self, code: str) -> AsyncIterator[queue_pb2.WatchBoardResponse]:
        """The board and every later one, until the stream ends or breaks off with a Problem."""
        async for message in self.queue.WatchBoard(queue_pb2.WatchBoardRequest(kecamatan=code)):
            yield message


def thresholds_of(office: kecamatan_pb2.Office) -> tuple[int, ...]:
    """Calls before a turn at which its holder is told, as the file says today."""
    return tuple(office.notify.thresholds) if office.HasField("notify") else THRESHOLDS


def desk_of(office: kecamatan_pb2.Office, counter: str) -> str:
    """The counter's name, empty if the file has none."""
    return next((desk.name for desk in office.counters if desk.id == counter), "")


def place_of(office: kecamatan_pb2.Office) -> Place:
    return Place(office.name, office.timezone)
