"""What a gateway knows of one office while somebody watches it: WatchBoard, followed.

The board's bytes are passed on as they came. Beside them stand the day's tickets and
lines, so that the place of a single ticket is a look-up and not a call. They are
known by number; which ticket id belongs to a number is known only to the watcher
that named it, and is never logged. Absent: any rule of the queue.
"""

from collections.abc import AsyncIterable, Awaitable, Callable

from services.gateway.encode import to_json
from services.gateway.following import follow
from services.gateway.streams import Fanout, Feed, Frame, frame
from tunggu.queue.v1.queue_pb2 import Line, WatchBoardResponse
from tunggu.queue.v1.ticket_pb2 import Forecast, Ticket

State = Ticket.State
FINAL = (State.STATE_COMPLETED, State.STATE_CANCELLED, State.STATE_LAPSED)

Watch = Callable[[str], AsyncIterable[WatchBoardResponse]]
Outcome = Callable[[str], Awaitable[bytes]]  # the last frame of a ticket, by its id


class Board:
    """The source of one office's board and of all its ticket streams."""

    def __init__(self, kecamatan: str, watch: Watch, fanout: Fanout) -> None:
        self.feed = Feed(fanout)
        self.day = ""
        self.tickets: dict[str, Ticket] = {}
        self._kecamatan = kecamatan
        self._watch = watch
        self._lines: dict[str, Line] = {}
        self._places: dict[str, dict[str, int]] = {}

    async def run(self) -> None:
        """Follows the stream, and another one whenever it ends or breaks off."""
        await follow(self.feed, lambda: self._watch(self._kecamatan), self.apply)

    def apply(self, message: WatchBoardResponse) -> None:
        """Takes a message of the stream and tells the watchers."""
        if message.snapshot:
            self.tickets, self._lines, self._places = {}, {}, {}
        self.day = message.service_day
        self.tickets.update((ticket.number, _by_itself(ticket)) for ticket in message.tickets)
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


def _by_itself(ticket: Ticket) -> Ticket:
    """A copy: what is part of a message keeps all of it in memory, the board's bytes too."""
    own = Ticket()
    own.CopyFrom(ticket)
    return own


class TicketView:
    """What the holder of one ticket sees of a board: the JSON of GET /v1/tickets/{id}.

    `ticket` is GetTicket's answer. It may be newer than the board, and is shown until
    the board has caught up with it. `outcome` finds out how its day ended for a ticket
    whose board has gone on to the next.
    """

    __slots__ = ("_board", "_day", "_event", "_final", "_first", "_id", "_number", "_outcome")

    def __init__(self, board: Board, ticket: Ticket, outcome: Outcome) -> None:
        self._day = ticket.service_day
        self._board = board
        self._id = ticket.id
        self._number = ticket.number
        self._event = ticket.event  # of the state shown last
        self._final = is_final(ticket)
        self._first: Ticket | None = ticket
        self._outcome = outcome

    @property
    def feed(self) -> Feed:
        return self._board.feed

    def news(self, seen: str) -> Frame | None:
        known = self._board.tickets.get(self._number)
        if known is None or self._board.day != self._day or known.event < self._event:
            return self._still(seen)
        ahead, forecast = 0, None
        if known.state == State.STATE_WAITING:
            place = self._board.place(known.service, self._number)
            if place is None:  # its line is not known yet
                return self._still(seen)
            ahead, forecast = place
        self._first, self._event, self._final = None, known.event, is_final(known)
        if identity(known, ahead, forecast) == seen:
            return None
        return ticket_frame(self._composed(known, ahead, forecast))

    def _still(self, seen: str) -> Frame | None:
        """What the queue said, as long as the board has not shown more."""
        shown = self._first and ticket_frame(self._first)
        return shown if shown and shown.id != seen else None

    def _composed(self, known: Ticket, ahead: int, forecast: Forecast | None) -> Ticket:
        """The board's ticket with what only its holder is told."""
        ticket = Ticket()
        ticket.CopyFrom(known)
        ticket.id, ticket.ahead = self._id, ahead
        if forecast is not None:
            ticket.forecast.CopyFrom(forecast)
        return ticket

    def over(self) -> bool:
        """Whether it has left for good, or the board shows a later day, silent about it."""
        return self._final or self._board.day > self._day

    def last_word(self) -> Awaitable[bytes] | None:
        return None if self._final else self._outcome(self._id)


def is_final(ticket: Ticket) -> bool:
    """Whether nothing can follow; a missed ticket may return while it says until when."""
    missed = ticket.state == State.STATE_NO_SHOW and not ticket.HasField("return_by")
    return ticket.state in FINAL or missed


def ticket_frame(ticket: Ticket) -> Frame:
    forecast = ticket.forecast if ticket.HasField("forecast") else None
    return frame("ticket", identity(ticket, ticket.ahead, forecast), to_json(ticket))


def identity(ticket: Ticket, ahead: int, wait: Forecast | None) -> str:
    """`<day>/<event>`, and what can change without an event of the ticket's own."""
    place = f"{ahead}-{wait.p50_seconds}-{wait.p90_seconds}" if wait else f"{ahead}-0-0"
    return f"{ticket.service_day}/{ticket.event}/{place}"
