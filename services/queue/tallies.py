"""What a day's events add up to: counts that never fall, and how long people waited.

Folded like the day itself, so that a replica that has just started, and every other one, comes to
the same numbers, and a repeated request, which writes no event, adds nothing. A ticket counts for
the service and lane that it has at the moment of the event; transfers and lanes change nothing
that was counted before. Times are in ms, services by code.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from services.queue.journal import Event
from services.queue.model import Channel, Day, Lane, State, Ticket

MINUTES_OF_WAITING = (1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120)
MINUTES_OF_SERVICE = (1, 2, 3, 5, 8, 10, 15, 20, 30, 45, 60)
"""Upper bounds, included, of the classes in which times are counted; the last has none."""


@dataclass(slots=True)
class Times:
    """How many times fell into each class of `minutes`, and their sum."""

    minutes: tuple[int, ...]
    counts: list[int] = field(init=False)
    ms: int = 0

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.minutes) + 1)

    def add(self, ms: int) -> None:
        self.counts[bisect_left(self.minutes, ms / 60_000)] += 1
        self.ms += ms


@dataclass(slots=True)
class ServiceTallies:
    """One service. `calls` are those of a ticket that waited, recalls apart; `waits` run from the
    issue to the first call, `serving` from the last start to completion. `no_shows` keeps those
    who came back."""

    issued: Counter[tuple[Lane, Channel]] = field(default_factory=Counter)
    calls: Counter[Lane] = field(default_factory=Counter)
    recalls: int = 0
    no_shows: int = 0
    completed: int = 0
    cancelled: int = 0
    lapsed: int = 0
    waits: Times = field(default_factory=lambda: Times(MINUTES_OF_WAITING))
    serving: Times = field(default_factory=lambda: Times(MINUTES_OF_SERVICE))


class Tallies:
    """The tallies of one day. `observe` every event after the day's own fold took it."""

    def __init__(self, services: Iterable[str]) -> None:
        self.by_service = {code: ServiceTallies() for code in services}
        self._called: set[str] = set()

    def observe(self, day: Day, event: Event) -> None:
        if event.e == "day.close":
            self._lapse(day)
        elif event.e in _COUNTING:
            ticket = day.tickets[event.k]
            tallies = self.by_service[ticket.service]
            _COUNTING[event.e](tallies, ticket)
            if event.e == "call" and event.k not in self._called:
                self._called.add(event.k)
                tallies.waits.add(event.t - ticket.issued_at)

    def _lapse(self, day: Day) -> None:
        for ticket in day.tickets.values():
            self.by_service[ticket.service].lapsed += ticket.state is State.LAPSED


def _issue(tallies: ServiceTallies, ticket: Ticket) -> None:
    tallies.issued[ticket.lane, ticket.channel] += 1


def _call(tallies: ServiceTallies, ticket: Ticket) -> None:
    tallies.calls[ticket.lane] += 1


def _recall(tallies: ServiceTallies, _: Ticket) -> None:
    tallies.recalls += 1


def _no_show(tallies: ServiceTallies, _: Ticket) -> None:
    tallies.no_shows += 1


def _done(tallies: ServiceTallies, ticket: Ticket) -> None:
    tallies.completed += 1
    tallies.serving.add((ticket.closed_at or 0) - (ticket.started_at or 0))


def _cancel(tallies: ServiceTallies, _: Ticket) -> None:
    tallies.cancelled += 1


_COUNTING: dict[str, Callable[[ServiceTallies, Ticket], None]] = {
    "issue": _issue,
    "call": _call,
    "recall": _recall,
    "noshow": _no_show,
    "done": _done,
    "cancel": _cancel,
}
