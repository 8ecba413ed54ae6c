"""A request as the store knows it, and the clock it is taken by."""

import hashlib
from dataclasses import dataclass

from services.chassis.errors import Problem

ANONYMOUS_ID = 22
"""Least length of a request id from a caller who is nobody."""


@dataclass(frozen=True)
class Clock:
    """Domain time: start + (now - epoch) · speed, ms UTC. Identity without a mapping."""

    epoch: int = 0
    start: int = 0
    speed: float = 1.0
    mapped: bool = False

    @property
    def text(self) -> str:
        return f"{self.epoch},{self.start},{self.speed!r}" if self.mapped else ""

    def read(self, now: int) -> int:
        return self.start + int((now - self.epoch) * self.speed) if self.mapped else now


@dataclass(frozen=True)
class Request:
    """Who asks for what. `id` makes it repeatable; `caller` is whose repetition it would be;
    `payload` tells two requests apart; `subject` is empty for citizens."""

    code: str
    verb: str
    id: str = ""
    caller: str = ""
    payload: bytes = b""
    subject: str = ""
    supervisor: bool = False

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
