"""The figures of an office that Prometheus is shown: what each is called, means, and is read from.

Everything is read from what the journal folded to, so every replica that follows the office shows
the same, and nothing counts twice. Label values are DESIGN's words: codes of offices, letters of
services, lanes, channels, states, reasons; never a number, an id, a name. Formatting is not done
here, and no clock is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from services.queue.board import Boards, is_issuing, is_open, notice
from services.queue.journal import WHYS
from services.queue.live import Live
from services.queue.model import Channel, CounterState, Day, Lane
from services.queue.policy import day_bounds_ms
from services.queue.tallies import ServiceTallies, Times

STOPS = tuple(why.upper() for why in WHYS if why != "hours")

EQUAL = "Equal on all replicas: max without (instance)."
OWN = "Sum."
OF_DAY = "since the service day opened. " + EQUAL
"""For HELP: how replicas are put together. Counters: max without (instance) (rate(…))."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A histogram: counts up to and including each bound in seconds, and the sum in seconds."""

    counts: tuple[tuple[str, int], ...]
    total: float


Row = tuple[tuple[str, ...], float | Spread]
"""The values of a family's labels, and the figure."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An office at one moment of domain time, `now`: ms UTC, not before its last event."""

    live: Live
    boards: Boards
    now: int

    @property
    def day(self) -> Day:
        return self.boards.day

    def tallies(self) -> Iterable[tuple[str, ServiceTallies]]:
        return self.boards.tallies.by_service.items()


@dataclass(frozen=True, slots=True)
class Family:
    """A metric. `rows` reads an office; the label `kecamatan` comes before `labels`."""

    name: str
    kind: Literal["gauge", "counter", "histogram"]
    labels: tuple[str, ...]
    help: str
    rows: Callable[[Seen], Iterable[Row]]


# What people wait for ---------------------------------------------------------------------------


def _issued(seen: Seen) -> Iterator[Row]:
    for code, tallies in seen.tallies():
        for channel in Channel:
            if channel in seen.day.policy.services[code].channels:
                for lane in Lane:
                    yield (code, lane.name, channel.name), tallies.issued[lane, channel]


def _waiting(seen: Seen) -> Iterator[Row]:
    for code, lanes in seen.day.waiting.items():
        for lane, line in lanes.items():
            yield (code, lane.name), len(line)


def _oldest(seen: Seen) -> Iterator[Row]:
    tickets = seen.day.tickets
    for code, lanes in seen.day.waiting.items():
        since = [tickets[number].since for line in lanes.values() for _, number in line]
        yield (code,), (seen.now - min(since)) / 1000 if since else 0


def _forecast(percent: int) -> Callable[[Seen], Iterator[Row]]:
    def rows(seen: Seen) -> Iterator[Row]:
        for code in seen.day.policy.services:
            wait = seen.boards.newcomer_to(code)
            if wait:
                yield (code,), wait.p50_seconds if percent == 50 else wait.p90_seconds

    return rows


def _calls(seen: Seen) -> Iterator[Row]:
    for code, tallies in seen.tallies():
        for lane in Lane:
            yield (code, lane.name), tallies.calls[lane]


def _by_service(read: Callable[[ServiceTallies], int]) -> Callable[[Seen], Iterator[Row]]:
    return lambda seen: (((code,), read(tallies)) for code, tallies in seen.tallies())


def _times(read: Callable[[ServiceTallies], Times]) -> Callable[[Seen], Iterator[Row]]:
    return lambda seen: (((code,), spread(read(tallies))) for code, tallies in seen.tallies())


def spread(times: Times) -> Spread:
    bounds = [*(f"{60.0 * minutes}" for minutes in times.minutes), "+Inf"]
    return Spread(tuple(zip(bounds, accumulate(times.counts), strict=True)), times.ms / 1000)


# The office and its day -------------------------------------------------------------------------


def _one(read: Callable[[Seen], float]) -> Callable[[Seen], Iterator[Row]]:
    return lambda seen: iter([((), read(seen))])


def _counters(seen: Seen) -> Iterator[Row]:
    states = [counter.state for counter in seen.day.counters.values()]
    return (((state.value,), states.count(state)) for state in CounterState)


def _stopped(seen: Seen) -> Iterator[Row]:
    return (((reason,), notice(seen.day) == reason) for reason in STOPS)


def _issuing(seen: Seen) -> Iterator[Row]:
    return (((code,), is_issuing(seen.day, code)) for code in seen.day.policy.services)


def _archive_age(seen: Seen) -> Iterator[Row]:
    if seen.live.archived:
        _, end = day_bounds_ms(seen.day.policy, seen.live.archived)
        yield (), max(0, seen.now - end) / 1000


def _day_start(seen: Seen) -> float:
    return day_bounds_ms(seen.day.policy, seen.day.day)[0] / 1000


