"""An office as this replica follows it: the journal folded as it grows, and its boards.

Everything here can be rebuilt from the journal at any moment, and is after a lost connection or a
failover. What it shows comes from Redis' stream, so nothing is shown before it is durable. It
never writes, but for what a closed day leaves in the archive.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from prometheus_client import Histogram

from services.chassis.errors import Problem
from services.chassis.telemetry import BUCKETS
from services.queue.archive import Archive, Entry
from services.queue.board import Boards, Built, Frozen, FrozenService, empty_board, is_urgent
from services.queue.days import record, statistics, summarise
from services.queue.forecast import HISTORY_DAYS
from services.queue.journal import Event, parse
from services.queue.lines import Line
from services.queue.model import Day
from services.queue.policy import parse_policy
from services.queue.store import Store

URGENT_S = 0.1
QUIET_S = 1.0
"""Boards are at least this far apart: after news people look up for, and otherwise."""

BLOCK_MS = 1000
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


@dataclass(frozen=True)
class Publication:
    """A board as sent to watchers, and `all_lines` of its moment. `lines` and `tickets` (numbers)
    are what changed since the publication before; with `whole` the next day or a rewound one
    begins and all is new."""

    seq: int
    built: Built
    all_lines: dict[str, Line]
    lines: dict[str, Line]
    tickets: tuple[str, ...]
    whole: bool


@dataclass
class Pending:
    """What changed since the last publication."""

    tickets: dict[str, None] = field(default_factory=dict)
    whole: bool = True


class Live:
    """One office. `run` follows its journal until cancelled; the rest answers from the fold.

    For metrics: `archived` is the last archived day, `leaf_bytes` the followed day's; `rewinds`,
    `builds` of boards and `built_bytes` count from the start of this replica.
    """

    def __init__(self, code: str, store: Store, archive: Archive) -> None:
        self.code = code
        self.boards: Boards | None = None
        self.last: Entry | None = None
        self.archived = ""
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
        self._published = asyncio.Event()
        self._publication: Publication | None = None
        self._sent: dict[str, Line] = {}
        self._pending = Pending()
        self._built: Built = empty_board(code)
        self._watchers = 0
        self._timer: asyncio.Handle | None = None
        self._due = float("inf")
        self._sent_at = float("-inf")
        self._kept = ("", False)

    def end(self) -> None:
        """The office is off the list: its streams end."""
        self.ended = True
        self._moved.set()
        self._published.set()

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
        self.boards, self._pending = None, Pending()
        self._built, self._kept = empty_board(self.code), ("", False)
        if newest:
            leaves = await self._archive.all_leaves(self.code, newest[0])
            await self._take([(newest[0], n, leaf) for n, leaf in enumerate(leaves)])
        self.ready = True
        self._announce(urgent=True)

    async def _follow(self) -> None:
        while True:
            day, n = self.last[:2] if self.last else ("", -1)
            entries = await self._archive.follow(self.code, day, n, BLOCK_MS)
            await self._check_last()  # a connection may have been replaced without a word
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
            self._pending = Pending()
            self.leaf_bytes = 0
        boards = self.boards
        if boards is None or (boards.day.day, boards.day.n + 1) != (day, n):
            raise RewoundError
        boards.observe(event)
        self.last = entry
        self.leaf_bytes += len(leaf)
        if event.k:
            self._pending.tickets[event.k] = None
        if event.e == "day.close":
            self._pending = Pending()
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
        history = await self._history(day)
        return Boards(policy, Frozen(frozen["name"], services), history, day)

    async def _history(self, day: str) -> list[dict[str, object]]:
        """The records of the closed days before, whether they have been kept yet or not."""
        recorded = await self._archive.recorded_days(self.code)
        days = [d for d in recorded if d < day]
        kept = await self._archive.records(self.code, days[-HISTORY_DAYS:])
        fresh = [await self.figures(d) for d in await self._unkept(day, recorded)]
        return [entry["forecast"] for entry in (*kept, *fresh)]

    async def _unkept(self, day: str, recorded: list[str]) -> list[str]:
        """The days before `day` that nobody has archived yet, oldest first. They are the last
        ones, for a day is archived after those before it."""
        days: list[str] = []
        before = await self._archive.last_before(self.code, day)
        while before and before not in recorded:
            days.insert(0, before)
            before = await self._archive.last_before(self.code, before)
        return days

    def _announce(self, urgent: bool) -> None:
        self._moved.set()
        self._moved = asyncio.Event()
        if self._watchers:
            self._schedule(urgent)

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

    def _check_ready(self) -> None:
        if not self.ready:
            raise Problem("REDIS_UNAVAILABLE", private="the journal is not followed yet")

    def _schedule(self, urgent: bool) -> None:
        """Publishes as soon as the cadence admits; urgent news pulls a quiet one forward."""
        loop = asyncio.get_running_loop()
        when = max(loop.time(), self._sent_at + (URGENT_S if urgent else QUIET_S))
        if self._timer:
            if self._due <= when:
                return
            self._timer.cancel()
        self._timer, self._due = loop.call_at(when, self._publish), when

    def _publish(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = None
        if not self.ready:
            return
        built = self.board()
        before = self._publication
        if before and built.etag == before.built.etag and not self._pending.whole:
            return
        lines = self.boards.lines() if self.boards else {}
        self._publication = Publication(
            before.seq + 1 if before else 0,
            built,
            lines,
            {service: line for service, line in lines.items() if self._sent.get(service) != line},
            tuple(self._pending.tickets),
            self._pending.whole,
        )
        self._sent, self._pending = lines, Pending(whole=False)
        self._sent_at = asyncio.get_running_loop().time()
        self._published.set()
        self._published = asyncio.Event()

    @contextmanager
    def _watching(self) -> Iterator[None]:
        self._watchers += 1
        try:
            yield
        finally:
            self._watchers -= 1

    async def watch(self) -> AsyncGenerator[tuple[Publication, bool], None]:
        """Every publication from now on, and whether the watcher must take it as a whole: at first,
        after one that it missed, on a new day. KECAMATAN_NOT_FOUND once it is off the list."""
        await self._settle()
        with self._watching():
            if self._publication is None or self._watchers == 1:
                self._publish()
            seen = -1
            while True:
                published, now = self._published, self._publication
                if now and now.seq > seen:
                    yield now, now.whole or now.seq != seen + 1 or seen < 0
                    seen = now.seq
                else:
                    self.check_listed()
                    await published.wait()

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
    def day(self) -> Day | None:
        return self.boards.day if self.boards else None

    def next_move(self) -> asyncio.Event:
        """Set when the next event has come."""
        return self._moved

    async def figures(self, day: str) -> dict[str, dict[str, object]]:
        """A day's statistics, `figures`, and what later forecasts need of it, `forecast`.
        DAY_NOT_FOUND."""
        if self.boards and self.boards.day.day == day:
            boards = self.boards
            return {
                "figures": statistics(boards.day, boards.desks),
                "forecast": record(boards.day, boards.forecasts.rates),
            }
        kept = await self._archive.records(self.code, [day])
        return kept[0] if kept else await self._summarised(day)

    async def _summarised(self, day: str) -> dict[str, dict[str, object]]:
        leaves = await self._archive.all_leaves(self.code, day)
        events = [parse(leaf) for leaf in leaves]
        policy = parse_policy(await self._store.policy(self.code, events[0].pol))
        figures, forecast = summarise(policy, day, events)
        return {"figures": figures, "forecast": forecast}

    async def keep_closed_days(self) -> None:
        """Archives the followed day once it is closed, and days before it that nobody was there
        to archive. Any replica may, again and again."""
        if self.day is None:
            return
        day, closed = self.day.day, self.day.closed
        if self._kept == (day, closed):
            return
        due = await self._unkept(day, await self._archive.recorded_days(self.code))
        for name in (*due, *([day] if closed else [])):
            await self._keep(name)
        self.archived = max(await self._archive.recorded_days(self.code), default="")
        self._kept = (day, closed)

    async def _keep(self, day: str) -> None:
        leaves = await self._archive.all_leaves(self.code, day)
        record = json.dumps(await self.figures(day), separators=(",", ":"), sort_keys=True)
        await self._archive.keep(self.code, day, leaves, record.encode())


_SERVICE_FIELDS = (("name", ""), ("typicalMinutes", 0))
