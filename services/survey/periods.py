"""Several days' figures of the queue, joined with the answers of the same tickets. Pure.

A row is the queue's DayFigures as a list in the order of `ROW`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import accumulate, islice
from typing import TypeVar

from services.survey.interval import difference
from services.survey.model import Answer, Completed, DayRecord
from services.survey.tally import Tally, day_tally, hour_tallies, service_tallies, together

ROW = (
    "issued", "completed", "no_shows", "cancelled", "lapsed", "calls",
    "wait_p50_seconds", "wait_p90_seconds", "service_p50_seconds", "service_p90_seconds",
)  # fmt: skip
COUNTS = 6
"""The first so many of a row are counts, the rest seconds."""

COMPLETED, NO_SHOWS, CALLS = ROW.index("completed"), ROW.index("no_shows"), ROW.index("calls")
QUANTILES = ((6, CALLS), (7, CALLS), (8, COMPLETED), (9, COMPLETED))
"""Where a quantile stands in a row, and how many tickets it is of."""

MOST_DAYS = 400

Row = Sequence[int]
K = TypeVar("K")
N = TypeVar("N", int, float)


@dataclass(frozen=True, slots=True)
class QueueDay:
    """The queue's statistics of a day: all, by service, and by service and local hour of issue."""

    total: Row
    services: Mapping[str, Row] = field(default_factory=dict)
    hours: Mapping[tuple[str, int], Row] = field(default_factory=dict)
    counters: Mapping[str, int] = field(default_factory=dict)

    @property
    def completed(self) -> Completed:
        by_service = {code: row[COMPLETED] for code, row in self.services.items()}
        return Completed(self.total[COMPLETED], by_service, self.counters)


@dataclass(frozen=True, slots=True)
class JoinedDay:
    """A day on both sides; `queue` is None while the queue cannot be asked."""

    record: DayRecord
    queue: QueueDay | None


@dataclass(frozen=True, slots=True)
class Joined:
    """Counts in the order of ROW, quantiles in seconds (None: of nobody), and the answers."""

    counts: tuple[int, ...]
    quantiles: tuple[int | None, ...]
    answers: Tally

    @property
    def no_show_rate(self) -> float | None:
        calls = self.counts[CALLS]
        return self.counts[NO_SHOWS] / calls if calls else None

    @property
    def favourable(self) -> float | None:
        return self.answers.favourable / self.answers.total if self.answers.total else None


@dataclass(frozen=True, slots=True)
class Period:
    """A period's days, and what they come to."""

    total: Joined
    days: Mapping[str, Joined]
    closed: Mapping[str, bool]
    services: Mapping[str, Joined]
    hours: Mapping[int, Joined]
    service_hours: Mapping[tuple[str, int], Joined]


def period(days: Sequence[JoinedDay]) -> Period:
    """Of its service days, in order."""
    queues = [day.queue for day in days if day.queue]
    services = _gathered(queue.services for queue in queues)
    cells = _gathered(queue.hours for queue in queues)
    whole = added([day.record for day in days])
    by_service, said = service_tallies(whole), hour_tallies(whole)
    return Period(
        total=join([queue.total for queue in queues], day_tally(whole)),
        days={day.record.day: _single(day) for day in days},
        closed={day.record.day: day.record.closed for day in days},
        services={
            code: join(services.get(code, ()), by_service.get(code, Tally(completed=0)))
            for code in sorted(services.keys() | by_service.keys())
        },
        hours=_hours(cells, said),
        service_hours={
            key: join(rows, _tally(rows, [said.get(key, {})]))
            for key, rows in sorted(cells.items())
        },
    )


def added(records: Iterable[DayRecord]) -> DayRecord:
    """All days as if they were one; its completions are known only if every day's are."""
    counts: Counter[str] = Counter()
    every, services, counters = 0, Counter[str](), Counter[str]()
    known = True
    for record in records:
        counts.update(record.counts)
        if record.completed is None:
            known = False
            continue
        every += record.completed.total
        services.update(record.completed.services)
        counters.update(record.completed.counters)
    completed = Completed(every, services, counters) if known else None
    return DayRecord("", False, counts, completed)


