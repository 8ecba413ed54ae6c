"""A stream of frames over ASGI: headers, writes, and the end of a client that is too slow.

The only part of the fan-out that knows the server: it asks the connection's
transport (scope extension `tunggu.transport`, set by server.py) how much is unsent.
"""

import asyncio

from prometheus_client import Counter, Gauge

from services.gateway.exchange import Headers, Send
from services.gateway.streams import View, follow

HEADERS: Headers = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
WATCHERS = Gauge("tunggu_gateway_watchers", "Open streams. Sum.", ["stream"])
DROPPED = Counter(
    "tunggu_gateway_dropped", "Streams of clients that were too slow. Sum.", ["stream"]
)


class Stream:
    """One client's stream; `backlog` bytes may be unsent before it is dropped."""

    def __init__(
        self, name: str, send: Send, transport: asyncio.WriteTransport, backlog: int
    ) -> None:
        self._name = name
        self._send = send
        self._transport = transport
        self._backlog = backlog

    async def run(self, view: View, seen: str, headers: Headers) -> None:
        """Returns when the client is gone or dropped, or the view is over."""
        # The server must not wait for a slow client: it is dropped before that.
        self._transport.set_write_buffer_limits(high=4 * self._backlog, low=self._backlog)
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        with WATCHERS.labels(self._name).track_inprogress():
            await follow(view, seen, self.write)

    async def write(self, data: bytes) -> bool:
        """False once the client is not worth writing to."""
        if self._transport.is_closing():
            return False
        if self._transport.get_write_buffer_size() > self._backlog:
            DROPPED.labels(self._name).inc()
            self._transport.abort()
            return False
        await self._send({"type": "http.response.body", "body": data, "more_body": True})
        return True

    async def end(self, last: bytes = b"") -> None:
        """Completes the response."""
        await self._send({"type": "http.response.body", "body": last, "more_body": False})
