"""What notify keeps, each change one atomic step in Redis.

Ownership: `keys`, this module and `outbox` are the only ones that know keys and scripts. Everything
is durable when it returns: the connection admits no Redis that would lose it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.exceptions import RedisError

from services.chassis.errors import Problem
from services.notify.keys import Keys
from services.notify.model import FAR, MOST_SUBSCRIPTIONS, Record, Stored, dumped
from services.redis_link.link import Link
from services.redis_link.lua import Scripts
from services.redis_link.redis_policy import asked, failure
from services.redis_link.request import Request

LUA = Path(__file__).with_name("lua")

SLICE = 250
"""Tickets in one round trip or one script: others get their turn in between."""

AT_ONCE = 64
"""Changes on their way to Redis: a crowd waits for its turn rather than for a connection."""

Args = list[str | bytes | int]


@dataclass(frozen=True, slots=True)
class Step:
    """The event that a change follows from: its day, number and the cursor after it. Without one
    `n` is -1."""

    code: str
    day: str
    n: int = -1
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """What an event `ev` did to a ticket, and the message that follows from it, if any. `how` is
    "line" into another line, "force" whatever was known."""

    number: str
    ev: int
    state: str
    kind: str = ""
    facts: str = "{}"
    how: str = ""


class Store:
    """Any office's subscriptions over Redis. Any number of processes may hold one."""

    def __init__(self, redis: Link) -> None:
        self._redis = redis
        self._scripts = Scripts.load(LUA)
        self._turn = asyncio.Semaphore(AT_ONCE)

    # Subscriptions ------------------------------------------------------------------------------

    async def create_subscription(
        self, request: Request, at: Step, known: Move, id: str, near: int, sub: str, target: Stored
    ) -> Stored:
        """`known` is where the ticket stands. REQUEST_ID_REUSED, WRONG_STATE,
        TOO_MANY_SUBSCRIPTIONS."""
        request.check()
        passed: str | int = near if near < FAR else ""
        own: Args = [
            request.digest, request.payload_hash, known.number, id, known.state, known.ev, passed,
            sub, target.text(), MOST_SUBSCRIPTIONS,
        ]  # fmt: skip
        (text,) = await self._step("create_subscription", at, own)
        return Stored.parse(text)

    async def delete_subscription(self, request: Request, at: Step, number: str, sub: str) -> None:
        """REQUEST_ID_REUSED, SUBSCRIPTION_NOT_FOUND."""
        request.check()
        own: Args = [request.digest, request.payload_hash, number, sub]
        await self._step("delete_subscription", at, own)

    async def bind_phone(self, at: Step, code: str, phone: str) -> tuple[str, str, Stored]:
        """Number, subscription and what it is now. CODE_NOT_FOUND."""
        number, sub, text = await self._step("bind_phone", at, [code, phone])
        return number.decode(), sub.decode(), Stored.parse(text)

    async def release_phone(self, at: Step, phone: str) -> Stored | None:
        """The last of the phone's subscriptions, None if it had none."""
        (text,) = await self._step("release_phone", at, [phone])
        return Stored.parse(text) if text else None

    # What happens to tickets ----------------------------------------------------------------------

    async def move_ticket(self, at: Step, move: Move) -> int:
        """How many messages follow from it: 0 or 1."""
        (told,) = await self._step("move_ticket", at, _moved(move))
        return int(told)

    async def move_tickets(self, at: Step, moves: Sequence[Move]) -> int:
        """The same for many at once, each a step of its own."""
        told = 0
        for some in _slices(moves):
            calls = [(_keys(at), [*_common(at), *_moved(move)]) for move in some]
            replies = await asked(self._scripts.run_many(self._redis, "move_ticket", calls))
            for reply in replies:
                if isinstance(reply, RedisError):
                    raise failure(reply) from reply
                told += int(reply[1])
        return told

    async def come_near(
        self, at: Step, heads: Iterable[tuple[str, int]], thresholds: Sequence[int], facts: str
    ) -> int:
        """How many messages follow from so many being ahead of these."""
        said = " ".join(f"{number}:{ahead}" for number, ahead in heads)
        own: Args = [said, " ".join(map(str, thresholds)), facts]
        (told,) = await self._step("come_near", at, own)
        return int(told)

    async def stop_issuing(self, at: Step, facts: str) -> int:
        """Tells all who wait; the cursor comes with the last of them."""
        numbers, told = await self.numbers(at.code, at.day), 0
        for some in _slices(sorted(numbers)):
            without = Step(at.code, at.day, at.n)
            own: Args = [str(at.n), " ".join(some), facts]
            told += int((await self._step("stop_issuing", without, own))[0])
        await self._step("stop_issuing", at, [str(at.n), "", facts])
        return told

    async def resume_issuing(self, at: Step) -> None:
        await self._step("stop_issuing", at, ["", "", "{}"])

    async def close_day(self, at: Step) -> None:
        """Forgets the day. Harmless to repeat."""
        await self._step("close_day", at, [])

    async def advance_place(self, at: Step) -> None:
        await self._step("advance_place", at, [])

    async def forget_place(self, code: str) -> None:
        """The journal no longer knows where we were."""
        await asked(self._redis.delete(Keys(code).of("place")))

    # Reading ------------------------------------------------------------------------------------

    async def cursor(self, code: str) -> str:
        """After the last event that was followed, empty before the first."""
        return (await asked(self._redis.hget(Keys(code).of("place"), "cursor")) or b"").decode()

    async def days(self, code: str) -> set[str]:
        """Those that have keys."""
        return {day.decode() for day in await asked(self._redis.smembers(Keys(code).of("days")))}

    async def numbers(self, code: str, day: str) -> set[str]:
        """The tickets that have, or had, a subscription."""
        found = await asked(self._redis.hkeys(Keys(code, day).of_day("tickets")))
        return {number.decode() for number in found}

    async def record(self, code: str, day: str, number: str) -> Record | None:
        text = await asked(self._redis.hget(Keys(code, day).of_day("tickets"), number))
        return Record.parse(text) if text else None

    async def targets(
        self, code: str, day: str, number: str, subs: Sequence[str]
    ) -> list[tuple[str, Stored]]:
        """Those of the ticket's subscriptions that are there."""
        if not subs:
            return []
        fields = [f"{number}.{sub}" for sub in subs]
        found = await asked(self._redis.hmget(Keys(code, day).of_day("targets"), fields))
        return [(sub, Stored.parse(text)) for sub, text in zip(subs, found, strict=True) if text]

    async def deliveries(self, code: str, day: str, number: str, count: int) -> list[bytes]:
        """What became of the ticket's first `count` deliveries, as JSON."""
        if not count:
            return []
        fields = [f"{number}.{place}" for place in range(count)]
        found = await asked(self._redis.hmget(Keys(code, day).of_day("deliveries"), fields))
        return [text for text in found if text]

    async def _step(self, script: str, at: Step, own: Args) -> list[bytes]:
        """The one place where writes are acknowledged: what this returns is durable."""
        args = [*_common(at), *own]
        try:
            async with self._turn:
                reply = await self._scripts.run(self._redis, script, _keys(at), args)
        except RedisError as error:
            raise failure(error) from error
        word, *parts = reply
        if word == b"NO":
            reason, *pairs = [part.decode() for part in parts]
            raise Problem(reason, dict(zip(pairs[::2], pairs[1::2], strict=True)))
        return list(parts)


def facts(**told: Any) -> str:
    """What a message tells, as a script is given it."""
    return dumped(told)


def _moved(move: Move) -> Args:
    return [move.number, move.ev, move.state, move.kind, move.facts, move.how]


def _keys(at: Step) -> list[str]:
    return Keys(at.code, at.day).of_step()


def _common(at: Step) -> Args:
    return [at.day, at.n, at.cursor]


def _slices(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[i : i + SLICE] for i in range(0, len(items), SLICE))
