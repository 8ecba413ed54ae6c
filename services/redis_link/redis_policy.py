"""Connections to a Redis that keeps what it has acknowledged, and to no other.

Every new connection, so also the first after a failover, asserts the policy; no
command is ever repeated in hiding. `problem` tells what surely did not happen from
what perhaps did.
"""

import asyncio
import re
from typing import Any

from redis import asyncio as aioredis
from redis import exceptions
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from services.chassis.errors import Problem

POLICY = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
CONNECT_PAUSES = (0.05, 0.2)  # seconds before the second and third try to connect
LOST = (exceptions.ConnectionError, exceptions.TimeoutError)
# Replies by which a server refuses a command as a whole, having executed nothing.
# Of a script Redis 6.2 says where the refused write stands; the state behind these replies cannot
# change while a script runs, so that it was its first.
WORDS = "MISCONF|READONLY|OOM|MASTERDOWN|NOREPLICAS|CLUSTERDOWN|LOADING"
REFUSALS = re.compile(rf"(?:.*@user_script: ?\d+: -?)?(?:{WORDS})\b")


class RedisPolicyError(exceptions.RedisError):
    """This Redis would lose acknowledged data; the text holds the remedy."""


class NotConnectedError(exceptions.ConnectionError):
    """No connection came about: nothing was sent."""


async def assert_policy(connection: Any) -> None:
    """Greets the server of a new connection. RedisPolicyError names each setting and its remedy."""
    await connection.on_connect()
    found: dict[str, str] = {}
    for name in POLICY:
        await connection.send_command("CONFIG", "GET", name)
        try:
            found[name] = (await connection.read_response())[1].decode()
        except (exceptions.ResponseError, IndexError):  # what is hidden proves nothing
            found[name] = ""
    wrong = {name: value for name, value in POLICY.items() if found[name] != value}
    if wrong:
        said = ", ".join(f"{name} is {found[name] or 'unknown'!r}" for name in wrong)
        remedy = "; ".join(f"CONFIG SET {name} {value}" for name, value in wrong.items())
        text = f"this Redis may lose acknowledged tickets: {said}"
        raise RedisPolicyError(f"{text}. Remedy, there and in its configuration file: {remedy}")


class _Strict:
    """Connects with few retries, marks failures to connect, and loses no cancellation."""

    async def connect_check_health(self: Any, *args: Any, **kwargs: Any) -> None:
        for pause in (*CONNECT_PAUSES, None):
            try:
                await super().connect_check_health(*args, **kwargs)  # type: ignore[misc]
                return
            except LOST as error:
                await self.disconnect(nowait=True)  # half connected, it would pass next time
                if pause is None:
                    raise NotConnectedError(str(error)) from error
            await asyncio.sleep(pause)

    async def send_packed_command(self: Any, *args: Any, **kwargs: Any) -> None:
        """asyncio.wait_for, which redis-py sends in, swallows a cancellation that comes in the
        moment the send is done (bpo-37658, until Python 3.12): a task might never end."""
        task = asyncio.current_task()
        before = task.cancelling() if task else 0
        await super().send_packed_command(*args, **kwargs)  # type: ignore[misc]
        if task and task.cancelling() > before:
            await self.disconnect(nowait=True)  # an answer is still to come
            raise asyncio.CancelledError


KINDS = (aioredis.Connection, aioredis.SSLConnection, aioredis.UnixDomainSocketConnection)
STRICT = {kind: type(f"Strict{kind.__name__}", (_Strict, kind), {}) for kind in KINDS}


def redis_connection(url: str, *, timeout: float = 5.0, connections: int = 256) -> aioredis.Redis:
    """A client of redis://host:port/0, rediss://… or unix:///path; replies are bytes.

    `timeout` seconds bound connecting and each answer. Nothing connects yet.
    """
    options: dict[str, Any] = {**parse_url(url)}
    kind = STRICT[options.pop("connection_class", aioredis.Connection)]
    options |= {"retry": Retry(NoBackoff(), 0), "protocol": 2, "driver_info": None}
    options |= {"socket_timeout": timeout, "socket_connect_timeout": timeout}
    options["redis_connect_func"] = assert_policy
    return aioredis.Redis.from_pool(aioredis.ConnectionPool(kind, connections, **options))


def problem(error: exceptions.RedisError) -> Problem | None:
    """What a failed command means: nothing happened, or nobody knows. None: a bug of ours."""
    name = type(error).__name__
    if isinstance(error, RedisPolicyError):
        return Problem("REDIS_POLICY", private=str(error))
    if isinstance(error, exceptions.MaxConnectionsError):
        return Problem("OVERLOADED", private=name)
    # Redis-py takes the first word off the text of replies that it has a class for.
    reply = f"{getattr(error, 'status_code', None) or ''} {error}".lstrip()
    if REFUSALS.match(reply) or isinstance(error, NotConnectedError):
        return Problem("REDIS_UNAVAILABLE", private=name)
    if isinstance(error, LOST):
        return Problem("OUTCOME_UNKNOWN", private=name)
    return None
