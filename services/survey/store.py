"""What the survey keeps, each change one atomic step in Redis.

Ownership: `keys` and this module are the only ones that know keys and scripts. Everything is
durable when it returns: the connection admits no Redis that would lose it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.chassis.errors import Problem
from services.redis_link.clock import Clock
from services.redis_link.link import Link
from services.redis_link.lua import Scripts
from services.redis_link.redis_policy import asked, told
from services.redis_link.request import Request
from services.survey.keys import Keys
from services.survey.model import (
    Answer,
    Completed,
    DayRecord,
    Reason,
    Served,
    answer_cells,
    assessment_cells,
)
from services.survey.periods import QueueDay

LUA = Path(__file__).with_name("lua")

CHANGE_MS = 300_000
"""For how long its holder may change an answer, domain time from the first one."""

TABLET_MS = 600_000
"""For how long after a completion the counter's tablet may answer, domain time."""

HOLDER, TABLET = "H", "K"

Args = list[str | bytes | int]


@dataclass(frozen=True, slots=True)
class Recorded:
    """An answer as it counts: `first_at` is ms UTC; `by` is HOLDER or TABLET."""

    served: Served
    by: str
    answer: Answer
    reasons: tuple[Reason, ...]
    first_at: int

    @property
    def change_until(self) -> int:
        """Ms UTC, 0 = not at all."""
        return self.first_at + CHANGE_MS if self.by == HOLDER else 0


class Store:
    """An office's answers over Redis. Any number of processes may hold one."""

    def __init__(self, redis: Link, clock: Clock | None = None) -> None:
        self._redis = redis
        self._clock = clock or Clock()
        self._scripts = Scripts.load(LUA)

    # Changing -----------------------------------------------------------------------------------

    async def create_response(
        self,
        request: Request,
        served: Served,
        by: str,
        answer: Answer,
        reasons: Sequence[Reason],
        shown: str = "",
    ) -> Recorded:
        """ANSWER_TOO_LATE, REQUEST_ID_REUSED, TICKET_CHANGED, ALREADY_ANSWERED."""
        said = ",".join([answer.value, *(reason.value for reason in reasons)])
        cells = " ".join(answer_cells(answer, reasons, served))
        own: Args = [
            served.number, by, said, cells, shown, served.completed_at, CHANGE_MS, TABLET_MS,
        ]  # fmt: skip
        number, by, said, first = (await self._step(request, served, "create_response", own))[:4]
        letter, *codes = said.split(",")
        at = Served(**{**_plain(served), "number": number})
        return Recorded(at, by, Answer(letter), tuple(map(Reason, codes)), int(first))

    async def create_assessment(
        self,
        request: Request,
        served: Served,
        ratings: Mapping[str, int],
        profile: Mapping[str, str],
    ) -> int:
        """When it was taken, ms UTC. ANSWER_TOO_LATE, REQUEST_ID_REUSED, ALREADY_ANSWERED."""
        cells = " ".join(assessment_cells(ratings, profile, served))
        _, at = await self._step(request, served, "create_assessment", [served.number, cells])
        return int(at)

    async def close_day(self, code: str, day: str, queue: QueueDay) -> None:
        """Keeps the day's counts with the queue's final figures and drops every link between
        tickets and answers. Harmless to repeat: the first stays."""
        keys = [*Keys(code, day).of_step(), Keys(code).of("figures")]
        own: Args = [day, self._clock.text, "", "", _completed_text(queue), _figures_text(queue)]
        await self._run("close_day", keys, own)

    async def _step(self, request: Request, served: Served, script: str, own: Args) -> list[str]:
        request.check()
        common: Args = [served.day, self._clock.text, request.digest, request.payload_hash]
        reply = await self._run(script, Keys(served.code, served.day).of_step(), common + own)
        word, *parts = [part.decode() for part in reply]
        if word == "NO":
            reason, *pairs = parts
            raise Problem(reason, dict(zip(pairs[::2], pairs[1::2], strict=True)))
        return parts

    async def _run(self, script: str, keys: list[str], args: Args) -> list[bytes]:
        """The one place where writes are acknowledged: what this returns is durable, and the
        replicas have it that were asked for."""
        return await told(self._scripts.run(self._redis, script, keys, args))  # type: ignore[no-any-return]

    async def settle(self, code: str, day: str) -> None:
        """Notes that all days up to this one are closed here, or have not been."""
        await asked(self._redis.set(Keys(code).of("through"), day))

    # Reading ------------------------------------------------------------------------------------

    async def settled(self, code: str) -> str:
        """The last day that `settle` named; empty before the first."""
        return (await asked(self._redis.get(Keys(code).of("through"))) or b"").decode()

    async def records(self, code: str, days: Sequence[str]) -> list[DayRecord]:
        """Those of the days that have any, in order; of the open ones without completions."""
        members, kept = await asyncio.gather(
            asked(self._redis.smembers(Keys(code).of("open"))),
            asked(self._redis.hmget(Keys(code).of("days"), list(days))),
        )
        found = {day: _closed(day, text) for day, text in zip(days, kept, strict=True) if text}
        wanted = {member.decode() for member in members} & set(days) - found.keys()
        found |= {record.day: record for record in await self._open(code, sorted(wanted))}
        return [found[day] for day in sorted(found)]

    async def _open(self, code: str, days: Sequence[str]) -> list[DayRecord]:
        """A day that was closed since its name was read shows what was kept."""
        found = []
        for day in days:
            days_key, counts_key = Keys(code).of("days"), Keys(code, day).of_day("counts")
            text, counts = await asked(
                self._redis.whole(days_key, ("HGET", days_key, day), ("HGETALL", counts_key))
            )
            plain = {cell.decode(): int(count) for cell, count in counts.items()}
            found.append(_closed(day, text) if text else DayRecord(day, False, plain))
        return found

    async def figures(self, code: str, days: Iterable[str]) -> dict[str, QueueDay]:
        """The queue's statistics of those days that are closed."""
        names = list(days)
        if not names:
            return {}
        kept = await asked(self._redis.hmget(Keys(code).of("figures"), names))
        return {day: _figures(text) for day, text in zip(names, kept, strict=True) if text}


def _plain(served: Served) -> dict[str, Any]:
    return {name: getattr(served, name) for name in Served.__slots__}


def _closed(day: str, text: bytes) -> DayRecord:
    fields = json.loads(text)
    return DayRecord(day, True, fields["counts"], Completed(**fields["completed"]))


def _completed_text(queue: QueueDay) -> str:
    done = queue.completed
    fields = {"total": done.total, "services": done.services, "counters": done.counters}
    return _dumped(fields)


def _figures_text(queue: QueueDay) -> str:
    hours: dict[str, dict[str, Any]] = {}
    for (service, hour), row in queue.hours.items():
        hours.setdefault(service, {})[str(hour)] = row
    fields = {"total": queue.total, "services": queue.services, "hours": hours}
    return _dumped(fields | {"counters": queue.counters})


def _figures(text: bytes) -> QueueDay:
    fields = json.loads(text)
    hours = {
        (service, int(hour)): row
        for service, rows in fields["hours"].items()
        for hour, row in rows.items()
    }
    return QueueDay(fields["total"], fields["services"], hours, fields["counters"])


def _dumped(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)
