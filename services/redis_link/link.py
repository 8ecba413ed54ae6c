"""What stores hold of Redis: commands by name, many at once, and what is settled.

    link = redis_connection("redis://127.0.0.1:6379/0")
    await link.hgetall("key")                                   # as in redis-py, replies are bytes
    await link.many([(key, ("EVALSHA", sha, 1, key))], settled=True)

Commands share one connection a server; those that block have their own. Nothing is ever repeated
in hiding but what a server refused unread (NOSCRIPT, MOVED, ASK).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Literal, Self

from redis.asyncio import ConnectionPool
from redis.asyncio import Redis as Plain
from redis.commands import AsyncCoreCommands
from redis.event import EventDispatcher
from redis.exceptions import AskError, MovedError, RedisError, ResponseError

from services.redis_link.address import parse, tls_context
from services.redis_link.redis_policy import UnsettledError
from services.redis_link.servers import Servers, servers, tag_of
from services.redis_link.session import Dial, Session
from services.redis_link.wire import Argument, packed

Command = tuple[str | bytes, Sequence[Argument]]
"""A key, for the server and the lane, and the whole command."""

REDIRECTS = 5
"""How often a cluster may name another node for one command."""

BLOCKS = frozenset({"BLPOP", "BRPOP", "BLMOVE", "BRPOPLPUSH", "BZPOPMIN", "BZPOPMAX", "WAIT"})

ANSWER_S = 5.0
"""Seconds that a blocking command may take longer than it was told to."""


class Link(AsyncCoreCommands):
    """Opened when first used; `aclose` ends it. redis-py's names of commands, and its errors."""

    _is_async_client: Literal[True] = True  # by which redis-py types the replies

    def __init__(self, reached: Servers) -> None:
        self._event_dispatcher = EventDispatcher()
        self._servers = reached
        self._callbacks = Plain.from_pool(ConnectionPool(protocol=2)).response_callbacks

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._servers.aclose()

    def group(self, key: str | bytes) -> str:
        """Keys of one group may stand in one command."""
        return self._servers.group(_bytes(key))

    # Many ---------------------------------------------------------------------------------------

    async def many(self, commands: Sequence[Command], *, settled: bool = False) -> list[Any]:
        """A reply or an error each, raw, in order; not atomic.

        With `settled` a reply means that the replicas that are asked for have everything which it
        tells of, be it done now or earlier; else there is an UnsettledError in its place.
        """
        if not commands:
            return []
        parts = self._by_group(commands)
        if len(parts) == 1:
            return await self._part(commands, settled)
        replies: list[Any] = [None] * len(commands)
        told = (self._part([commands[i] for i in part], settled) for part in parts.values())
        for part, found in zip(parts.values(), await asyncio.gather(*told), strict=True):
            for place, reply in zip(part, found, strict=True):
                replies[place] = reply
        return replies

    def _by_group(self, commands: Sequence[Command]) -> dict[str, list[int]]:
        parts: dict[str, list[int]] = {}
        for place, (key, _) in enumerate(commands):
            parts.setdefault(self.group(key), []).append(place)
        return parts

    async def _part(self, commands: Sequence[Command], settled: bool) -> list[Any]:
        """The same for keys of one group."""
        key = _bytes(commands[0][0])
        try:
            session = await self._servers.session(key)
            ready = [packed(command) for _, command in commands]
            replies = await self._sent(session, key, ready, settled)
            await self._send_elsewhere(session, key, ready, replies, settled)
        except RedisError as error:
            return [error] * len(commands)
        return replies

    async def _sent(
        self, session: Session, key: bytes, ready: Sequence[bytes], settled: bool
    ) -> list[Any]:
        replies = await session.main.send(tag_of(key).decode(), ready)
        return await self._settled(session, key, replies) if settled else replies

    async def _settled(self, session: Session, key: bytes, replies: list[Any]) -> list[Any]:
        if all(isinstance(reply, Exception) for reply in replies):
            return replies
        try:
            await session.settle(self._servers.mark(key))
        except UnsettledError as error:
            return [reply if isinstance(reply, Exception) else error for reply in replies]
        return replies

    async def _send_elsewhere(
        self,
        session: Session,
        key: bytes,
        ready: Sequence[bytes],
        replies: list[Any],
        settled: bool,
    ) -> None:
        """What this server has refused unread, to where it says."""
        for _ in range(REDIRECTS):
            refused = [i for i, reply in enumerate(replies) if isinstance(reply, ResponseError)]
            for place in refused:
                there = await self._servers.elsewhere(replies[place], session)
                if there is None:
                    continue
                if _is_ask(replies[place]):
                    told = await self._asking(there, key, ready[place], settled)
                else:
                    told = await self._sent(there, key, [ready[place]], settled)
                replies[place] = told[0]
            if not any(isinstance(replies[place], AskError) for place in refused):
                return

    async def _asking(self, session: Session, key: bytes, ready: bytes, settled: bool) -> list[Any]:
        """For a key that is on its way: the new owner takes it only when told."""
        pair = [packed(("ASKING",)), ready]
        replies = (await session.main.send(tag_of(key).decode(), pair, whole=True))[1:]
        return await self._settled(session, key, replies) if settled else replies

    async def everywhere(self, *command: Argument) -> None:
        """To every server. What one does not take shows when it is needed."""
        try:
            sessions = await self._servers.all()
        except RedisError:
            return
        ready = packed(command)
        await asyncio.gather(*(session.main.send("", [ready]) for session in sessions))

    async def whole(self, key: str | bytes, *commands: Sequence[Argument]) -> list[Any]:
        """Replies of commands that nothing comes between (MULTI). Errors are raised."""
        session = await self._servers.session(_bytes(key))
        block = [("MULTI",), *commands, ("EXEC",)]
        lane = tag_of(_bytes(key)).decode()
        *_, replies = await session.main.send(lane, [*map(packed, block)], whole=True)
        if isinstance(replies, Exception):
            raise replies
        pairs = zip(replies, commands, strict=True)
        return [self._parsed(reply, command[0]) for reply, command in pairs]

    # One ----------------------------------------------------------------------------------------

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """What redis-py's methods call."""
        words = tuple(str(args[0]).split())  # some names are two words
        command = (*words, *args[1:])
        key = _key_of(words[0], args)
        if words[0] in BLOCKS or b"BLOCK" in args:
            reply = await self._blocking(key, command)
        else:
            (reply,) = await self.many([(key, command)])
        if isinstance(reply, Exception):
            raise reply
        return self._parsed(reply, args[0], **options)

    async def settled(self, key: str, *command: Argument) -> Any:
        """The reply of one command, raw, once it is settled."""
        (reply,) = await self.many([(key, command)], settled=True)
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def _blocking(self, key: str | bytes, command: Sequence[Argument]) -> Any:
        ready, seconds = packed(command), None
        if b"BLOCK" in command and (milliseconds := int(command[command.index(b"BLOCK") + 1])):
            seconds = milliseconds / 1000 + ANSWER_S
        session = await self._servers.session(_bytes(key))
        reply = await session.blocking(ready, seconds)
        if isinstance(reply, ResponseError):
            there = await self._servers.elsewhere(reply, session)
            reply = await there.blocking(ready, seconds) if there else reply
        return reply

    def _parsed(self, reply: Any, name: Any, **options: Any) -> Any:
        options.pop("keys", None)
        callback = self._callbacks.get(name)
        return callback(reply, **options) if callback else reply


