"""The reference state machine: what each verb checks, in which order, and what it writes.

`decide` follows `docs/RULES.md` line by line and changes nothing; production does the same in Lua
and is compared with it. Absent: request replay, whom a counter is bound to (COUNTER_TAKEN), and
the clock: the caller gives `t`, already clamped, and by how much it was clamped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.queue.commands import (
    CallNextTicket,
    CancelTicket,
    CheckInTicket,
    CloseCounter,
    CloseDay,
    Command,
    CompleteTicket,
    CreateTicket,
    HoldTicket,
    OpenCounter,
    RecallTicket,
    RequeueTicket,
    ResumeIssuing,
    ReturnTicket,
    SetCounterServices,
    SetTicketLane,
    SkipTicket,
    StartTicket,
    StopIssuing,
    Tick,
    TransferTicket,
)
from services.queue.fold import number_of, tally_of
from services.queue.journal import Event
from services.queue.model import (
    CLOCK_TOLERANCE_MS,
    RECALL_GAP_MS,
    REMOTE,
    Counter,
    CounterState,
    Day,
    Lane,
    State,
    Ticket,
)
from services.queue.policy import (
    close_at_ms,
    day_bounds_ms,
    hours_ms,
    is_live,
    next_ticket,
    within_hours,
)


class Refused(Exception):  # noqa: N818 - an answer, not an error
    """The verb is refused for `reason` and nothing is written.

    `metadata`: TOO_EARLY has `when` (ms UTC), LIVE_TICKET_EXISTS has `number`.
    """

    def __init__(self, reason: str, **metadata: int | str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.metadata = metadata


Draft = tuple[str, dict[str, Any]]
"""An event's type and own fields, before it has a number."""


def decide(day: Day, command: Command, t: int, clamp: int = 0) -> tuple[Event, ...]:
    """The events that the command writes at `t`, due events first; none where nothing is to do.

    `t` has been clamped by `clamp` ms. Raises `Refused`; ValueError if `t` is before the day's.
    """
    if t < day.t:
        raise ValueError(f"t {t} is before the last event's {day.t}")
    drafts = _drafts(day, command, t, clamp)
    first = day.n + 1
    return tuple(
        Event(day.code, day.day, first + i, t, e, **fields) for i, (e, fields) in enumerate(drafts)
    )


def _drafts(day: Day, command: Command, t: int, clamp: int) -> list[Draft]:
    if isinstance(command, CloseDay):
        return _close_day(day, t)
    if isinstance(command, Tick):
        return _tick(day, t, clamp)
    if _shut(day, t):
        raise Refused("OFFICE_CLOSED")
    own: list[Draft] = _VERBS[type(command)](day, command, t)
    return _due(day, t, clamp) + own if own else []


# By the clock


def _shut(day: Day, t: int) -> bool:
    start, _ = day_bounds_ms(day.policy, day.day)
    return day.closed or not start <= t < close_at_ms(day.policy, day.day)


def _due(day: Day, t: int, clamp: int) -> list[Draft]:
    due: list[Draft] = []
    if not day.opened:
        due.append(("day.open", {"pol": day.policy.hash}))
    if clamp > CLOCK_TOLERANCE_MS and t != day.held_at:
        due.append(("clock", {"ms": clamp}))
    hours = within_hours(day.policy, day.day, t)
    if hours != day.hours_on:
        due.append(("issue.go" if hours else "issue.stop", {"why": "hours"}))
    return due


def _tick(day: Day, t: int, clamp: int) -> list[Draft]:
    if _shut(day, t) or (not day.opened and t < hours_ms(day.policy, day.day)[0][0]):
        return []
    return _due(day, t, clamp)


def _close_day(day: Day, t: int) -> list[Draft]:
    if not day.opened or day.closed or t < close_at_ms(day.policy, day.day):
        return []
    return [("day.close", {"tally": tally_of(day)})]


# Checks that several verbs share


def _counter(day: Day, name: str) -> Counter:
    if name not in day.counters:
        raise Refused("COUNTER_NOT_FOUND")
    return day.counters[name]


def _desk(day: Day, name: str) -> Counter:
    counter = _counter(day, name)
    if counter.state is CounterState.CLOSED:
        raise Refused("COUNTER_CLOSED")
    return counter


