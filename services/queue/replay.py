"""The replay of a day: leaf by leaf against the policy, collecting what breaks a rule.

It goes on after a breach wherever the state allows: an event whose names are known takes effect
even if the rules forbid it, so that one breach is not told as many. It never raises on bad input.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from services.queue.checks import broken_rules, unknown_names
from services.queue.findings import Finding
from services.queue.fold import apply, fresh_day
from services.queue.indicators import Watch, indicators
from services.queue.journal import Event, Malformed, Unknown, parse
from services.queue.model import Day, Policy
from services.queue.policy import close_at_ms, day_bounds_ms, hours_ms


class Verdict(StrEnum):
    CLEAN = "CLEAN"
    BREACH = "BREACH"
    CANNOT_JUDGE = "CANNOT_JUDGE"


@dataclass(frozen=True, slots=True)
class Report:
    """`leaves` counts the lines read; breaches and notes stand in the order of the journal."""

    verdict: Verdict
    code: str
    day: str
    leaves: int
    breaches: tuple[Finding, ...] = ()
    indicators: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()


@dataclass(slots=True)
class Replay:
    """The day so far, and what was found. `expected` is the n that the next leaf must have."""

    policy: Policy
    day: Day | None = None
    close_at: int = 0
    bounds: tuple[int, int] = (0, 0)
    hours: tuple[tuple[int, int], ...] = ()
    watch: Watch = field(default_factory=lambda: Watch(()))
    line: int = 0
    expected: int = 0
    last_t: int = 0
    judging: bool = True
    breaches: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)

    def take(self, leaf: bytes) -> None:
        self.line += 1
        try:
            event = parse(leaf)
        except Unknown:
            self.judging = False
            self.notes.append(Finding("CANNOT_JUDGE", line=self.line))
        except Malformed as malformed:
            self._found("NOT_CANONICAL", self.expected, reason=str(malformed))
            self.expected += 1
        else:
            self._judge(event)

    def _found(self, code: str, event: int, **facts: str | int) -> None:
        self.breaches.append(Finding(code, event, self.line, facts))

    def _judge(self, event: Event) -> None:
        day = self.day or self._begin(event)
        self._check_head(day, event)
        if self._check_place(day, event):
            self._check_rules(day, event)
        self.expected, self.last_t = event.n + 1, event.t

    def _begin(self, event: Event) -> Day:
        self.day = fresh_day(self.policy, event.d)
        self.bounds = day_bounds_ms(self.policy, event.d)
        self.close_at = close_at_ms(self.policy, event.d)
        self.hours = hours_ms(self.policy, event.d)
        self.watch.hours = self.hours
        if event.e != "day.open":
            self._found("OPEN_MISSING", event.n)
        return self.day

    def _check_head(self, day: Day, event: Event) -> None:
        if event.n != self.expected:
            self._found("EVENT_GAP", event.n, expected=self.expected)
        if event.o != day.code:
            self._found("WRONG_OFFICE", event.n, found=event.o, expected=day.code)
        if event.d != day.day:
            self._found("WRONG_DATE", event.n, found=event.d, expected=day.day)
        if event.t < self.last_t:
            self._found("TIME_BACKWARD", event.n, back=self.last_t - event.t)
        late = event.t >= self.close_at and event.e != "day.close" and not day.closed
        if late or event.t < self.bounds[0]:
            self._found("OUTSIDE_DAY", event.n, type=event.e)

    def _check_place(self, day: Day, event: Event) -> bool:
        """Whether the event stands where it can have an effect."""
        if day.closed:
            self._found("AFTER_CLOSE", event.n, type=event.e)
            return False
        if event.e != "day.open":
            return True
        if day.opened:
            self._found("OPEN_TWICE", event.n)
        if event.pol != self.policy.hash:
            expected = self.policy.hash
            self._found("POLICY_DIFFERS", event.n, found=event.pol, expected=expected)
        return True

    def _check_rules(self, day: Day, event: Event) -> None:
        in_hours = any(opens <= event.t < closes for opens, closes in self.hours)
        if day.hours_on is not in_hours and not _may_precede_hours(event):
            self._found("HOURS_NOT_WRITTEN", event.n)
            day.hours_on = in_hours
        broken = list(unknown_names(day, event))
        known = not broken
        if known:
            broken = list(broken_rules(day, event, in_hours))
        for code, facts in broken:
            self._found(code, event.n, **facts)
        if known and not (event.e == "issue" and event.k in day.tickets):
            apply(day, event)
            _resume_numbers(day, event)
            self.watch.see(day, event)

    def report(self, closed: bool) -> Report:
        day = self.day
        if not self.line:
            self.notes.append(Finding("NO_EVENTS"))
        elif self.judging and not (day and day.closed):
            self._end_open(closed)
        asked = indicators(self.watch, day, self.close_at) if day else ()
        return Report(
            verdict=self._verdict(),
            code=self.policy.code,
            day=day.day if day else "",
            leaves=self.line,
            breaches=tuple(self.breaches),
            indicators=asked,
            notes=tuple(self.notes),
        )

    def _end_open(self, closed: bool) -> None:
        last = self.expected - 1
        if closed:
            self._found("CLOSE_MISSING", last)
        else:
            self.notes.append(Finding("DAY_OPEN", last))

    def _verdict(self) -> Verdict:
        if self.breaches:
            return Verdict.BREACH
        return Verdict.CLEAN if self.judging and self.line else Verdict.CANNOT_JUDGE


def _may_precede_hours(event: Event) -> bool:
    """The events that stand before, or are, the issue.go or issue.stop of the hours."""
    return event.e in ("day.open", "clock", "day.close") or event.why == "hours"


def _resume_numbers(day: Day, event: Event) -> None:
    """After a number out of turn the count goes on from it, so that it is found once."""
    if event.e == "issue" and event.k[0] == event.s:
        day.issued[event.s] = int(event.k[1:])
