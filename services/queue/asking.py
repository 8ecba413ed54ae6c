"""What a request may say before any verb looks at it: well-formed names, and who asks.

Everything that ends up in a key, a record or a leaf passes here.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any
from urllib.parse import quote, unquote

from services.chassis import access
from services.chassis.errors import Problem
from services.queue import grammar
from services.queue.model import Channel, Lane
from services.queue.request import Request
from services.redis_link.request import content_of
from tunggu.queue.v1 import ticket_pb2

SUPERVISOR = "SUPERVISOR"

_HASH = re.compile(r"[0-9a-f]{64}")
_HOLDER = re.compile(r"[A-Za-z0-9_-]{16,128}")

WHO_MAY = {
    Channel.WEB: frozenset[str](),
    Channel.KIOSK: frozenset({"KIOSK"}),
    Channel.DESK: frozenset({"OFFICER", "SUPERVISOR"}),
    Channel.WHATSAPP: frozenset({"INTERNAL"}),
}
"""Who may take a number by a channel; nobody in particular for WEB."""

CHANNELS = {
    ticket_pb2.CHANNEL_UNSPECIFIED: Channel.WEB,
    ticket_pb2.CHANNEL_WEB: Channel.WEB,
    ticket_pb2.CHANNEL_KIOSK: Channel.KIOSK,
    ticket_pb2.CHANNEL_WHATSAPP: Channel.WHATSAPP,
    ticket_pb2.CHANNEL_DESK: Channel.DESK,
}
LANES = {
    ticket_pb2.LANE_UNSPECIFIED: Lane.REGULAR,
    ticket_pb2.LANE_REGULAR: Lane.REGULAR,
    ticket_pb2.LANE_PRIORITY: Lane.PRIORITY,
}


def code_of(message: Any) -> str:
    if not grammar.CODE.fullmatch(message.kecamatan):
        raise Problem("KECAMATAN_NOT_FOUND", {"kecamatan": message.kecamatan[:32]})
    return str(message.kecamatan)


def counter_of(message: Any) -> str:
    if not grammar.COUNTER.fullmatch(message.counter):
        raise Problem("COUNTER_NOT_FOUND", {"counter": message.counter[:32]})
    return str(message.counter)


def number_of(value: str, field: str) -> str:
    """A ticket's number; required, and unknown rather than invalid when it cannot be one."""
    if not value:
        raise Problem("INVALID_REQUEST", {"field": field})
    if not grammar.NUMBER.fullmatch(value):
        raise Problem("TICKET_NOT_FOUND", {"number": value[:32]})
    return value


def service_of(value: str) -> str:
    if not value:
        raise Problem("INVALID_REQUEST", {"field": "service"})
    if not grammar.SERVICE.fullmatch(value):
        raise Problem("SERVICE_NOT_FOUND", {"service": value[:32]})
    return value


def day_of(value: str, field: str) -> str:
    if not grammar.DATE.fullmatch(value):
        raise Problem("INVALID_REQUEST", {"field": field})
    return value


def hash_of(message: Any) -> str:
    if not _HASH.fullmatch(message.hash):
        raise Problem("POLICY_NOT_FOUND")
    return str(message.hash)


def size_of(value: int, default: int, most: int) -> int:
    """A page's size, 0 = `default`."""
    if not 0 <= value <= most:
        raise Problem("INVALID_REQUEST", {"field": "pageSize"})
    return value or default


def enum_of(value: int, values: Any, field: str) -> Any:
    """What a number of an enum means to us; an unknown one is refused."""
    if value not in values:
        raise Problem("INVALID_REQUEST", {"field": field})
    return values[value]


def holder_of(message: Any) -> str:
    if message.holder and not _HOLDER.fullmatch(message.holder):
        raise Problem("INVALID_REQUEST", {"field": "holder"})
    return str(message.holder)


def admit_channel(code: str, channel: Channel) -> None:
    if WHO_MAY[channel]:
        access.require(WHO_MAY[channel], code)


def request(verb: str, message: Any, code: str, caller: str = "") -> Request:
    """The message as a request: `caller` is whose repetition it would be, else the subject."""
    content = content_of(message)
    who = access.caller()
    subject = quote(who.subject, safe="@:/.+ ")
    named = f"key:{caller}" if caller else subject and f"subject:{subject}"
    return Request(
        code,
        verb,
        message.request_id,
        named,
        content,
        subject,
        SUPERVISOR in _roles_here(who, code),
    )


def unquoted(subject: str) -> str:
    """A subject as its token has it."""
    return unquote(subject)


def _roles_here(who: access.Caller, code: str) -> Collection[str]:
    return () if who.kecamatan.isdisjoint({code, access.EVERYWHERE}) else who.roles
