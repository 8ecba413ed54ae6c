"""What is to happen once in a while, remembered in Redis for all replicas.

    tunggu:notify:once:<kind>:<digest>   string   nothing   until its time is over

Names are digests under a secret: no number and no message can be told from them.
"""

from __future__ import annotations

import hashlib
import hmac

from services.redis_link.link import Link
from services.redis_link.redis_policy import told


class Once:
    """`secret` keeps the names from being guessed."""

    def __init__(self, redis: Link, secret: str) -> None:
        self._redis = redis
        self._secret = secret.encode()

    async def claim(self, kind: str, name: str, seconds: int) -> bool:
        """Whether this is the first time in that long. REDIS_UNAVAILABLE and its like."""
        return bool(await told(self._redis.set(self._key(kind, name), b"", nx=True, ex=seconds)))

    async def give_back(self, kind: str, name: str) -> None:
        """The claim came to nothing."""
        await told(self._redis.delete(self._key(kind, name)))

    def _key(self, kind: str, name: str) -> str:
        digest = hmac.new(self._secret, f"{kind}\0{name}".encode(), hashlib.sha256).hexdigest()
        return f"tunggu:notify:once:{kind}:{digest[:32]}"
