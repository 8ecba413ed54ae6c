"""The key that Web Push is signed with: VAPID, P-256.

A browser's subscription belongs to the key that it was made with: another key ends them all. So it
is made once, by whichever replica comes first, and kept, unless the operator gives one.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any, TypeVar

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from services.notify.channels_config import ChannelsConfig
from services.redis_link.link import Link

KEPT = "tunggu:notify:vapid"
"""string: the private key, PEM; for ever. The only key of no office."""

Settings = TypeVar("Settings", bound=ChannelsConfig)


def made() -> str:
    """A new private key, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def private_key(pem: str) -> ec.EllipticCurvePrivateKey:
    """ValueError, TypeError, UnsupportedAlgorithm: it is none of P-256, or has a password."""
    key = serialization.load_pem_private_key(pem.encode(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise ValueError("another kind of key")
    return key


def public_text(key: ec.EllipticCurvePrivateKey) -> str:
    """As a page's `applicationServerKey` takes it: the uncompressed point, base64url."""
    point = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


async def with_vapid(settings: Settings, redis: Link) -> Settings:
    """The settings with a key: theirs, else the one kept, made now if there is none yet. Redis'
    errors."""
    if settings.vapid or not settings.contact:
        return settings
    await redis.set(KEPT, made(), nx=True)
    kept: Any = await redis.get(KEPT)
    return replace(settings, vapid=kept.decode())
