"""Expected wait: the Gamma-Poisson closed form, as a table by position. See docs/FORECAST.md.

A service's calls are a Poisson stream of rate λ = calls per counter-minute × open counters that
serve it. The rate per counter is Gamma(a, b): a prior worth PRIOR_CALLS calls, from previous
days, and the calls and the exposure of the last 60 busy minutes. The wait for the k-th call from
now then has the quantile

    (k / λ) · F⁻¹(q; 2·φ₁·k, 2·φ₂·a)        φ₁ = 0.5, φ₂ = 2

in working time, which skips breaks. φ₁ widens the spread of the calls (service times are less
regular than Poisson's), φ₂ narrows the doubt about the rate.

Everything is a function of the day's events, the policy, the typical minutes and the records of
previous days. The moment of evaluation is that of the last event that concerns the service. Not
here: a clock, and the calibration on waits that came true.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from math import floor
from typing import Any

from services.queue.journal import Event
from services.queue.model import Day, Policy
from services.queue.quantile import f_quantile
from services.queue.rates import Rates, WorkingTime

PRIOR_CALLS = 8
"""How many calls the prior is worth."""

CALL_DEGREES = 1
"""2·φ₁: degrees of freedom that one call ahead adds."""

RATE_DEGREES = 4
"""2·φ₂: degrees of freedom that one call seen adds."""

SUREST_CALLS = 512
"""More calls than these do not make the rate surer: it drifts. (The mean still uses them.)"""

LEAST_POSITIONS = 8
"""The table reaches at least this far."""

DEFAULT_MINUTES = 10
"""The first guess of a service that gives no typical minutes."""

SHRINKAGE_CALLS = 20
"""How many calls of the past weigh as much as the level above: service, office, first guess."""

HISTORY_DAYS = 20
"""How many previous days count."""

P50, P90 = 0.5, 0.9

Entry = tuple[int, int, int]
"""(position, p50 seconds, p90 seconds)"""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A wait from the event on, whole seconds: as likely sooner as later; nine in ten sooner."""

    p50_seconds: int
    p90_seconds: int


