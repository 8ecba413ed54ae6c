"""Connections to one server, which live and end together.

What is acknowledged here is acknowledged by this server: its replicas are asked over a connection
that was there before the write, and Sentinel cuts both when it takes the server its rank. So a
write on a primary that was replaced can never be vouched for by its successor.
"""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.exceptions import ConnectionError as LostError

from services.redis_link.address import Address, Target
from services.redis_link.redis_policy import (
    LOST,
    NotConnectedError,
    UnsettledError,
    check,
    questions,
)
from services.redis_link.wire import Wire, packed

CONNECT_S = 2.0
"""Seconds to connect and be greeted; nothing is sent before."""

WAIT_MS = 1000
"""How long replicas may take to have a write."""

IDLE_MOST = 4
"""Connections for commands that block, kept for the next such command."""

MARK = "tunggu:settled"
"""A channel that nobody listens to. What is published goes to the replicas after the writes."""


@dataclass(frozen=True)
class Dial:
    """How a server is called. `replicas`: how many have a write before it is acknowledged."""

    target: Target
    timeout: float
    replicas: int = 0
    tls: ssl.SSLContext | None = None

    async def session(self, address: Address) -> "Session":
        """NotConnectedError; RedisPolicyError."""
        try:
            async with asyncio.timeout(min(CONNECT_S, self.timeout)):
                return await self._session(address)
        except (OSError, TimeoutError, *LOST) as error:
            raise NotConnectedError(f"{address}: {error or 'no answer in time'}") from error

    async def _session(self, address: Address) -> "Session":
        session = Session(self, address)
        try:
            session.main = await self.wire(address, self.timeout)
            check(await _asked(session.main, questions(self.replicas)), self.replicas)
            if self.replicas:
                session.vouching = await self.wire(address, self.timeout)
            if session.over:  # while the other was opened
                raise NotConnectedError("the server closed the connection")
        except BaseException:
            session.close()
            raise
        session.tie()
        return session

    async def wire(self, address: Address, timeout: float | None) -> Wire:
        """Connected and logged in."""
        loop = asyncio.get_running_loop()
        if address.path:
            _, wire = await loop.create_unix_connection(lambda: Wire(timeout), address.path)
        else:
            _, wire = await loop.create_connection(
                lambda: Wire(timeout), address.host, address.port, ssl=self.tls
            )
        try:
            await self._log_in(wire)
        except BaseException:
            wire.close()
            raise
        return wire

    async def _log_in(self, wire: Wire) -> None:
        target, commands = self.target, []
        if target.password:
            names = [target.username] if target.username else []
            commands.append(("AUTH", *names, target.password))
        if target.db:
            commands.append(("SELECT", str(target.db)))
        for reply in await _asked(wire, commands) if commands else []:
            if isinstance(reply, Exception):
                raise NotConnectedError(str(reply))


async def _asked(wire: Wire, commands: Sequence[tuple[str, ...]]) -> list[Any]:
    replies = await wire.send("", [packed(command) for command in commands])
    for reply in replies:
        if isinstance(reply, LOST):
            raise NotConnectedError(str(reply))
    return replies


class Session:
    """Opened by `Dial`. `main` carries all commands that do not block."""

    main: Wire
    vouching: Wire | None = None

    def __init__(self, dial: Dial, address: Address) -> None:
        self.address = address
        self._dial = dial
        self._idle: list[Wire] = []
        self._busy: set[Wire] = set()
        self._coming: asyncio.Future[Exception | None] | None = None
        self._round: asyncio.Task[None] | None = None

    @property
    def over(self) -> bool:
        return self.main.over

    def tie(self) -> None:
        """One end is the end of all."""
        for wire in filter(None, (self.main, self.vouching)):
            wire.lost.add_done_callback(lambda _: self.close())

    def close(self, why: Exception | None = None) -> None:
        for wire in (getattr(self, "main", None), self.vouching, *self._idle, *self._busy):
            if wire:
                wire.close(why)
        self._idle.clear()

    # What is acknowledged -----------------------------------------------------------------------

    async def settle(self, mark: bytes) -> None:
        """Returns when the replicas have everything that this server had done before the call.
        UnsettledError: they have not, or nobody knows. `mark` is a packed command that replicas
        are given. All who ask while a round is under way share the next."""
        if self.vouching is None:
            return
        if self._coming is None:
            self._coming = asyncio.get_running_loop().create_future()
            if self._round is None or self._round.done():
                self._round = asyncio.create_task(self._rounds(self.vouching, mark))
        failed = await asyncio.shield(self._coming)
        if failed:
            raise UnsettledError(str(failed)) from failed

    async def _rounds(self, vouching: Wire, mark: bytes) -> None:
        while self._coming:
            coming, self._coming = self._coming, None
            coming.set_result(await self._vouched(vouching, mark))

    async def _vouched(self, vouching: Wire, mark: bytes) -> Exception | None:
        """The mark is a write of this connection's own: WAIT waits for nobody else's."""
        wanted = self._dial.replicas
        wait = packed(("WAIT", wanted, WAIT_MS))
        marked, have = await vouching.send("", [mark, wait], whole=True)
        for reply in (marked, have):
            if isinstance(reply, Exception):
                return reply
        if have < wanted:
            return UnsettledError(f"{have} of {wanted} replicas have it")
        return None

    # What blocks --------------------------------------------------------------------------------

    async def blocking(self, ready: bytes, seconds: float | None) -> Any:
        """The reply, over a connection that nobody else uses; None = however long it takes."""
        try:
            async with asyncio.timeout(CONNECT_S):
                wire = self._idle.pop() if self._idle else await self._own_wire()
        except (OSError, TimeoutError, *LOST) as error:
            raise NotConnectedError(f"{self.address}: {error}") from error
        self._busy.add(wire)
        try:
            async with asyncio.timeout(seconds):
                (reply,) = await wire.send("", [ready])
        except BaseException as error:
            wire.close()  # an answer is still to come
            if isinstance(error, TimeoutError):
                raise LostError("no answer in time") from error
            raise
        finally:
            self._busy.discard(wire)
        if not wire.over and not self.over and len(self._idle) < IDLE_MOST:
            self._idle.append(wire)
        else:
            wire.close()
        return reply

    async def _own_wire(self) -> Wire:
        return await self._dial.wire(self.address, None)
