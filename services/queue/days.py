"""A day in figures: what `GetDay` answers, and the record that later days' forecasts need.

A ticket counts for the service and lane it ends in and the local hour it was issued. Quantiles
are by nearest rank: of n values in order, the one at place ⌈q·n⌉; 0 without values. Times are whole
seconds, rounded half up. A running day's figures are those so far, with nobody lapsed yet.

Mappings have the field names of `tunggu.queue.v1` (enum values by name), so that protobuf takes
them as they are; nothing here knows protobuf.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from services.queue.fold import apply, fresh_day
from services.queue.journal import Event
from services.queue.model import Channel, CounterState, Day, Lane, Policy, State, Ticket
from services.queue.policy import close_at_ms
from services.queue.rates import Rates


@dataclass(slots=True)
class Desk:
    """What happened at one counter; `since` is when it opened, None while closed."""

    calls: int = 0
    completed: int = 0
    no_shows: int = 0
    open_ms: int = 0
    since: int | None = None


@dataclass(slots=True)
class Desks:
    """The counters of a day. `observe` every event after the day's own fold took it."""

    by_id: dict[str, Desk] = field(default_factory=dict)

    def observe(self, day: Day, event: Event) -> None:
        if event.c:
            self._count(self.by_id.setdefault(event.c, Desk()), event)
        if event.e in _OPENING:
            self._note_openings(day, _working_moment(day, event))

    def _note_openings(self, day: Day, t: int) -> None:
        for counter in day.counters.values():
            desk = self.by_id.setdefault(counter.id, Desk())
            _note_opening(desk, counter.state is CounterState.OPEN, t)

    def _count(self, desk: Desk, event: Event) -> None:
        desk.calls += event.e == "call"
        desk.completed += event.e == "done"
        desk.no_shows += event.e == "noshow"


_OPENING = ("counter.open", "counter.close", "day.close")


def _working_moment(day: Day, event: Event) -> int:
    """A day that nobody was there to close is closed late; its counters worked until close_at."""
    if event.e != "day.close":
        return event.t
    return min(event.t, close_at_ms(day.policy, day.day))


def _note_opening(desk: Desk, is_open: bool, t: int) -> None:
    if is_open and desk.since is None:
        desk.since = t
    elif not is_open and desk.since is not None:
        desk.open_ms, desk.since = desk.open_ms + t - desk.since, None


def summarise(
    policy: Policy, day: str, events: Iterable[Event]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """`statistics` and `record` of a date from its events alone."""
    state, rates, desks = fresh_day(policy, day), Rates(policy, day), Desks()
    for event in events:
        apply(state, event)
        rates.observe(state, event)
        desks.observe(state, event)
    return statistics(state, desks), record(state, rates)


def record(day: Day, rates: Rates) -> dict[str, Any]:
    """What forecasts of later days need; JSON, in canonical order.

    By service: calls, and the counter-seconds in which a counter was exposed to it, both within
    the date's hours (`services.queue.rates`).
    """
    services = {
        code: {
            "busy_seconds": _seconds(rates.exposure(code, day.t)),
            "calls": rates.services[code].calls,
        }
        for code in sorted(rates.services)
    }
    return {"day": day.day, "services": services}


def statistics(day: Day, desks: Desks) -> dict[str, Any]:
    """The proto `Day`; services by code, counters by id."""
    tickets = list(day.tickets.values())
    return {
        "kecamatan": day.code,
        "service_day": day.day,
        "closed": day.closed,
        "events": day.n + 1,
        "policy": day.policy.hash,
        "total": figures(tickets),
        "services": [
            _service(code, [ticket for ticket in tickets if ticket.service == code], day)
            for code in sorted(day.policy.services)
        ],
        "counters": [
            _counter(counter, desks.by_id.get(counter, Desk()), day.t)
            for counter in sorted(day.policy.counters, key=_natural)
        ],
    }


def _natural(counter: str) -> tuple[int, str]:
    """2 before 10."""
    return len(counter), counter


def _service(code: str, tickets: list[Ticket], day: Day) -> dict[str, Any]:
    zone = ZoneInfo(day.policy.timezone)
    hours = _grouped((_hour(ticket, zone), ticket) for ticket in tickets)
    channels = _grouped((ticket.channel, ticket) for ticket in tickets)
    lanes = _grouped((ticket.lane, ticket) for ticket in tickets)
    return {
        "service": code,
        "total": figures(tickets),
        "hours": [{"hour": hour, "figures": figures(hours[hour])} for hour in sorted(hours)],
        "lanes": [
            {"lane": f"LANE_{lane.name}", "figures": figures(lanes.get(lane, []))} for lane in Lane
        ],
        "channels": [
            {"channel": f"CHANNEL_{channel.name}", "figures": figures(channels[channel])}
            for channel in Channel
            if channel in channels
        ],
    }


_Key = TypeVar("_Key")


def _grouped(pairs: Iterable[tuple[_Key, Ticket]]) -> dict[_Key, list[Ticket]]:
    groups: dict[_Key, list[Ticket]] = {}
    for key, ticket in pairs:
        groups.setdefault(key, []).append(ticket)
    return groups


def _hour(ticket: Ticket, zone: ZoneInfo) -> int:
    return datetime.fromtimestamp(ticket.issued_at // 1000, zone).hour


def _counter(counter: str, desk: Desk, now: int) -> dict[str, Any]:
    running = now - desk.since if desk.since is not None else 0
    return {
        "counter": counter,
        "calls": desk.calls,
        "completed": desk.completed,
        "no_shows": desk.no_shows,
        "open_seconds": _seconds(desk.open_ms + running),
    }


def figures(tickets: Iterable[Ticket]) -> dict[str, int]:
    """The proto `DayFigures` of some tickets."""
    tickets = list(tickets)
    states = [ticket.state for ticket in tickets]
    waits = sorted(t.called_at - t.issued_at for t in tickets if t.called_at is not None)
    times = sorted(_service_ms(ticket) for ticket in tickets if ticket.state is State.COMPLETED)
    return {
        "issued": len(tickets),
        "completed": states.count(State.COMPLETED),
        "no_shows": states.count(State.NO_SHOW),
        "cancelled": states.count(State.CANCELLED),
        "lapsed": states.count(State.LAPSED),
        "calls": len(waits),
        "wait_p50_seconds": _seconds(nearest_rank(waits, 50)),
        "wait_p90_seconds": _seconds(nearest_rank(waits, 90)),
        "service_p50_seconds": _seconds(nearest_rank(times, 50)),
        "service_p90_seconds": _seconds(nearest_rank(times, 90)),
    }


def _service_ms(ticket: Ticket) -> int:
    """From the last start to completion."""
    return (ticket.closed_at or 0) - (ticket.started_at or 0)


def nearest_rank(ordered: list[int], percent: int) -> int:
    """The percentile of ascending values, one of them; 0 without values."""
    return ordered[-(-percent * len(ordered) // 100) - 1] if ordered else 0


def _seconds(ms: int) -> int:
    return (ms + 500) // 1000