@dataclass(frozen=True, slots=True)
class Table:
    """Estimates by position, 1 = called next; positions ascend from 1, times never fall.

    Empty while no open counter serves the service. `beyond_closing`: the positions after the last
    entry are called after the day's last closing with more than 10 % probability, so they have no
    number.
    """

    entries: tuple[Entry, ...] = ()
    beyond_closing: bool = False

    def at(self, position: int) -> Estimate | None:
        """The estimate at a position ≥ 1, interpolated; None beyond the table."""
        i = bisect_left(self.entries, position, key=_position)
        if i == len(self.entries):
            return None
        if self.entries[i][0] == position:
            return Estimate(*self.entries[i][1:])
        return _interpolated(self.entries[i - 1], self.entries[i], position)

    def first(self, count: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """P50s and P90s of positions 1, 2, … `count`, shorter where the table ends before."""
        return tuple(self._column(1, count)), tuple(self._column(2, count))

    def _column(self, which: int, count: int) -> Iterator[int]:
        for low, high in zip_longest(self.entries, self.entries[1:]):
            if low[0] > count:
                return
            yield low[which]
            if high:
                yield from _inside(low, high, which, count)


def _position(entry: Entry) -> int:
    return entry[0]


def _interpolated(low: Entry, high: Entry, position: int) -> Estimate:
    step, span = position - low[0], high[0] - low[0]
    return Estimate(_between(low[1], high[1], step, span), _between(low[2], high[2], step, span))


def _inside(low: Entry, high: Entry, which: int, count: int) -> list[int]:
    """The values at the positions between two entries, up to `count`."""
    span, start, rise = high[0] - low[0], low[which], high[which] - low[which]
    last = min(span, count - low[0] + 1)
    # `_between`, written out: a long line has thousands of these.
    return [start + (2 * rise * step + span) // (2 * span) for step in range(1, last)]


def _between(low: int, high: int, step: int, span: int) -> int:
    """Linear, rounded half up."""
    return low + (2 * (high - low) * step + span) // (2 * span)


class Forecasts:
    """The forecasts of one day. `observe` every event after the day's own fold took it.

    `typical` = minutes at the counter by service, 0 = DEFAULT_MINUTES. `history` = the records
    (`services.queue.days.record`) of previous days, oldest first; the last HISTORY_DAYS count.
    """

    def __init__(
        self,
        policy: Policy,
        day: str,
        typical: Mapping[str, int],
        history: Sequence[Mapping[str, Any]],
    ) -> None:
        self.rates = Rates(policy, day)
        minutes = {code: typical.get(code, 0) or DEFAULT_MINUTES for code in policy.services}
        self.call_ms = usual_call_ms(minutes, history[-HISTORY_DAYS:])

    def observe(self, day: Day, event: Event) -> None:
        self.rates.observe(day, event)

    def table(self, day: Day, service: str) -> Table:
        """The table up to one more than wait for the service now."""
        if day.closed or not self.rates.serving[service]:
            return Table()
        waiting = sum(len(line) for line in day.waiting[service].values())
        outlook = self._outlook(service)
        entries: list[Entry] = []
        for position in positions(waiting + 1):
            if not outlook.in_time(position):
                reached = entries[-1][0] if entries else 0
                last = outlook.last_in_time(reached, position)
                if last > reached:
                    entries.append(outlook.entry(last))
                return Table(tuple(entries), beyond_closing=True)
            entries.append(outlook.entry(position))
        return Table(tuple(entries))

    def estimate(self, day: Day, service: str, position: int) -> Estimate | None:
        """`table(day, service).at(position)`, for a position that the table reaches, from the one
        or two entries that it is made of: positions grow later, so what comes before one that is
        in time is in time."""
        if day.closed or not self.rates.serving[service]:
            return None
        outlook = self._outlook(service)
        low, high = around(position)
        if not outlook.in_time(high):
            if not outlook.in_time(position):
                return None
            high = outlook.last_in_time(position, high)
        if high == position:
            return Estimate(*outlook.entry(high)[1:])
        return _interpolated(outlook.entry(low), outlook.entry(high), position)

    def _outlook(self, service: str) -> Outlook:
        _, t = self.rates.concerned[service]
        rate = self.rates.latest(service)
        return Outlook(
            t=t,
            time=self.rates.time,
            counters=self.rates.serving[service],
            calls=PRIOR_CALLS + rate.recent_calls,
            exposure=PRIOR_CALLS * self.call_ms[service] + rate.recent_exposure,
        )


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a forecast is made of: the moment `t`, the date's working time, the open counters, and
    the posterior of the rate, Gamma(calls, exposure in counter-ms)."""

    t: int
    time: WorkingTime
    counters: int
    calls: int
    exposure: float

    def work_ms(self, q: float, position: int) -> int:
        """The quantile q of the working time until the call at a position."""
        sure = min(self.calls, SUREST_CALLS)
        spread = f_quantile(q, CALL_DEGREES * position, RATE_DEGREES * sure)
        return max(1, _half_up(position * self.exposure / (self.counters * self.calls) * spread))

    def in_time(self, position: int) -> bool:
        """Whether the call comes before the last closing with at least 90 % probability."""
        return self.work_ms(P90, position) <= self.time.left(self.t)

    def last_in_time(self, good: int, bad: int) -> int:
        """The last position that is in time, between one that is (or 0) and one that is not."""
        while bad - good > 1:
            middle = (good + bad) // 2
            good, bad = (middle, bad) if self.in_time(middle) else (good, middle)
        return good

    def entry(self, position: int) -> Entry:
        return position, self._seconds(P50, position), self._seconds(P90, position)

    def _seconds(self, q: float, position: int) -> int:
        called = self.time.after(self.t, self.work_ms(q, position))
        return (called - self.t + 500) // 1000


def positions(most: int) -> Iterator[int]:
    """1, 2, 3, 5, 8, … up to the first that is at least `most` and LEAST_POSITIONS."""
    position, following = 1, 2
    while position < max(most, LEAST_POSITIONS):
        yield position
        position, following = following, position + following
    yield position


def around(position: int) -> tuple[int, int]:
    """The tabulated positions below and not below a position ≥ 1; the first has none below."""
    low, high = 0, 1
    while high < position:
        low, high = high, (low + high if low else 2)
    return low, high


def usual_call_ms(
    minutes: Mapping[str, int], history: Sequence[Mapping[str, Any]]
) -> dict[str, float]:
    """Counter-milliseconds of exposure a call, by service, before the day has shown any.

    The first guess is the service's typical minutes. The office's pace, calls made over calls that
    the guesses would have made in the same exposure, corrects it for all services; a service's own
    past then corrects it again. Each level weighs SHRINKAGE_CALLS calls against the next.
    """
    past = {code: _past(history, code) for code in sorted(minutes)}
    made = sum(calls for calls, _ in past.values())
    guessed = sum(seconds / (60 * minutes[code]) for code, (_, seconds) in past.items())
    pace = (made + SHRINKAGE_CALLS) / (guessed + SHRINKAGE_CALLS)
    return {
        code: 1000
        * (seconds + SHRINKAGE_CALLS * 60 * minutes[code] / pace)
        / (calls + SHRINKAGE_CALLS)
        for code, (calls, seconds) in past.items()
    }


def _past(history: Sequence[Mapping[str, Any]], code: str) -> tuple[int, int]:
    """Calls and busy counter-seconds of a service on all days."""
    entries = [record["services"].get(code, _NOTHING) for record in history]
    return sum(e["calls"] for e in entries), sum(e["busy_seconds"] for e in entries)


_NOTHING = {"calls": 0, "busy_seconds": 0}


def _half_up(value: float) -> int:
    return floor(value + 0.5)