def _ticket(day: Day, number: str) -> Ticket:
    if number not in day.tickets:
        raise Refused("TICKET_NOT_FOUND")
    return day.tickets[number]


def _served(day: Day, command: Any, state: State) -> Ticket:
    """The counter's own ticket, which must be in `state`: desk, at(k), state."""
    counter = _desk(day, command.counter)
    ticket = _ticket(day, command.number)
    if counter.ticket != ticket.number:
        raise Refused("TICKET_CHANGED")
    _must(ticket.state is state, "WRONG_STATE")
    return ticket


def _must(holds: bool, reason: str) -> None:
    if not holds:
        raise Refused(reason)


def _at_counter(e: str, command: Any) -> list[Draft]:
    return [(e, {"k": command.number, "c": command.counter})]


# The verbs


def _create_ticket(day: Day, command: CreateTicket, t: int) -> list[Draft]:
    service = day.policy.services.get(command.service)
    if service is None:
        raise Refused("SERVICE_NOT_FOUND")
    _must(command.channel in service.channels, "CHANNEL_NOT_ADMITTED")
    _must(day.office_on, "ISSUING_STOPPED")
    _must(within_hours(day.policy, day.day, t), "OFFICE_CLOSED")
    held = day.holders.get(command.holder) if command.holder else None
    if held and is_live(day, day.tickets[held], t):
        raise Refused("LIVE_TICKET_EXISTS", number=held)
    remote = command.channel in REMOTE and day.web[service.code] >= service.quota_web
    if remote or day.used[service.code] >= service.quota_day:
        raise Refused("QUOTA_EXHAUSTED")
    number = number_of(service.code, day.issued[service.code] + 1)
    lane, channel, holder = command.lane, command.channel, command.holder
    return [("issue", {"k": number, "s": service.code, "l": lane, "ch": channel, "h": holder})]


def _open_counter(day: Day, command: OpenCounter, _: int) -> list[Draft]:
    if _counter(day, command.counter).state is CounterState.OPEN:
        return []
    return [("counter.open", {"c": command.counter})]


def _close_counter(day: Day, command: CloseCounter, _: int) -> list[Draft]:
    _must(_desk(day, command.counter).ticket is None, "COUNTER_BUSY")
    return [("counter.close", {"c": command.counter})]


def _set_counter_services(day: Day, command: SetCounterServices, _: int) -> list[Draft]:
    counter = _counter(day, command.counter)
    known = all(code in day.policy.services for code in command.services)
    _must(known, "SERVICE_NOT_FOUND")
    _must(counter.state is CounterState.CLOSED, "COUNTER_OPEN")
    return [("counter.set", {"c": counter.id, "services": tuple(sorted(set(command.services)))})]


def _call_next_ticket(day: Day, command: CallNextTicket, _: int) -> list[Draft]:
    counter = _desk(day, command.counter)
    _must(counter.ticket is None, "COUNTER_BUSY")
    number = next_ticket(day, counter.id)
    _must(number is not None, "NOBODY_WAITING")
    return [("call", {"k": number, "c": counter.id})]


def _recall_ticket(day: Day, command: RecallTicket, t: int) -> list[Draft]:
    ticket = _served(day, command, State.CALLED)
    when = ticket.last_call + RECALL_GAP_MS
    if t < when:
        raise Refused("TOO_EARLY", when=when)
    return _at_counter("recall", command)


def _start_ticket(day: Day, command: StartTicket, _: int) -> list[Draft]:
    _served(day, command, State.CALLED)
    return _at_counter("start", command)


def _complete_ticket(day: Day, command: CompleteTicket, _: int) -> list[Draft]:
    _served(day, command, State.SERVING)
    return _at_counter("done", command)


def _skip_ticket(day: Day, command: SkipTicket, t: int) -> list[Draft]:
    ticket, rule = _served(day, command, State.CALLED), day.policy.rule
    if ticket.calls < rule.skip_calls or t < ticket.first_call + rule.skip_after * 1000:
        raise Refused("TOO_EARLY", when=skip_at_ms(day, ticket, t))
    return _at_counter("noshow", command)


