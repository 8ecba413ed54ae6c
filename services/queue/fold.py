"""The fold: a day's state after its next leaf.

`apply` trusts the event: it judges nothing, and works for every event whose ticket, counter and
services exist. Each event costs O(log n) comparisons, day.close O(n).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable

from services.queue.journal import Event
from services.queue.model import (
    BOARD_CALLS,
    REMOTE,
    Call,
    Counter,
    CounterState,
    Day,
    Lane,
    Policy,
    State,
    Tally,
    Ticket,
)


def fresh_day(policy: Policy, day: str) -> Day:
    """The date before its first event: counters CLOSED with the policy's sets."""
    codes = list(policy.services)
    credit = policy.rule.priority_after
    return Day(
        code=policy.code,
        day=day,
        policy=policy,
        waiting={code: {lane: [] for lane in Lane} for code in codes},
        cs=dict.fromkeys(codes, 0),
        issued=dict.fromkeys(codes, 0),
        used=dict.fromkeys(codes, 0),
        web=dict.fromkeys(codes, 0),
        completed=dict.fromkeys(codes, 0),
        lines=dict.fromkeys(codes, -1),
        late={code: set() for code in codes},
        counters={name: Counter(name, served, credit) for name, served in policy.counters.items()},
    )


def apply(day: Day, event: Event) -> None:
    """Takes the day to the state after `event`."""
    day.n, day.t = event.n, event.t
    _EFFECTS[event.e](day, event)


def number_of(service: str, count: int) -> str:
    """The count-th number of a service."""
    return f"{service}{count:03d}"


def tally_of(day: Day) -> Tally:
    """The totals of a closed day; on a running one, as if it closed now."""
    states = [ticket.state for ticket in day.tickets.values()]
    done, noshow = states.count(State.COMPLETED), states.count(State.NO_SHOW)
    cancel = states.count(State.CANCELLED)
    return Tally(len(states), done, noshow, cancel, len(states) - done - noshow - cancel)


def _leave(day: Day, ticket: Ticket) -> None:
    """Takes the ticket out of its line or frees its counter."""
    if ticket.state is State.WAITING:
        line = day.waiting[ticket.service][ticket.lane]
        del line[bisect_left(line, (ticket.ord, ticket.number))]
        day.late[ticket.service].discard(ticket.number)
        day.lines[ticket.service] = day.n
    elif ticket.counter and day.counters[ticket.counter].ticket == ticket.number:
        day.counters[ticket.counter].ticket = None


def _enter(ticket: Ticket, state: State, event: Event) -> None:
    ticket.state, ticket.since, ticket.event = state, event.t, event.n


def _line_up(day: Day, ticket: Ticket, event: Event) -> None:
    _join(day, ticket)
    day.lines[ticket.service] = event.n
    ticket.counter = None
    _enter(ticket, State.WAITING, event)


def _join(day: Day, ticket: Ticket) -> None:
    insort(day.waiting[ticket.service][ticket.lane], (ticket.ord, ticket.number))
    if ticket.nb:
        day.late[ticket.service].add(ticket.number)


def _at_counter(day: Day, event: Event, state: State) -> Ticket:
    """The ticket leaves where it was and is in `state` at the event's counter."""
    ticket, counter = day.tickets[event.k], day.counters[event.c]
    _leave(day, ticket)
    counter.ticket, counter.event, ticket.counter = ticket.number, event.n, counter.id
    _enter(ticket, state, event)
    return ticket


def _off_counter(day: Day, event: Event, state: State) -> Ticket:
    """The ticket leaves its counter for `state`."""
    ticket = day.tickets[event.k]
    _leave(day, ticket)
    day.counters[event.c].event, ticket.counter = event.n, None
    _enter(ticket, state, event)
    return ticket


def _day_open(day: Day, _: Event) -> None:
    day.opened = True


def _issue_go(day: Day, event: Event) -> None:
    if event.why == "hours":
        day.hours_on = True
    else:
        day.office_on, day.stop_why = True, ""


def _issue_stop(day: Day, event: Event) -> None:
    if event.why == "hours":
        day.hours_on = False
    else:
        day.office_on, day.stop_why = False, event.why


def _counter_open(day: Day, event: Event) -> None:
    counter = day.counters[event.c]
    counter.state, counter.event = CounterState.OPEN, event.n


def _counter_close(day: Day, event: Event) -> None:
    counter = day.counters[event.c]
    counter.state, counter.event = CounterState.CLOSED, event.n


def _counter_set(day: Day, event: Event) -> None:
    counter = day.counters[event.c]
    counter.services, counter.event = event.services, event.n


def _issue(day: Day, event: Event) -> None:
    ticket = Ticket(
        number=event.k,
        service=event.s,
        issued_for=event.s,
        lane=event.l,
        channel=event.ch,
        holder=event.h,
        ord=event.n,
        issued_at=event.t,
        since=event.t,
        event=event.n,
    )
    day.tickets[ticket.number] = ticket
    day.issued[event.s] += 1
    day.used[event.s] += 1
    day.web[event.s] += event.ch in REMOTE
    if event.h:
        day.holders[event.h] = ticket.number
    _line_up(day, ticket, event)


