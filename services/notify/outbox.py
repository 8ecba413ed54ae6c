"""The outbox of an office: deliveries that are due, shared by all replicas, each made by one.

A delivery that a replica has taken is its own until it is settled; one that a replica leaves lying
for `takeover` seconds goes to another. So a delivery is made at least once, and twice only if a
replica died, or lost Redis, between the channel's answer and the settling.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, replace
from typing import Any

from redis.exceptions import RedisError, ResponseError

from services.chassis.errors import Problem
from services.notify.keys import GROUP, Keys
from services.notify.model import Entry, Record, Stored, dumped
from services.notify.store import LUA
from services.redis_link.link import Link
from services.redis_link.lua import Scripts
from services.redis_link.redis_policy import asked, failure, told

WAKE_MOST = 256
OLD_MS = 3_600_000
"""A consumer that has nothing and was silent for so long is a replica that is no more."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery of ours, by its id in the outbox."""

    id: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class Case:
    """All that decides on a delivery now: whether it is still ours, the ticket, the target, and the
    running stop of issuing."""

    ours: bool
    record: Record | None
    target: Stored | None
    stop: str


@dataclass(frozen=True, slots=True)
class Depth:
    """How full it is. `oldest` is ms since the oldest became due, 0 if there is none."""

    waiting: int
    later: int
    oldest: int
    subscriptions: int


class Outbox:
    """Every office's, for this replica, which is called `consumer`."""

    def __init__(self, redis: Link, takeover: float, consumer: str = "") -> None:
        self._redis = redis
        self._takeover_ms = int(takeover * 1000)
        self._scripts = Scripts.load(LUA)
        self.consumer = consumer or secrets.token_hex(8)

    async def open(self, code: str) -> None:
        """Makes the group that shares it, and drops replicas that are long gone."""
        outbox = Keys(code).of("outbox")
        try:
            await self._redis.xgroup_create(outbox, GROUP, "0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise Problem("INTERNAL", private=str(error)) from error
        except RedisError as error:
            raise failure(error) from error
        for each in await asked(self._redis.xinfo_consumers(outbox, GROUP)):
            if not each["pending"] and each["idle"] > OLD_MS:
                await asked(self._redis.xgroup_delconsumer(outbox, GROUP, each["name"]))

    async def wake(self, code: str) -> float | None:
        """Brings back what is to be tried again; seconds until there will be more, None if nothing
        waits."""
        reply = await self._run("wake_deliveries", Keys(code).of_step(), ["", -1, "", WAKE_MOST])
        return int(reply[1]) / 1000 if reply[1] else None

    async def take(self, code: str, count: int) -> list[Taken]:
        """The next ones, ours from now on."""
        reply = await self._read(
            self._redis.xreadgroup(GROUP, self.consumer, {Keys(code).of("outbox"): ">"}, count),
            code,
        )
        return _taken(reply[0][1]) if reply else []

    async def take_over(self, code: str, count: int) -> list[Taken]:
        """Some that another replica has left lying."""
        reply = await self._read(
            self._redis.xautoclaim(
                Keys(code).of("outbox"), GROUP, self.consumer, self._takeover_ms, count=count
            ),
            code,
        )
        return _taken(reply[1]) if reply else []

    async def look(self, code: str, taken: Taken, *, renew: bool) -> Case:
        """What there is to know of it now; `renew` says that we are still at it."""
        entry, keys = taken.entry, Keys(code, taken.entry.day)
        outbox, redis = keys.of("outbox"), self._redis
        pending, record, target, stop = await asked(
            asyncio.gather(
                redis.xpending_range(outbox, GROUP, taken.id, taken.id, 1, self.consumer),
                redis.hget(keys.of_day("tickets"), entry.number),
                redis.hget(keys.of_day("targets"), f"{entry.number}.{entry.sub}"),
                redis.hget(keys.of("place"), "stop"),
            )
        )
        if pending and renew:
            await asked(
                self._redis.xclaim(outbox, GROUP, self.consumer, 0, [taken.id], justid=True)
            )
        return Case(
            bool(pending),
            Record.parse(record) if record else None,
            Stored.parse(target) if target else None,
            (stop or b"").decode(),
        )

    async def settle(
        self,
        code: str,
        taken: Taken,
        outcome: dict[str, Any],
        *,
        wait: float | None = None,
        tried: bool = True,
        gone: bool = False,
        dead: bool = False,
    ) -> bool:
        """Notes what became of it; `wait` seconds until it is tried again. Whether it was still to
        be settled. May be repeated until it succeeds."""
        entry = replace(taken.entry, tries=taken.entry.tries + tried)
        reply = await self._run(
            "settle_delivery",
            Keys(code, entry.day).of_step(),
            [
                entry.day, -1, "", GROUP, taken.id, entry.number, entry.log,
                _kept(entry, outcome),
                "" if wait is None else int(wait * 1000),
                entry.text(),
                entry.sub if gone else "",
                _dead(entry, outcome) if dead else "",
            ],
        )  # fmt: skip
        return bool(reply[1])

    async def depth(self, code: str, day: str) -> Depth:
        """How full it is, the running day's subscriptions with it."""
        keys = Keys(code, day)
        redis = self._redis
        waiting, later, first, subscriptions, (seconds, micros) = await asked(
            asyncio.gather(
                redis.xlen(keys.of("outbox")),
                redis.zcard(keys.of("later")),
                redis.xrange(keys.of("outbox"), count=1),
                redis.hlen(keys.of_day("targets")),
                redis.time(),
            )
        )
        now = seconds * 1000 + micros // 1000
        oldest = now - Entry.parse(first[0][1][b"e"]).at if first else 0
        return Depth(waiting, later, max(0, oldest), subscriptions)

    async def _read(self, awaitable: Any, code: str) -> Any:
        """The reply; None where the outbox has no group yet, which it then gets."""
        try:
            return await awaitable
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise Problem("INTERNAL", private=str(error)) from error
            await self.open(code)
            return None
        except RedisError as error:
            raise failure(error) from error

    async def _run(self, script: str, keys: list[str], args: list[str | bytes | int]) -> list[Any]:
        return await told(self._scripts.run(self._redis, script, keys, args))  # type: ignore[no-any-return]


def _taken(messages: list[Any]) -> list[Taken]:
    return [
        Taken(id.decode(), Entry.parse(fields[b"e"])) for id, fields in filter(None, messages) if id
    ]


def _kept(entry: Entry, outcome: dict[str, Any]) -> str:
    """What ListDeliveries shows."""
    fields = {name: getattr(entry, name) for name in entry.__slots__}
    return dumped(fields | outcome)


def _dead(entry: Entry, outcome: dict[str, Any]) -> str:
    """Which ticket it was is not kept."""
    fields = {"day": entry.day, "kind": entry.kind, "channel": entry.channel, "at": entry.at}
    return dumped(fields | {"tries": entry.tries, "reason": outcome.get("reason", "")})