def _single(day: JoinedDay) -> Joined:
    return join([day.queue.total] if day.queue else [], day_tally(day.record))


def _gathered(parts: Iterable[Mapping[K, Row]]) -> dict[K, list[Row]]:
    found: dict[K, list[Row]] = {}
    for part in parts:
        for key, row in part.items():
            found.setdefault(key, []).append(row)
    return found


def _hours(
    cells: Mapping[tuple[str, int], list[Row]],
    said: Mapping[tuple[str, int], Mapping[Answer, int]],
) -> dict[int, Joined]:
    """All services together."""
    found = {}
    for hour in sorted({hour for _, hour in cells}):
        rows = [row for key, some in cells.items() if key[1] == hour for row in some]
        answers = [answers for key, answers in said.items() if key[1] == hour]
        found[hour] = join(rows, _tally(rows, answers))
    return found


def _tally(rows: Iterable[Row], answers: Iterable[Mapping[Answer, int]]) -> Tally:
    completed = sum(row[COMPLETED] for row in rows)
    return replace(together(Tally(each) for each in answers), completed=completed)


def join(rows: Sequence[Row], answers: Tally) -> Joined:
    """Rows added up; see `quantile` for what cannot be."""
    counts = tuple(sum(column) for column in islice(zip(*rows, strict=True), COUNTS))
    quantiles = tuple(
        quantile([(row[at], row[weight]) for row in rows if row[weight]])
        for at, weight in QUANTILES
    )
    return Joined(counts or (0,) * COUNTS, quantiles, answers)


def quantile(weighed: Sequence[tuple[int, int]]) -> int | None:
    """The median of figures, each weighed by its tickets: half of the tickets belong to figures at
    or under it. It lies among the figures and, of one, is that one."""
    if len(weighed) < 2:
        return weighed[0][0] if weighed else None
    ordered = sorted(weighed)
    sums = list(accumulate([weight for _, weight in ordered]))
    return ordered[bisect_left(sums, sums[-1] / 2)][0]


@dataclass(frozen=True, slots=True)
class Change:
    """Differences, None where a side has no figure; `interval` is of the favourable share."""

    issued: int
    completed: int
    no_show_rate: float | None
    wait_p50: int | None
    wait_p90: int | None
    favourable: float | None
    interval: tuple[float, float] | None

    @property
    def differs(self) -> bool:
        """Whether chance alone would hardly make the favourable share differ so."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]


def change(now: Joined, then: Joined) -> Change:
    """From `then` to `now`."""
    shares = now.answers.total and then.answers.total
    interval = difference(
        now.answers.favourable, now.answers.total, then.answers.favourable, then.answers.total
    ) if shares else None  # fmt: skip
    return Change(
        now.counts[0] - then.counts[0],
        now.counts[COMPLETED] - then.counts[COMPLETED],
        _minus(now.no_show_rate, then.no_show_rate),
        _minus(now.quantiles[0], then.quantiles[0]),
        _minus(now.quantiles[1], then.quantiles[1]),
        _minus(now.favourable, then.favourable),
        interval,
    )


def dates(first: str, last: str) -> list[str]:
    """The dates of a period, both ends included. ValueError: not ISO, in the wrong order, or more
    than MOST_DAYS."""
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    if not 0 <= (end - begin).days < MOST_DAYS:
        raise ValueError(f"{first} to {last}")
    return [(begin + timedelta(days)).isoformat() for days in range((end - begin).days + 1)]


def before(first: str, length: int) -> tuple[str, str]:
    """The period of `length` days that ends the day before. OverflowError before year 1."""
    begin = date.fromisoformat(first)
    return (begin - timedelta(length)).isoformat(), (begin - timedelta(1)).isoformat()


def _minus(now: N | None, then: N | None) -> N | None:
    return None if now is None or then is None else now - then
