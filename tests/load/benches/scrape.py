"""Size and time of /metrics for a whole city."""

from __future__ import annotations

import asyncio
import gzip
import time
import urllib.request
from pathlib import Path

from tests.load.city import OFFICES, SERVICES, City, at_rest
from tests.load.rows import Row, median
from tests.load.sizes import Sizes

SCRAPES = 10
PEOPLE = 100  # in each office


async def run(sizes: Sizes, folder: Path) -> list[Row]:
    with City(folder) as city:
        await city.start()
        await city.furnish(OFFICES, counters=10)
        for code in OFFICES:
            await city.fill(code, PEOPLE)
            for _ in range(2):
                await _served(city, code)
        await at_rest()
        return [
            await asyncio.to_thread(_row, name, port, sizes)
            for name, port in city.metrics_ports().items()
        ]


async def _served(city: City, code: str) -> None:
    number = (await city.act(code, "/counters/1:callNext"))["ticket"]["number"]
    for verb in ("start", "complete"):
        await city.act(code, f"/counters/1:{verb}", {"ticket": number})


def _row(name: str, port: int, sizes: Sizes) -> Row:
    took = []
    for _ in range(max(SCRAPES, sizes.rounds)):
        begun = time.perf_counter()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            page = answer.read()
        took.append((time.perf_counter() - begun) * 1000)
    what = f"/metrics of the {name}, {len(OFFICES)} kecamatan × {len(SERVICES)} services"
    size = f"{len(page) / 1024:,.0f} KB, gzip {len(gzip.compress(page)) / 1024:,.0f} KB"
    return Row(what, f"{median(took):.0f} ms", size)
