"""uvicorn as this process runs it: bounded heads, and streams that end before it stops.

httptools itself would gather a head without end; what is more than `MAX_HEAD` bytes
of a head that is not complete is refused here, before there is a request.
"""

import asyncio
import contextlib
import math
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from services.chassis.config import ConfigError
from services.chassis.errors import Problem
from services.chassis.telemetry import adopt_request_id
from services.gateway.config import GatewayConfig
from services.gateway.exchange import (
    CONNECTION,
    MAX_HEADER_BYTES,
    MAX_URL,
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
HEAD_SECONDS = 15.0  # for the head of a connection's first request


class Connection(HttpToolsProtocol):
    """One client's connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.access_log = False  # uvicorn's has paths in it, and paths have ticket ids
        self._head = 0  # bytes of a head that is not complete, -1 outside of one
        self._late = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        self._late.cancel()
        super().connection_lost(exc)

    def _too_slow(self) -> None:
        if self.cycle is None:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head >= 0 and not self.transport.is_closing():
            self._head += len(data)
            if self._head > MAX_HEAD:
                self._refuse_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head = 0
        self.scope["extensions"] = {CONNECTION: self}  # type: ignore[dict-item]

    def on_headers_complete(self) -> None:
        self._head = -1
        super().on_headers_complete()
        self.scope["extensions"][CYCLE] = self.cycle  # type: ignore[assignment]

    def hand_over(
        self, scope: Scope, successor: Successor, headers: Headers
    ) -> tuple[asyncio.Transport, bytes]:
        """Leaves nothing of uvicorn on the connection: its parser, its cycle and its timers
        cost more than all that a stream needs. Gone."""
        cycle = scope["extensions"].pop(CYCLE)
        if cycle.disconnected or self.transport.is_closing():
            raise Gone
        self._late.cancel()
        self.pipeline.clear()
        self.flow.resume_reading()  # a second request has paused it; the end must be seen
        cycle.disconnected = True  # so that the end of the request's task closes nothing
        successor.connections = self.connections
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
        """For what never becomes a request; amid an answer the connection just ends."""
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(_refusal(problem, dict(self.headers or ())))
        self.transport.close()


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


class Server(uvicorn.Server):
    """Ends on SIGTERM or SIGINT with status 0: first unready, then streams, then the rest."""

    def __init__(
        self, app: Any, config: GatewayConfig, *, leaving: asyncio.Event, drain: Callable[[], None]
    ) -> None:
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
        self._drain_delay = config.drain_delay
        self._leaving = leaving
        self._drain = drain

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
        await asyncio.sleep(self._drain_delay)
        self._drain()
        await super().shutdown(sockets)


def listen(host: str, port: int) -> socket.socket:
    """The listening socket. ConfigError: the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ConfigError(f"gateway: cannot serve on {host}:{port}: {error.strerror}") from None