def _bytes(key: str | bytes) -> bytes:
    return key if isinstance(key, bytes) else key.encode()


def _is_ask(error: Exception) -> bool:
    return isinstance(error, AskError) and not isinstance(error, MovedError)


def _key_of(name: str, args: Sequence[Any]) -> str | bytes:
    """The key that decides where a command goes; of one without a key, whatever comes first."""
    if b"STREAMS" in args:
        return _key(args[args.index(b"STREAMS") + 1])
    if name in ("EVAL", "EVALSHA"):
        return _key(args[3])
    return _key(args[1]) if len(args) > 1 else ""


def _key(argument: Any) -> str | bytes:
    return argument if isinstance(argument, bytes) else str(argument)


def redis_connection(
    url: str,
    *,
    timeout: float = 5.0,
    replicas: int = 0,
    password: str = "",
    sentinel_password: str = "",
) -> Link:
    """To the servers that the URL names (address.py); a password given here goes before its own.

    `timeout` seconds bound connecting and each answer; `replicas` have what `settled` says.
    ValueError: the URL. OSError: a file that it names. Nothing connects yet.
    """
    target = parse(url)
    if password:
        target = replace(target, password=password)
    tls = None if target.tls is None else tls_context(target.tls)
    return Link(servers(Dial(target, timeout, replicas, tls), sentinel_password))
