"""An office as this replica follows it: the journal folded as it grows, and its boards.

Everything here can be rebuilt from the journal at any moment, and is after a lost connection or a
failover. What it shows comes from Redis' stream, so nothing is shown before it is durable. It
never writes, but for what a closed day leaves in the archive.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from prometheus_client import Histogram

from services.chassis.errors import Problem
from services.chassis.telemetry import BUCKETS
from services.queue.archive import Archive, Entry
from services.queue.board import Boards, Built, Frozen, FrozenService, empty_board, is_urgent
from services.queue.closed_days import ClosedDays, Figures
from services.queue.days import record, statistics
from services.queue.journal import Event, parse
from services.queue.lines import Line
from services.queue.model import Day
from services.queue.policy import parse_policy
from services.queue.publishing import Publication, Publisher
from services.queue.store import Store

BLOCK_S = 1.0
REACH_S = 2.0
"""How long an answer waits for the fold to reach its own event."""

SLICE = 64
"""Events folded before others get their turn."""

LAG = Histogram(
    "tunggu_fold_lag_seconds",
    "From an event to its place in the fold, the first event of each read. Sum.",
    buckets=BUCKETS,
)
log = logging.getLogger(__name__)


class RewoundError(Exception):
    """The journal no longer has what was read from it: a failover lost its end."""


class Live:
    """One office. `run` follows its journal until cancelled; the rest answers from the fold.

    For metrics: `archived` is the last archived day, `leaf_bytes` the followed day's; `rewinds`,
    `builds` of boards and `built_bytes` count from the start of this replica.
    """

    def __init__(self, code: str, store: Store, archive: Archive) -> None:
        self.code = code
        self.boards: Boards | None = None
        self.last: Entry | None = None
        self.rewinds = 0
        self.leaf_bytes = 0
        self.builds = 0
        self.built_bytes = 0
        self.ended = False
        self.ready = False
        self.running = False
        self.unreadable = False
        self._store = store
        self._archive = archive
        self._moved = asyncio.Event()
        self._built: Built = empty_board(code)
        self._past = ClosedDays(code, store, archive)
        self._publisher = Publisher(self)

    def end(self) -> None:
        """The office is off the list: its streams end."""
        self.ended = True
        self._moved.set()
        self._publisher.wake()

    def check_listed(self) -> None:
        """KECAMATAN_NOT_FOUND once the office is off the list."""
        if self.ended:
            raise Problem("KECAMATAN_NOT_FOUND", {"kecamatan": self.code})

    # Following ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Follows for ever; after a failure or a rewound journal it starts anew."""
        self.running = True
        while True:
            try:
                await self._catch_up()
                await self._follow()
            except RewoundError:
                self.rewinds += 1
                self.last, self.ready = None, False
                self._announce(urgent=True)
                log.warning("journal rewound", extra={"fields": {"kecamatan": self.code}})
            except Problem as problem:
                self.ready = False
                log.warning("cannot follow", extra={"fields": {"reason": problem.reason}})
                await asyncio.sleep(0.5)
            except Exception:  # a leaf that no release of ours has written, or a bug
                self.last, self.ready, self.unreadable = None, False, True
                log.exception("cannot fold", extra={"fields": {"kecamatan": self.code}})
                await asyncio.sleep(5)

    async def _catch_up(self) -> None:
        """Takes up where it was if the journal still has that event, else from the day's first."""
        if self.last is not None:
            await self._check_last()
            self.ready = True
            self._announce(urgent=True)
            return
        newest = await self._archive.newest(self.code)
        self.boards, self._built = None, empty_board(self.code)
        self._publisher.renew()
        self._past.renew()
        if newest:
            leaves = await self._archive.all_leaves(self.code, newest[0])
            await self._take([(newest[0], n, leaf) for n, leaf in enumerate(leaves)])
        self.ready = True
        self._announce(urgent=True)

    async def _follow(self) -> None:
        while True:
            entries = await self._archive.follow(self.code, self.last, BLOCK_S)
            if entries is None:  # a failover, perhaps without a word
                raise RewoundError
            events = await self._take(entries)
            if events:
                LAG.observe(self._store.seconds_since(events[0].t))

    async def _check_last(self) -> None:
        """RewoundError unless the journal still has the event that was observed last."""
        if self.last is not None:
            day, n, leaf = self.last
            if await self._archive.at(self.code, day, n) != leaf:
                raise RewoundError

    async def _take(self, entries: list[Entry]) -> list[Event]:
        events: list[Event] = []
        for i, entry in enumerate(entries, 1):
            events.append(await self._observe(entry))
            if i % SLICE == 0:
                await asyncio.sleep(0)
        if events:
            self._announce(any(map(is_urgent, events)))
        return events

    async def _observe(self, entry: Entry) -> Event:
        day, n, leaf = entry
        event = parse(leaf)
        if n == 0:
            self.boards = await self._begin(day, event.pol)
            self._publisher.renew()
            self.leaf_bytes = 0
        boards = self.boards
        if boards is None or (boards.day.day, boards.day.n + 1) != (day, n):
            raise RewoundError
        boards.observe(event)
        self.last = entry
        self.leaf_bytes += len(leaf)
        if event.k:
            self._publisher.changed(event.k)
        if event.e == "day.close":
            self._publisher.renew()
        return event

    async def _begin(self, day: str, digest: str) -> Boards:
        """A new date. Its forecasts start from the records of closed days before it; the last of
        them may not have been kept yet, then its record is made from its leaves."""
        policy = parse_policy(await self._store.policy(self.code, digest))
        frozen = await self._archive.frozen(self.code, day)
        services = {
            code: FrozenService(
                *(frozen["services"].get(code, {}).get(k, d) for k, d in _SERVICE_FIELDS)
            )
            for code in policy.services
        }
        history = await self._past.history(day, self.figures)
        return Boards(policy, Frozen(frozen["name"], services), history, day)

    def _announce(self, urgent: bool) -> None:
        self._moved.set()
        self._moved = asyncio.Event()
        self._publisher.announce(urgent)

    # Boards -------------------------------------------------------------------------------------

    def board(self) -> Built:
        """The board as of now. REDIS_UNAVAILABLE while the journal cannot be followed."""
        self._check_ready()
        if self.boards and (self._built.day, self._built.event) != (
            self.boards.day.day,
            self.boards.day.n,
        ):
            self._built = self.boards.build()
            self.builds += 1
            self.built_bytes += len(self._built.body)
        return self._built if self.boards else empty_board(self.code)

    def lines(self) -> dict[str, Line]:
        """Who waits now, by service."""
        return self.boards.lines() if self.boards else {}

    def _check_ready(self) -> None:
        if not self.ready:
            raise Problem("REDIS_UNAVAILABLE", private="the journal is not followed yet")

    async def watch(self) -> AsyncGenerator[tuple[Publication, bool], None]:
        """Every publication from now on, and whether the watcher must take it as a whole.
        KECAMATAN_NOT_FOUND once the office is off the list."""
        await self._settle()
        async with aclosing(self._publisher.watch()) as publications:
            async for publication in publications:
                yield publication

    # Answers ------------------------------------------------------------------------------------

    async def reach(self, day: str, event: int) -> Boards | None:
        """The fold once it has the event; None if it is of another day or stays away too long."""
        if not self._has(day, event):
            try:
                async with asyncio.timeout(REACH_S):
                    while not self.ended and not self._has(day, event):
                        await self._moved.wait()
            except TimeoutError:
                return None
        boards = self.boards
        return boards if boards and boards.day.day == day else None

    def follows(self, day: str) -> bool:
        """Whether the day is, or is about to be, the one that is followed."""
        return self.running and (self.last is None or self.last[0] <= day)

    async def settled_board(self) -> Built:
        """The board, after at most a moment for a replica that has just started."""
        await self._settle()
        return self.board()

    async def _settle(self) -> None:
        await self.settled()
        self._check_ready()

    async def settled(self) -> bool:
        """Whether the journal is followed, after at most a moment for one that just began."""
        with suppress(TimeoutError):
            async with asyncio.timeout(REACH_S):
                while not self.ready and not self.ended:
                    await self._moved.wait()
        return self.ready

    def _has(self, day: str, event: int) -> bool:
        return self.last is not None and (self.last[0], self.last[1]) >= (day, event)

    @property
    def archived(self) -> str:
        """The last archived day, empty before the first."""
        return self._past.archived

    @property
    def day(self) -> Day | None:
        return self.boards.day if self.boards else None

    def next_move(self) -> asyncio.Event:
        """Set when the next event has come."""
        return self._moved

    async def figures(self, day: str) -> Figures:
        """A day's statistics, `figures`, and what later forecasts need of it, `forecast`.
        DAY_NOT_FOUND."""
        if self.boards and self.boards.day.day == day:
            boards = self.boards
            return {
                "figures": statistics(boards.day, boards.desks),
                "forecast": record(boards.day, boards.forecasts.rates),
            }
        return await self._past.figures(day)

    async def keep_closed_days(self) -> None:
        """Archives what is closed and not archived yet. Any replica may, again and again."""
        if self.day is not None:
            await self._past.keep(self.day.day, self.day.closed, self.figures)


_SERVICE_FIELDS = (("name", ""), ("typicalMinutes", 0))
