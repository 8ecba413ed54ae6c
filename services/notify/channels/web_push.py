"""Web Push: to a browser, also while it is closed (RFC 8030, 8188, 8291, 8292).

The message is encrypted for the browser by `pywebpush`, signed by `py_vapid`, and posted by our
own guarded client: an endpoint is a URL that a stranger gives us. The payload is JSON `{id, kind,
title, body, url, language}`; the pages' service worker shows it.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import time

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02

from services.chassis.config import ConfigError
from services.chassis.errors import Problem
from services.notify.channels import Message, Outcome, Target, refused
from services.notify.channels._attempt import admitted, attempt, word
from services.notify.channels_config import ChannelsConfig
from services.notify.outgoing.destinations import Refused
from services.notify.outgoing.posting import Outgoing
from services.notify.vapid import private_key, public_text

TOKEN_S = 12 * 3600
"""For how long a signature holds; push services admit 24 hours at most."""

MOST_TTL_S = 24 * 3600
MOST_PAYLOAD = 3072
"""Bytes of JSON; every push service takes 4096 encrypted ones."""

P256DH, AUTH = 65, 16
"""Bytes of a browser's public key, an uncompressed point, and of its secret."""


class WebPush:
    """Signs as `key`, whose operator is reached by `contact`."""

    name = "web_push"

    def __init__(self, key: ec.EllipticCurvePrivateKey, contact: str, out: Outgoing) -> None:
        # Not above: with it comes urllib3, which opens a socket when it is imported.
        from pywebpush import WebPusher  # noqa: PLC0415

        self._pusher = WebPusher
        self._signer = Vapid02(key)
        self._public = public_text(key)
        self._contact = contact
        self._out = out

    def key(self) -> str:
        return self._public

    def link(self, text: str) -> str:  # noqa: ARG002
        return ""

    async def check(self, target: Target) -> None:
        _point(target.secrets.get("p256dh", ""))
        if len(_decoded(target.secrets.get("auth", ""), "webPush.keys.auth")) != AUTH:
            raise Problem("INVALID_REQUEST", {"field": "webPush.keys.auth"})
        await admitted(self._out, target.address)

    async def send(self, target: Target, message: Message) -> Outcome:
        payload = _payload(message)
        seconds = math.ceil(message.expires_at / 1000 - time.time())
        if seconds <= 0:
            return refused("EXPIRED")
        if len(payload) > MOST_PAYLOAD:
            return refused("TOO_LARGE")
        try:  # before anything is signed: a signature names whom it is for
            origin = self._out.policy.destination(target.address).origin
        except Refused as verdict:
            return refused(word(verdict))
        headers = self._signed(origin) | {
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "aes128gcm",
            "TTL": str(min(seconds, MOST_TTL_S)),
            "Urgency": message.urgency,
            "Topic": message.topic,
        }
        body = self._encrypted(target, payload)
        return await attempt(self._out, target.address, body, headers)

    def _signed(self, origin: str) -> dict[str, str]:
        """VAPID, for one push service."""
        claims = {"aud": origin, "exp": int(time.time()) + TOKEN_S, "sub": self._contact}
        return dict(self._signer.sign(claims))

    def _encrypted(self, target: Target, payload: bytes) -> bytes:
        pusher = self._pusher({"endpoint": target.address, "keys": dict(target.secrets)})
        return bytes(pusher.encode(payload, "aes128gcm")["body"])

    async def close(self) -> None:
        await self._out.close()


def _payload(message: Message) -> bytes:
    fields = {
        "id": message.id,
        "kind": message.kind.value,
        "title": message.title,
        "body": message.body,
        "url": message.path,
        "language": message.language.value,
    }
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def _point(text: str) -> None:
    """INVALID_REQUEST unless it is a point of P-256: an invalid one would give our key away."""
    field = "webPush.keys.p256dh"
    raw = _decoded(text, field)
    try:
        if len(raw) != P256DH:
            raise ValueError
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
    except ValueError:
        raise Problem("INVALID_REQUEST", {"field": field}) from None


def _decoded(text: str, field: str) -> bytes:
    """base64url, padded or not. INVALID_REQUEST."""
    plain = text.rstrip("=")
    try:
        raw = base64.b64decode(plain + "=" * (-len(plain) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Problem("INVALID_REQUEST", {"field": field}) from None
    return raw


def make(settings: ChannelsConfig) -> WebPush | None:
    """None without a contact or a key. ConfigError: the key is not one of P-256."""
    if not (settings.contact and settings.vapid):
        return None
    try:
        key = private_key(settings.vapid)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"configuration: TUNGGU_VAPID_FILE holds no P-256 key: {error}") from None
    return WebPush(key, settings.contact, Outgoing(settings.push_policy()))
