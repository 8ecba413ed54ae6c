"""Whether callNext costs the same however many wait."""

from __future__ import annotations

import time
from collections import defaultdict
from pathlib import Path

from redis.asyncio import Redis

from tests.load.city import OFFICES, City
from tests.load.rows import Row, compared, median
from tests.load.sizes import Sizes

SERVICES = "AB"  # few, so that somebody waits for each of them in every line
HANDFUL = 5  # calls between which nobody comes

Found = dict[int, list[float]]


async def run(sizes: Sizes, folder: Path) -> list[Row]:
    ms: Found = defaultdict(list)
    script: Found = defaultdict(list)
    crowds = dict(zip(OFFICES, sizes.waiting, strict=False))
    with City(folder) as city:
        await city.start()
        await city.furnish(crowds, services=SERVICES, counters=sizes.calls)
        for code in crowds:
            await _open(city, code, sizes.calls)
        for number in range(-1, sizes.rounds):
            for code, crowd in sorted(crowds.items(), reverse=number % 2 == 1):
                found = await _round(city, code, crowd, sizes.calls)
                if number >= 0:  # the first of all warms up
                    ms[crowd].append(found[0])
                    script[crowd].append(found[1])
    return [*_rows(ms, "ms of a callNext by HTTP", 0.0), *_rows(script, _SCRIPT, 1.1)]


_SCRIPT = "µs of its script in Redis"


def _rows(found: Found, what: str, most: float) -> list[Row]:
    first = min(found)
    form = "{:,.2f}" if what.startswith("ms") else "{:,.0f}"
    return [
        compared(
            f"{what}, {crowd} waiting",
            found[crowd],
            found[first],
            form=form,
            name=f"{first} waiting",
            most=most,
        )
        for crowd in sorted(found)
        if crowd != first
    ]


async def _open(city: City, code: str, counters: int) -> None:
    for number in range(2, counters + 1):
        await city.act(code, f"/counters/{number}:open")


async def _round(city: City, code: str, crowd: int, calls: int) -> tuple[float, float]:
    """ms of a call and µs of its script. `crowd` wait before each handful of calls; at the end
    all who were called are served."""
    called: list[tuple[int, str]] = []
    took, spent = [], []
    async with city.redis() as redis:
        while len(called) < calls:
            await city.fill(code, crowd - await _waiting(city, code), SERVICES)
            before = await _scripts(redis)
            for _ in range(HANDFUL):
                begun = time.perf_counter()
                called.append(await _call(city, code, len(called) + 1))
                took.append((time.perf_counter() - begun) * 1000)
            count, usec = (b - a for a, b in zip(before, await _scripts(redis), strict=True))
            spent.append(usec / count)
    for counter, number in called:
        await _serve(city, code, counter, number)
    return median(took), median(spent)


async def _call(city: City, code: str, counter: int) -> tuple[int, str]:
    """The number that the counter has called."""
    answer = await city.act(code, f"/counters/{counter}:callNext")
    return counter, answer["ticket"]["number"]


async def _serve(city: City, code: str, counter: int, number: str) -> None:
    for verb in ("start", "complete"):
        await city.act(code, f"/counters/{counter}:{verb}", {"ticket": number})


async def _waiting(city: City, code: str) -> int:
    _, day = await city.phone.ask(_kecamatan(code))
    return int(day["waiting"])


def _kecamatan(code: str) -> bytes:
    return f"GET /v1/kecamatan/{code} HTTP/1.1\r\nhost: bench\r\n\r\n".encode()


async def _scripts(redis: Redis) -> tuple[int, int]:
    """Scripts run so far, and the µs that they took; the ticks of a second are among them."""
    found = (await redis.info("commandstats")).get("cmdstat_evalsha", {})
    return int(found.get("calls", 0)), int(found.get("usec", 0))
