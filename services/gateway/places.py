"""How many streams may be open: in all, and from one address."""

import random
from collections import Counter

from services.chassis.errors import Problem

# Seconds until a client that found no place may come back: many may have found none.
COME_BACK = (10, 30)


class Places:
    """Counts open streams. Many people share an address behind a carrier's NAT."""

    def __init__(self, total: int = 2**31, by_address: int = 2**31) -> None:
        self._total = total
        self._most = by_address
        self._by_address: Counter[str] = Counter()
        self.taken = 0

    def take(self, address: str) -> None:
        """STREAMS_EXHAUSTED (503), TOO_MANY_STREAMS (429)."""
        if self.taken >= self._total:
            raise _refusal("STREAMS_EXHAUSTED")
        if self._by_address[address] >= self._most:
            raise _refusal("TOO_MANY_STREAMS")
        self.taken += 1
        self._by_address[address] += 1

    def leave(self, address: str) -> None:
        """Gives back what `take` took."""
        self.taken -= 1
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]


def _refusal(reason: str) -> Problem:
    seconds = random.randint(*COME_BACK)  # noqa: S311  (spread, no secret)
    return Problem(reason, {"retryAfter": str(seconds)})
