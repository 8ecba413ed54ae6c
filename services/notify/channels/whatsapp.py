"""WhatsApp, by the Cloud API: free texts to people who have written to us first.

Within 24 hours of what a citizen wrote, an answer needs no template and costs nothing; a ticket
does not live longer. The API has no request id of its own: an attempt whose answer is lost may
show its text twice. Numbers go into the request and nowhere else.
"""

from __future__ import annotations

import json
import re
from urllib.parse import quote, urlsplit

from services.chassis.config import ConfigError
from services.chassis.errors import Problem
from services.notify.channels import Message, Outcome, Target, refused, retry
from services.notify.channels._attempt import attempt, judged
from services.notify.channels_config import ChannelsConfig
from services.notify.outgoing.destinations import Policy, Refused
from services.notify.outgoing.posting import Outgoing, Reply

LONGEST = 4096
"""Characters of a text."""

_PHONE = re.compile(r"[1-9][0-9]{7,14}")

BUSY = {4, 80007, 130429, 131048, 131056}
PASSING = {1, 2, 131000, 131016, 133004}
UNAUTHORIZED = {0, 3, 10, 190, 368, 131005, 131031}
"""Our account, not this message: an operator may mend it while the message is still of use."""

UNDELIVERABLE = {131026, 131030, 131045, 131050}
WINDOW_CLOSED = 131047


class WhatsApp:
    """Speaks for the number `phone`, whose id at the API is part of `url`."""

    name = "whatsapp"

    def __init__(self, phone: str, url: str, token: str, out: Outgoing) -> None:
        self._phone = phone
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._out = out

    def key(self) -> str:
        return self._phone

    def link(self, text: str) -> str:
        return f"https://wa.me/{self._phone}?text={quote(text, safe='')}"

    async def check(self, target: Target) -> None:
        if not _PHONE.fullmatch(target.address):
            raise Problem("INVALID_REQUEST", {"field": "phone"})

    async def send(self, target: Target, message: Message) -> Outcome:
        text = f"*{message.title}*\n{message.body}"
        return await self.say(target.address, f"{text}\n{message.url}", message.id)

    async def say(self, phone: str, text: str, id: str = "") -> Outcome:
        """A text to someone who has written; `id` comes back in the API's status reports."""
        fields = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": phone,
            "type": "text",
            "text": {"preview_url": False, "body": text[:LONGEST]},
        } | ({"biz_opaque_callback_data": id} if id else {})
        body = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
        return await attempt(self._out, self._url, body, self._headers, _judged)

    async def close(self) -> None:
        await self._out.close()


def _judged(reply: Reply) -> Outcome:
    """The API's own code says more than the status."""
    code = _code(reply.body) if reply.status >= 400 else None
    if code in BUSY:
        return retry("BUSY", reply.retry_after)
    if code in PASSING:
        return retry("SERVER_ERROR", reply.retry_after)
    if code in UNAUTHORIZED or reply.status in (401, 403):
        return retry("UNAUTHORIZED")
    if code in UNDELIVERABLE:
        return refused("UNDELIVERABLE")
    if code == WINDOW_CLOSED:
        return refused("WINDOW_CLOSED")
    if reply.status in (404, 410):  # our own address is wrong: no fault of this number
        return retry("UNAUTHORIZED")
    return judged(reply)


def _code(body: bytes) -> int | None:
    try:
        code = json.loads(body)["error"]["code"]
    except (ValueError, KeyError, TypeError):
        return None
    return code if isinstance(code, int) else None


def make(settings: ChannelsConfig) -> WhatsApp | None:
    """None without a number. ConfigError: the API's address cannot be one."""
    if not settings.whatsapp_phone:
        return None
    url = f"{settings.whatsapp_url.rstrip('/')}/{settings.whatsapp_phone_id}/messages"
    host = urlsplit(url).hostname or ""
    try:
        policy = Policy(() if settings.loopback else (host,), loopback=settings.loopback)
        policy.destination(url)
    except (ValueError, Refused):
        raise ConfigError("configuration: TUNGGU_WHATSAPP_URL is no https address") from None
    return WhatsApp(settings.whatsapp_phone, url, settings.whatsapp_token, Outgoing(policy))
