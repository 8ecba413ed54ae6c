"""`make bench`: measures, prints one table, and writes it into docs/PERFORMANCE.md.

The page is written by a whole run of full sizes only.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from tests.load import machine, report
from tests.load.benches import calls, fanout, half, neighbour, rush, scrape, second
from tests.load.rows import Row
from tests.load.sizes import Sizes

ROOT = Path(__file__).parents[2]
Bench = Callable[[Sizes, Path], Awaitable[list[Row]]]
BENCHES: dict[str, Bench] = {
    "rush": rush.run,
    "half": half.run,
    "fanout": fanout.run,
    "calls": calls.run,
    "neighbour": neighbour.run,
    "second": second.run,
    "scrape": scrape.run,
}


def main() -> None:
    chosen, given = settings(sys.argv[1:])
    sizes = Sizes(**given)
    about = machine.described() | {"sizes": str(sizes)}
    rows = asyncio.run(measured(chosen, sizes))
    table = report.text(rows, about)
    print(table)
    report.write_json(ROOT / "build/bench.json", rows, about)
    if chosen == list(BENCHES) and not given:
        report.write_page(ROOT / "docs/PERFORMANCE.md", table)


async def measured(chosen: Sequence[str], sizes: Sizes) -> list[Row]:
    rows: list[Row] = []
    for name in chosen:
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            rows += await BENCHES[name](sizes, Path(folder))
        print(f"bench: {name} took {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    return rows


def settings(words: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """The benches in the order of the table, and the sizes that are not the default ones.
    Each word is NAME=value; SystemExit: one that is not understood."""
    given: dict[str, Any] = {}
    chosen = list(BENCHES)
    for word in words:
        name, _, value = word.partition("=")
        try:
            if name == "BENCH":
                chosen = _names(value)
            else:
                given[name.lower()] = _size(name.lower(), value)
        except (KeyError, ValueError) as error:
            raise SystemExit(f"bench: {word} is not understood ({error})") from None
    return chosen, given


def _names(text: str) -> list[str]:
    asked = {name.strip() for name in text.split(",") if name.strip()}
    if unknown := asked - BENCHES.keys():
        raise ValueError(f"no {', '.join(sorted(unknown))}: {', '.join(BENCHES)}")
    return [name for name in BENCHES if name in asked]


def _size(name: str, text: str) -> Any:
    default = {field.name: field.default for field in fields(Sizes)}[name]
    if isinstance(default, tuple):
        return tuple(sorted(int(number) for number in text.split(",")))
    kind: Any = type(default)
    return kind(text)


if __name__ == "__main__":
    main()
