"""One service's part of the board: its line, its forecast, and their JSON, made anew only when
they changed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from heapq import merge
from typing import Any

from services.queue.forecast import Estimate, Forecasts, Table
from services.queue.model import Day, Lane, Ticket
from services.queue.standing import Standing

Moment = tuple[int, int]
"""n of the last event that changed who waits for a service, and the service's calls."""


@dataclass(frozen=True, slots=True)
class Line:
    """Who waits for a service, in the order of call: entry i has i called before it.

    `p50` and `p90` are seconds; they end early, or are empty, where there is no forecast.
    """

    numbers: tuple[str, ...]
    p50: tuple[int, ...]
    p90: tuple[int, ...]


class Runs:
    """Stretches of consecutive numbers of one letter, each as one text, in the order added."""

    def __init__(self, numbers: Iterable[str] = ()) -> None:
        self._stretches: list[list[str]] = []
        self._expected = ("", 0)
        for number in numbers:
            self.add(number)

    def add(self, number: str) -> None:
        letter, count = number[0], int(number[1:])
        if (letter, count) == self._expected:
            self._stretches[-1][1:] = [number]
        else:
            self._stretches.append([number])
        self._expected = (letter, count + 1)

    def texts(self) -> list[str]:
        return ["-".join(stretch) for stretch in self._stretches]


class ServiceLine:
    """The costly parts of one service's board, each made when it is asked for and kept until what
    it depends on has changed. Who has just taken a number is added to what is kept, so that a rush
    does not make a long line anew at each of its numbers."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._standing: tuple[Moment, Standing] | None = None
        self._runs: tuple[int, Runs, Runs] | None = None
        self._waiting = (-2, "")
        self._table: tuple[int, Table] | None = None
        self._line: tuple[tuple[Moment, int], Line] | None = None

    def moment(self, day: Day) -> Moment:
        """What the virtual order depends on: who waits, and the service's calls."""
        return day.lines[self._code], day.cs[self._code]

    def join(self, before: Moment, day: Day, ticket: Ticket) -> None:
        """A number of the service was just given; `before` is the moment before that."""
        if self._standing and self._standing[0] == before:
            standing = self._standing[1]
            self._standing = (self.moment(day), standing) if standing.join(ticket) else None
        if self._runs and self._runs[0] == before[0]:
            _, waiting, priority = self._runs
            waiting.add(ticket.number)
            if ticket.lane is Lane.PRIORITY:
                priority.add(ticket.number)
            self._runs = day.lines[self._code], waiting, priority

    def standing(self, day: Day) -> Standing:
        """The order of call now."""
        moment = self.moment(day)
        if self._standing is None or self._standing[0] != moment:
            self._standing = moment, Standing(day, self._code)
        return self._standing[1]

    def table(self, day: Day, forecasts: Forecasts) -> Table:
        """The forecast as of the last event that concerned the service."""
        concerned = forecasts.rates.concerned[self._code][0]
        if self._table is None or self._table[0] != concerned:
            self._table = concerned, forecasts.table(day, self._code)
        return self._table[1]

    def estimate(self, day: Day, forecasts: Forecasts, position: int) -> Estimate | None:
        """The table's entry at a position of the line, or the one after it, without making the
        table."""
        concerned = forecasts.rates.concerned[self._code][0]
        if self._table and self._table[0] == concerned:
            return self._table[1].at(position)
        return forecasts.estimate(day, self._code, position)

    def line(self, day: Day, forecasts: Forecasts) -> Line:
        """Who waits now, with the forecast at each place."""
        key = self.moment(day), forecasts.rates.concerned[self._code][0]
        if self._line is None or self._line[0] != key:
            numbers = self.standing(day).numbers()
            self._line = key, Line(numbers, *self.table(day, forecasts).first(len(numbers)))
        return self._line[1]

    def waiting(self, day: Day) -> str:
        """Members of the board: who waits, in order of arrival."""
        n = day.lines[self._code]
        if self._waiting[0] != n:
            self._waiting = n, _waiting_json(*self._current_runs(day))
        return self._waiting[1]

    def _current_runs(self, day: Day) -> tuple[Runs, Runs]:
        n, lanes = day.lines[self._code], day.waiting[self._code]
        if self._runs is None or self._runs[0] != n:
            arrived = Runs(number for _, number in merge(*lanes.values()))
            self._runs = n, arrived, Runs(number for _, number in lanes[Lane.PRIORITY])
        return self._runs[1:]

    def forecast(self, day: Day, forecasts: Forecasts) -> str:
        """Members of the board: the table."""
        return _forecast_json(self.table(day, forecasts))


def _waiting_json(arrived: Runs, priority: Runs) -> str:
    return f'"waiting":{to_json(arrived.texts())},"priority":{to_json(priority.texts())}'


def _forecast_json(table: Table) -> str:
    names = ("position", "p50Seconds", "p90Seconds")
    rows = [dict(zip(names, entry, strict=True)) for entry in table.entries]
    return f'"forecast":{to_json(rows)},"beyondClosing":{to_json(table.beyond_closing)}'


def to_json(value: Any) -> str:
    """JSON without spaces; mappings keep their order."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
