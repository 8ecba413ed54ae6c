"""Indicators: what an outsider may ask about a lawful day. They are questions, never breaches.

`Watch.see` takes each event after the fold; `indicators` reads the whole. The thresholds are
chosen so that an ordinary day raises few questions; no rule names them.
"""

from __future__ import annotations

from collections import Counter as Count
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import sqrt

from services.queue.findings import Facts, Finding
from services.queue.journal import Event
from services.queue.model import CounterState, Day

SHORT_SERVICE_MS = 30_000
IDLE_MS = 600_000
MINUTE_MS = 60_000
SIGMAS = 3
LEAST_TRIALS = 10
SET_CHANGES = 3
EMPTY_CALLS = 2
"""Calls of a counter that served nobody and were undone, by requeue or a brief hold. They count
for the rule like any call, so that repeating them can bring somebody's turn nearer."""

BRIEF_HOLD_MS = 60_000
BURST = {"issue": 20, "cancel": 5}
"""The fewest of a minute that count as a burst."""

_SHARES = {
    "SHORT_SERVICES": ("short", "done"),
    "MANY_HOLDS": ("hold", "start"),
    "MANY_TRANSFERS": ("xfer", "start"),
    "MANY_NO_SHOWS": ("noshow", "call"),
}
"""Indicator: what is counted at a counter, out of what."""

_BURSTS = {"issue": "ISSUE_BURST", "cancel": "CANCEL_BURST"}


@dataclass(slots=True)
class Watch:
    """Counts of a day: `at[what][counter]`, events by (type, channel) and minute, and of each
    counter the longest stretch (ms within the hours, n of its first event) without a call. `held`:
    by number, the counter and t of its last hold."""

    hours: tuple[tuple[int, int], ...]
    at: dict[str, Count[str]] = field(default_factory=dict)
    minutes: dict[tuple[str, str], dict[int, list[int]]] = field(default_factory=dict)
    idle_from: dict[str, tuple[int, int]] = field(default_factory=dict)
    idle: dict[str, tuple[int, int]] = field(default_factory=dict)
    held: dict[str, tuple[str, int]] = field(default_factory=dict)

    def see(self, day: Day, event: Event) -> None:
        if event.c:
            self._count(event.e, event.c)
        if event.e == "done":
            started = day.tickets[event.k].started_at
            if started is not None and event.t - started < SHORT_SERVICE_MS:
                self._count("short", event.c)
        self._see_empty_call(event)
        if event.e in BURST:
            channel = day.tickets[event.k].channel.name
            of_channel = self.minutes.setdefault((event.e, channel), {})
            of_channel.setdefault(event.t // MINUTE_MS, []).append(event.n)
        self._see_idle(day, event)

    def _see_empty_call(self, event: Event) -> None:
        if event.e == "requeue":
            self._count("empty", event.c)
        elif event.e == "hold":
            self.held[event.k] = (event.c, event.t)
        elif event.e == "return" and event.k in self.held:
            counter, since = self.held.pop(event.k)
            if event.t - since < BRIEF_HOLD_MS:
                self._count("empty", counter)

    def _count(self, what: str, counter: str) -> None:
        self.at.setdefault(what, Count())[counter] += 1

    def _see_idle(self, day: Day, event: Event) -> None:
        for name, counter in day.counters.items():
            free = counter.state is CounterState.OPEN and counter.ticket is None
            if free and any(any(day.waiting[s].values()) for s in counter.services):
                self.idle_from.setdefault(name, (event.t, event.n))
            elif name in self.idle_from:
                self.end_idle(name, event.t)

    def end_idle(self, counter: str, t: int) -> None:
        since, n = self.idle_from.pop(counter)
        length = sum(max(0, min(t, closes) - max(since, opens)) for opens, closes in self.hours)
        self.idle[counter] = max(self.idle.get(counter, (0, 0)), (length, n))


def indicators(watch: Watch, day: Day, close_at: int) -> tuple[Finding, ...]:
    """The questions about the day so far."""
    for counter in list(watch.idle_from):
        watch.end_idle(counter, day.t)
    return (
        *_shares(watch),
        *_repeated(watch, "SET_CHANGES", "counter.set", SET_CHANGES),
        *_repeated(watch, "EMPTY_CALLS", "empty", EMPTY_CALLS),
        *_bursts(watch),
        *_idle(watch),
        *_closed_early(day, close_at),
    )


def _shares(watch: Watch) -> Iterator[Finding]:
    """Counters whose share lies more than three standard deviations above the office's."""
    for code, (what, of) in _SHARES.items():
        counts, trials = watch.at.get(what, Count()), watch.at.get(of, Count())
        if not trials or len(trials) < 2:
            continue
        share = min(1.0, counts.total() / trials.total())
        for counter, n in sorted(trials.items()):
            spread = SIGMAS * sqrt(n * share * (1 - share))
            if n >= LEAST_TRIALS and counts[counter] > n * share + spread:
                percent = round(share * 100)
                facts: Facts = {"c": counter, "count": counts[counter], "of": n, "share": percent}
                yield Finding(code, facts=facts)


def _repeated(watch: Watch, code: str, what: str, least: int) -> Iterator[Finding]:
    for counter, count in sorted(watch.at.get(what, Count()).items()):
        if count >= least:
            yield Finding(code, facts={"c": counter, "count": count})


def _bursts(watch: Watch) -> Iterator[Finding]:
    for (e, channel), minutes in sorted(watch.minutes.items()):
        span = max(minutes) - min(minutes) + 1
        mean = sum(map(len, minutes.values())) / span
        most = max(minutes.values(), key=len)
        if len(most) >= BURST[e] and len(most) > mean + SIGMAS * sqrt(mean):
            facts: Facts = {"ch": channel, "count": len(most), "mean": round(mean)}
            yield Finding(_BURSTS[e], most[0], facts=facts)


def _idle(watch: Watch) -> Iterator[Finding]:
    for counter, (length, n) in sorted(watch.idle.items()):
        if length >= IDLE_MS:
            minutes = length // MINUTE_MS
            yield Finding("COUNTER_IDLE", n, facts={"c": counter, "minutes": minutes})


def _closed_early(day: Day, close_at: int) -> Iterator[Finding]:
    early = close_at - day.t
    if day.closed and early > 0:
        yield Finding("CLOSED_EARLY", day.n, facts={"minutes": early // MINUTE_MS})
