"""Days on both sides: what the survey has counted and what the queue says of the same days.

A closed day is read from the survey's own keys alone. The running day asks the queue; while that
is away, answers are shown without what needs the queue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.chassis.errors import Problem
from services.queue_link.link import AWAY
from services.survey.model import DayRecord
from services.survey.periods import JoinedDay, QueueDay
from services.survey.queue_client import QueueClient
from services.survey.store import Store


class Daybook:
    """Reads any office's days."""

    def __init__(self, store: Store, queue: QueueClient) -> None:
        self._store = store
        self._queue = queue

    async def last(self, code: str) -> str:
        """The running or last service day, empty before the first. KECAMATAN_NOT_FOUND."""
        return (await self._queue.office(code)).service_day

    async def records(self, code: str, dates: Sequence[str]) -> list[DayRecord]:
        """The service days among the dates, with their completions. KECAMATAN_NOT_FOUND."""
        return [joined.record for joined in await self._joined(code, dates, {})]

    async def joined(self, code: str, dates: Sequence[str]) -> list[JoinedDay]:
        """The same with the queue's statistics."""
        return await self._joined(code, dates, await self._store.figures(code, dates))

    async def _joined(
        self, code: str, dates: Sequence[str], kept: dict[str, QueueDay]
    ) -> list[JoinedDay]:
        if not dates:
            return []
        known = {record.day: record for record in await self._store.records(code, dates)}
        running, here = await self._running(code, known)
        if running in dates and running not in known:  # nobody has answered yet
            known[running] = DayRecord(running, closed=False, counts={})
        return [
            JoinedDay(record, kept.get(day))
            if record.closed
            else await self._open(code, record, here=here)
            for day, record in sorted(known.items())
        ]

    async def _running(self, code: str, known: dict[str, DayRecord]) -> tuple[str, bool]:
        """The office's running or last day, and whether the queue is there to be asked."""
        try:
            return await self.last(code), True
        except Problem as problem:
            if problem.status in AWAY:
                return "", False
            if problem.reason == "KECAMATAN_NOT_FOUND" and known:  # off the list, not forgotten
                return "", True
            raise

    async def _open(self, code: str, record: DayRecord, *, here: bool) -> JoinedDay:
        if not here:
            return JoinedDay(record, None)
        try:
            _, queue = await self._queue.day(code, record.day)
        except Problem as problem:
            if problem.status in AWAY or problem.reason == "DAY_NOT_FOUND":
                return JoinedDay(record, None)
            raise
        return JoinedDay(replace(record, completed=queue.completed), queue)