OFFICE: tuple[Family, ...] = (
    Family(
        "tunggu_tickets_issued",
        "counter",
        ("service", "lane", "channel"),
        f"Numbers given {OF_DAY}",
        _issued,
    ),
    Family(
        "tunggu_tickets_waiting",
        "gauge",
        ("service", "lane"),
        f"Tickets WAITING. {EQUAL}",
        _waiting,
    ),
    Family(
        "tunggu_oldest_waiting_seconds",
        "gauge",
        ("service",),
        "Since the ticket that waits longest got in line, for the first time or again; 0 if nobody "
        f"waits. Domain time by Redis' clock, at the scrape. {EQUAL}",
        _oldest,
    ),
    Family(
        "tunggu_wait_seconds",
        "histogram",
        ("service",),
        f"From taking a number to its first call, {OF_DAY}",
        _times(lambda tallies: tallies.waits),
    ),
    Family(
        "tunggu_service_seconds",
        "histogram",
        ("service",),
        f"From start to completion, {OF_DAY}",
        _times(lambda tallies: tallies.serving),
    ),
    Family(
        "tunggu_forecast_p50_seconds",
        "gauge",
        ("service",),
        "Expected wait of someone who takes a number now, as likely shorter as longer; absent "
        f"without a forecast. {EQUAL}",
        _forecast(50),
    ),
    Family(
        "tunggu_forecast_p90_seconds",
        "gauge",
        ("service",),
        f"The same, nine in ten times shorter. {EQUAL}",
        _forecast(90),
    ),
    Family(
        "tunggu_calls", "counter", ("service", "lane"), f"Calls, without recalls, {OF_DAY}", _calls
    ),
    Family(
        "tunggu_recalls",
        "counter",
        ("service",),
        f"Repeated calls {OF_DAY}",
        _by_service(lambda tallies: tallies.recalls),
    ),
    Family(
        "tunggu_no_shows",
        "counter",
        ("service",),
        f"Tickets skipped, also those that returned, {OF_DAY}",
        _by_service(lambda tallies: tallies.no_shows),
    ),
    Family(
        "tunggu_tickets_completed",
        "counter",
        ("service",),
        f"Tickets COMPLETED {OF_DAY}",
        _by_service(lambda tallies: tallies.completed),
    ),
    Family(
        "tunggu_tickets_cancelled",
        "counter",
        ("service",),
        f"Tickets CANCELLED {OF_DAY}",
        _by_service(lambda tallies: tallies.cancelled),
    ),
    Family(
        "tunggu_tickets_lapsed",
        "counter",
        ("service",),
        f"Tickets LAPSED when the day closed. {EQUAL}",
        _by_service(lambda tallies: tallies.lapsed),
    ),
    Family("tunggu_counters", "gauge", ("state",), f"Counters by state. {EQUAL}", _counters),
    Family(
        "tunggu_office_open",
        "gauge",
        (),
        f"1 if a number can be taken. {EQUAL}",
        _one(lambda seen: is_open(seen.day)),
    ),
    Family(
        "tunggu_issuing",
        "gauge",
        ("service",),
        f"1 if numbers of the service are given: office open, quota left. {EQUAL}",
        _issuing,
    ),
    Family(
        "tunggu_issuing_stopped",
        "gauge",
        ("reason",),
        f"1 for the reason for which a supervisor stopped issuing. {EQUAL}",
        _stopped,
    ),
    Family(
        "tunggu_day_open",
        "gauge",
        (),
        f"1 from the first event of the service day until it closes. {EQUAL}",
        _one(lambda seen: not seen.day.closed),
    ),
    Family(
        "tunggu_day_start_timestamp_seconds",
        "gauge",
        (),
        f"Midnight at which the running or last service day began. {EQUAL}",
        _one(_day_start),
    ),
    Family(
        "tunggu_journal_events",
        "counter",
        (),
        f"Events {OF_DAY}",
        _one(lambda seen: seen.day.n + 1),
    ),
    Family(
        "tunggu_journal_bytes",
        "counter",
        (),
        f"Bytes of leaves {OF_DAY}",
        _one(lambda seen: seen.live.leaf_bytes),
    ),
    Family(
        "tunggu_archive_age_seconds",
        "gauge",
        (),
        f"Since the end of the last archived service day; absent before the first. {EQUAL}",
        _archive_age,
    ),
    Family(
        "tunggu_journal_rewinds",
        "counter",
        (),
        f"Times the journal had lost what was read of it. {OWN}",
        _one(lambda seen: seen.live.rewinds),
    ),
    Family(
        "tunggu_board_builds",
        "counter",
        (),
        f"Boards made. {OWN}",
        _one(lambda seen: seen.live.builds),
    ),
    Family(
        "tunggu_board_built_bytes",
        "counter",
        (),
        f"Bytes of boards made. {OWN}",
        _one(lambda seen: seen.live.built_bytes),
    ),
)
