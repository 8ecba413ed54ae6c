"""How long an answer takes at half of what the path can do, counted from when it was due."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.load.benches.rush import refusals, taken
from tests.load.city import OFFICES, SERVICES, City, opened
from tests.load.rows import Row, median
from tests.load.sizes import Sizes
from tests.load.worker import Worker, working

CONNECTIONS = 256


async def run(sizes: Sizes, folder: Path) -> list[Row]:
    full, half = [], []
    async with working("phones") as phones:
        for number in range(sizes.rounds):
            async with opened(folder / str(number)) as city:
                full.append(await taken(city, phones, sizes.most, sizes))
                half.append(await taken_at(city, phones, full[-1]["rate"] / 2, sizes))
    p50, p99, rate = (median([one[name] for one in half]) for name in ("p50", "p99", "asked"))
    lost = sum(one["unanswered"] for one in half)
    beside = f"{rate:,.0f}/s of {median([one['rate'] for one in full]):,.0f}/s"
    beside += f", {lost} unanswered" if lost else ""
    what = "ms to the answer at half capacity, p50 / p99"
    return [Row(what, f"{p50:.1f} / {p99:.1f}", beside), *refusals(half, "half capacity")]


async def taken_at(city: City, phones: Worker, rate: float, sizes: Sizes) -> dict[str, Any]:
    """At a fixed rate, for twice as long as else."""
    await city.idle()
    found = await phones.ask(
        at=city.at(),
        connections=min(CONNECTIONS, sizes.most),
        seconds=2 * sizes.seconds,
        rate=rate,
        offices=OFFICES,
        services=SERVICES,
    )
    return found | {"asked": rate}
