"""A push service and its browsers, written from the RFCs and from nothing that we send with.

It checks what a real one checks (RFC 8030, VAPID of RFC 8292) and decrypts as a browser does (RFC
8188 and 8291, with `cryptography`). What is wrong with a request is a line of `complaints`.
"""

from __future__ import annotations

import base64
import json
import os
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tests.notify.outside import Outside, Received, outside

TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")


def unpadded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def padded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    form = serialization.PublicFormat.UncompressedPoint
    return key.public_bytes(serialization.Encoding.X962, form)


def derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


class Browser:
    """One subscription's secrets."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._auth = os.urandom(16)

    @property
    def keys(self) -> dict[str, str]:
        """As `PushSubscription.toJSON()` has them."""
        return {"p256dh": unpadded(point(self._key.public_key())), "auth": unpadded(self._auth)}

    def decrypted(self, body: bytes) -> bytes:
        """One record of aes128gcm. ValueError, InvalidTag."""
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        theirs, record = body[21 : 21 + length], body[21 + length :]
        if length != 65 or len(record) > size:
            raise ValueError("not one record of a P-256 key")
        sender = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs)
        shared = self._key.exchange(ec.ECDH(), sender)
        info = b"WebPush: info\0" + point(self._key.public_key()) + theirs
        input_key = derived(shared, self._auth, info, 32)
        key = derived(input_key, salt, b"Content-Encoding: aes128gcm\0", 16)
        nonce = derived(input_key, salt, b"Content-Encoding: nonce\0", 12)
        plain = AESGCM(key).decrypt(nonce, record, None).rstrip(b"\0")
        if not plain.endswith(b"\x02"):
            raise ValueError("not the last record")
        return plain[:-1]


@dataclass(frozen=True)
class Pushed:
    """A message that a browser could read."""

    browser: str
    payload: dict[str, Any]
    headers: Any
    claims: dict[str, Any]


@dataclass
class PushService:
    """Endpoints `/push/<name>`. `answer` may refuse what is right; `key` is the only signer."""

    answer: Callable[[Received], Any] = lambda _: 201
    key: str = ""
    browsers: dict[str, Browser] = field(default_factory=dict)
    messages: list[Pushed] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    world: Outside = field(default_factory=Outside)

    def subscribe(self, name: str) -> tuple[str, dict[str, str]]:
        """A new browser: its endpoint and keys."""
        browser = self.browsers.setdefault(name, Browser())
        return f"{self.world.url}/push/{name}", browser.keys

    def respond(self, received: Received) -> Any:
        """What it was told to answer; a message counts as delivered if that is a success."""
        try:
            pushed = self._read(received)
        except Exception as error:  # noqa: BLE001  (whatever is wrong is what the test shows)
            self.complaints.append(f"{type(error).__name__}: {error}")
            return 400
        answer = self.answer(received)
        if answer in (200, 201, 202):
            self.messages.append(pushed)
        return answer

    def _read(self, received: Received) -> Pushed:
        name = received.path.removeprefix("/push/")
        headers = received.headers
        assert received.method == "POST"
        assert headers["Content-Encoding"] == "aes128gcm"
        assert headers["TTL"].isdigit()
        assert headers["Urgency"] in ("very-low", "low", "normal", "high")
        assert TOPIC.fullmatch(headers["Topic"])
        assert len(received.body) <= 4096
        claims = vapid_claims(headers["Authorization"], self.world.url, self.key)
        return Pushed(
            name, json.loads(self.browsers[name].decrypted(received.body)), headers, claims
        )


def vapid_claims(authorization: str, audience: str, key: str = "") -> dict[str, Any]:
    """The claims of a signature that is right, for `audience` and not for too long; by `key` if
    one is named. AssertionError, jwt.PyJWTError."""
    scheme, _, rest = authorization.partition(" ")
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    assert scheme == "vapid"
    assert not key or parts["k"] == key, "signed by another key"
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), padded(parts["k"]))
    claims = jwt.decode(
        parts["t"], public, ["ES256"], audience=audience,
        options={"require": ["aud", "exp", "sub"]},
    )  # fmt: skip
    assert claims["aud"] == audience
    assert claims["exp"] <= time.time() + 24 * 3600
    assert re.fullmatch(r"mailto:\S+@\S+|https://\S+", claims["sub"])
    return dict(claims)


@asynccontextmanager
async def push_service(
    answer: Callable[[Received], Any] = lambda _: 201,
) -> AsyncIterator[PushService]:
    """A running one, until the block ends."""
    service = PushService(answer)
    async with outside(service.respond) as service.world:
        yield service
