"""Days to try the rules on: an office driven by hand, and random days over all verbs.

A random day is a list of steps, each a raw clock reading and a command, so that another
implementation can be driven with the same steps and compared answer by answer. Readings go back
now and then: `Office.do` clamps them as production does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from typing import Any

from services.queue import commands as verb
from services.queue.fold import apply, fresh_day
from services.queue.journal import Event, encode
from services.queue.model import Channel, CounterState, Day, Lane, Policy, State
from services.queue.policy import canonical, close_at_ms, hours_ms, parse_policy
from services.queue.verbs import Refused, decide

DATE = "2026-03-02"
MINUTE = 60_000
CHANNELS = ["DESK", "KIOSK", "WEB", "WHATSAPP"]


def service_entry(code: str, day: int = 9999, web: int | None = None, channels=CHANNELS) -> dict:
    web = day if web is None else web
    return {"channels": sorted(channels), "code": code, "quota": {"day": day, "web": web}}


def rule_entry(
    priority_after: int = 2,
    skip: tuple[int, int] = (3, 90),
    back: tuple[int, int, int] = (3, 3600, 1),
    hold: tuple[int, int] = (2, 7200),
    transfers: int = 3,
) -> dict:
    """skip = calls, after; back = afterCalls, within, times; hold = times, within."""
    return {
        "hold": {"times": hold[0], "within": hold[1]},
        "priorityAfter": priority_after,
        "return": {"afterCalls": back[0], "times": back[2], "within": back[1]},
        "skip": {"after": skip[1], "calls": skip[0]},
        "transfers": transfers,
    }


def document(
    counters: dict[str, str] | None = None,
    services: Iterable[dict] | str = "AB",
    hours: Iterable[tuple[str, str]] = (("07:30", "12:00"), ("13:00", "15:30")),
    rule: dict | None = None,
    timezone: str = "Asia/Makassar",
) -> bytes:
    """A policy document; counters as id → letters."""
    entries = [service_entry(s) if isinstance(s, str) else s for s in services]
    counters = {"1": "AB", "2": "A"} if counters is None else counters
    return canonical(
        {
            "code": "73.71.03",
            "counters": [{"id": c, "services": sorted(set(s))} for c, s in counters.items()],
            "hours": [{"close": close, "open": opens} for opens, close in hours],
            "rule": rule or rule_entry(),
            "services": entries,
            "timezone": timezone,
        }
    )


@lru_cache(maxsize=256)
def _policy(text: bytes) -> Policy:
    return parse_policy(text)


@dataclass
class Office:
    """A day that is driven through `decide`; `at` is the clock in ms after its first opening."""

    text: bytes = field(default_factory=document)
    date: str = DATE
    at: int = 0

    def __post_init__(self) -> None:
        self.policy = _policy(self.text)
        self.day: Day = fresh_day(self.policy, self.date)
        self.events: list[Event] = []
        hours = hours_ms(self.policy, self.date)
        self.opening = hours[0][0] if hours else 0

    @property
    def leaves(self) -> list[bytes]:
        return [encode(event) for event in self.events]

    def do(self, command: verb.Command, after: int = 0) -> tuple[Event, ...]:
        """The command `after` ms later, folded into the day. Raises Refused."""
        self.at += after
        return self.read(command, self.opening + self.at)

    def read(self, command: verb.Command, clock: int) -> tuple[Event, ...]:
        """The command at a raw clock reading."""
        t = max(clock, self.day.t)
        events = decide(self.day, command, t, t - clock)
        for event in events:
            apply(self.day, event)
        self.events += events
        return events

    def accepts(self, command: verb.Command, clock: int) -> bool:
        try:
            return bool(decide(self.day, command, max(clock, self.day.t)))
        except Refused:
            return False

    def refuses(self, command: verb.Command, after: int = 0) -> str:
        """The reason for which the command is refused."""
        try:
            events = self.do(command, after)
        except Refused as refused:
            return refused.reason
        raise AssertionError(f"accepted: {events}")

    # The steps that most tests are made of

    def opened(self, *counters: str) -> Office:
        for counter in counters:
            self.do(verb.OpenCounter(counter))
        return self

    def take(self, service: str = "A", lane: Lane = Lane.REGULAR, **more: Any) -> str:
        return self.do(verb.CreateTicket(service, lane, **more))[-1].k

    def call(self, counter: str = "1", after: int = 1000) -> str:
        return self.do(verb.CallNextTicket(counter), after)[-1].k

    def serve(self, counter: str = "1", after: int = 1000) -> str:
        """Call, start and complete the next; its number."""
        number = self.call(counter, after)
        self.do(verb.StartTicket(counter, number))
        self.do(verb.CompleteTicket(counter, number), MINUTE)
        return number

    def skip(self, counter: str, number: str) -> None:
        """All recalls that the rule asks for, then no-show."""
        rule = self.policy.rule
        for _ in range(rule.skip_calls - 1):
            self.do(verb.RecallTicket(counter, number), 20_000)
        self.do(verb.SkipTicket(counter, number), rule.skip_after * 1000)

    def close(self) -> None:
        self.read(verb.CloseDay(), close_at_ms(self.policy, self.date))


# Random days


@dataclass(frozen=True)
class Step:
    """One command at a raw clock reading (ms UTC, may be before the last one)."""

    clock: int
    command: verb.Command


@dataclass
class RandomDay:
    """A day's steps and what the reference answered: events, or the refusal."""

    office: Office
    steps: list[Step] = field(default_factory=list)
    answers: list[tuple[Event, ...] | Refused] = field(default_factory=list)

    def take(self, step: Step) -> None:
        self.steps.append(step)
        try:
            self.answers.append(self.office.read(step.command, step.clock))
        except Refused as refused:
            self.answers.append(refused)


