"""What the queue's tickets and leaves mean for a subscription: where the ticket stands, and the
message that follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from services.notify.model import (
    AT_COUNTER,
    CALLED,
    NO_SHOW,
    ON_HOLD,
    OVER,
    PASSED_OVER,
    SERVING,
    WAITING,
)
from services.notify.store import Move, facts
from tunggu.queue.v1.ticket_pb2 import Ticket

STATES: Mapping[int, str] = {
    Ticket.STATE_WAITING: WAITING,
    Ticket.STATE_CALLED: AT_COUNTER,
    Ticket.STATE_SERVING: SERVING,
    Ticket.STATE_NO_SHOW: NO_SHOW,
    Ticket.STATE_ON_HOLD: ON_HOLD,
    Ticket.STATE_COMPLETED: OVER,
    Ticket.STATE_CANCELLED: OVER,
    Ticket.STATE_LAPSED: OVER,
}
EVENTS: Mapping[str, str] = {
    "call": AT_COUNTER,
    "start": SERVING,
    "noshow": NO_SHOW,
    "hold": ON_HOLD,
    "return": WAITING,
    "requeue": WAITING,
    "xfer": WAITING,
    "done": OVER,
    "cancel": OVER,
}
"""Events that move a ticket, by their name in the leaf."""

Desk = Callable[[str], str]


def move_of(ticket: Ticket, desk: Desk, *, force: bool = False) -> Move:
    """What has become of a ticket, whatever happened in between. `desk` names a counter."""
    state, kind, told = STATES.get(ticket.state, WAITING), "", "{}"
    if state == AT_COUNTER:
        kind, told = CALLED, called(millis(ticket.called_at), ticket.counter, desk)
    if state == NO_SHOW:
        kind, told = PASSED_OVER, passed_over(millis(ticket.closed_at), ticket)
    return Move(ticket.number, ticket.event, state, kind, told, "force" if force else "")


def move_by(leaf: Mapping[str, Any], desk: Desk) -> Move:
    """What a leaf of EVENTS does; of a no-show without what it says, for that is not in it."""
    kind, told = "", "{}"
    if leaf["e"] == "call":
        kind, told = CALLED, called(leaf["t"], leaf["c"], desk)
    how = "line" if leaf["e"] == "xfer" else ""
    return Move(leaf["k"], leaf["n"], EVENTS[leaf["e"]], kind, told, how)


def called(due: int, counter: str, desk: Desk) -> str:
    return facts(due=due, counter=counter, desk=desk(counter))


def passed_over(due: int, ticket: Ticket) -> str:
    return facts(due=due, back=millis(ticket.return_by) if ticket.HasField("return_by") else 0)


def millis(moment: Timestamp) -> int:
    return moment.ToMilliseconds()
