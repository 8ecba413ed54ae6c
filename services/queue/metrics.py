"""`/metrics` of the queue: figures are taken on the event loop and formatted by another thread.

A scrape asks the loop for a sheet of figures, each office's taken between two of its events; the
loop spends on it what reading them costs, and gives others their turn between two offices. If it
has no time for that the offices are left out: old figures would pass for true ones. Displays are
read from Redis; if it is slow to answer, they are left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from services.queue.display_figures import DISPLAYS, rows_of
from services.queue.displays import Display
from services.queue.figures import OFFICE, Family, Row, Seen, Spread
from services.queue.live import Live
from services.queue.offices import Offices

FRESH_S = 1.0
"""Scrapes that come closer than this see the same sheet."""

PATIENCE_S = 3.0
"""How long a scrape waits for the loop."""

HALL_S = 1.0
"""How long a sheet waits for the displays."""

FOLLOWED = Family(
    "tunggu_office_followed",
    "gauge",
    (),
    "1 if this replica follows the office's journal; what it does not follow it shows no figures "
    "of. Min.",
    lambda _: (),
)
FAMILIES = (FOLLOWED, *OFFICE, *(metric.family for metric in DISPLAYS))

Seeing = Callable[[Sequence[str]], Awaitable[Mapping[str, Sequence[Display]]]]
"""Reads the displays of offices, by code."""


async def no_displays(_: Sequence[str]) -> Mapping[str, Sequence[Display]]:
    """Where there is no hall."""
    return {}


@dataclass(frozen=True, slots=True)
class Sheet:
    """All figures at one moment: rows by family, the kecamatan first among the label values."""

    rows: dict[str, list[Row]]


EMPTY = Sheet({})


class Figures:
    """Takes sheets. All but `sheet` belongs to the loop on which it was made."""

    def __init__(self, offices: Offices, displays: Seeing = no_displays) -> None:
        self._offices = offices
        self._displays = displays
        self._loop = asyncio.get_running_loop()
        self._sheet = EMPTY
        self._taken_at = float("-inf")

    def sheet(self) -> Sheet:
        """From any other thread: figures that are at most `FRESH_S` old, else an empty sheet."""
        if self._loop.is_closed():
            return EMPTY
        asked = asyncio.run_coroutine_threadsafe(self._fresh(), self._loop)
        try:
            return asked.result(PATIENCE_S)
        except (TimeoutError, CancelledError):  # the loop has no time, or ends
            asked.cancel()
            return EMPTY

    async def _fresh(self) -> Sheet:
        if self._loop.time() - self._taken_at > FRESH_S:
            self._sheet, self._taken_at = await self.take(), self._loop.time()
        return self._sheet

    async def take(self) -> Sheet:
        """The figures of now."""
        now = self._offices.store.moment()
        rows: dict[str, list[Row]] = {family.name: [] for family in FAMILIES}
        for code, displays in (await self._seen()).items():
            for name, row in rows_of(code, displays):
                rows[name].append(row)
        for live in self._offices.followed():
            rows[FOLLOWED.name].append(((live.code,), live.ready))
            _read(live, now, rows)
            await asyncio.sleep(0)
        return Sheet(rows)

    async def _seen(self) -> Mapping[str, Sequence[Display]]:
        try:
            async with asyncio.timeout(HALL_S):
                return await self._displays([live.code for live in self._offices.followed()])
        except TimeoutError:
            return {}


def _read(live: Live, now: int, rows: dict[str, list[Row]]) -> None:
    boards = live.boards
    if not live.ready or boards is None or boards.day.n < 0:
        return
    seen = Seen(live, boards, max(now, boards.day.t))
    for family in OFFICE:
        of_office = [((live.code, *labels), figure) for labels, figure in family.rows(seen)]
        rows[family.name] += of_office


class OfficeCollector(Collector):
    """What prometheus_client asks at each scrape, from a thread of its own."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def describe(self) -> Iterator[Metric]:
        return (formatted(family, ()) for family in FAMILIES)

    def collect(self) -> Iterator[Metric]:
        rows = self._figures.sheet().rows
        return (formatted(family, rows.get(family.name, ())) for family in FAMILIES)


_KINDS: dict[str, Any] = {
    "gauge": GaugeMetricFamily,
    "counter": CounterMetricFamily,
    "histogram": HistogramMetricFamily,
}


def formatted(family: Family, rows: Iterable[Row]) -> Metric:
    metric = _KINDS[family.kind](family.name, family.help, labels=("kecamatan", *family.labels))
    for labels, figure in rows:
        if isinstance(figure, Spread):
            metric.add_metric(labels, figure.counts, figure.total)
        else:
            metric.add_metric(labels, figure)
    return cast(Metric, metric)


@contextmanager
def shown(offices: Offices, displays: Seeing) -> Iterator[None]:
    """While inside, the offices' figures are among this process's metrics."""
    collector = OfficeCollector(Figures(offices, displays))
    REGISTRY.register(collector)
    try:
        yield
    finally:
        REGISTRY.unregister(collector)