def _call(day: Day, event: Event) -> None:
    ticket, counter = _at_counter(day, event, State.CALLED), day.counters[event.c]
    ticket.calls, ticket.first_call, ticket.last_call = 1, event.t, event.t
    if ticket.called_at is None:
        ticket.called_at = event.t
    for service in counter.services:
        day.cs[service] += 1
    after = day.policy.rule.priority_after
    counter.credit = 0 if ticket.lane is Lane.PRIORITY else min(after, counter.credit + 1)
    _show(day, event)


def _recall(day: Day, event: Event) -> None:
    ticket = day.tickets[event.k]
    ticket.calls, ticket.last_call, ticket.event = ticket.calls + 1, event.t, event.n
    day.counters[event.c].event = event.n
    _show(day, event)


def _show(day: Day, event: Event) -> None:
    day.calls.insert(0, Call(event.k, event.c, event.n, event.t))
    del day.calls[BOARD_CALLS:]


def _start(day: Day, event: Event) -> None:
    _at_counter(day, event, State.SERVING).started_at = event.t


def _done(day: Day, event: Event) -> None:
    ticket = _off_counter(day, event, State.COMPLETED)
    ticket.counter, ticket.closed_at = event.c, event.t
    day.counters[event.c].last_completed = ticket.number
    day.completed[ticket.issued_for] += 1


def _noshow(day: Day, event: Event) -> None:
    _off_counter(day, event, State.NO_SHOW).closed_at = event.t


def _hold(day: Day, event: Event) -> None:
    _off_counter(day, event, State.ON_HOLD).holds += 1


def _return(day: Day, event: Event) -> None:
    ticket = day.tickets[event.k]
    ticket.nb, ticket.closed_at = day.cs[ticket.service], None
    if ticket.state is State.NO_SHOW:
        ticket.returns += 1
        ticket.nb += day.policy.rule.return_after_calls
    _leave(day, ticket)
    _line_up(day, ticket, event)


def _xfer(day: Day, event: Event) -> None:
    ticket = _off_counter(day, event, State.WAITING)
    remaining = max(0, ticket.nb - day.cs[ticket.service])
    ticket.nb, ticket.service = day.cs[event.s] + remaining, event.s
    ticket.transfers += 1
    _line_up(day, ticket, event)


def _lane(day: Day, event: Event) -> None:
    ticket = day.tickets[event.k]
    waits = ticket.state is State.WAITING
    if waits:
        _leave(day, ticket)
    ticket.lane, ticket.event = event.l, event.n
    if waits:
        _join(day, ticket)


def _requeue(day: Day, event: Event) -> None:
    _line_up(day, _off_counter(day, event, State.WAITING), event)


def _cancel(day: Day, event: Event) -> None:
    ticket = day.tickets[event.k]
    _leave(day, ticket)
    _enter(ticket, State.CANCELLED, event)
    ticket.counter, ticket.closed_at = None, event.t
    day.used[ticket.issued_for] -= 1
    day.web[ticket.issued_for] -= ticket.channel in REMOTE


def _present(day: Day, event: Event) -> None:
    ticket = day.tickets[event.k]
    ticket.present, ticket.event = True, event.n


def _clock(day: Day, event: Event) -> None:
    """The clock's jump is only told; `t` itself never goes back."""
    day.held_at = event.t


def _day_close(day: Day, event: Event) -> None:
    for ticket in day.tickets.values():
        if ticket.state in _LAPSING:
            _enter(ticket, State.LAPSED, event)
            ticket.counter, ticket.closed_at = None, event.t
    for counter in day.counters.values():
        counter.state, counter.ticket, counter.event = CounterState.CLOSED, None, event.n
    day.waiting = {code: {lane: [] for lane in Lane} for code in day.waiting}
    day.late = {code: set() for code in day.late}
    day.lines = dict.fromkeys(day.lines, event.n)
    day.hours_on, day.closed, day.tally = False, True, event.tally


_LAPSING = (State.WAITING, State.CALLED, State.SERVING, State.ON_HOLD)

_EFFECTS: dict[str, Callable[[Day, Event], None]] = {
    "day.open": _day_open,
    "issue.go": _issue_go,
    "issue.stop": _issue_stop,
    "counter.open": _counter_open,
    "counter.close": _counter_close,
    "counter.set": _counter_set,
    "issue": _issue,
    "call": _call,
    "recall": _recall,
    "start": _start,
    "done": _done,
    "noshow": _noshow,
    "hold": _hold,
    "return": _return,
    "xfer": _xfer,
    "lane": _lane,
    "requeue": _requeue,
    "cancel": _cancel,
    "present": _present,
    "clock": _clock,
    "day.close": _day_close,
}
