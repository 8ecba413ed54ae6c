"""A client of a stream: a transport, and what has been written to it.

Once the head of the response is sent nothing else is left of its request: no task, no
parser, no timer. The response ends with the connection, so a frame needs no chunk
around it and is the same bytes for every client and every version of HTTP.
"""

import asyncio
import socket
from collections.abc import Awaitable
from contextlib import suppress
from contextvars import Context

from prometheus_client import Counter, Gauge

from services.gateway.exchange import Headers, Successor
from services.gateway.streams import HEARTBEAT, View, notice, retry

HEADERS: Headers = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
WATCHERS = Gauge("tunggu_gateway_watchers", "Open streams. Sum.", ["stream"])
DROPPED = Counter(
    "tunggu_gateway_dropped", "Streams of clients that were too slow. Sum.", ["stream"]
)
UNANSWERED_MS = 60_000  # until a client is given up that acknowledges nothing
CHATTER = 16 * 1024  # bytes that a client may still send; nobody reads them

_farewells: set[asyncio.Task[None]] = set()  # the loop itself holds tasks weakly


class Client(Successor):
    """One watcher of a feed; `address` is whose place it has.

    Written to by the feed's walks only, never waited for: one that has more than the
    backlog unsent when there is something to write is dropped. Half a hang-up is one:
    who will send nothing more cannot be told from who is gone.
    """

    __slots__ = (
        "_address",
        "_beats",
        "_chatter",
        "_feed",
        "_kind",
        "_seen",
        "_spread",
        "_stale",
        "_transport",
        "_view",
    )

    def __init__(self, kind: str, view: View, seen: str, address: str) -> None:
        """`seen` is the id of the frame that the client already has (Last-Event-ID)."""
        self._kind = kind
        self._view = view
        self._feed = view.feed
        self._seen = seen
        self._address = address
        self._stale = False
        self._beats = self._feed.beats
        self._spread = self._feed.fanout.spread
        self._chatter = 0
        self._transport: asyncio.Transport

    def begin(self, transport: asyncio.Transport, head: bytes) -> None:
        """Sends the head, when to come back, and the present; then it is in the feed's hands."""
        self._transport = transport
        _tune(transport, self._feed.fanout.backlog)
        WATCHERS.labels(self._kind).inc()
        self._feed.join(self)
        transport.write(head + retry(self._spread))
        try:
            self.update()
        except Exception:
            self.abort()
            raise

    # What the feed asks --------------------------------------------------------------------------

    def update(self) -> None:
        """Writes the frame, the notice or the heartbeat that is due, or ends the stream."""
        if self._transport.is_closing():
            self._feed.leave(self)
        elif self._feed.ended:
            self._end()
        elif (news := self._view.news(self._seen)) is not None:
            self._seen, self._beats = news.id, self._feed.beats
            self._write(news.data)
            if not self._view.over():
                self._notify()
            else:
                self._finish()
        elif self._view.over():
            self._finish()
        else:
            self._notify()
            self._pulse()

    def abort(self) -> None:
        """Ends without another word, unsent bytes and all."""
        self._feed.leave(self)
        self._transport.abort()

    def _notify(self) -> None:
        if self._stale is not self._feed.stale:
            self._stale = self._feed.stale
            self._write(notice("stale" if self._stale else "fresh"))

    def _pulse(self) -> None:
        """When more have come since, the client shall take its time when it comes back."""
        if self._beats == self._feed.beats:
            return
        self._beats = self._feed.beats
        if self._feed.spread > self._spread:
            self._spread = self._feed.spread
            self._write(retry(self._spread))
        self._write(HEARTBEAT)

    def _write(self, data: bytes) -> None:
        if self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > self._feed.fanout.backlog:
            DROPPED.labels(self._kind).inc()
            self.abort()
        else:
            self._transport.write(data)

    # Its end -------------------------------------------------------------------------------------

    def _end(self) -> None:
        """The feed is over, not what it showed: the client shall come back."""
        self._feed.leave(self)
        self._write(retry(self._feed.fanout.spread))
        self._transport.close()

    def _finish(self) -> None:
        """Nothing can follow, but for what is still to be found out."""
        self._feed.leave(self)
        word = self._view.last_word()
        if word is None:
            self._transport.close()
            return
        # Not in the context of whoever's frame came just then: that may hold another's token.
        farewell = asyncio.create_task(self._bid_farewell(word), context=Context())
        _farewells.add(farewell)
        farewell.add_done_callback(_farewells.discard)

    async def _bid_farewell(self, word: Awaitable[bytes]) -> None:
        try:
            self._write(await word)
        finally:
            self._transport.close()

    # What the connection says --------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Nothing more is answered here; one who will not stop is hung up on."""
        self._chatter += len(data)
        if self._chatter > CHATTER:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._feed.leave(self)
        self._feed.fanout.places.leave(self._address)
        WATCHERS.labels(self._kind).dec()


def _tune(transport: asyncio.Transport, backlog: int) -> None:
    """The system must not hoard for a slow client, nor long keep one that has vanished."""
    connection = transport.get_extra_info("socket")
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, backlog)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNANSWERED_MS)
