"""What a second gateway process and a second queue process add."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

from tests.load.benches.rush import taken
from tests.load.city import opened
from tests.load.rows import Row, compared
from tests.load.sizes import Sizes
from tests.load.worker import working

ONE, BOTH = ("queue-1",), ("queue-1", "queue-2")
GATEWAYS = (ONE, ONE, BOTH, BOTH)
DOORS = {
    "a second gateway": (0, 1),
    "a second queue": (2,),
    "a second of both": (2, 3),
}


async def run(sizes: Sizes, folder: Path) -> list[Row]:
    rates: dict[str, list[float]] = defaultdict(list)
    async with working("phones") as phones:
        for number in range(sizes.rounds):
            async with opened(folder / str(number), replicas=2, gateways=GATEWAYS) as city:
                for name, doors in {"one of each": (0,), **DOORS}.items():
                    found = await taken(city, phones, sizes.most, sizes, *doors)
                    rates[name].append(found["rate"])
    cores = f"{os.cpu_count()} cores"
    return [
        compared(
            f"tickets/s with {name}, {cores}", rates[name], rates["one of each"], name="one of each"
        )
        for name in DOORS
    ]
