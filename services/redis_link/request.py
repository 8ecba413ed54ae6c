"""What makes a mutation repeatable: by which name its script remembers it."""

import hashlib
from dataclasses import dataclass

from services.chassis.errors import Problem

ANONYMOUS_ID = 22
"""Least length of a request id from a caller who is nobody."""


@dataclass(frozen=True)
class Request:
    """Who asks for what. `id` makes it repeatable; `caller` is whose repetition it would be;
    `payload` tells two requests of one id apart."""

    code: str
    verb: str
    id: str = ""
    caller: str = ""
    payload: bytes = b""

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
