"""What a gateway knows of one office while somebody watches it: WatchBoard, followed.

The board's bytes are passed on as they came. Beside them stand the day's tickets and
lines, so that the place of a single ticket is a look-up and not a call. They are
known by number; which ticket id belongs to a number is known only to the watcher
that named it, and is never logged. Absent: any rule of the queue.
"""

import asyncio
import random
from collections.abc import AsyncIterable, Callable

import grpc

from services.chassis.errors import Problem
from services.gateway.encode import to_json
from services.gateway.streams import Feed, Frame, Timing, frame
from tunggu.queue.v1.queue_pb2 import Line, WatchBoardResponse
from tunggu.queue.v1.ticket_pb2 import Forecast, Ticket

State = Ticket.State
FINAL = (State.STATE_COMPLETED, State.STATE_CANCELLED, State.STATE_LAPSED)

# What the same request would get again, however often it is sent.
LASTING = (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT)
BACKOFF = (0.1, 5.0)  # seconds before the first and at most before any reconnection

Watch = Callable[[str], AsyncIterable[WatchBoardResponse]]


class Board:
    """The source of one office's board and of all its ticket streams."""

    def __init__(self, kecamatan: str, watch: Watch, timing: Timing) -> None:
        self.feed = Feed(timing)
        self.day = ""
        self.tickets: dict[str, Ticket] = {}
        self._kecamatan = kecamatan
        self._watch = watch
        self._lines: dict[str, Line] = {}
        self._places: dict[str, dict[str, int]] = {}

    async def run(self) -> None:
        """Follows the stream, and another one whenever it ends or breaks off."""
        delay = BACKOFF[0]
        while not self.feed.ended:
            try:
                async for message in self._watch(self._kecamatan):
                    delay = BACKOFF[0]
                    self.apply(message)
            except Problem as problem:
                if problem.status in LASTING:
                    self.feed.end(problem)
                    return
            self.feed.lost()
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311  (spread, no secret)
            delay = min(2 * delay, BACKOFF[1])

    def apply(self, message: WatchBoardResponse) -> None:
        """Takes a message of the stream and tells the watchers."""
        if message.snapshot:
            self.tickets, self._lines, self._places = {}, {}, {}
        self.day = message.service_day
        self.tickets.update((ticket.number, ticket) for ticket in message.tickets)
        for line in message.lines:
            self._lines[line.service] = line
            self._places.pop(line.service, None)
        self.feed.found()
        identity = f"{message.service_day}/{message.event}"
        self.feed.publish(frame("board", identity, message.body))

    def place(self, service: str, number: str) -> tuple[int, Forecast | None] | None:
        """How many are called before a number, and its forecast; None if it is in no line."""
        line = self._lines.get(service)
        if line is None:
            return None
        places = self._places.get(service)
        if places is None:  # looked up by each of its watchers, so made once a change
            places = self._places[service] = {known: i for i, known in enumerate(line.numbers)}
        ahead = places.get(number)
        if ahead is None:
            return None
        if ahead >= min(len(line.p50_seconds), len(line.p90_seconds)):
            return ahead, None
        return ahead, Forecast(
            p50_seconds=line.p50_seconds[ahead], p90_seconds=line.p90_seconds[ahead]
        )


class TicketView:
    """What the holder of one ticket sees of a board: the JSON of GET /v1/tickets/{id}.

    `ticket` is GetTicket's answer. It may be newer than the board, and is shown until
    the board has caught up with it.
    """

    def __init__(self, board: Board, ticket: Ticket) -> None:
        self.feed = board.feed
        self._board = board
        self._ticket = ticket
        self._frame = ticket_frame(ticket)

    def look(self) -> Frame | None:
        known = self._board.tickets.get(self._ticket.number)
        if self._board.day != self._ticket.service_day or known is None:
            return self._frame
        if known.event < self._ticket.event:
            return self._frame
        shown = self._composed(known)
        if shown is not None and identity(shown) != self._frame.id:
            self._ticket, self._frame = shown, ticket_frame(shown)
        return self._frame

    def _composed(self, known: Ticket) -> Ticket | None:
        """The board's ticket with what only its holder is told; None until its line is known."""
        ticket = Ticket()
        ticket.CopyFrom(known)
        ticket.id = self._ticket.id
        if ticket.state == State.STATE_WAITING:
            place = self._board.place(ticket.service, ticket.number)
            if place is None:
                return None
            ticket.ahead, forecast = place
            if forecast is not None:
                ticket.forecast.CopyFrom(forecast)
        return ticket

    def over(self) -> bool:
        return self.final() or self.outlived()

    def final(self) -> bool:
        """Whether the ticket has left the queue for good."""
        state = self._ticket.state
        missed = state == State.STATE_NO_SHOW and not self._ticket.HasField("return_by")
        return state in FINAL or missed

    def outlived(self) -> bool:
        """Whether the board shows a later day, which says nothing of this ticket."""
        return self._board.day > self._ticket.service_day


def ticket_frame(ticket: Ticket) -> Frame:
    return frame("ticket", identity(ticket), to_json(ticket))


def identity(ticket: Ticket) -> str:
    """`<day>/<event>`, and what can change without an event of the ticket's own."""
    wait = ticket.forecast
    place = f"{ticket.ahead}-{wait.p50_seconds}-{wait.p90_seconds}"
    return f"{ticket.service_day}/{ticket.event}/{place}"
