"""How what we post to other applications is signed: Standard Webhooks, symmetric.

Three headers: `webhook-id`, the same in every attempt; `webhook-timestamp`, seconds of this
attempt; `webhook-signature`, `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body` under
the secret's bytes. Libraries for a dozen languages verify it; docs/WEBHOOKS.md does it by hand.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time

PREFIX = "whsec_"
LEAST, MOST = 24, 64
"""Bytes of a secret, as the scheme has it."""


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def secret_bytes(secret: str) -> bytes:
    """ValueError: it is not `whsec_` and the base64 of 24 to 64 bytes."""
    try:
        found = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        found = b""
    if not secret.startswith(PREFIX) or not LEAST <= len(found) <= MOST:
        raise ValueError(f"no secret of the form {PREFIX}…")
    return found


def headers(secret: bytes, id: str, body: bytes, now: float | None = None) -> dict[str, str]:
    """For one attempt; `now` in seconds."""
    at = str(int(time.time() if now is None else now))
    digest = hmac.new(secret, f"{id}.{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": at,
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }
