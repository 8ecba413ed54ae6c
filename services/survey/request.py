"""A request as the store knows it, and the clock it is taken by."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from services.chassis.errors import Problem

ANONYMOUS_ID = 22
"""Least length of a request id from a caller who is nobody."""


@dataclass(frozen=True)
class Clock:
    """Domain time, the queue's own: start + (now - epoch) · speed, ms UTC, of Redis' TIME.

    Identity without a mapping. The queue is given the same text, so both agree on how long ago a
    ticket was completed.
    """

    epoch: int = 0
    start: int = 0
    speed: float = 1.0
    mapped: bool = False

    @property
    def text(self) -> str:
        return f"{self.epoch},{self.start},{self.speed!r}" if self.mapped else ""


@dataclass(frozen=True)
class Request:
    """What makes a mutation repeatable: `caller` is whose repetition it would be, `payload` tells
    two requests of one id apart."""

    code: str
    verb: str
    id: str
    caller: str
    payload: bytes

    @property
    def digest(self) -> str:
        """What the request id is remembered by; empty without one."""
        if not self.id:
            return ""
        parts = (self.verb, self.code, self.caller, self.id)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]

    @property
    def payload_hash(self) -> str:
        return hashlib.sha256(self.payload).hexdigest()[:32] if self.id else ""

    def check(self) -> None:
        """REQUEST_ID_TOO_SHORT: somebody else might guess, or choose, the same."""
        if self.id and not self.caller and len(self.id) < ANONYMOUS_ID:
            raise Problem("REQUEST_ID_TOO_SHORT")