def random_document(rng: Random) -> bytes:
    codes = "ABC"[: rng.randint(1, 3)]
    counters = {
        str(i + 1): "".join(rng.sample(codes, rng.randint(1, len(codes))))
        for i in range(rng.randint(1, 4))
    }
    hours = rng.choice(
        [
            (("07:30", "12:00"), ("13:00", "15:30")),
            (("08:00", "11:30"),),
            (("00:00", "24:00"),),
            (("13:00", "23:30"),),
        ]
    )
    rule = rule_entry(
        rng.randint(0, 3),
        (rng.randint(1, 3), rng.choice([0, 30, 90])),
        (rng.randint(0, 4), rng.choice([60, 600, 3600]), rng.randint(0, 2)),
        (rng.randint(0, 2), rng.choice([60, 1200])),
        rng.randint(0, 3),
    )
    services = [_random_service(rng, code) for code in codes]
    timezone = rng.choice(["Asia/Makassar", "Europe/Warsaw"])
    return document(counters, services, hours, rule, timezone)


def _random_service(rng: Random, code: str) -> dict:
    channels = rng.choice([CHANNELS, CHANNELS, CHANNELS, ["DESK", "KIOSK"]])
    day = rng.choice([9999, 9999, 12, 40])
    return service_entry(code, day, rng.choice([day, day // 2]), channels)


def random_day(rng: Random, steps: int = 300, close: bool = True) -> RandomDay:
    """A day of `steps` commands, most of them sensible; `close` ends it at its close_at."""
    day = RandomDay(Office(random_document(rng)))
    office = day.office
    clock = office.opening + rng.choice([-90 * MINUTE, -1000, 0, 0, 0, MINUTE])
    for _ in range(steps):
        clock = max(0, clock + _passing(rng))
        day.take(Step(clock, _likely(rng, office, clock)))
    if close:
        clock = max(clock, close_at_ms(office.policy, office.date) + rng.choice([-1, 0, 5000]))
        day.take(Step(clock, verb.CloseDay()))
        day.take(Step(clock + 1, _command(rng, office.day)))
    return day


def _passing(rng: Random) -> int:
    """How far the clock moves to the next step, ms."""
    kind = rng.random()
    if kind < 0.03:
        return -rng.choice([1, 4999, 5000, 5001, 9000])
    if kind < 0.04:
        return rng.randint(10, 60) * MINUTE
    if kind < 0.5:
        return rng.choice([0, 0, 1, 500])
    return rng.choice([1000, 19_999, 20_000, 20_001, 30_000, 90_000])


def _likely(rng: Random, office: Office, clock: int) -> verb.Command:
    """A command that is refused now and then, not most of the time."""
    for _ in range(3):
        command = _command(rng, office.day)
        if rng.random() < 0.15 or office.accepts(command, clock):
            break
    return command


def _command(rng: Random, day: Day) -> verb.Command:
    names = list(_CHOICES)
    choose = rng.choices(names, [_CHOICES[name][0] for name in names])[0]
    return _CHOICES[choose][1](rng, day)


def _mostly(rng: Random, sensible: list[str], otherwise: list[str]) -> str:
    pool = sensible if sensible and rng.random() < 0.9 else otherwise
    return rng.choice(pool)


def _any_number(day: Day) -> list[str]:
    return [*list(day.tickets)[-20:], "A999", "Z001"]


def _number(rng: Random, day: Day, *states: State) -> str:
    fitting = [k for k, ticket in day.tickets.items() if ticket.state in states]
    return _mostly(rng, fitting, _any_number(day))


def _away(rng: Random, day: Day) -> str:
    """Mostly who went away last, so that some return before their time is up."""
    away = [k for k, ticket in day.tickets.items() if ticket.state in _AWAY]
    if away and rng.random() < 0.6:
        return max(away, key=lambda k: day.tickets[k].event)
    return _mostly(rng, away, _any_number(day))


def _counter(rng: Random, day: Day, fits: Callable[[Any], bool]) -> str:
    fitting = [c for c, counter in day.counters.items() if fits(counter)]
    return _mostly(rng, fitting, [*day.counters, "9"])


def _busy(rng: Random, day: Day, state: State) -> tuple[str, str]:
    """A counter and the ticket it has in `state`, mostly."""
    held = [(c, k.ticket) for c, k in day.counters.items() if k.ticket]
    fitting = [pair for pair in held if day.tickets[pair[1]].state is state]
    if fitting and rng.random() < 0.93:
        return rng.choice(fitting)
    return rng.choice([*day.counters, "9"]), rng.choice(_any_number(day))


def _service(rng: Random, day: Day) -> str:
    return _mostly(rng, list(day.policy.services), ["Z"])


def _create(rng: Random, day: Day) -> verb.Command:
    lane = Lane.PRIORITY if rng.random() < 0.3 else Lane.REGULAR
    holder = f"{rng.randint(1, 30):032x}" if rng.random() < 0.4 else ""
    return verb.CreateTicket(_service(rng, day), lane, rng.choice(list(Channel)), holder)


def _set(rng: Random, day: Day) -> verb.Command:
    codes = list(day.policy.services)
    chosen = rng.sample(codes, rng.randint(1, len(codes)))
    closed = _counter(rng, day, lambda c: c.state is CounterState.CLOSED)
    return verb.SetCounterServices(closed, tuple(chosen + (["Z"] if rng.random() < 0.1 else [])))


def _transfer(rng: Random, day: Day) -> verb.Command:
    return verb.TransferTicket(*_busy(rng, day, State.SERVING), _service(rng, day))


_AWAY = (State.NO_SHOW, State.ON_HOLD)
_Build = Callable[[Random, Day], verb.Command]
_CHOICES: dict[str, tuple[float, _Build]] = {
    "create": (22, _create),
    "open": (
        4,
        lambda r, d: verb.OpenCounter(_counter(r, d, lambda c: c.state is CounterState.CLOSED)),
    ),
    "close": (1.5, lambda r, d: verb.CloseCounter(_counter(r, d, lambda c: not c.ticket))),
    "set": (1.5, _set),
    "call": (
        16,
        lambda r, d: verb.CallNextTicket(
            _counter(r, d, lambda c: c.state is CounterState.OPEN and not c.ticket)
        ),
    ),
    "recall": (9, lambda r, d: verb.RecallTicket(*_busy(r, d, State.CALLED))),
    "start": (10, lambda r, d: verb.StartTicket(*_busy(r, d, State.CALLED))),
    "complete": (6, lambda r, d: verb.CompleteTicket(*_busy(r, d, State.SERVING))),
    "skip": (8, lambda r, d: verb.SkipTicket(*_busy(r, d, State.CALLED))),
    "hold": (3, lambda r, d: verb.HoldTicket(*_busy(r, d, State.SERVING))),
    "transfer": (3, _transfer),
    "return": (8, lambda r, d: verb.ReturnTicket(_away(r, d))),
    "cancel": (
        2,
        lambda r, d: verb.CancelTicket(
            _number(r, d, State.WAITING, *_AWAY), r.choice(["holder", "desk"])
        ),
    ),
    "present": (3, lambda r, d: verb.CheckInTicket(_number(r, d, State.WAITING, State.ON_HOLD))),
    "lane": (3, lambda r, d: verb.SetTicketLane(_number(r, d, State.WAITING))),
    "requeue": (1.5, lambda r, d: verb.RequeueTicket(_number(r, d, State.CALLED))),
    "stop": (0.7, lambda r, d: verb.StopIssuing(r.choice(["power", "disaster", "full", "other"]))),
    "resume": (2, lambda r, d: verb.ResumeIssuing()),
    "tick": (2, lambda r, d: verb.Tick()),
    "closeday": (0.5, lambda r, d: verb.CloseDay()),
}
