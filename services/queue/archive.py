"""The journal as it is read: the running days from the stream, closed ones from the archive.

Beside `store` the only module that knows Redis. It writes nothing but what a closed day leaves
behind: its leaves as one gzip value, its record, and a shorter stream.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from typing import Any

from redis.exceptions import RedisError

from services.chassis.errors import Problem
from services.queue.keys import Keys
from services.queue.steps import asked, unavailable
from services.redis_link.doorbell import Doorbell
from services.redis_link.link import Link
from services.redis_link.redis_policy import UnsettledError

KEPT_SECONDS = 400 * 86_400
PAGE = 5000
"""Entries a read of the stream takes at once."""

Entry = tuple[str, int, bytes]
"""Day, number of the event, leaf."""


def entry_of(id: bytes, fields: dict[bytes, bytes]) -> Entry:
    compact, _, n = id.decode().partition("-")
    return f"{compact[:4]}-{compact[4:6]}-{compact[6:]}", int(n), fields[b"l"]


def entry_id(day: str, n: int) -> str:
    return f"{day.replace('-', '')}-{n}"


class Archive:
    """Leaves and records of any day."""

    def __init__(self, redis: Link) -> None:
        self._redis = redis
        self._bell = Doorbell(redis)

    async def newest(self, code: str) -> Entry | None:
        rows = await asked(self._redis.xrevrange(self._journal(code), count=1))
        return entry_of(*rows[0]) if rows else None

    async def oldest(self, code: str) -> Entry | None:
        """Of what the stream still has."""
        rows = await asked(self._redis.xrange(self._journal(code), count=1))
        return entry_of(*rows[0]) if rows else None

    async def last_before(self, code: str, day: str) -> str:
        """The last day before `day` that the stream has, empty if none."""
        end = entry_id(day, 0)
        rows = await asked(self._redis.xrevrange(self._journal(code), f"({end}", "-", 1))
        return entry_of(*rows[0])[0] if rows else ""

    async def at(self, code: str, day: str, n: int) -> bytes | None:
        """The leaf of an event that the stream still has."""
        id = entry_id(day, n)
        rows = await asked(self._redis.xrange(self._journal(code), id, id))
        return entry_of(*rows[0])[2] if rows else None

    async def follow(
        self, code: str, last: Entry | None, seconds: float, count: int = PAGE
    ) -> list[Entry] | None:
        """What comes after the entry, across days, as far as it is settled; waits at most so long
        for it. None: the journal no longer has that entry."""
        after = entry_id(*last[:2]) if last else "0-0"
        await asked(self._bell.wait(self._journal(code), after, seconds))
        try:
            rows = await self._range(code, after, "+", count + 1)
        except UnsettledError:  # perhaps the next time
            return []
        except RedisError as error:
            raise unavailable(error) from error
        entries = [entry_of(*row) for row in rows]
        if last is None:
            return entries
        return entries[1:] if entries[:1] == [last] else None

    async def _range(self, code: str, first: str, last: str, count: int) -> list[Any]:
        """Rows of the journal that no failover takes back. Errors are redis-py's."""
        key = self._journal(code)
        reply = await self._redis.settled(key, "XRANGE", key, first, last, "COUNT", count)
        return [(id, dict(zip(pairs[::2], pairs[1::2], strict=True))) for id, pairs in reply]

    async def leaves(self, code: str, day: str, after: int = -1, count: int = PAGE) -> list[bytes]:
        """At most `count` leaves of the day with a number above `after`. DAY_NOT_FOUND."""
        first, last = entry_id(day, after + 1), entry_id(day, 2**31)
        rows = await asked(self._range(code, first, last, count))
        if rows:
            return [entry_of(*row)[2] for row in rows]
        archived = await asked(self._redis.get(Keys(code, day).of_day("archive")))
        if archived is not None:
            return gzip.decompress(archived).splitlines()[after + 1 : after + 1 + count]
        if await self.at(code, day, 0) is None:
            raise Problem("DAY_NOT_FOUND", {"kecamatan": code, "day": day})
        return []

    async def all_leaves(self, code: str, day: str) -> list[bytes]:
        """The whole day. DAY_NOT_FOUND."""
        leaves: list[bytes] = []
        while page := await self.leaves(code, day, len(leaves) - 1):
            leaves += page
        return leaves

    async def frozen(self, code: str, day: str) -> dict[str, Any]:
        """Names and first guesses as they were when the day opened."""
        text = await asked(self._redis.hget(Keys(code, "").of("frozen"), day))
        return json.loads(text) if text else {"name": code, "services": {}}

    async def first_day(self, code: str) -> str:
        """The earliest day whose leaves are kept, empty if none is."""
        oldest = await self.oldest(code)
        for day in await self.recorded_days(code):
            if await asked(self._redis.exists(Keys(code, day).of_day("archive"))):
                return min(day, oldest[0]) if oldest else day
        return oldest[0] if oldest else ""

    async def next_day(self, code: str, day: str) -> str:
        """The first kept day after `day` (empty = the earliest), empty if there is none."""
        if not day:
            return await self.first_day(code)
        later = [d for d in await self.recorded_days(code) if d > day]
        rows = await asked(self._redis.xrange(self._journal(code), entry_id(day, 2**31), "+", 1))
        return min([*later[:1], *(entry_of(*row)[0] for row in rows)], default="")

    async def recorded_days(self, code: str) -> list[str]:
        days = await asked(self._redis.hkeys(Keys(code, "").of("days")))
        return sorted(day.decode() for day in days)

    async def records(self, code: str, days: Sequence[str]) -> list[dict[str, Any]]:
        """The records of the named days that have one."""
        if not days:
            return []
        texts = await asked(self._redis.hmget(Keys(code, "").of("days"), list(days)))
        return [json.loads(text) for text in texts if text]

    async def keep(self, code: str, day: str, leaves: Sequence[bytes], record: bytes) -> None:
        """Keeps a closed day, reads it back, and drops older kept days from the stream.

        Any replica may do it, any number of times: the bytes are the same.
        """
        keys = Keys(code, day)
        packed = gzip.compress(b"".join(leaf + b"\n" for leaf in leaves), mtime=0)
        key = keys.of_day("archive")
        await asked(self._redis.set(key, packed, nx=True, ex=KEPT_SECONDS))
        await asked(self._redis.hsetnx(keys.of("days"), day, record))
        kept = await asked(self._redis.get(key))
        if kept is None or gzip.decompress(kept).splitlines() != list(leaves):
            raise Problem("INTERNAL", private=f"archive and journal of {code} {day} differ")
        await self._trim(code, day)

    async def _trim(self, code: str, day: str) -> None:
        """Drops from the stream what is older than `day` and archived; `day` itself stays."""
        while (oldest := await self.oldest(code)) and oldest[0] < day:
            if not await asked(self._redis.exists(Keys(code, oldest[0]).of_day("archive"))):
                return
            end = entry_id(oldest[0], 2**31)
            await asked(self._redis.xtrim(self._journal(code), minid=end, approximate=False))

    def _journal(self, code: str) -> str:
        return Keys(code, "").of("journal")
