"""What a request may say before anything looks at it: targets, languages, codes, phone numbers.

Everything that ends up in a key or a record passes here.
"""

from __future__ import annotations

import re
import secrets
from typing import Any

from services.chassis.errors import Problem
from services.notify.channels import Target
from services.redis_link.request import Request, content_of
from tunggu.notify.v1 import notify_pb2 as pb
from tunggu.queue.v1.ticket_pb2 import Ticket

LONGEST_ADDRESS = 2048

LANGUAGES = {pb.LANGUAGE_UNSPECIFIED: "id", pb.LANGUAGE_ID: "id", pb.LANGUAGE_EN: "en"}
LIVE = (Ticket.STATE_WAITING, Ticket.STATE_CALLED, Ticket.STATE_SERVING, Ticket.STATE_ON_HOLD)

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: none is taken for another
CODE_LENGTH = 8

_CODE = re.compile(rf"(?<![0-9])([0-9]{{6}})[-–— ]?([{LETTERS}]{{{CODE_LENGTH}}})(?![0-9A-Z])")
_PHONE = re.compile(r"[1-9][0-9]{6,14}")
_SUBSCRIPTION = re.compile(r"[a-z_]{1,16}-[0-9a-f]{20}")


def target_of(request: pb.CreateSubscriptionRequest) -> Target:
    """Where to, well-formed but not yet checked by its channel. INVALID_REQUEST."""
    channel = request.WhichOneof("target")
    if channel is None:
        raise Problem("INVALID_REQUEST", {"field": "target"})
    if channel == "web_push":
        keys = request.web_push.keys
        found = {"p256dh": keys.p256dh, "auth": keys.auth}
        for name, value in found.items():
            _bounded(value, f"webPush.keys.{name}")
        return Target(channel, _bounded(request.web_push.endpoint, "webPush.endpoint"), found)
    if channel == "webhook":
        return Target(channel, _bounded(request.webhook.url, "webhook.url"))
    return Target(channel)


def language_of(request: pb.CreateSubscriptionRequest) -> str:
    if request.language not in LANGUAGES:
        raise Problem("INVALID_REQUEST", {"field": "language"})
    return LANGUAGES[request.language]


def check_live(ticket: Ticket) -> None:
    """WRONG_STATE: nothing more will be said of it."""
    if ticket.state in LIVE or ticket.HasField("return_by"):
        return
    state = Ticket.State.Name(ticket.state).removeprefix("STATE_")
    raise Problem("WRONG_STATE", {"number": ticket.number, "state": state})


def subscription_of(request: pb.DeleteSubscriptionRequest) -> str:
    if not _SUBSCRIPTION.fullmatch(request.subscription_id):
        raise Problem("SUBSCRIPTION_NOT_FOUND")
    return request.subscription_id


def phone_of(message: Any) -> str:
    if not _PHONE.fullmatch(message.phone):
        raise Problem("INVALID_REQUEST", {"field": "phone"})
    return str(message.phone)


def request(verb: str, message: Any, code: str) -> Request:
    """The message as something that may be repeated by who holds the ticket."""
    content = content_of(message)
    return Request(code, verb, message.request_id, message.ticket_id, content)


# Codes that a citizen writes ----------------------------------------------------------------------


def new_code(code: str) -> str:
    """`737103-7Q4K9M2X`: the office, and 40 random bits."""
    return f"{code.replace('.', '')}-{''.join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))}"


def code_in(text: str) -> tuple[str, str]:
    """The office and the code that somebody has written. CODE_NOT_FOUND."""
    match = _CODE.search(text[:500].upper())
    if not match:
        raise Problem("CODE_NOT_FOUND")
    slot, rest = match.groups()
    return f"{slot[:2]}.{slot[2:4]}.{slot[4:]}", f"{slot}-{rest}"


def _bounded(value: str, field: str) -> str:
    if not 0 < len(value) <= LONGEST_ADDRESS:
        raise Problem("INVALID_REQUEST", {"field": field})
    return value
