"""G6: what one kecamatan feels of a flood on another."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.load.benches.rush import refusals
from tests.load.city import OFFICES, SERVICES, City, opened
from tests.load.rows import Row, compared, median
from tests.load.sizes import Sizes
from tests.load.worker import Worker, working

QUIET, FLOODED = OFFICES[0], OFFICES[1]
CONNECTIONS = 32  # of the quiet office: more than it ever needs at once


async def run(sizes: Sizes, folder: Path) -> list[Row]:
    alone, beside, floods = [], [], []
    async with working("phones") as quiet, working("phones") as flood:
        for number in range(sizes.rounds):
            async with opened(folder / str(number)) as city:
                await city.idle()
                alone.append(await _steady(city, quiet, sizes))
                spate = asyncio.create_task(_flood(city, flood, sizes))
                await asyncio.sleep(0.5)
                beside.append(await _steady(city, quiet, sizes))
                floods.append((await spate)["rate"])
    what = f"p99 ms of a kecamatan at {sizes.steady:g}/s, another flooded"
    name = "nobody else"
    rows = [
        compared(what, _of("p99", beside), _of("p99", alone), form="{:.1f}", name=name, most=2),
        compared(
            "– p50 ms of the same", _of("p50", beside), _of("p50", alone), form="{:.1f}", name=name
        ),
    ]
    said = f"{median(floods):,.0f}/s on {sizes.most} connections"
    return [*rows, Row("– the flood", said), *refusals(alone + beside, "of the other")]


def _of(quantile: str, found: list[dict[str, Any]]) -> list[float]:
    return [one[quantile] for one in found]


async def _steady(city: City, phones: Worker, sizes: Sizes) -> dict[str, Any]:
    return await phones.ask(
        at=city.at(),
        connections=CONNECTIONS,
        offices=[QUIET],
        services=SERVICES,
        seconds=2 * sizes.seconds,
        rate=sizes.steady,
    )


async def _flood(city: City, phones: Worker, sizes: Sizes) -> dict[str, Any]:
    return await phones.ask(
        at=city.at(),
        connections=sizes.most,
        offices=[FLOODED],
        services=SERVICES,
        seconds=2 * sizes.seconds + 1,
    )