def skip_at_ms(day: Day, ticket: Ticket, t: int) -> int:
    """The earliest moment at which a CALLED ticket may be skipped, seen from `t`: missing recalls
    follow as soon as they are admitted, the first at `t` at the earliest."""
    rule = day.policy.rule
    when = ticket.first_call + rule.skip_after * 1000
    missing = rule.skip_calls - ticket.calls
    if missing <= 0:
        return when
    first_recall = max(t, ticket.last_call + RECALL_GAP_MS)
    return max(when, first_recall + (missing - 1) * RECALL_GAP_MS)


def _hold_ticket(day: Day, command: HoldTicket, _: int) -> list[Draft]:
    ticket = _served(day, command, State.SERVING)
    _must(ticket.holds < day.policy.rule.hold_times, "LIMIT_REACHED")
    return _at_counter("hold", command)


def _transfer_ticket(day: Day, command: TransferTicket, _: int) -> list[Draft]:
    ticket = _served(day, command, State.SERVING)
    _must(command.service in day.policy.services, "SERVICE_NOT_FOUND")
    _must(command.service != ticket.service, "SAME_SERVICE")
    _must(ticket.transfers < day.policy.rule.transfers, "LIMIT_REACHED")
    return [("xfer", {"k": ticket.number, "c": command.counter, "s": command.service})]


def _return_ticket(day: Day, command: ReturnTicket, t: int) -> list[Draft]:
    ticket, rule = _ticket(day, command.number), day.policy.rule
    away = ticket.state in (State.NO_SHOW, State.ON_HOLD)
    _must(away, "WRONG_STATE")
    if ticket.state is State.NO_SHOW:
        _must(ticket.returns < rule.return_times, "LIMIT_REACHED")
    _must(is_live(day, ticket, t), "RETURN_EXPIRED")
    return [("return", {"k": ticket.number})]


def _cancel_ticket(day: Day, command: CancelTicket, _: int) -> list[Draft]:
    ticket = _ticket(day, command.number)
    cancellable = ticket.state in (State.WAITING, State.ON_HOLD, State.NO_SHOW)
    _must(cancellable, "WRONG_STATE")
    return [("cancel", {"k": ticket.number, "by": command.by})]


def _check_in_ticket(day: Day, command: CheckInTicket, _: int) -> list[Draft]:
    ticket = _ticket(day, command.number)
    _must(ticket.state in (State.WAITING, State.ON_HOLD), "WRONG_STATE")
    _must(not ticket.present, "ALREADY_PRESENT")
    return [("present", {"k": ticket.number})]


def _set_ticket_lane(day: Day, command: SetTicketLane, _: int) -> list[Draft]:
    ticket = _ticket(day, command.number)
    changeable = ticket.state is State.WAITING and ticket.lane is Lane.REGULAR
    _must(changeable, "WRONG_STATE")
    return [("lane", {"k": ticket.number, "l": Lane.PRIORITY})]


def _requeue_ticket(day: Day, command: RequeueTicket, _: int) -> list[Draft]:
    ticket = _ticket(day, command.number)
    _must(ticket.state is State.CALLED, "WRONG_STATE")
    return [("requeue", {"k": ticket.number, "c": ticket.counter})]


def _stop_issuing(day: Day, command: StopIssuing, _: int) -> list[Draft]:
    _must(day.office_on, "ALREADY_STOPPED")
    return [("issue.stop", {"why": command.why})]


def _resume_issuing(day: Day, _: ResumeIssuing, __: int) -> list[Draft]:
    _must(not day.office_on, "NOT_STOPPED")
    return [("issue.go", {"why": day.stop_why})]


_VERBS: dict[type, Callable[[Day, Any, int], list[Draft]]] = {
    CreateTicket: _create_ticket,
    OpenCounter: _open_counter,
    CloseCounter: _close_counter,
    SetCounterServices: _set_counter_services,
    CallNextTicket: _call_next_ticket,
    RecallTicket: _recall_ticket,
    StartTicket: _start_ticket,
    CompleteTicket: _complete_ticket,
    SkipTicket: _skip_ticket,
    HoldTicket: _hold_ticket,
    TransferTicket: _transfer_ticket,
    ReturnTicket: _return_ticket,
    CancelTicket: _cancel_ticket,
    CheckInTicket: _check_in_ticket,
    SetTicketLane: _set_ticket_lane,
    RequeueTicket: _requeue_ticket,
    StopIssuing: _stop_issuing,
    ResumeIssuing: _resume_issuing,
}
