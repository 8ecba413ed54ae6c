"""The board: the public state of an office as bytes, the same from every replica.

A pure function of the day's events, the policy document, the records of previous days and what
was frozen when the day opened. The bytes are UTF-8 JSON without spaces, fields in this order:

    {kecamatan, day, event, at, open, notice,
     counters: [{id, state, services, ticket?: {number, state}}],
     calls: [{number, counter, event, at}],
     services: [{code, name, issuing, issued, completed, waiting, priority,
                 forecast: [{position, p50Seconds, p90Seconds}], beyondClosing}]}

`at` is the moment of `event`, and forecasts count from it: no clock is read here. `open` says
whether a number can be taken; `notice` why not, if a supervisor stopped it. `waiting` are runs of
consecutive numbers of one letter ("A013", "A013-A045") in order of arrival over both lanes,
`priority` those of lane PRIORITY. A closed day's board keeps its calls and counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.queue.days import Desks
from services.queue.fold import apply, fresh_day
from services.queue.forecast import Estimate, Forecasts, Table
from services.queue.journal import Event
from services.queue.lines import Line, ServiceLine, to_json
from services.queue.model import Call, Counter, Day, Policy, State
from services.queue.tallies import Tallies

URGENT = frozenset(
    {
        *("call", "recall", "counter.open", "counter.close"),
        *("issue.go", "issue.stop", "day.open", "day.close"),
    }
)
"""What people look up for; everything else only changes a line or a desk."""


def is_urgent(event: Event) -> bool:
    """Whether watchers get the event within 100 ms; they get the others within 1 s."""
    return event.e in URGENT


@dataclass(frozen=True, slots=True)
class FrozenService:
    """`typical_minutes` 0 = not given."""

    name: str
    typical_minutes: int = 0


@dataclass(frozen=True, slots=True)
class Frozen:
    """What the office's file said when the day opened; services by code, in the policy's order.

    `name` is the office's; the board does not show it.
    """

    name: str
    services: Mapping[str, FrozenService]


@dataclass(frozen=True, slots=True)
class Built:
    """A board. `etag` = 32 hex digits of the bytes' hash."""

    body: bytes
    etag: str
    day: str
    event: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a waiting ticket stands; no estimate where there is no forecast."""

    ahead: int
    forecast: Estimate | None


class Boards:
    """The boards of one date, from its first event on. Owns the folded `day`, the `forecasts`, the
    `desks` and the `tallies`, and keeps per service what the next answer can take over."""

    def __init__(
        self, policy: Policy, frozen: Frozen, history: Sequence[Mapping[str, Any]], day: str
    ) -> None:
        self.frozen = frozen
        self.day = fresh_day(policy, day)
        self.desks = Desks()
        self.tallies = Tallies(policy.services)
        typical = {code: service.typical_minutes for code, service in frozen.services.items()}
        self.forecasts = Forecasts(policy, day, typical, history)
        self._services = {code: ServiceLine(code) for code in policy.services}

    def observe(self, event: Event) -> None:
        """Takes everything to the state after `event`, which must be the day's next."""
        joined = self._services[event.s] if event.e == "issue" else None
        before = joined.moment(self.day) if joined else (-1, -1)
        apply(self.day, event)
        if joined:
            joined.join(before, self.day, self.day.tickets[event.k])
        self.forecasts.observe(self.day, event)
        self.desks.observe(self.day, event)
        self.tallies.observe(self.day, event)

    def table(self, service: str) -> Table:
        """The service's forecast now."""
        return self._services[service].table(self.day, self.forecasts)

    def line(self, service: str) -> Line:
        """Who waits for the service now."""
        return self._services[service].line(self.day, self.forecasts)

    def lines(self) -> dict[str, Line]:
        """Who waits now, by service in the policy's order; none before the first event."""
        return {code: self.line(code) for code in self._services} if self.day.n >= 0 else {}

    def place(self, number: str) -> Place | None:
        """Where a ticket stands; None unless it waits."""
        ticket = self.day.tickets.get(number)
        if ticket is None or ticket.state is not State.WAITING:
            return None
        service = self._services[ticket.service]
        ahead = service.standing(self.day).ahead(ticket)
        return Place(ahead, service.estimate(self.day, self.forecasts, ahead + 1))

    def newcomer(self) -> Estimate | None:
        """The wait of someone who takes a number now, at the service that issues with the longest;
        None where none of them has a forecast."""
        waits = [self.newcomer_to(code) for code in self.day.policy.services]
        return max(
            (wait for wait in waits if wait),
            key=lambda wait: (wait.p50_seconds, wait.p90_seconds),
            default=None,
        )

    def newcomer_to(self, service: str) -> Estimate | None:
        """The wait of someone who takes a number of the service now; None where it has no forecast
        or gives no numbers."""
        if not is_issuing(self.day, service):
            return None
        position = _waiting(self.day, service) + 1
        return self._services[service].estimate(self.day, self.forecasts, position)

    def build(self) -> Built:
        """The board after the last event observed."""
        if self.day.n < 0:
            return empty_board(self.day.code)
        body = self._body().encode()
        return Built(body, etag(body), self.day.day, self.day.n)

    def _body(self) -> str:
        day = self.day
        head = to_json(
            {
                "kecamatan": day.code,
                "day": day.day,
                "event": day.n,
                "at": timestamp(day.t),
                "open": is_open(day),
                "notice": notice(day),
                "counters": [_counter(day, counter) for counter in day.counters.values()],
                "calls": [_call(call) for call in day.calls],
            }
        )
        services = ",".join([self._service(code) for code in day.policy.services])
        return f'{head[:-1]},"services":[{services}]}}'

    def _service(self, code: str) -> str:
        day, line = self.day, self._services[code]
        head = to_json(
            {
                "code": code,
                "name": self.frozen.services[code].name,
                "issuing": is_issuing(day, code),
                "issued": day.issued[code],
                "completed": day.completed[code],
            }
        )
        return f"{head[:-1]},{line.waiting(day)},{line.forecast(day, self.forecasts)}}}"


def empty_board(kecamatan: str) -> Built:
    """The board of an office that never had a day."""
    fields = {"kecamatan": kecamatan, "day": "", "event": -1, "at": "", "open": False}
    body = to_json({**fields, "notice": "", "counters": [], "calls": [], "services": []}).encode()
    return Built(body, etag(body), "", -1)


def is_open(day: Day) -> bool:
    """Whether a number can be taken."""
    return day.opened and not day.closed and day.hours_on and day.office_on


def is_issuing(day: Day, service: str) -> bool:
    """Whether a number of the service can be taken, at least at the desk."""
    return is_open(day) and day.used[service] < day.policy.services[service].quota_day


def notice(day: Day) -> str:
    """Why a supervisor stopped issuing; empty otherwise. A stop ends with its day."""
    return "" if day.office_on or day.closed else day.stop_why.upper()


def etag(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]


def timestamp(ms: int) -> str:
    """RFC 3339, UTC, with milliseconds."""
    return f"{datetime.fromtimestamp(ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def _waiting(day: Day, service: str) -> int:
    return sum(len(line) for line in day.waiting[service].values())


def _counter(day: Day, counter: Counter) -> dict[str, Any]:
    shown = {"id": counter.id, "state": counter.state, "services": list(counter.services)}
    if counter.ticket is None:
        return shown
    state = day.tickets[counter.ticket].state
    return {**shown, "ticket": {"number": counter.ticket, "state": state}}


def _call(call: Call) -> dict[str, Any]:
    return {
        "number": call.number,
        "counter": call.counter,
        "event": call.event,
        "at": timestamp(call.t),
    }
