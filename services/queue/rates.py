"""How fast each service is called: calls and exposure, folded from a day's events.

A counter is *exposed* to a service while a call of that service from it is possible or going on:
it is open and serves the service, and somebody waits for it, or the ticket at the counter is one
of it. An idle counter without anybody waiting says nothing about how fast it works. Exposure is
counted in counter-milliseconds of *working time*, which runs only within the date's hours: breaks
and the time after closing are no work, and calls made then are not counted either.

All sums are integers, so they do not depend on when or how often they are asked for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from services.queue.journal import Event
from services.queue.model import CounterState, Day, Policy
from services.queue.policy import hours_ms

WINDOW_MS = 60 * 60_000
"""The recent rate looks at so much busy time: working time with an exposed counter."""


@dataclass(frozen=True, slots=True)
class WorkingTime:
    """The clock that runs only within `hours`, (open, close) in ms UTC, in order, apart."""

    hours: tuple[tuple[int, int], ...]

    def runs(self, t: int) -> bool:
        return any(opens <= t < closes for opens, closes in self.hours)

    def worked(self, t: int) -> int:
        """Working ms of the date before t."""
        return sum(min(t, closes) - opens for opens, closes in self.hours if t > opens)

    def left(self, t: int) -> int:
        """Working ms of the date after t."""
        return sum(closes - max(t, opens) for opens, closes in self.hours if t < closes)

    def after(self, t: int, work: int) -> int:
        """The first moment by which `work` > 0 more working ms have passed since t.

        ValueError if the date has not so much left.
        """
        for opens, closes in self.hours:
            start = max(t, opens)
            if start + work <= closes:
                return start + work
            work -= max(0, closes - start)
        raise ValueError("beyond the last closing")


@dataclass(slots=True)
class Rate:
    """Calls and exposure of one service, on the clock of working ms.

    `calls` and `exposure` are the day's, `recent_calls` and `recent_exposure` those of the last
    WINDOW_MS of busy time.
    """

    exposed: int = 0
    now: int = 0
    busy: int = 0
    calls: int = 0
    exposure: int = 0
    recent_exposure: int = 0
    _stretches: deque[tuple[int, int]] = field(default_factory=deque)
    _stamps: deque[int] = field(default_factory=deque)
    _reach: int = 0

    @property
    def recent_calls(self) -> int:
        return len(self._stamps)

    def advance(self, now: int) -> None:
        """Accounts for the time until `now`, which never lies before the last one."""
        passed, self.now = now - self.now, now
        if not passed or not self.exposed:
            return
        self.busy += passed
        self.exposure += passed * self.exposed
        self._stretches.append((passed, self.exposed))
        self._reach += passed
        self.recent_exposure += passed * self.exposed
        self._forget()

    def exposure_by(self, now: int) -> int:
        """The day's exposure until `now`, without taking the rate there."""
        return self.exposure + (now - self.now) * self.exposed

    def expose(self, counters: int, now: int) -> None:
        """From `now` on so many counters are exposed."""
        self.advance(now)
        self.exposed = counters

    def call(self, now: int) -> None:
        """A call at `now`."""
        self.advance(now)
        self.calls += 1
        self._stamps.append(self.busy)

    def _forget(self) -> None:
        while self._reach > WINDOW_MS:
            length, counters = self._stretches.popleft()
            kept = max(0, length - (self._reach - WINDOW_MS))
            if kept:
                self._stretches.appendleft((kept, counters))
            self._reach -= length - kept
            self.recent_exposure -= (length - kept) * counters
        while self._stamps and self._stamps[0] <= self.busy - WINDOW_MS:
            self._stamps.popleft()


class Rates:
    """The rates of a day's services. `observe` every event after the day's own fold took it.

    `serving` counts the open counters of each service. `concerned` is, by service, n and t of the
    last event that concerns its forecast: its line changed, something happened at a counter whose
    set holds it, or the hours began or ended. Other events leave a service's forecast alone, so
    that a busy service does not make the whole board new at every event.
    """

    def __init__(self, policy: Policy, day: str) -> None:
        self.time = WorkingTime(hours_ms(policy, day))
        self.services = {code: Rate() for code in policy.services}
        self.serving = dict.fromkeys(policy.services, 0)
        self.concerned = dict.fromkeys(policy.services, (-1, 0))

    def observe(self, day: Day, event: Event) -> None:
        """Takes the rates to the state after `event`; O(services of all counters)."""
        now = self.time.worked(event.t)
        self.serving, occupied = _standing(day)
        for code, rate in self.services.items():
            exposed = self.serving[code] if any(day.waiting[code].values()) else occupied[code]
            if exposed != rate.exposed:
                rate.expose(exposed, now)
        if event.e == "call" and self.time.runs(event.t):
            self.services[day.tickets[event.k].service].call(now)
        for code in self._concerned_by(day, event):
            self.concerned[code] = (event.n, event.t)

    def _concerned_by(self, day: Day, event: Event) -> Iterable[str]:
        if event.why == "hours" or event.e == "day.open":
            return self.services
        at = day.counters[event.c].services if event.c else ()
        return [code for code, n in day.lines.items() if n == event.n or code in at]

    def latest(self, service: str) -> Rate:
        """The service's rate at the last event that concerned it."""
        rate = self.services[service]
        rate.advance(self.time.worked(self.concerned[service][1]))
        return rate

    def exposure(self, service: str, t: int) -> int:
        """The day's exposure until t, the last event's moment or later, counter-ms."""
        return self.services[service].exposure_by(self.time.worked(t))


def _standing(day: Day) -> tuple[dict[str, int], dict[str, int]]:
    """By service: how many open counters serve it, and how many have one of its tickets."""
    serving = dict.fromkeys(day.lines, 0)
    occupied = dict.fromkeys(day.lines, 0)
    for counter in day.counters.values():
        if counter.state is not CounterState.OPEN:
            continue
        for code in counter.services:
            serving[code] += 1
        if counter.ticket:
            occupied[day.tickets[counter.ticket].service] += 1
    return serving, occupied
