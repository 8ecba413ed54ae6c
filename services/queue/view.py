"""Tickets and counters as messages. The one place that decides what an answer shows."""

from __future__ import annotations

from typing import Protocol

from google.protobuf.timestamp_pb2 import Timestamp

from services.queue.board import Place
from services.queue.lines import Line
from services.queue.live import Live
from services.queue.model import Channel, Lane, Rule
from services.queue.publishing import Publication
from services.queue.rows import CounterRow
from tunggu.queue.v1 import queue_pb2
from tunggu.queue.v1 import ticket_pb2 as pb

AT_COUNTER = ("CALLED", "SERVING", "COMPLETED")
FINAL = ("COMPLETED", "CANCELLED", "LAPSED")

LANES = {Lane.REGULAR: pb.LANE_REGULAR, Lane.PRIORITY: pb.LANE_PRIORITY}
CHANNELS = {
    Channel.WEB: pb.CHANNEL_WEB,
    Channel.KIOSK: pb.CHANNEL_KIOSK,
    Channel.WHATSAPP: pb.CHANNEL_WHATSAPP,
    Channel.DESK: pb.CHANNEL_DESK,
}


class TicketLike(Protocol):
    """A ticket as stored (`rows.TicketRow`) or folded (`model.Ticket`); times ms UTC, 0 or None
    = not yet."""

    @property
    def number(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def lane(self) -> Lane: ...
    @property
    def channel(self) -> Channel: ...
    @property
    def state(self) -> str: ...
    @property
    def counter(self) -> str | None: ...
    @property
    def returns(self) -> int: ...
    @property
    def present(self) -> bool: ...
    @property
    def event(self) -> int: ...
    @property
    def issued_at(self) -> int: ...
    @property
    def first_call(self) -> int: ...
    @property
    def started_at(self) -> int | None: ...
    @property
    def closed_at(self) -> int | None: ...
    @property
    def since(self) -> int: ...


def ticket_message(
    code: str,
    day: str,
    ticket: TicketLike,
    *,
    id: str = "",
    rule: Rule | None = None,
    place: Place | None = None,
) -> pb.Ticket:
    """`rule` is the running day's, None once the day is closed; `place` where it waits."""
    state = str(ticket.state)
    message = pb.Ticket(
        id=id,
        kecamatan=code,
        service_day=day,
        number=ticket.number,
        service=ticket.service,
        lane=LANES[ticket.lane],
        channel=CHANNELS[ticket.channel],
        state=pb.Ticket.State.Value(f"STATE_{state}"),
        counter=(ticket.counter or "") if state in AT_COUNTER else "",
        event=ticket.event,
        present=ticket.present,
        issued_at=timestamp(ticket.issued_at),
        called_at=timestamp(ticket.first_call),
        started_at=timestamp(ticket.started_at),
        closed_at=timestamp(ticket.closed_at) if state in FINAL else None,
        return_by=timestamp(_return_by(ticket, state, rule) if rule else 0),
    )
    if place:
        message.ahead = place.ahead
        if place.forecast:
            message.forecast.p50_seconds = place.forecast.p50_seconds
            message.forecast.p90_seconds = place.forecast.p90_seconds
    return message


def _return_by(ticket: TicketLike, state: str, rule: Rule) -> int:
    if state == "ON_HOLD":
        return ticket.since + rule.hold_within * 1000
    if state == "NO_SHOW" and ticket.returns < rule.return_times:
        return ticket.since + rule.return_within * 1000
    return 0


def watch_message(
    live: Live, publication: Publication, whole: bool
) -> queue_pb2.WatchBoardResponse:
    """A publication as it is sent; `whole` to who has none, or not the one before."""
    built = publication.built
    lines = publication.all_lines if whole else publication.lines
    day = live.day if live.day and live.day.day == built.day else None
    numbers = list(day.tickets) if whole and day else publication.tickets
    rule = None if day is None or day.closed else day.policy.rule
    return queue_pb2.WatchBoardResponse(
        body=built.body,
        etag=built.etag,
        service_day=built.day,
        event=built.event,
        snapshot=whole,
        lines=[line_message(service, line) for service, line in lines.items()],
        tickets=[
            ticket_message(live.code, built.day, day.tickets[number], rule=rule)
            for number in numbers
            if day and number in day.tickets
        ],
    )


def line_message(service: str, line: Line) -> queue_pb2.Line:
    return queue_pb2.Line(
        service=service, numbers=line.numbers, p50_seconds=line.p50, p90_seconds=line.p90
    )


def counter_message(
    code: str, day: str, id: str, row: CounterRow | None, services: str, ticket_state: str
) -> pb.Counter:
    """`services` is the policy's set, for a counter that was not touched on the day."""
    if row is None:
        row = CounterRow(day, id, "CLOSED", services, "", "", 0, -1, -1)
    message = pb.Counter(
        id=id,
        kecamatan=code,
        service_day=day,
        state=pb.Counter.State.Value(f"STATE_{row.state}"),
        services=list(row.services),
        event=row.event,
    )
    if row.ticket:
        message.ticket.number = row.ticket
        message.ticket.state = pb.Ticket.State.Value(f"STATE_{ticket_state}")
    if row.completed:
        message.last_completed.number = row.completed
        message.last_completed.event = row.completed_event
        message.last_completed.completed_at.FromMilliseconds(row.completed_at)
    return message


def timestamp(ms: int | None) -> Timestamp | None:
    """None for a moment that has not come."""
    if not ms:
        return None
    stamp = Timestamp()
    stamp.FromMilliseconds(ms)
    return stamp
