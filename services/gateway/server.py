"""uvicorn as this process runs it: bounded heads, and streams that end before it stops.

httptools itself would gather a head without end; what is more than `MAX_HEAD` bytes
of a head that is not complete is refused here, before there is a request.
"""

import asyncio
import contextlib
import logging
import math
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from services.chassis.config import ConfigError
from services.chassis.errors import Problem
from services.chassis.telemetry import adopt_request_id
from services.gateway.config import GatewayConfig
from services.gateway.crowd import CUT, Cause, Crowd, Seat
from services.gateway.entrance import Entrance, room
from services.gateway.exchange import (
    CONNECTION,
    MAX_HEADER_BYTES,
    MAX_URL,
    RESERVED,
    Gone,
    Headers,
    Scope,
    Successor,
)
from services.gateway.problems import body_of, headers_of, language_of, status_of

MAX_HEAD = MAX_URL + 2 * MAX_HEADER_BYTES  # bytes on the wire; the app counts exactly
BACKLOG = 2048  # connections not yet accepted
IDLE_SECONDS = 30  # until a silent connection is closed
CYCLE = "tunggu.cycle"  # scope extension: uvicorn's of this request, not of one behind it
HEAD_SECONDS = 15.0  # from a connection's begin, or a head's, to the head's end
STALL_SECONDS = 30.0  # in which a client must read what fills its buffers
LINGER_SECONDS = 10.0  # in which it must read the rest when the connection is closed
MOST_PIPELINED = 64  # requests that wait for the answer to another on the same connection
FOR_STAFF = 64  # connections beyond the most, for who shows a sound token


def _is_ours(record: logging.LogRecord) -> bool:
    """Not a line for each client that sends what is no HTTP: they are counted."""
    return record.levelno != logging.WARNING


class Connection(HttpToolsProtocol):
    """One client's connection. What it waits for has a deadline, what it keeps a bound."""

    def __init__(self, *, seat: Seat, **given: Any) -> None:
        super().__init__(**given)
        self.access_log = False  # uvicorn's has paths in it, and paths have ticket ids
        self._seat = seat
        self._in_head = self._in_message = self._fed = False
        self._loose = 0  # bytes of a head or of a body's framing that is not complete
        self._served: RequestResponseCycle | None = None  # or was, last
        self._timers: dict[Cause, asyncio.TimerHandle] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._seat.abort = transport.abort
        self._seat.rest()
        self._within(HEAD_SECONDS, Cause.SLOW_HEAD)

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_timers()
        self._seat.leave()
        if self._served is not None:  # uvicorn tells only the last of several requests
            self._served.disconnected = True
            self._served.message_event.set()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    # --- deadlines ----------------------------------------------------------------------------

    def _within(self, seconds: float, cause: Cause) -> None:
        """Unless `_done` is told of it within `seconds`, the connection is cut off."""
        if cause not in self._timers:
            self._timers[cause] = self.loop.call_later(seconds, self._cut, cause)

    def _done(self, cause: Cause) -> None:
        timer = self._timers.pop(cause, None)
        if timer is not None:
            timer.cancel()

    def _cancel_timers(self) -> None:
        for timer in self._timers.values():
            timer.cancel()

    def _cut(self, cause: Cause) -> None:
        CUT.labels(cause).inc()
        self.transport.abort()

    def _close(self) -> None:
        """What is written may still be read, but not for ever."""
        self.transport.close()
        self._within(LINGER_SECONDS, Cause.SLOW_READER)

    def timeout_keep_alive_handler(self) -> None:
        self._close()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._within(STALL_SECONDS, Cause.SLOW_READER)

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.transport.is_closing():
            self._done(Cause.SLOW_READER)

    # --- what comes ---------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        self._fed = False
        super().data_received(data)
        if self.transport.is_closing():
            return
        self._loose = self._loose + len(data) if self._in_message and not self._fed else 0
        if self._loose > MAX_HEAD:
            self._refuse_head()
        elif self.cycle is None or self.cycle.response_complete:
            # Also what is left of a body that nobody read, and empty lines.
            self._within(HEAD_SECONDS, Cause.SLOW_HEAD)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = self._in_message = True
        self._loose = 0
        self.scope["extensions"] = {CONNECTION: self}  # type: ignore[dict-item]
        if self._seat.reserved:
            self.scope["extensions"][RESERVED] = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # what follows a body is read by nobody
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        if len(self.pipeline) >= MOST_PIPELINED:
            self._cut(Cause.PIPELINED)
            raise ValueError("pipelined")  # ends the parser
        super().on_headers_complete()
        self.scope["extensions"][CYCLE] = self.cycle  # type: ignore[assignment]
        self._done(Cause.SLOW_HEAD)
        self._seat.wake()
        if self._seat.reserved or self.parser.should_upgrade():
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        self._fed = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._fed, self._in_message = True, False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._within(LINGER_SECONDS, Cause.SLOW_READER)
        elif self.cycle.response_complete:
            self._seat.rest()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._served = cycle
        super()._start_asgi_task(cycle, app)

    # --- what is refused before it is a request -----------------------------------------------

    def hand_over(
        self, scope: Scope, successor: Successor, headers: Headers
    ) -> tuple[asyncio.Transport, bytes]:
        """Leaves nothing of uvicorn on the connection: its parser, its cycle and its timers
        cost more than all that a stream needs. Gone."""
        cycle = scope["extensions"].pop(CYCLE)
        if cycle.disconnected or self.transport.is_closing():
            raise Gone
        self._cancel_timers()
        self.pipeline.clear()
        self.flow.resume_reading()  # a second request has paused it; the end must be seen
        cycle.disconnected = True  # so that the end of the request's task closes nothing
        successor.connections, successor.seat = self.connections, self._seat
        self.connections.discard(self)
        self.connections.add(successor)  # type: ignore[arg-type]  # it asks no more of them
        self.transport.set_protocol(successor)
        head = _head(200, [*self.server_state.default_headers, *headers])
        scope["extensions"].clear()  # these two would keep each other
        self.parser = None  # type: ignore[assignment]  # as when the connection is lost
        return self.transport, head

    def _refuse_head(self) -> None:
        if len(self.url) > MAX_URL:
            self._refuse(Problem("URL_TOO_LONG", {"limit": str(MAX_URL)}))
        else:
            self._refuse(Problem("HEADERS_TOO_LARGE", {"limit": str(MAX_HEADER_BYTES)}))

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's, in plain text
        self._refuse(Problem("INVALID_REQUEST", {"why": "this is not HTTP/1.1"}))

    def _refuse(self, problem: Problem) -> None:
        """An answer that would be taken for another request's is not given."""
        if self.transport.is_closing():
            return
        CUT.labels(Cause.GARBAGE).inc()
        if self._unanswered():
            self.transport.write(_refusal(problem, dict(self.headers or ())))
        self._close()

    def _unanswered(self) -> bool:
        """Whether what is being read is next to be answered."""
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            return True
        return cycle.more_body and not cycle.response_started and not self.pipeline


