"""The verbs as values: one class a verb, named like its RPC, and what the clock does by itself.

Absent: who asks, request ids, and every right to ask.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.queue.model import Channel, Lane


@dataclass(frozen=True, slots=True)
class CreateTicket:
    service: str
    lane: Lane = Lane.REGULAR
    channel: Channel = Channel.WEB
    holder: str = ""


@dataclass(frozen=True, slots=True)
class OpenCounter:
    counter: str


@dataclass(frozen=True, slots=True)
class CloseCounter:
    counter: str


@dataclass(frozen=True, slots=True)
class SetCounterServices:
    counter: str
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CallNextTicket:
    counter: str


@dataclass(frozen=True, slots=True)
class RecallTicket:
    counter: str
    number: str


@dataclass(frozen=True, slots=True)
class StartTicket:
    counter: str
    number: str


@dataclass(frozen=True, slots=True)
class CompleteTicket:
    counter: str
    number: str


@dataclass(frozen=True, slots=True)
class SkipTicket:
    counter: str
    number: str


@dataclass(frozen=True, slots=True)
class HoldTicket:
    counter: str
    number: str


@dataclass(frozen=True, slots=True)
class TransferTicket:
    counter: str
    number: str
    service: str


@dataclass(frozen=True, slots=True)
class ReturnTicket:
    number: str


@dataclass(frozen=True, slots=True)
class CancelTicket:
    number: str
    by: str = "holder"


@dataclass(frozen=True, slots=True)
class CheckInTicket:
    number: str


@dataclass(frozen=True, slots=True)
class SetTicketLane:
    """Always to PRIORITY: there is no way back."""

    number: str


@dataclass(frozen=True, slots=True)
class RequeueTicket:
    number: str


@dataclass(frozen=True, slots=True)
class StopIssuing:
    why: str


@dataclass(frozen=True, slots=True)
class ResumeIssuing:
    pass


@dataclass(frozen=True, slots=True)
class Tick:
    """What any replica does about once a second until the day must close."""


@dataclass(frozen=True, slots=True)
class CloseDay:
    """Writes day.close once it is due, else nothing."""


Command = (
    CreateTicket
    | OpenCounter
    | CloseCounter
    | SetCounterServices
    | CallNextTicket
    | RecallTicket
    | StartTicket
    | CompleteTicket
    | SkipTicket
    | HoldTicket
    | TransferTicket
    | ReturnTicket
    | CancelTicket
    | CheckInTicket
    | SetTicketLane
    | RequeueTicket
    | StopIssuing
    | ResumeIssuing
    | Tick
    | CloseDay
)
