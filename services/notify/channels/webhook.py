"""Webhook: a signed request to another application, an SMS gateway or the city's own.

Only hosts of the configuration are posted to, at saving and at sending. The body is JSON `{type,
timestamp, data}`; the signature is signing.py's. Whoever receives it keeps to the id: the same
message may come twice.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from services.chassis.config import ConfigError
from services.notify import signing
from services.notify.channels import Message, Outcome, Target
from services.notify.channels._attempt import admitted, attempt
from services.notify.channels_config import ChannelsConfig
from services.notify.outgoing.posting import Outgoing


class Webhook:
    """Signs with the deployment's secret."""

    name = "webhook"

    def __init__(self, secret: bytes, out: Outgoing) -> None:
        self._secret = secret
        self._out = out

    def key(self) -> str:
        return ""

    def link(self, text: str) -> str:  # noqa: ARG002
        return ""

    async def check(self, target: Target) -> None:
        await admitted(self._out, target.address)

    async def send(self, target: Target, message: Message) -> Outcome:
        body = json.dumps(_document(message), ensure_ascii=False, separators=(",", ":")).encode()
        headers = signing.headers(self._secret, message.id, body)
        return await attempt(self._out, target.address, body, headers)

    async def close(self) -> None:
        await self._out.close()


def _document(message: Message) -> dict[str, Any]:
    data = {
        "kind": message.kind.value,
        "language": message.language.value,
        "title": message.title,
        "body": message.body,
        "url": message.url,
        "kecamatan": message.kecamatan,
        "serviceDay": message.service_day,
        "number": message.number,
        "ahead": message.ahead,
        "counter": message.counter,
        "expiresAt": _time(message.expires_at),
    }
    if message.return_by:
        data["returnBy"] = _time(message.return_by)
    kind = f"ticket.{message.kind.value.lower()}"
    return {"type": kind, "timestamp": _time(message.due_at), "data": data}


def _time(ms: int) -> str:
    """RFC 3339, UTC, with milliseconds, as everywhere in the API."""
    text = datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def make(settings: ChannelsConfig) -> Webhook | None:
    """None without hosts. ConfigError: hosts without a secret."""
    if not settings.webhook_hosts and not (settings.loopback and settings.webhook_secret):
        return None
    try:
        secret = signing.secret_bytes(settings.webhook_secret)
    except ValueError as error:
        raise ConfigError(f"configuration: TUNGGU_WEBHOOK_SECRET_FILE holds {error}") from None
    return Webhook(secret, Outgoing(settings.webhook_policy()))