def _refusal(problem: Problem, request: Mapping[bytes, bytes]) -> bytes:
    """A whole response, as the app gives it to requests that it sees."""
    language, request_id = language_of(request), adopt_request_id("")
    body = body_of(problem, language, request_id)
    headers = [
        *headers_of(problem, language),
        (b"x-request-id", request_id.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"content-length", b"%d" % len(body)),
    ]
    return _head(status_of(problem), headers) + body


def _head(status: int, headers: Headers) -> bytes:
    """The head of a connection's last response."""
    closing = [(b"connection", b"close")]
    lines = [b"%s: %s\r\n" % header for header in headers if header not in closing]
    return b"".join([STATUS_LINE[status], *lines, b"connection: close\r\n\r\n"])


def _full() -> bytes:
    """For who finds no place."""
    return _refusal(Problem("OVERLOADED"), {})


class Server(uvicorn.Server):
    """Ends on SIGTERM or SIGINT with status 0: first unready, then streams, then the rest."""

    def __init__(
        self, app: Any, config: GatewayConfig, *, leaving: asyncio.Event, drain: Callable[[], None]
    ) -> None:
        logging.getLogger("uvicorn.error").addFilter(_is_ours)
        super().__init__(
            uvicorn.Config(
                app,
                http=Connection,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=IDLE_SECONDS,
                timeout_graceful_shutdown=math.ceil(config.grace),
            )
        )
        self._settings = config
        self._leaving = leaving
        self._drain = drain

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Lets connections in by entrances of our own."""
        crowd = self._crowd()
        addresses = self._settings.addresses

        async def receive(accepted: socket.socket, seat: Seat) -> None:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self._connection(seat), accepted
            )

        self.servers = [
            Entrance(listener, crowd, addresses, receive, _full)  # type: ignore[misc]
            for listener in sockets or []
        ]
        self.started = True

    def _crowd(self) -> Crowd:
        most = room(self._settings.connections, FOR_STAFF)
        unlimited = self._settings.limits == "off"
        return Crowd(most, most if unlimited else self._settings.connections_by_address, FOR_STAFF)

    def _connection(self, seat: Seat) -> Connection:
        return Connection(
            seat=seat, config=self.config, server_state=self.server_state, app_state={}
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Without raising them again at the end; only the main thread hears of them."""
        loop = asyncio.get_running_loop()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._leaving.set()
        # From now on each answer asks its client to go on elsewhere: a connection that is idle
        # when it is closed at the end may have a request on its way.
        self.server_state.default_headers.append((b"connection", b"close"))
        await asyncio.sleep(self._settings.drain_delay)
        self._drain()
        await super().shutdown(sockets)


def listen(host: str, port: int) -> socket.socket:
    """The listening socket. ConfigError: the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ConfigError(f"gateway: cannot serve on {host}:{port}: {error.strerror}") from None
