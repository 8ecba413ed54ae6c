"""The closed form on recorded days of Warsaw's district offices, 13 to 15 January 2020.

`pytest -s tests/queue/test_forecast_warsaw.py` prints what docs/FORECAST.md quotes. The recording
has no ends of service, so counters are exposed only while somebody waits, and the calls of people
who found nobody before them, which would have no exposure, are left out of the rate (not of the
judgement). Arrivals and calls are known to about 5 minutes; their middles are taken. Each day is
forecast from the days before it, from 30 December on, without typical minutes.
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from statistics import mean

import pytest

from services.queue.forecast import DEFAULT_MINUTES, PRIOR_CALLS, Outlook, usual_call_ms
from services.queue.rates import Rate, WorkingTime
from tests.queue.days import MINUTE

RECORDING = Path(__file__).parents[3] / "shared" / "data" / "warsaw_tickets.csv.gz"
FIRST_JUDGED = "2020-01-13"
YEAR_END = ("2019-12-30", "2019-12-31")
JANUARY = ("2020-01-13", "2020-01-14")
LEVELS = (0.1, 0.5, 0.9)
ALL_DAY = WorkingTime(((0, 24 * 60 * MINUTE),))
ROW = "{:<22} {:>7} {:>6.2f} {:>5.1f} {:>8.2f} {:>6.1f} {:>6.1f} {:>5.1f}  {}"


@dataclass(frozen=True)
class Recorded:
    """A ticket; times are ms after midnight. `whole`: arrival and call have both bounds."""

    office: str
    queue: str
    date: str
    arrived: int
    called: int
    counters: int
    whole: bool


@dataclass(frozen=True)
class Outcome:
    """A forecast and what came true, minutes."""

    office: str
    waited: float
    quantiles: tuple[float, ...]


def recorded() -> list[Recorded]:
    with gzip.open(RECORDING, "rt", newline="") as lines:
        return [
            Recorded(
                row["office"],
                row["queue_id"],
                row["date"],
                _middle(row["arr_lo"], row["arr_hi"]),
                _middle(row["call_lo"], row["call_hi"]),
                int(row["open_counters_at_arr"]),
                all(row[bound] for bound in ("arr_lo", "arr_hi", "call_lo", "call_hi")),
            )
            for row in csv.DictReader(lines)
            if row["call_lo"] or row["call_hi"]
        ]


def _middle(*bounds: str) -> int:
    """Of the bounds that are known."""
    return int(mean(float(bound) for bound in bounds if bound) * MINUTE)


class Replay:
    """One service's day in the order of time; forecasts at each arrival."""

    def __init__(self, call_ms: float) -> None:
        self.rate, self.call_ms = Rate(), call_ms
        self.waiting, self.counters = 0, 1

    def outcomes(self, tickets: list[Recorded]) -> Iterator[Outcome]:
        calls = [(ticket.called, 0, ticket) for ticket in tickets]
        arrivals = [(ticket.arrived, 1, ticket) for ticket in tickets]
        moments = sorted(calls + arrivals, key=lambda moment: moment[:2])
        for t, arriving, ticket in moments:
            if not arriving:
                self._call(t, ticket)
                continue
            self.counters = max(1, ticket.counters)
            self._wait(t, 1 if ticket.called > t else 0)
            if ticket.whole:
                yield self._outcome(t, ticket)

    def _call(self, t: int, ticket: Recorded) -> None:
        if ticket.called > ticket.arrived:
            self._wait(t, -1)
            self.rate.call(t)

    def _wait(self, t: int, more: int) -> None:
        self.waiting += more
        self.rate.expose(self.counters if self.waiting else 0, t)

    def _outcome(self, t: int, ticket: Recorded) -> Outcome:
        outlook = Outlook(
            t=t,
            time=ALL_DAY,
            counters=self.counters,
            calls=PRIOR_CALLS + self.rate.recent_calls,
            exposure=PRIOR_CALLS * self.call_ms + self.rate.recent_exposure,
        )
        waits = tuple(outlook.work_ms(q, max(1, self.waiting)) / MINUTE for q in LEVELS)
        return Outcome(ticket.office, (ticket.called - ticket.arrived) / MINUTE, waits)


