"""What the rules say about one event, given the day before it.

Each check yields the code and facts of every rule that the event breaks, and goes on. Independent
of what `verbs.decide` admits; the two share only the fold and who is next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from services.queue.findings import Facts
from services.queue.fold import number_of, tally_of
from services.queue.journal import Event
from services.queue.model import (
    CLOCK_TOLERANCE_MS,
    RECALL_GAP_MS,
    REMOTE,
    CounterState,
    Day,
    Lane,
    State,
    Tally,
    Ticket,
)
from services.queue.policy import is_live, next_ticket

Breaches = Iterator[tuple[str, Facts]]


def unknown_names(day: Day, event: Event) -> Breaches:
    """The service, counter or ticket that the day does not have: such an event has no effect."""
    named = (event.s, *event.services) if event.s else event.services
    for service in named:
        if service not in day.policy.services:
            yield "SERVICE_UNKNOWN", {"s": service}
    if event.c and event.c not in day.counters:
        yield "COUNTER_UNKNOWN", {"c": event.c}
    if event.k and event.e != "issue" and event.k not in day.tickets:
        yield "TICKET_UNKNOWN", {"k": event.k}


def broken_rules(day: Day, event: Event, in_hours: bool) -> Breaches:
    """The rules of the event's type that it breaks; all its names are known.

    `in_hours`: whether the published hours admit issuing at the event's time.
    """
    if event.e in _CLOCKED:
        yield from _CLOCKED[event.e](day, event, in_hours)
    elif event.e in _CHECKS:
        yield from _CHECKS[event.e](day, event)


# Issuing


def _issue(day: Day, event: Event, in_hours: bool) -> Breaches:
    expected = number_of(event.s, day.issued[event.s] + 1)
    if event.k in day.tickets:
        yield "NUMBER_TWICE", {"k": event.k}
    elif event.k != expected:
        yield "NUMBER_NOT_NEXT", {"k": event.k, "expected": expected}
    if not in_hours:
        yield "ISSUED_OUTSIDE_HOURS", {"k": event.k}
    if not day.office_on:
        yield "ISSUED_WHILE_STOPPED", {"k": event.k, "why": day.stop_why}
    yield from _quota(day, event)
    held = day.tickets.get(day.holders.get(event.h, ""))
    if held and is_live(day, held, event.t):
        yield "HOLDER_TWICE", {"held": held.number}


def _quota(day: Day, event: Event) -> Breaches:
    service = day.policy.services[event.s]
    if event.ch not in service.channels:
        yield "CHANNEL_NOT_ADMITTED", {"s": event.s, "ch": event.ch.name}
    remote = event.ch in REMOTE and day.web[event.s] >= service.quota_web
    if remote or day.used[event.s] >= service.quota_day:
        yield "QUOTA_EXCEEDED", {"k": event.k, "s": event.s}


def _issue_go(day: Day, event: Event, in_hours: bool) -> Breaches:
    by_clock = event.why == "hours"
    if by_clock and not in_hours:
        yield "HOURS_UNTRUE", {"type": event.e}
    if day.hours_on if by_clock else day.office_on:
        yield "SWITCH_REPEATED", {"type": event.e}
    elif not by_clock and event.why != day.stop_why:
        yield "RESUME_OTHER_REASON", {"found": event.why, "expected": day.stop_why}


def _issue_stop(day: Day, event: Event, in_hours: bool) -> Breaches:
    by_clock = event.why == "hours"
    if by_clock and in_hours:
        yield "HOURS_UNTRUE", {"type": event.e}
    if not (day.hours_on if by_clock else day.office_on):
        yield "SWITCH_REPEATED", {"type": event.e}


# Counters


def _must_be_open(day: Day, event: Event) -> Breaches:
    if day.counters[event.c].state is CounterState.CLOSED:
        yield "COUNTER_NOT_OPEN", {"type": event.e, "c": event.c}


def _must_be_closed(day: Day, event: Event) -> Breaches:
    if day.counters[event.c].state is CounterState.OPEN:
        yield "COUNTER_NOT_CLOSED", {"type": event.e, "c": event.c}


def _must_be_free(day: Day, event: Event) -> Breaches:
    held = day.counters[event.c].ticket
    if held:
        yield "COUNTER_BUSY", {"type": event.e, "c": event.c, "held": held}


def _open_and_free(day: Day, event: Event) -> Breaches:
    yield from _must_be_open(day, event)
    yield from _must_be_free(day, event)


def _call(day: Day, event: Event) -> Breaches:
    yield from _open_and_free(day, event)
    ticket = day.tickets[event.k]
    if ticket.state is not State.WAITING:
        yield from _illegal(event, ticket)
    elif ticket.service not in day.counters[event.c].services:
        yield "CALL_NOT_SERVED_HERE", {"c": event.c, "k": event.k, "s": ticket.service}
    else:
        expected = next_ticket(day, event.c) or ""
        if expected != event.k:
            yield "CALL_NOT_NEXT", {"c": event.c, "k": event.k, "expected": expected}


def _illegal(event: Event, ticket: Ticket) -> Breaches:
    yield "ILLEGAL_MOVE", {"type": event.e, "k": event.k, "state": ticket.state.value}


def _must_be(day: Day, event: Event, *states: State) -> Breaches:
    if day.tickets[event.k].state not in states:
        yield from _illegal(event, day.tickets[event.k])


def _at_counter(day: Day, event: Event, state: State) -> Breaches:
    """An open counter, its own ticket, in the state from which the event starts."""
    yield from _must_be_open(day, event)
    ticket = day.tickets[event.k]
    if ticket.state is not state:
        yield from _illegal(event, ticket)
    elif day.counters[event.c].ticket != event.k:
        yield "WRONG_COUNTER", {"type": event.e, "k": event.k, "c": event.c}


def _from_called(day: Day, event: Event) -> Breaches:
    return _at_counter(day, event, State.CALLED)


def _from_serving(day: Day, event: Event) -> Breaches:
    return _at_counter(day, event, State.SERVING)


def _recall(day: Day, event: Event) -> Breaches:
    yield from _from_called(day, event)
    gap = event.t - day.tickets[event.k].last_call
    if gap < RECALL_GAP_MS:
        yield "RECALL_TOO_SOON", {"k": event.k, "seconds": gap // 1000}


def _noshow(day: Day, event: Event) -> Breaches:
    yield from _from_called(day, event)
    ticket, rule = day.tickets[event.k], day.policy.rule
    if ticket.calls < rule.skip_calls:
        yield (
            "NOSHOW_TOO_FEW_CALLS",
            {"k": event.k, "calls": ticket.calls, "least": rule.skip_calls},
        )
    waited = event.t - ticket.first_call
    if waited < rule.skip_after * 1000:
        yield (
            "NOSHOW_TOO_SOON",
            {"k": event.k, "seconds": waited // 1000, "least": rule.skip_after},
        )


def _hold(day: Day, event: Event) -> Breaches:
    yield from _from_serving(day, event)
    most = day.policy.rule.hold_times
    if day.tickets[event.k].holds >= most:
        yield "HOLD_LIMIT", {"k": event.k, "most": most}


def _xfer(day: Day, event: Event) -> Breaches:
    yield from _from_serving(day, event)
    ticket, most = day.tickets[event.k], day.policy.rule.transfers
    if ticket.service == event.s:
        yield "SAME_SERVICE", {"k": event.k, "s": event.s}
    if ticket.transfers >= most:
        yield "TRANSFER_LIMIT", {"k": event.k, "most": most}


def _requeue(day: Day, event: Event) -> Breaches:
    ticket = day.tickets[event.k]
    if ticket.state is not State.CALLED:
        yield from _illegal(event, ticket)
    elif ticket.counter != event.c:
        yield "WRONG_COUNTER", {"type": event.e, "k": event.k, "c": event.c}


# Tickets


def _return(day: Day, event: Event) -> Breaches:
    yield from _must_be(day, event, State.NO_SHOW, State.ON_HOLD)
    ticket, rule = day.tickets[event.k], day.policy.rule
    away = event.t - ticket.since
    if ticket.state is State.NO_SHOW and ticket.returns >= rule.return_times:
        yield "RETURN_LIMIT", {"k": event.k, "most": rule.return_times}
    within = {State.NO_SHOW: rule.return_within, State.ON_HOLD: rule.hold_within}
    most = within.get(ticket.state)
    if most is not None and away > most * 1000:
        yield "RETURN_TOO_LATE", {"k": event.k, "seconds": away // 1000, "most": most}


def _cancel(day: Day, event: Event) -> Breaches:
    return _must_be(day, event, State.WAITING, State.ON_HOLD, State.NO_SHOW)


def _present(day: Day, event: Event) -> Breaches:
    yield from _must_be(day, event, State.WAITING, State.ON_HOLD)
    if day.tickets[event.k].present:
        yield "PRESENT_TWICE", {"k": event.k}


def _lane(day: Day, event: Event) -> Breaches:
    ticket = day.tickets[event.k]
    if event.l is not Lane.PRIORITY:
        yield "LANE_NOT_PRIORITY", {"k": event.k}
    elif ticket.state is not State.WAITING or ticket.lane is Lane.PRIORITY:
        yield from _illegal(event, ticket)


# The day


def _clock(_: Day, event: Event) -> Breaches:
    if event.ms <= CLOCK_TOLERANCE_MS:
        yield "CLOCK_TOO_SMALL", {"ms": event.ms}


def _day_close(day: Day, event: Event) -> Breaches:
    expected = tally_of(day)
    if event.tally and event.tally != expected:
        yield "TALLY_WRONG", {"found": _totals(event.tally), "expected": _totals(expected)}


def _totals(tally: Tally) -> str:
    return (
        f"issued {tally.issued}, done {tally.done}, noshow {tally.noshow}, "
        f"cancel {tally.cancel}, lapsed {tally.lapsed}"
    )


_CLOCKED: dict[str, Callable[[Day, Event, bool], Breaches]] = {
    "issue": _issue,
    "issue.go": _issue_go,
    "issue.stop": _issue_stop,
}

_CHECKS: dict[str, Callable[[Day, Event], Breaches]] = {
    "counter.open": _must_be_closed,
    "counter.close": _open_and_free,
    "counter.set": _must_be_closed,
    "call": _call,
    "recall": _recall,
    "start": _from_called,
    "done": _from_serving,
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
