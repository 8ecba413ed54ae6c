"""One service's part of the board: its line, its forecast, and their JSON, made anew only when
they changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import merge
from typing import Any

from services.queue.forecast import Forecasts, Table
from services.queue.model import Day, Lane
from services.queue.policy import virtual_order


@dataclass(frozen=True, slots=True)
class Line:
    """Who waits for a service, in the order of call: entry i has i called before it.

    `p50` and `p90` are seconds; they end early, or are empty, where there is no forecast.
    """

    numbers: tuple[str, ...]
    p50: tuple[int, ...]
    p90: tuple[int, ...]


class ServiceLine:
    """The costly parts of one service's board, each with the key it was made for."""

    def __init__(self) -> None:
        self._keys: tuple[int, int, int] = (-2, -2, -2)
        self._index: dict[str, int] | None = None
        self.order: tuple[str, ...] = ()
        self.table = Table()
        self.line = Line((), (), ())
        self.waiting = ""
        self.forecast = ""

    def refresh(self, day: Day, code: str, forecasts: Forecasts) -> None:
        """Makes what is out of date. The order depends on who waits and the service's calls, the
        runs on who waits, the table on the last event that concerned the service."""
        keys = (day.lines[code], day.cs[code], forecasts.rates.concerned[code][0])
        before, self._keys = self._keys, keys
        if keys == before:
            return
        if keys[0] != before[0]:
            self.waiting = _waiting_json(day.waiting[code])
        if keys[:2] != before[:2]:
            self.order, self._index = tuple(virtual_order(day, code)), None
        self.table = forecasts.table(day, code)
        self.forecast = _forecast_json(self.table)
        self.line = Line(self.order, *self.table.first(len(self.order)))

    def index(self) -> dict[str, int]:
        """Calls ahead of each number that waits."""
        if self._index is None:
            self._index = {number: ahead for ahead, number in enumerate(self.order)}
        return self._index


def runs(numbers: Iterable[str]) -> list[str]:
    """Each stretch of consecutive numbers of one letter as one text, in the order given."""
    stretches: list[list[str]] = []
    expected = ("", 0)
    for number in numbers:
        letter, count = number[0], int(number[1:])
        if (letter, count) == expected:
            stretches[-1][1:] = [number]
        else:
            stretches.append([number])
        expected = (letter, count + 1)
    return ["-".join(stretch) for stretch in stretches]


def _waiting_json(lanes: Mapping[Lane, list[tuple[int, str]]]) -> str:
    waiting = runs([number for _, number in merge(*lanes.values())])
    priority = runs([number for _, number in lanes[Lane.PRIORITY]])
    return f'"waiting":{to_json(waiting)},"priority":{to_json(priority)}'


def _forecast_json(table: Table) -> str:
    names = ("position", "p50Seconds", "p90Seconds")
    rows = [dict(zip(names, entry, strict=True)) for entry in table.entries]
    return f'"forecast":{to_json(rows)},"beyondClosing":{to_json(table.beyond_closing)}'


def to_json(value: Any) -> str:
    """JSON without spaces; mappings keep their order."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
