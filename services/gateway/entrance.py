"""Where connections come in.

Ours, so that who comes is known before a connection costs anything, and one that rests can make
room. uvloop's own drops who comes when the process has no file left, and ends for good when
accepting fails in another way.
"""

import asyncio
import contextlib
import logging
import resource
import socket
from collections.abc import Callable, Coroutine
from typing import Any

from services.gateway.addresses import Addresses, counted, parse
from services.gateway.crowd import CUT, Cause, Crowd, Full, Seat

FILES = 256  # files that are no clients' connections: channels, sources, logs, /metrics
AT_ONCE = 64  # connections accepted before others have their turn
PAUSE = 0.2  # seconds until accepting is tried again after it failed
log = logging.getLogger(__name__)

Receive = Callable[[socket.socket, Seat], Coroutine[Any, Any, Any]]


def room(wanted: int, reserved: int) -> int:
    """Connections that the system admits, at most `wanted`; asks it for more files if need be."""
    need = wanted + reserved + FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = need if hard == resource.RLIM_INFINITY else min(need, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    admitted = wanted if soft == resource.RLIM_INFINITY else min(wanted, soft - reserved - FILES)
    if admitted < wanted:
        log.info("%d connections at most, for the system admits %d files", admitted, soft)
    return max(1, admitted)


class Entrance:
    """One listening socket. `receive` makes a connection of what was accepted; `refuse` is what
    others are told."""

    def __init__(
        self,
        listener: socket.socket,
        crowd: Crowd,
        addresses: Addresses,
        receive: Receive,
        refuse: Callable[[], bytes],
    ) -> None:
        self._listener = listener
        self._crowd = crowd
        self._addresses = addresses
        self._receive = receive
        self._refuse = refuse
        self._loop = asyncio.get_running_loop()
        self._entering: set[asyncio.Task[None]] = set()
        self._pause: asyncio.TimerHandle | None = None
        listener.setblocking(False)
        self._open()

    def _open(self) -> None:
        self._pause = None
        self._loop.add_reader(self._listener, self._accept)

    def close(self) -> None:
        """No more are accepted."""
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._listener)

    async def wait_closed(self) -> None:
        """Returns when the last that was accepted is a connection."""
        await asyncio.gather(*self._entering, return_exceptions=True)

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            try:
                accepted, name = self._listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionError:
                continue
            except OSError as error:
                self._rest(error)
                return
            self._enter(accepted, name)

    def _rest(self, error: OSError) -> None:
        """No files, or no memory: whoever has asked nothing for longest gives some back."""
        log.error("cannot accept connections: %s", error.strerror)
        CUT.labels(Cause.FILES).inc()
        for _ in range(AT_ONCE):
            self._crowd.dismiss()
        self._loop.remove_reader(self._listener)
        self._pause = self._loop.call_later(PAUSE, self._open)

    def _enter(self, accepted: socket.socket, name: Any) -> None:
        accepted.setblocking(False)
        try:
            seat = self._crowd.enter(self._client(name))
        except Full as full:
            CUT.labels(full.cause).inc()
            self._turn_away(accepted)
            return
        task = self._loop.create_task(self._seated(accepted, seat))
        self._entering.add(task)
        task.add_done_callback(self._entering.discard)

    def _client(self, name: Any) -> str:
        """Whom it counts for; a proxy stands for many."""
        address = parse(str(name[0])) if isinstance(name, tuple) else None
        return "" if address is None or self._addresses.trusts(address) else counted(address)

    async def _seated(self, accepted: socket.socket, seat: Seat) -> None:
        try:
            await self._receive(accepted, seat)
        except OSError:  # it has gone again
            accepted.close()
            seat.leave()

    def _turn_away(self, accepted: socket.socket) -> None:
        """As far as it can be told without waiting."""
        with accepted, contextlib.suppress(OSError):
            accepted.send(self._refuse())
            accepted.shutdown(socket.SHUT_WR)
            accepted.recv(65536)  # what is not read would take the answer back
