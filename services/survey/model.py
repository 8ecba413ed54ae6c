"""Answers, and the cells in which a day counts them.

A day's counts are a flat map of cells, because that is what a script can raise by one and what
may be kept for ever: no cell crosses the counter with the hour or the service, none has a ticket.

    t:<answer>                      all
    s:<service>:<hour>:<answer>     by service and local hour of issue (as the queue's GetDay)
    c:<counter>:<answer>            by counter
    r:<service>:<reason>            why not satisfied
    q:<service>                     questionnaires
    q:<service>:<unsur>:<rating>    their ratings
    p:<field>:<value>               what respondents said of themselves

Pure: no Redis, no gRPC, no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

NAME = "Kepuasan Cepat"
"""What the three buttons' figures are called, everywhere; never IKM."""


class Answer(Enum):
    """The three buttons, in their order; the value is the cell's."""

    VERY_SATISFIED = "V"
    SATISFIED = "S"
    NOT_SATISFIED = "N"


class Reason(Enum):
    """Why somebody is not satisfied."""

    WAITING = "WAITING"
    OFFICER = "OFFICER"
    REQUIREMENTS = "REQUIREMENTS"
    COST = "COST"
    PLACE = "PLACE"


@dataclass(frozen=True, slots=True)
class Served:
    """A completed ticket, as far as the survey needs to know it. `completed_at` is ms UTC,
    `hour` the local hour in which the number was issued."""

    code: str
    day: str
    number: str
    service: str
    counter: str
    hour: int
    completed_at: int


@dataclass(frozen=True, slots=True)
class Completed:
    """How many tickets a day has completed."""

    total: int = 0
    services: Mapping[str, int] = field(default_factory=dict)
    counters: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DayRecord:
    """What is known of a day. `completed` is None while the queue cannot be asked."""

    day: str
    closed: bool
    counts: Mapping[str, int]
    completed: Completed | None = None


def answer_cells(answer: Answer, reasons: Iterable[Reason], served: Served) -> list[str]:
    """What one answer raises."""
    value = answer.value
    cells = [f"t:{value}", f"s:{served.service}:{served.hour}:{value}"]
    cells += [f"c:{served.counter}:{value}"] if served.counter else []
    return cells + [f"r:{served.service}:{reason.value}" for reason in reasons]


def assessment_cells(
    ratings: Mapping[str, int], profile: Mapping[str, str], served: Served
) -> list[str]:
    """What one questionnaire raises. `ratings` by unsur, `profile` without empty answers."""
    head = f"q:{served.service}"
    rated = [f"{head}:{unsur}:{rating}" for unsur, rating in ratings.items()]
    return [head, *rated, *(f"p:{name}:{value}" for name, value in profile.items())]


def cells_of(counts: Mapping[str, int], kind: str) -> Iterator[tuple[list[str], int]]:
    """The cells of a kind (`s`, `c` …): their further parts and the count."""
    for cell, count in counts.items():
        if cell.startswith(kind) and cell[len(kind)] == ":":
            yield cell.split(":")[1:], count
