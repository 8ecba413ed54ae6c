"""Memory of the processes over time, and whether it is flat."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.load.machine import memory

MB = 1024 * 1024


@dataclass(frozen=True)
class Sample:
    """At `at` seconds, when so many events had been written: bytes by process that lived."""

    at: float
    events: int
    bytes: Mapping[str, float]


@dataclass
class Weights:
    """Samples once a second."""

    pids: Callable[[], Mapping[str, int]]
    events: Callable[[], int]
    samples: list[Sample] = field(default_factory=list)

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._weigh())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _weigh(self) -> None:
        begun = time.monotonic()
        while True:
            found = dict(self._alive())
            self.samples.append(Sample(time.monotonic() - begun, self.events(), found))
            await asyncio.sleep(1)

    def _alive(self) -> list[tuple[str, float]]:
        found = []
        for name, pid in self.pids().items():
            with suppress(OSError):
                found.append((name, memory(pid)))
        return found

    def since(self, at: float) -> list[Sample]:
        return [sample for sample in self.samples if sample.at >= at]

    def table(self, every: float) -> str:
        """MB by process, a line each `every` seconds."""
        names = sorted({name for sample in self.samples for name in sample.bytes})
        head = f"{'s':>6} {'events':>9} " + " ".join(f"{name:>10}" for name in names)
        lines, due = [head], 0.0
        for sample in self.samples:
            if sample.at >= due or sample is self.samples[-1]:
                due += every
                cells = [f"{sample.bytes.get(name, 0) / MB:>10.1f}" for name in names]
                lines.append(f"{sample.at:>6.0f} {sample.events:>9,} " + " ".join(cells))
        return "\n".join(lines)


def slope(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Of the straight line that lies nearest (least squares); 0 for less than two points."""
    middle, mean = sum(xs) / len(xs), sum(ys) / len(ys)
    wide = sum((x - middle) ** 2 for x in xs)
    return (
        sum((x - middle) * (y - mean) for x, y in zip(xs, ys, strict=True)) / wide if wide else 0.0
    )


def growth(samples: Sequence[Sample], name: str) -> tuple[float, float]:
    """Of a process: bytes a minute, and bytes an event that was written meanwhile."""
    seen = [sample for sample in samples if name in sample.bytes]
    if not seen:
        return 0.0, 0.0
    ys = [sample.bytes[name] for sample in seen]
    minute = slope([sample.at for sample in seen], ys) * 60
    return minute, slope([float(sample.events) for sample in seen], ys)
