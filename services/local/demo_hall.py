"""The people of the demonstration: citizens and officers, over HTTP and nothing else.

They keep the day's time (`clock`), so that a minute of the plan lasts
60 / speed real seconds. Officers call when they know of somebody waiting: each
number given goes into the line of its counters, and each call takes one out.
The board would tell them too, but its second of delay is five minutes of a day
that runs 300 times as fast.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from services.local import demo_day
from services.local.clock import Clock
from services.local.demo_day import CODE, Pool, Recorded, Shift, Visit

BOARD_WATCHERS = 3
WATCHED = 12  # every so many citizens one keeps the ticket's page open
_GONE = ("COMPLETED", "NO_SHOW", "CANCELLED", "LAPSED")
_WALK = 0.4  # minutes from call to desk
_AGAIN = 0.5  # minutes between two calls of somebody absent


@dataclass
class Tally:
    """What has happened so far, as its answers told."""

    issued: int = 0
    called: int = 0
    served: int = 0
    absent: int = 0
    boards: int = 0
    tickets: int = 0  # events of the ticket streams
    open: int = 0
    errors: Counter[str] = field(default_factory=Counter)


class Hall:
    """One day in one office. `tokens` by name: `kiosk`, and `1` to `19` for the counters."""

    def __init__(self, http: httpx.AsyncClient, clock: Clock, tokens: dict[str, str]) -> None:
        self.tally = Tally()
        self._http = http
        self._clock = clock
        self._tokens = tokens
        self._lines: dict[str, asyncio.Queue[str | None]] = {}

    def minute(self) -> float:
        """Of the day, now."""
        return demo_day.minute_of(self._clock.now_ms())

    async def until(self, minute: float) -> None:
        while (left := self._real_seconds(minute)) > 0:
            await asyncio.sleep(left)

    async def live(self, day: Sequence[Recorded]) -> None:
        """From the first citizen to the last; ends when nobody is left, or as the day ends."""
        watching = [asyncio.create_task(self._watch_boards()) for _ in range(BOARD_WATCHERS)]
        try:
            async with asyncio.timeout(self._real_seconds(demo_day.DAY_ENDS)), asyncio.TaskGroup() as all_:
                for pool in demo_day.POOLS:
                    self._staff(all_, day, pool)
                all_.create_task(self._arrivals(demo_day.visits(day)))
        except TimeoutError:
            self.tally.errors["day over before everyone was served"] += 1
        finally:
            await self._end(watching)

    async def _end(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _staff(self, all_: asyncio.TaskGroup, day: Sequence[Recorded], pool: Pool) -> None:
        line: asyncio.Queue[str | None] = asyncio.Queue()
        self._lines |= dict.fromkeys(pool.services, line)
        steps = demo_day.open_counters(day, pool)
        for rank, counter in enumerate(pool.counters):
            all_.create_task(self._officer(counter, line, demo_day.shifts(steps, rank)))

    # Citizens

    async def _arrivals(self, visits: Sequence[Visit]) -> None:
        async with asyncio.TaskGroup() as citizens:
            for number, visit in enumerate(visits):
                await self.until(visit.at)
                citizens.create_task(self._citizen(visit, watches=number % WATCHED == 0))
                await self._all_issued_but_a_few()
            ...
        for line in {id(line): line for line in self._lines.values()}.values():
            line.put_nowait(None)
