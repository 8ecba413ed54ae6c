"""Which Redis is good enough, and what its failures mean.

A server is good that has on disk what it acknowledges, and drops nothing to make room; where
replicas are to have it too, also one that takes no write without them. `problem` tells what surely
did not happen from what perhaps did.
"""

import re
from collections.abc import Awaitable, Sequence
from typing import Any

from redis import exceptions

from services.chassis.errors import Problem

POLICY = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
LOST = (exceptions.ConnectionError, exceptions.TimeoutError)
# Replies by which a server refuses a command as a whole, having executed nothing.
# Of a script Redis 6.2 says where the refused write stands; the state behind these replies cannot
# change while a script runs, so that it was its first.
WORDS = "MISCONF|READONLY|OOM|MASTERDOWN|NOREPLICAS|CLUSTERDOWN|TRYAGAIN|LOADING"
REFUSALS = re.compile(rf"(?:.*@user_script: ?\d+: -?)?(?:{WORDS})\b")


class RedisPolicyError(exceptions.RedisError):
    """This Redis would lose acknowledged data; the text holds the remedy."""


class NotConnectedError(exceptions.ConnectionError):
    """No connection came about: nothing was sent."""


class CrowdedError(exceptions.RedisError):
    """Too many commands wait for their turn: this one was not sent."""


class UnsettledError(exceptions.RedisError):
    """Done on the primary, but so few replicas have it that a failover may undo it."""


def questions(replicas: int) -> list[tuple[str, ...]]:
    """What a new connection asks of its server, for `check` to judge the answers."""
    asked = [*POLICY, *(["min-replicas-to-write"] if replicas else [])]
    return [("ROLE",), *(("CONFIG", "GET", name) for name in asked)]


def check(replies: Sequence[Any], replicas: int) -> None:
    """NotConnectedError: not a primary, or not ready yet. RedisPolicyError names each setting and
    its remedy."""
    role, *settings = replies
    if isinstance(role, exceptions.ResponseError):
        raise NotConnectedError(str(role))
    if role[0] != b"master":
        raise NotConnectedError(f"the server is no primary but a {role[0].decode()}")
    wrong = [
        (name, found or "unknown", right)
        for name, right, found in zip(POLICY, POLICY.values(), map(_value, settings), strict=False)
        if found != right
    ]
    few = _value(settings[-1]) if replicas else ""
    if replicas and (not few.isdigit() or int(few) < replicas):
        wrong.append(("min-replicas-to-write", few or "unknown", str(replicas)))
    if wrong:
        said = ", ".join(f"{name} is {found!r}" for name, found, _ in wrong)
        remedy = "; ".join(f"CONFIG SET {name} {right}" for name, _, right in wrong)
        text = f"this Redis may lose acknowledged tickets: {said}"
        raise RedisPolicyError(f"{text}. Remedy, there and in its configuration file: {remedy}")


def _value(reply: Any) -> str:
    """Of CONFIG GET; empty if it is hidden: that proves nothing."""
    if isinstance(reply, Exception) or len(reply) < 2:
        return ""
    return bytes(reply[1]).decode()


def failure(error: exceptions.RedisError) -> Problem:
    """The same, where a bug of ours is told as one: INTERNAL."""
    return problem(error) or Problem("INTERNAL", private=str(error))


async def told(awaitable: Awaitable[Any]) -> Any:
    """The reply of a step, or its failure: OUTCOME_UNKNOWN is one."""
    try:
        return await awaitable
    except exceptions.RedisError as error:
        raise failure(error) from error


async def asked(awaitable: Awaitable[Any]) -> Any:
    """The reply of a read, or of a write that may be repeated: whatever fails, it is tried again,
    so REDIS_UNAVAILABLE says it all."""
    try:
        return await awaitable
    except exceptions.RedisError as error:
        known = problem(error)
        if known is None or known.reason == "OUTCOME_UNKNOWN":
            known = Problem("REDIS_UNAVAILABLE", private=str(error))
        raise known from error


def problem(error: exceptions.RedisError) -> Problem | None:
    """What a failed command means: nothing happened, or nobody knows. None: a bug of ours."""
    name = type(error).__name__
    if isinstance(error, RedisPolicyError):
        return Problem("REDIS_POLICY", private=str(error))
    if isinstance(error, CrowdedError):
        return Problem("OVERLOADED", private=str(error))
    # Redis-py takes the first word off the text of replies that it has a class for.
    reply = f"{getattr(error, 'status_code', None) or ''} {error}".lstrip()
    if REFUSALS.match(reply) or isinstance(error, NotConnectedError):
        return Problem("REDIS_UNAVAILABLE", private=f"{name}: {error}")
    if isinstance(error, (*LOST, UnsettledError)):
        return Problem("OUTCOME_UNKNOWN", private=f"{name}: {error}")
    return None
