"""The day of the demonstration as its public journal tells it, beside the record. Pure."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from services.local.demo_day import Recorded


@dataclass
class Served:
    """A service's day, from the leaves. Waits in minutes, issue to first call."""

    issued: list[str] = field(default_factory=list)
    waits: dict[str, float] = field(default_factory=dict)
    done: int = 0
    absent: int = 0


@dataclass(frozen=True)
class Check:
    """Something that must hold, and whether it did."""

    holds: bool
    text: str


def by_service(leaves: Iterable[bytes]) -> dict[str, Served]:
    """What the journal says of each service, by the letter of the number."""
    services: dict[str, Served] = {}
    issued_at: dict[str, int] = {}
    for leaf in map(json.loads, leaves):
        number = leaf.get("k")
        if number is None:
            continue
        service = services.setdefault(number[0], Served())
        kind = leaf["e"]
        if kind == "issue":
            service.issued.append(number)
            issued_at[number] = leaf["t"]
        elif kind == "call":
            service.waits.setdefault(number, (leaf["t"] - issued_at[number]) / 60_000)
        service.done += kind == "done"
        service.absent += kind == "noshow"
    return services


def consecutive(numbers: Sequence[str]) -> bool:
    """Whether they are 001, 002 … of their letter, in this order."""
    return all(number == f"{number[0]}{i:03}" for i, number in enumerate(numbers, 1))


def table(
    services: Mapping[str, Served], day: Sequence[Recorded], names: Mapping[str, str]
) -> list[str]:
    """A line a service: tickets, calls, and waits beside the recorded ones."""
    head = f"{'':<34}{'tickets':>8}{'calls':>7}{'served':>8}{'absent':>8}"
    lines = [
        f"{'':<65}   waits, minutes       recorded",
        f"{head}   mean   p50   p90   mean   p50   p90",
    ]
    for letter in sorted(services):
        served = services[letter]
        recorded = [ticket.wait for ticket in day if ticket.service == letter]
        lines.append(_row(f"{letter}  {names[letter]}", served, recorded))
    whole = Served(
        issued=[n for served in services.values() for n in served.issued],
        waits={n: w for served in services.values() for n, w in served.waits.items()},
        done=sum(served.done for served in services.values()),
        absent=sum(served.absent for served in services.values()),
    )
    return [*lines, _row("all", whole, [ticket.wait for ticket in day])]


def course(leaves: Iterable[bytes], minute_of: Callable[[float], float]) -> str:
    """When the last number was given and when the last of those people left, by the journal."""
    last = {leaf["e"]: minute_of(leaf["t"]) for leaf in map(json.loads, leaves)}
    given, left = last.get("issue", 0.0), max(last.get("done", 0.0), last.get("noshow", 0.0))
    return f"The last number was given at {shown(given)}, the last person left at {shown(left)}."


def shown(minute: float) -> str:
    """A minute of the day as `17:05`."""
    hours, minutes = divmod(max(0, int(minute)), 60)
    return f"{hours:02}:{minutes:02}"


def checks(
    services: Mapping[str, Served], day: Sequence[Recorded], errors: Mapping[str, int]
) -> list[Check]:
    """What the demonstration promises of the day, apart from the verifier's word."""
    wanted = {letter: sum(t.service == letter for t in day) for letter in {t.service for t in day}}
    issued = {letter: len(served.issued) for letter, served in services.items()}
    unbroken = all(consecutive(served.issued) for served in services.values())
    called = sum(len(served.waits) for served in services.values())
    refusals = ", ".join(f"{count} x {what}" for what, count in sorted(errors.items()))
    return [
        Check(issued == wanted, f"{sum(issued.values())} tickets of {len(day)}"),
        Check(unbroken, "numbers consecutive from 001 in each service" + _not(unbroken)),
        Check(called == len(day), f"{called} tickets called"),
        Check(not errors, f"error responses: {refusals or 'none'}"),
    ]


def quantile(values: Sequence[float], share: float) -> float:
    """The least value that `share` of them do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else 0.0


def _not(holds: bool) -> str:
    return "" if holds else ": NO"


def _row(title: str, served: Served, recorded: Sequence[float]) -> str:
    counts = f"{len(served.issued):>8}{len(served.waits):>7}{served.done:>8}{served.absent:>8}"
    ours, theirs = list(served.waits.values()), recorded
    return f"{_short(title):<34}{counts}{_figures(ours)}{_figures(theirs)}"


def _short(title: str) -> str:
    return title if len(title) < 34 else title[:32] + "…"


def _figures(waits: Sequence[float]) -> str:
    mean = sum(waits) / len(waits) if waits else 0.0
    figures = (mean, quantile(waits, 0.5), quantile(waits, 0.9))
    return " " + "".join(f"{value:>6.1f}" for value in figures)
