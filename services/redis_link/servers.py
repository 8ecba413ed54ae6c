"""Which server has a key: the only one, the one that Sentinels name, or a slot's owner.

A session is opened when it is first needed and anew when it was lost. Callers who come meanwhile
wait for the same attempt and fail with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.exceptions import AskError, MovedError, RedisError, ResponseError

from services.redis_link.address import Address, Shape, Target
from services.redis_link.redis_policy import NotConnectedError
from services.redis_link.session import MARK, Dial, Session
from services.redis_link.wire import packed

CONNECT_PAUSES = (0.05, 0.2)
"""Seconds before the second and third try to connect."""

LOOK_S = 1.0
"""Between looks at whom the Sentinels name."""

ASK_S = 1.0
"""What a Sentinel, or a node that is asked for the slots, may take to answer."""

log = logging.getLogger(__name__)


class Servers(Protocol):
    """Where keys are."""

    async def session(self, key: bytes) -> Session:
        """With the key's server. NotConnectedError; RedisPolicyError."""

    async def all(self) -> list[Session]:
        """With every server that has keys and can be reached."""

    async def elsewhere(self, error: ResponseError, refused: Session) -> Session | None:
        """Where a command is to be sent that this session's server has refused; None: nowhere."""

    def mark(self, key: bytes) -> bytes:
        """A packed command whose effect goes to the replicas of the key's server."""

    def group(self, key: bytes) -> str:
        """Keys of one group may stand in one command."""

    async def aclose(self) -> None: ...


class Seat:
    """A session that is always there, or being opened. `find` says where."""

    def __init__(self, dial: Dial, find: Callable[[], Awaitable[Address]]) -> None:
        self._dial = dial
        self._find = find
        self._opening: asyncio.Task[Session] | None = None
        self.current: Session | None = None

    async def session(self) -> Session:
        if self.current and not self.current.over:
            return self.current
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._open())
            self._opening.add_done_callback(_read)
        return await asyncio.shield(self._opening)

    async def _open(self) -> Session:
        for pause in CONNECT_PAUSES:
            try:
                return await self._try()
            except NotConnectedError:
                await asyncio.sleep(pause)
        return await self._try()

    async def _try(self) -> Session:
        self.current = await self._dial.session(await self._find())
        return self.current

    def close(self) -> None:
        if self._opening:
            self._opening.cancel()
        if self.current:
            self.current.close()


def _read(task: asyncio.Task[Any]) -> None:
    """Takes note of how it ended, though all who waited for it may be gone."""
    if not task.cancelled():
        task.exception()


class Single:
    """One server."""

    def __init__(self, dial: Dial) -> None:
        self._seat = Seat(dial, self._find)
        self._target = dial.target

    async def _find(self) -> Address:
        return self._target.addresses[0]

    async def session(self, key: bytes) -> Session:
        return await self._seat.session()

    async def all(self) -> list[Session]:
        return [await self._seat.session()]

    async def elsewhere(self, error: ResponseError, refused: Session) -> Session | None:
        if "READONLY" in f"{error.status_code} {error}":  # it is primary no more: look again
            refused.close()
        return None

    def mark(self, key: bytes) -> bytes:
        return _PUBLISHED

    def group(self, key: bytes) -> str:
        return ""

    async def aclose(self) -> None:
        self._seat.close()


_PUBLISHED = packed(("PUBLISH", MARK, ""))


class Sentinels(Single):
    """The primary that the Sentinels name. They are asked once a second whether it still is."""

    def __init__(self, dial: Dial, password: str) -> None:
        super().__init__(dial)
        self._sentinel = _sentinel(dial.target, password)
        self._looking: asyncio.Task[None] | None = None

    async def _find(self) -> Address:
        try:
            host, port = await self._sentinel.discover_master(self._target.name)
        except RedisError as error:
            raise NotConnectedError(str(error)) from error
        return Address(host, port)

    async def session(self, key: bytes) -> Session:
        session = await super().session(key)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(session))
        return session

    async def _look(self, session: Session) -> None:
        """Ends a session with a server that another has replaced, which it may not know yet."""
        while not session.over:
            await asyncio.sleep(LOOK_S)
            try:
                named = await self._find()
            except NotConnectedError:
                continue
            if named != session.address and not session.over:
                fields = {"from": str(session.address), "to": str(named)}
                log.warning("the primary was replaced", extra={"fields": fields})
                session.close()

    async def aclose(self) -> None:
        await super().aclose()
        if self._looking:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        for client in self._sentinel.sentinels:
            await client.aclose()


