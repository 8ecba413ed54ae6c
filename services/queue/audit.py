"""The audit's entries as messages, and the tokens of its pages."""

from __future__ import annotations

import base64
import binascii
import re

from services.chassis.errors import Problem
from services.queue import asking
from services.queue.view import timestamp
from tunggu.queue.v1 import queue_pb2 as pb

_ENTRY = re.compile(r"[0-9]{1,19}-[0-9]{1,19}")


def audit_entry(fields: dict[str, str]) -> pb.AuditEntry:
    """From the fields that lua/_step.lua writes."""
    return pb.AuditEntry(
        at=timestamp(int(fields["t"])),
        subject=asking.unquoted(fields["s"]),
        verb=fields["v"],
        counter=fields["c"],
        number=fields["k"],
        service_day=fields["d"],
        event=int(fields["n"]),
    )


def token_of(id: str) -> str:
    """The page token that goes on after the entry."""
    return base64.urlsafe_b64encode(id.encode()).decode()


def entry_before(token: str) -> str:
    """The entry of a page token, empty for none. INVALID_REQUEST."""
    try:
        id = base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, ValueError):
        raise Problem("INVALID_REQUEST", {"field": "pageToken"}) from None
    if token and not (_ENTRY.fullmatch(id) and id != "0-0"):
        raise Problem("INVALID_REQUEST", {"field": "pageToken"})
    return id
