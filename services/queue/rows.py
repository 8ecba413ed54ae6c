"""Tickets and counters as the scripts store them, and what a step answers.

Ownership: lua/_line.lua names the fields of a record and their order.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.chassis.errors import Problem
from services.queue.model import Channel, Lane


@dataclass(frozen=True, slots=True)
class TicketRow:
    """A ticket as stored; times ms UTC, 0 = not yet. `secret` is the secret part of its id."""

    day: str
    number: str
    secret: str
    service: str
    lane: Lane
    channel: Channel
    state: str
    counter: str
    returns: int
    present: bool
    event: int
    issued_at: int
    first_call: int
    started_at: int
    closed_at: int
    since: int

    @classmethod
    def parse(cls, day: str, number: str, record: bytes) -> TicketRow:
        (secret, service, lane, channel, _, state, _, _, counter, _, first, _, _, returns, _,
         present, event, issued, started, closed, since) = record.decode().split("|")  # fmt: skip
        return cls(
            day, number, secret, service, Lane(lane), Channel(channel), state, counter,
            int(returns), present == "1", int(event), int(issued), int(first), int(started or 0),
            int(closed or 0), int(since),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class CounterRow:
    """A counter as stored; `completed` is the ticket last completed there."""

    day: str
    id: str
    state: str
    services: str
    ticket: str
    completed: str
    completed_at: int
    completed_event: int
    event: int

    @classmethod
    def parse(cls, day: str, id: str, record: bytes) -> CounterRow:
        state, _, services, ticket, _, completed, at, of, event = record.decode().split("|")
        done = completed, int(at or 0), int(of or -1)
        return cls(day, id, state, services, ticket, *done, int(event))


@dataclass(frozen=True, slots=True)
class Done:
    """What a step did, or had done when it was first asked: `event` is the verb's own."""

    day: str
    event: int
    ticket: TicketRow | None
    counter: CounterRow | None


def ticket_id(code: str, day: str, secret: str) -> str:
    return f"{code.replace('.', '')}-{day[2:].replace('-', '')}-{secret}"


def office_of(ticket: str) -> tuple[str, str, str]:
    """Code, day and secret of a ticket id. TICKET_NOT_FOUND if it cannot be one."""
    code, _, rest = ticket.partition("-")
    day, _, secret = rest.partition("-")
    well_formed = len(code) == 6 and len(day) == 6 and (code + day).isdecimal()
    if not (well_formed and ticket.isascii() and len(secret) == 22):
        raise Problem("TICKET_NOT_FOUND")
    dotted = f"{code[:2]}.{code[2:4]}.{code[4:]}"
    return dotted, f"20{day[:2]}-{day[2:4]}-{day[4:]}", secret
