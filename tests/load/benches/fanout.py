"""From callNext to the last of many watchers, beside nginx with nchan and the same bytes.

Both servers hold their watchers all the while, each with a process of watchers of its own, and
are measured turn about. From the first to the last watcher is the fan-out alone; callNext to the
last has the verb, the journal and the making of the board in it too.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.load import nchan
from tests.load.city import OFFICES, City, at_rest
from tests.load.machine import cpu, memory
from tests.load.rows import Row, compared, median
from tests.load.sizes import Sizes
from tests.load.worker import Worker, raise_limits, working

OFFICE = OFFICES[2]
SERVICES, COUNTERS = "ABCDE", 5  # as Kecamatan Makassar's own file has
PATIENCE = 60.0
SPARE = 500  # files that are open for other things

Trigger = Callable[[], Awaitable[tuple[float, Callable[[str], bool]]]]
"""Sends an event: when it did, and how to know the event that the watchers get."""


@dataclass
class Side:
    """A server, its watchers, and what rounds came to by the number of watchers."""

    name: str
    pids: list[int]
    host: str
    port: int
    path: str
    trigger: Trigger
    watchers: Worker
    count: int = 0
    bare: float = 0.0  # bytes of its memory before the first watcher
    last: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    spread: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    cpu: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    client: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    each: dict[int, float] = field(default_factory=dict)  # bytes a watcher

    async def grow(self, count: int) -> None:
        """Up to so many watchers."""
        more = {"host": self.host, "port": self.port, "path": self.path}
        answer = await self.watchers.ask(do="open", upto=count, **more)
        assert answer == {"open": count, "lost": 0}, (self.name, answer)
        self.count = count

    def weigh(self) -> None:
        self.each[self.count] = (self._memory() - self.bare) / self.count

    def begin(self) -> None:
        self.bare = self._memory()

    def _memory(self) -> float:
        return sum(map(memory, self.pids))

    async def round(self) -> None:
        """One event to all."""
        await self.watchers.ask(do="seen", forget=True)
        server, client = self._cpu(), cpu(self.watchers.pid)
        begun, ours = await self.trigger()
        first, last = await self._all_have(ours)
        await at_rest(0.3)
        self.last[self.count].append((last - begun) * 1000)
        self.spread[self.count].append((last - first) * 1000)
        scale = 10_000 / self.count
        self.cpu[self.count].append((self._cpu() - server) * scale)
        self.client[self.count].append((cpu(self.watchers.pid) - client) * scale)

    def _cpu(self) -> float:
        return sum(map(cpu, self.pids))

    async def _all_have(self, ours: Callable[[str], bool]) -> tuple[float, float]:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            await asyncio.sleep(0.25)  # rarely: to be asked costs the watchers time
            seen = await self.watchers.ask(do="seen")
            assert not seen["lost"], (self.name, seen)
            for event, (count, first, last) in seen["events"].items():
                if ours(event) and count >= self.count:
                    return first, last
        raise AssertionError(f"{self.name}: not all watchers have the event: {seen}")


async def run(sizes: Sizes, folder: Path) -> list[Row]:
    async with AsyncExitStack() as stack:
        city = stack.enter_context(City(folder))
        await city.start()
        hall = Hall(city, sizes.crowd)
        await hall.open()
        sides = [await _ours(city, hall, stack)]
        if nchan.installed():
            sides.append(await _theirs(folder / "nchan", hall, stack))
        for side in sides:
            side.begin()
        for count in _possible(sizes.watchers):
            for side in sides:
                await side.grow(count)
            await at_rest()
            for _ in range(2 * sizes.rounds - 1):
                for side in sides:
                    await side.round()
                await hall.serve()
            for side in sides:
                side.weigh()
        return [*_rows(sides), hall.row(), *_reduced(sizes.watchers)]


def _possible(watchers: tuple[int, ...]) -> tuple[int, ...]:
    """Those for which a process may have the files."""
    most = raise_limits() - SPARE
    return tuple(sorted({min(count, most) for count in watchers}))


def _reduced(watchers: tuple[int, ...]) -> list[Row]:
    """A word if there were not as many as had been asked for."""
    if _possible(watchers) == watchers:
        return []
    return [Row("– fewer watchers than asked for", f"ulimit -n is {raise_limits():,}")]


class Hall:
    """The office that is watched: `crowd` people wait, some were called, counters work."""

    def __init__(self, city: City, crowd: int) -> None:
        self._city, self._crowd = city, crowd
        self._called: list[str] = []
        self.board = b""

    async def open(self) -> None:
        await self._city.furnish([OFFICE], services=SERVICES, counters=COUNTERS)
        for counter in range(2, COUNTERS + 1):
            await self._city.act(OFFICE, f"/counters/{counter}:open")
        await self._city.fill(OFFICE, self._crowd + COUNTERS, SERVICES)
        for counter in range(2, COUNTERS + 1):
            await self._city.act(OFFICE, f"/counters/{counter}:callNext")
        await at_rest()
        self.board = await self._city.board(OFFICE)

    async def call(self) -> tuple[float, Callable[[str], bool]]:
        begun = time.monotonic()
        ticket = (await self._city.act(OFFICE, "/counters/1:callNext"))["ticket"]
        self._called.append(ticket["number"])
        return begun, lambda event: int(event.rpartition("/")[2]) >= ticket["event"]

    async def serve(self) -> None:
        """Whoever was called goes, and somebody else comes."""
        while self._called:
            ticket = {"ticket": self._called.pop()}
            await self._city.act(OFFICE, "/counters/1:start", ticket)
            await self._city.act(OFFICE, "/counters/1:complete", ticket)
            await self._city.fill(OFFICE, 1, SERVICES)
        await at_rest()

    def row(self) -> Row:
        return Row(f"– the board, {self._crowd} waiting", f"{len(self.board):,} bytes")


async def _ours(city: City, hall: Hall, stack: AsyncExitStack) -> Side:
    watchers = await stack.enter_async_context(working("watchers"))
    path = f"/v1/streams/kecamatan/{OFFICE}/board"
    ((host, port),) = city.at()
    pids = [city["gateway-1"].pid]
    return Side("gateway", pids, host, port, path, hall.call, watchers)


async def _theirs(folder: Path, hall: Hall, stack: AsyncExitStack) -> Side:
    server = await stack.enter_async_context(nchan.running(folder))
    watchers = await stack.enter_async_context(working("watchers"))
    await server.publish(hall.board)

    async def publish() -> tuple[float, Callable[[str], bool]]:
        return await server.publish(hall.board), lambda _: True

    return Side("nchan", server.pids, "127.0.0.1", server.port, "/watch", publish, watchers)


def _rows(sides: list[Side]) -> list[Row]:
    ours, *others = sides
    rows: list[Row] = []
    for count in ours.last:
        for other in others:
            rows += _beside(count, ours, other)
        if not others:
            what = f"ms, callNext → last of {count:,} watchers"
            rows.append(Row(what, f"{median(ours.last[count]):.0f}", nchan.REMEDY))
        rows += _costs(count, sides)
    return rows


def _beside(count: int, ours: Side, other: Side) -> list[Row]:
    what = f"ms, callNext → last of {count:,} watchers"
    fan = f"– ms, first → last of {count:,}"
    publish, name = f"{other.name}, publish → last", f"{other.name}, first → last"
    form = "{:.0f}"
    return [
        compared(what, ours.last[count], other.last[count], form=form, name=publish),
        compared(fan, ours.spread[count], other.spread[count], form=form, name=name, most=1.5),
    ]


def _costs(count: int, sides: list[Side]) -> list[Row]:
    spent = [median(side.cpu[count]) for side in sides]
    clients = ", ".join(
        f"{side.name}'s watchers {median(side.client[count]):.2f}" for side in sides
    )
    weights = [side.each[count] / 1024 for side in sides]
    return [
        _cost(f"– CPU s per 10,000 deliveries, {count:,}", spent, "{:.2f}", 0.35),
        Row(f"– the same of the watchers' process, {count:,}", clients),
        _cost(f"– KB of memory a watcher, {count:,}", weights, "{:.1f}", 10),
    ]


def _cost(what: str, values: list[float], form: str, target: float) -> Row:
    """The target is for our own figure, not for the ratio."""
    own, *other = values
    met = "yes" if own <= target else "NO"
    beside = f"nchan {form.format(other[0])}" if other else ""
    return Row(f"{what} (≤ {target:g}: {met})", form.format(own), beside)