def backtest(tickets: list[Recorded], first: str) -> list[Outcome]:
    """Day after day, each with the records of the days before it; judged from `first` on."""
    outcomes: list[Outcome] = []
    history: dict[str, list[dict]] = defaultdict(list)
    services: dict[str, set[str]] = defaultdict(set)
    for ticket in tickets:
        services[ticket.office].add(ticket.queue)
    by_day = attrgetter("date", "office")
    for (date, office), group in groupby(sorted(tickets, key=by_day), key=by_day):
        minutes = dict.fromkeys(services[office], DEFAULT_MINUTES)
        usual = usual_call_ms(minutes, history[office])
        seen, results = {}, []
        by_queue = sorted(group, key=attrgetter("queue"))
        for queue, line in groupby(by_queue, key=attrgetter("queue")):
            replay = Replay(usual[queue])
            results += list(replay.outcomes(list(line)))
            rate = replay.rate
            seen[queue] = {"calls": rate.calls, "busy_seconds": rate.exposure // 1000}
        history[office].append({"day": date, "services": seen})
        if date >= first:
            outcomes += results
    return outcomes


def pinball(outcome: Outcome) -> float:
    errors = [(outcome.waited - wait, q) for q, wait in zip(LEVELS, outcome.quantiles, strict=True)]
    return float(mean(max(q * error, (q - 1) * error) for error, q in errors))


def share(flags) -> float:
    return float(100 * mean(flags))


def report(outcomes: list[Outcome]) -> dict[str, float]:
    errors = [outcome.waited - outcome.quantiles[1] for outcome in outcomes]
    offices = {outcome.office for outcome in outcomes}
    kept = [
        share(o.waited <= o.quantiles[2] for o in outcomes if o.office == office)
        for office in offices
    ]
    return {
        "mae": mean(map(abs, errors)),
        "rmse": mean(error**2 for error in errors) ** 0.5,
        "pinball": mean(map(pinball, outcomes)),
        "cov80": share(o.quantiles[0] <= o.waited <= o.quantiles[2] for o in outcomes),
        "width": mean(o.quantiles[2] - o.quantiles[0] for o in outcomes),
        "p90_least": min(kept),
        "p90_most": max(kept),
        "p90": share(o.waited <= o.quantiles[2] for o in outcomes),
    }


@pytest.mark.skipif(not RECORDING.exists(), reason=f"../shared/data/{RECORDING.name} is absent")
def test_the_raw_closed_form_keeps_its_word_on_recorded_days():
    tickets = recorded()
    print("\nminutes                      n    MAE  RMSE  pinball  cov80  width   P90  by office")
    outcomes = _printed("13 to 15 January", backtest(tickets, FIRST_JUDGED))
    _printed("of these, W > 0", [outcome for outcome in outcomes if outcome.waited > 0])
    for days, name in ((YEAR_END, "30, 31 December, cold"), (JANUARY, "13, 14 January, cold")):
        cold = [ticket for ticket in tickets if ticket.date in days]
        _printed(name, backtest(cold, days[0]))
    seen = report(outcomes)
    assert seen["mae"] < 9
    assert seen["pinball"] < 3
    assert 90 < seen["p90"] < 98


def _printed(name: str, outcomes: list[Outcome]) -> list[Outcome]:
    seen = report(outcomes)
    figures = [seen[key] for key in ("mae", "rmse", "pinball", "cov80", "width", "p90")]
    by_office = f"{seen['p90_least']:.0f}-{seen['p90_most']:.0f}"
    print(ROW.format(name, len(outcomes), *figures, by_office))
    return outcomes
