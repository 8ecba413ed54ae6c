"""The offices that this replica follows, and what the clock makes due in them."""

from __future__ import annotations

import asyncio
import logging

from prometheus_client import Counter, Histogram

from services.chassis.errors import Problem
from services.chassis.telemetry import BUCKETS
from services.queue.archive import Archive
from services.queue.live import Live
from services.queue.store import Store

TICKS = Counter(
    "tunggu_ticks",
    "Looks at an office's clock, by how they ended. Sum.",
    ["reason"],
)
ROUNDS = Histogram(
    "tunggu_tick_round_seconds",
    "Looks at all offices' clocks, each round one. Sum.",
    buckets=BUCKETS,
)
log = logging.getLogger(__name__)


class Offices:
    """One `Live` an office. `run` ticks all of them about once a `period` (s) until cancelled."""

    def __init__(self, store: Store, archive: Archive, period: float = 1.0) -> None:
        self.store = store
        self.archive = archive
        self._period = period
        self._live: dict[str, Live] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._listed = False
        self._ready = False

    async def get(self, code: str) -> Live:
        """The office. KECAMATAN_NOT_FOUND."""
        if code not in self._live:
            await self.store.file(code)
            self._start(code)
        return self._live[code]

    async def past(self, code: str) -> Live:
        """The office, also one that is off the list: its days stay readable."""
        try:
            return await self.get(code)
        except Problem as problem:
            if problem.reason != "KECAMATAN_NOT_FOUND":
                raise
            return Live(code, self.store, self.archive)

    def _start(self, code: str) -> None:
        if code not in self._live:
            self._live[code] = Live(code, self.store, self.archive)
            self._tasks[code] = asyncio.create_task(self._live[code].run())

    async def stop(self, code: str) -> None:
        """Follows the office no longer."""
        self._live.pop(code, None)
        task = self._tasks.pop(code, None)
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def forget(self, code: str) -> None:
        """The office is off the list: its streams end with KECAMATAN_NOT_FOUND."""
        live = self._live.get(code)
        await self.stop(code)
        if live:
            live.end()

    async def run(self) -> None:
        try:
            while True:
                started = asyncio.get_running_loop().time()
                with ROUNDS.time():
                    await self._round()
                spent = asyncio.get_running_loop().time() - started
                await asyncio.sleep(max(0.0, self._period - spent))
        finally:
            for code in list(self._tasks):
                await self.stop(code)

    async def _round(self) -> None:
        followed = set(self._live)
        try:
            codes = await self.store.codes()
            await self.store.now()  # so that `moment` stays near
        except Problem as problem:
            fields = {"reason": problem.reason, "detail": problem.private}
            log.warning("cannot list the offices", extra={"fields": fields})
            return
        for code in followed - set(codes):
            await self.forget(code)
        for code in codes:
            self._start(code)
        self._listed = True
        await asyncio.gather(*(self._tick(code) for code in codes))

    async def _tick(self, code: str) -> None:
        live, reason = self._live.get(code), "OK"
        try:
            await self.store.tick(code)
            if live:
                await live.keep_closed_days()
        except Problem as problem:
            reason = problem.reason
            fields = {"kecamatan": code, "reason": problem.reason, "detail": problem.private}
            log.warning("tick failed", extra={"fields": fields})
        except Exception:  # one office's trouble is not the others'
            reason = "INTERNAL"
            log.exception("tick failed", extra={"fields": {"kecamatan": code}})
        TICKS.labels(reason).inc()

    def followed(self) -> list[Live]:
        """All of them, in order of their codes."""
        return [self._live[code] for code in sorted(self._live)]

    @property
    def ready(self) -> bool:
        """Whether all offices known at the start are, or once were, followed. One that is new,
        followed anew, or whose journal cannot be read, does not take the replica out of service:
        only its own answers wait."""
        settled = all(live.ready or live.unreadable for live in self._live.values())
        self._ready = self._ready or (self._listed and settled)
        return self._ready
