"""What makes a mutation repeatable: by which name its script remembers it."""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from services.chassis.errors import Problem

ANONYMOUS_ID = 22
"""Least length of a request id from a caller who is nobody."""

_ID = re.compile(r"[\x21-\x7e]{1,128}")


def content_of(message: Any) -> bytes:
    """What a protobuf message asks for, whatever its `request_id`, which must be 1 to 128 visible
    ASCII characters or absent. INVALID_REQUEST."""
    if message.request_id and not _ID.fullmatch(message.request_id):
        raise Problem("INVALID_REQUEST", {"field": "requestId"})
    payload = type(message)()
    payload.CopyFrom(message)
    payload.ClearField("request_id")
    return payload.SerializeToString(deterministic=True)  # type: ignore[no-any-return]


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
