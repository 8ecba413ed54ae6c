"""Closes days here when the queue has closed them there, so that no link outlives its day.

News of a close comes with the journal (WatchEvents); now and then each office is looked at in any
case. Any number of replicas may do the same: the script that closes a day is the lock.
"""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import date, timedelta

from services.chassis.errors import Problem
from services.queue_link.link import AWAY
from services.survey.periods import MOST_DAYS
from services.survey.queue_client import QueueClient
from services.survey.store import Store

ABSENT_MOST = 31
"""So many dates in a row without a service day end the first look into the past."""

PAUSE_S = 1.0
TRIES, TRY_PAUSE_S = 10, 0.1
"""A replica of the queue may learn of a close a moment after another has told us."""

log = logging.getLogger(__name__)


class Follower:
    """`run` follows all offices until cancelled, looking for new ones every `look` seconds."""

    def __init__(self, store: Store, queue: QueueClient, look: float) -> None:
        self._store = store
        self._queue = queue
        self._look = look
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._last: dict[str, str] = {}

    async def run(self) -> None:
        try:
            while True:
                await self._round()
                await asyncio.sleep(self._look)
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _round(self) -> None:
        try:
            offices = await self._queue.running_days()
        except Problem as problem:
            log.warning("cannot list the offices", extra={"fields": {"reason": problem.reason}})
            return
        for code in self._tasks.keys() - offices.keys():  # its days are closed, so are they here
            self._tasks.pop(code).cancel()
            await self._settle(code, self._last.pop(code))
        for code, day in offices.items():
            self._last[code] = day
            await self._settle(code, day)
            if code not in self._tasks:
                self._tasks[code] = asyncio.create_task(self._follow(code))

    async def _follow(self, code: str) -> None:
        cursor = ""
        while True:
            try:
                async for leaf, after in self._queue.events(code, cursor):
                    cursor = after
                    event = json.loads(leaf)
                    self._queue.news(code, event["d"])
                    if event["e"] == "day.close":
                        await self._closed(code, event["d"])
            except Problem as problem:
                if problem.status not in AWAY:  # a cursor that the journal no longer knows
                    cursor = ""
                fields = {"kecamatan": code, "reason": problem.reason}
                log.info("the journal's stream ended", extra={"fields": fields})
            await asyncio.sleep(PAUSE_S)

    async def _closed(self, code: str, day: str) -> None:
        for _ in range(TRIES):
            if await self._close(code, day):
                return
            await asyncio.sleep(TRY_PAUSE_S)

    async def _settle(self, code: str, last: str) -> None:
        """Closes what is closed there, up to the running or last day."""
        try:
            if last:
                await self._settle_until(code, last)
        except Problem as problem:
            fields = {"kecamatan": code, "reason": problem.reason}
            log.warning("cannot close days", extra={"fields": fields})

    async def _settle_until(self, code: str, last: str) -> None:
        settled = await self._store.settled(code)
        if not settled:
            await self._look_back(code, last)
        through = settled or _before(last)
        while through < last:
            day = _after(through)
            if await self._close(code, day) is False:
                break
            through = day
        if through != settled:
            await self._store.settle(code, through)

    async def _look_back(self, code: str, last: str) -> None:
        """Days that were closed before this survey was there."""
        day, absent = last, 0
        for _ in range(MOST_DAYS):
            day = _before(day)
            absent = absent + 1 if await self._close(code, day) is None else 0
            if absent > ABSENT_MOST:
                return

    async def _close(self, code: str, day: str) -> bool | None:
        """Whether the day is closed now, as it is there; None if there was no such day."""
        try:
            self._queue.news(code, day)
            closed, queue = await self._queue.day(code, day)
        except Problem as problem:
            if problem.reason == "DAY_NOT_FOUND":
                return None
            raise
        if closed:
            await self._store.close_day(code, day, queue)
        return closed


def _before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(1)).isoformat()


def _after(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(1)).isoformat()