def _sentinel(target: Target, password: str) -> Sentinel:
    options: dict[str, Any] = {
        "socket_timeout": ASK_S,
        "socket_connect_timeout": ASK_S,
        "retry": Retry(NoBackoff(), 0),
        "password": password or None,
        "driver_info": None,
        "protocol": 2,
    }
    if target.tls is not None:
        options |= {"ssl": True, **target.tls}
    hosts = [(address.host, address.port) for address in target.addresses]
    return Sentinel(hosts, sentinel_kwargs=options)  # type: ignore[no-untyped-call]


class Cluster:
    """A slot's owner, as the nodes tell it."""

    def __init__(self, dial: Dial) -> None:
        self._dial = dial
        self._owners: dict[int, Address] = {}
        self._seats: dict[Address, Seat] = {}
        self._learning: asyncio.Task[None] | None = None

    async def session(self, key: bytes) -> Session:
        slot = key_slot(key)
        if slot not in self._owners:
            await self._learn()
        if slot not in self._owners:
            raise NotConnectedError(f"no node of the cluster owns slot {slot}")
        try:
            return await self._at(self._owners[slot])
        except NotConnectedError:
            self._owners.clear()  # whoever asks next learns who owns it now
            raise

    async def all(self) -> list[Session]:
        if not self._owners:
            await self._learn()
        known = set(self._owners.values()) | self._seats.keys()
        found = await asyncio.gather(*map(self._at, known), return_exceptions=True)
        return [session for session in found if isinstance(session, Session)]

    async def _at(self, address: Address) -> Session:
        async def find() -> Address:
            return address

        seat = self._seats.get(address)
        if seat is None:
            seat = self._seats[address] = Seat(self._dial, find)
        return await seat.session()

    async def _learn(self) -> None:
        if self._learning is None or self._learning.done():
            self._learning = asyncio.create_task(self._ask_all())
            self._learning.add_done_callback(_read)
        await asyncio.shield(self._learning)

    async def _ask_all(self) -> None:
        """NotConnectedError: no node answered."""
        failed: Exception | None = None
        for address in dict.fromkeys([*self._seats, *self._dial.target.addresses]):
            try:
                async with asyncio.timeout(ASK_S):
                    await self._ask(address)
                return
            except (OSError, TimeoutError, RedisError) as error:
                failed = error
        raise NotConnectedError(f"no node of the cluster answers: {failed}")

    async def _ask(self, address: Address) -> None:
        wire = await self._dial.wire(address, ASK_S)
        try:
            (reply,) = await wire.send("", [packed(("CLUSTER", "SLOTS"))])
        finally:
            wire.close()
        if isinstance(reply, Exception):
            raise reply
        owners: dict[int, Address] = {}
        for first, last, primary, *_ in reply:
            owner = Address(primary[0].decode() or address.host, primary[1])
            owners |= dict.fromkeys(range(first, last + 1), owner)
        self._owners = owners
        for gone in self._seats.keys() - set(owners.values()):
            self._seats.pop(gone).close()

    async def elsewhere(self, error: ResponseError, refused: Session) -> Session | None:
        if "READONLY" in f"{error.status_code} {error}":
            self._owners.clear()
            refused.close()
        if not isinstance(error, AskError):
            return None
        named = Address(error.host or refused.address.host, error.port)
        if isinstance(error, MovedError):
            self._owners[error.slot_id] = named
        return await self._at(named)

    def mark(self, key: bytes) -> bytes:
        """A key beside the given one: what is published goes over the cluster's own bus."""
        tag = tag_of(key)
        return packed(("SET", b"tunggu:{%b}:settled" % tag, b""))

    def group(self, key: bytes) -> str:
        return tag_of(key).decode()

    async def aclose(self) -> None:
        if self._learning:
            self._learning.cancel()
        for seat in self._seats.values():
            seat.close()


def tag_of(key: bytes) -> bytes:
    """The part that decides the slot: between the first braces, else all of it."""
    start = key.find(b"{")
    end = key.find(b"}", start + 1)
    return key[start + 1 : end] if -1 < start < end - 1 else key


def servers(dial: Dial, sentinel_password: str = "") -> Servers:
    """Of the target's shape."""
    match dial.target.shape:
        case Shape.SINGLE:
            return Single(dial)
        case Shape.SENTINEL:
            return Sentinels(dial, sentinel_password)
        case Shape.CLUSTER:
            return Cluster(dial)
