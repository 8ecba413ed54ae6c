"""Closed days of an office: their records for later forecasts, and that they are archived."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from services.queue.archive import Archive
from services.queue.days import summarise
from services.queue.forecast import HISTORY_DAYS
from services.queue.journal import parse
from services.queue.policy import parse_policy
from services.queue.store import Store

Figures = dict[str, dict[str, object]]
"""A day's statistics, `figures`, and what later forecasts need of it, `forecast`."""

Ask = Callable[[str], Awaitable[Figures]]


class ClosedDays:
    """Those of one office. `archived` is the last archived day, empty before the first."""

    def __init__(self, code: str, store: Store, archive: Archive) -> None:
        self.archived = ""
        self._code = code
        self._store = store
        self._archive = archive
        self._kept = ("", False)

    def renew(self) -> None:
        """The journal is read anew: what was kept of it is looked at again."""
        self._kept = ("", False)

    async def figures(self, day: str) -> Figures:
        """From the archive, or made from the day's leaves. DAY_NOT_FOUND."""
        kept = await self._archive.records(self._code, [day])
        return kept[0] if kept else await self._summarised(day)

    async def _summarised(self, day: str) -> Figures:
        leaves = await self._archive.all_leaves(self._code, day)
        events = [parse(leaf) for leaf in leaves]
        policy = parse_policy(await self._store.policy(self._code, events[0].pol))
        figures, forecast = summarise(policy, day, events)
        return {"figures": figures, "forecast": forecast}

    async def history(self, day: str, figures: Ask) -> list[dict[str, object]]:
        """The records of the closed days before, whether they have been kept yet or not."""
        recorded = await self._archive.recorded_days(self._code)
        days = [d for d in recorded if d < day]
        kept = await self._archive.records(self._code, days[-HISTORY_DAYS:])
        fresh = [await figures(d) for d in await self._unkept(day, recorded)]
        return [entry["forecast"] for entry in (*kept, *fresh)]

    async def _unkept(self, day: str, recorded: list[str]) -> list[str]:
        """The days before `day` that nobody has archived yet, oldest first. They are the last
        ones, for a day is archived after those before it."""
        days: list[str] = []
        before = await self._archive.last_before(self._code, day)
        while before and before not in recorded:
            days.insert(0, before)
            before = await self._archive.last_before(self._code, before)
        return days

    async def keep(self, day: str, closed: bool, figures: Ask) -> None:
        """Archives the followed day once it is closed, and days before it that nobody was there
        to archive. Any replica may, again and again."""
        if self._kept == (day, closed):
            return
        due = await self._unkept(day, await self._archive.recorded_days(self._code))
        for name in (*due, *([day] if closed else [])):
            await self._keep(name, figures)
        self.archived = max(await self._archive.recorded_days(self._code), default="")
        self._kept = (day, closed)

    async def _keep(self, day: str, figures: Ask) -> None:
        leaves = await self._archive.all_leaves(self._code, day)
        record = json.dumps(await figures(day), separators=(",", ":"), sort_keys=True)
        await self._archive.keep(self._code, day, leaves, record.encode())
