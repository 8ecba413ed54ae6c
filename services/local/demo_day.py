"""A recorded day as a plan: who arrives when, which counters are open, how long it takes.

From the record (data/bemowo_2020-01-13.csv): arrivals, to about five minutes,
and how many counters were open. Drawn from a fixed seed, and so synthetic: the
moment within those minutes, service times, absences and channels. Pure: no
clock, no network. Times are minutes since local midnight unless a name says
otherwise.
"""

import csv
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import log, sqrt
from pathlib import Path
from zoneinfo import ZoneInfo

CODE = "99.99.01"  # no Kemendagri code: Bemowo is no kecamatan
DAY = date(2020, 1, 13)
TIMEZONE = ZoneInfo("Europe/Warsaw")
OPENS, CLOSES = 470, 1320  # 07:50 and 22:00, as data/bemowo.yaml says
DAY_ENDS = CLOSES + 120  # when the day closes by itself

SEED = 20200113
ABSENT_SHARE = 0.02
WEB_SHARE = 0.5
SPREAD = 0.6  # standard deviation of a service time by its mean
SHORTEST = 2.0  # minutes from call to call
# Mean minutes from call to call at a counter, by service, chosen so that waits
# come near the recorded ones. The record does not hold service times.
MEAN_MINUTES = {"B": 7.2, "C": 6.1, "F": 5.5, "G": 5.5, "L": 13.4, "P": 11.2, "T": 13.0}

DATA = Path(__file__).with_name("data")


@dataclass(frozen=True)
class Recorded:
    """One ticket of the record; arrival and call lie within (lo, hi]."""

    service: str
    ticket: int
    arrived: tuple[float, float]
    called: tuple[float, float]
    counters: int

    @property
    def wait(self) -> float:
        """From the middle of one bracket to the middle of the other, at least 0."""
        return max(0.0, sum(self.called) / 2 - sum(self.arrived) / 2)


@dataclass(frozen=True)
class Visit:
    """A citizen who takes a number at minute `at`."""

    at: float
    service: str
    channel: str
    holder: str


@dataclass(frozen=True)
class Encounter:
    """What happens once a number is called: `minutes` from this call to the next one's."""

    absent: bool
    minutes: float


@dataclass(frozen=True)
class Pool:
    """Counters with the same services: `counters[i]` is open while more than i are wanted.

    The record gives the number open for the services `seen`; those beyond the
    first `skip` are ours. F and G had the same three; L and T the same six, and
    T's short waits beside L's long lines are only possible if some served T
    alone: two, here.
    """

    services: str
    counters: tuple[str, ...]
    seen: str
    skip: int = 0


POOLS = (
    Pool("B", ("1",), "B"),
    Pool("C", ("2", "3", "4"), "C"),
    Pool("FG", ("5", "6", "7"), "FG"),
    Pool("L", ("8", "9", "10", "11"), "LT", skip=2),
    Pool("T", ("12", "13"), "LT"),
    Pool("P", ("14", "15", "16", "17", "18", "19"), "P"),
)


@dataclass(frozen=True)
class Shift:
    """A counter is open from `start`; to `end`, or until nobody is left to come."""

    start: float
    end: float | None


def read_day(path: Path = DATA / "bemowo_2020-01-13.csv") -> list[Recorded]:
    """The record, by service and number."""
    with path.open(newline="") as file:
        return [_recorded(row) for row in csv.DictReader(file)]


def visits(day: Iterable[Recorded], seed: int = SEED) -> list[Visit]:
    """By arrival. Within a service the order is the record's."""
    by_service: dict[str, list[Recorded]] = {}
    for ticket in day:
        by_service.setdefault(ticket.service, []).append(ticket)
    planned = [
        visit
        for service, tickets in by_service.items()
        for visit in _visits(service, tickets, seed)
    ]
    return sorted(planned, key=lambda visit: visit.at)


def encounter(number: str, seed: int = SEED) -> Encounter:
    """Of the ticket `B012`; the same for the same seed."""
    draw = random.Random(f"{seed} {number}")  # noqa: S311 - reproducible, not secret
    absent = draw.random() < ABSENT_SHARE
    variance = log(1 + SPREAD**2)
    mean = log(MEAN_MINUTES[number[0]]) - variance / 2
    return Encounter(absent, max(SHORTEST, draw.lognormvariate(mean, sqrt(variance))))


def open_counters(day: Iterable[Recorded], pool: Pool) -> list[tuple[float, int]]:
    """How many of the pool's counters are open from which minute on, ascending."""
    seen: dict[float, int] = {}
    for ticket in day:
        if ticket.service in pool.seen:
            since = ticket.arrived[0]
            seen[since] = max(seen.get(since, 0), ticket.counters)
    most = len(pool.counters)
    wanted = [(since, min(most, max(0, seen[since] - pool.skip))) for since in sorted(seen)]
    return [step for i, step in enumerate(wanted) if i == 0 or step[1] != wanted[i - 1][1]]


def shifts(steps: Sequence[tuple[float, int]], rank: int) -> list[Shift]:
    """When the counter of this rank, from 0, is open. The first stays until the line is empty."""
    found: list[Shift] = []
    start: float | None = None
    for since, count in steps:
        if count > rank and start is None:
            start = since
        elif count <= rank and start is not None:
            found.append(Shift(start, since))
            start = None
    if start is not None:
        found.append(Shift(start, None))
    elif rank == 0 and found:
        found.append(Shift(steps[-1][0], None))
    return found


def epoch_ms(minute: float) -> float:
    """A minute of the day as ms since 1970, UTC."""
    midnight = datetime(DAY.year, DAY.month, DAY.day, tzinfo=TIMEZONE)
    return midnight.timestamp() * 1000 + minute * 60_000


def minute_of(ms: float) -> float:
    """The inverse of `epoch_ms`."""
    return (ms - epoch_ms(0)) / 60_000


def _recorded(row: dict[str, str]) -> Recorded:
    return Recorded(
        service=row["service"],
        ticket=int(row["ticket"]),
        arrived=_bracket(row["arr_lo"], row["arr_hi"]),
        called=_bracket(row["call_lo"], row["call_hi"]),
        counters=int(row["open_counters_at_arr"]),
    )


def _bracket(low: str, high: str) -> tuple[float, float]:
    """Without a lower bound the record had not begun; the others are five minutes long."""
    return float(low) if low else float(high) - 5, float(high)


def _visits(service: str, tickets: Sequence[Recorded], seed: int) -> Iterable[Visit]:
    draw = random.Random(f"{seed} {service}")  # noqa: S311 - reproducible, not secret
    # The brackets ascend, so the sorted draws stay within them.
    moments = sorted(hi - (hi - lo) * draw.random() for lo, hi in (t.arrived for t in tickets))
    for ticket, at in zip(tickets, moments, strict=True):
        channel = "WEB" if draw.random() < WEB_SHARE else "KIOSK"
        yield Visit(at, service, channel, f"{draw.getrandbits(128):032x}-{service}{ticket.ticket}")
