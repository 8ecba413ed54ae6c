"""Which tokens are sound, so that who carries one is not counted with the crowd at its address.

The services decide what a token admits; here it only says by what a request is limited, and is
forgotten after a minute. Absent: any refusal.
"""

import hashlib
from collections.abc import Awaitable, Callable

from services.chassis.access import Caller
from services.chassis.errors import Problem
from services.gateway.limits import Buckets, Rate

REMEMBERED = 60.0  # seconds
MOST = 4096  # tokens
UNSOUND = Rate(1, 50)  # by address; beyond it no new token is looked at, for that costs

Verify = Callable[[str], Awaitable[Caller]]


class Badges:
    """Bearers by their tokens; a token itself is not kept, only its digest."""

    def __init__(self, verify: Verify, clock: Callable[[], float]) -> None:
        """`verify` raises Problem for a token that is not sound."""
        self._verify = verify
        self._clock = clock
        self._known: dict[bytes, tuple[Caller, float]] = {}
        self._unsound = Buckets(UNSOUND)

    async def of(self, authorization: str, client: str) -> Caller | None:
        """Whom a sound token was given to; None for any other and for too many others."""
        digest = hashlib.sha256(authorization.encode()).digest()
        caller, until = self._known.get(digest, (None, 0.0))
        if caller and self._clock() < until:
            return caller
        if self._unsound.wait(client, self._clock()):
            return None
        try:
            caller = await self._verify(authorization)
        except Problem:
            self._unsound.charge(client, self._clock())
            return None
        self._remember(digest, caller)
        return caller

    def _remember(self, digest: bytes, caller: Caller) -> None:
        self._known.pop(digest, None)
        if len(self._known) >= MOST:
            del self._known[next(iter(self._known))]
        self._known[digest] = caller, self._clock() + REMEMBERED
