"""How much may be asked: token buckets in bounded memory.

Pure: the present is given in monotonic seconds. A bucket is remembered as the moment at which
it will be full again; one that is full is as good as absent. When all places are taken the
bucket that will be full soonest is forgotten, so a flood of new keys pushes out its own like,
never one that is over its limit, and whoever is forgotten is only asked less of.
"""

import heapq
from collections.abc import Hashable
from dataclasses import dataclass

MOST = 16_384  # buckets of a kind that are remembered; some 5 MB
# Sums of floats are off by less than this part of a token.
_TOLERANCE = 0.001


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` at once, `per_second` in the long run. Both above 0."""

    per_second: float
    burst: int


class Buckets:
    """Buckets of one rate, by any key. Invariant: at most `most` are remembered."""

    def __init__(self, rate: Rate, most: int = MOST) -> None:
        self._step = 1 / rate.per_second  # seconds for one token
        self._depth = rate.burst * self._step  # seconds from empty to full
        self._most = most
        self._full_at: dict[Hashable, float] = {}
        # Each key once, with a moment not later than the true one.
        self._soonest: list[tuple[float, int, Hashable]] = []
        self._serial = 0

    def __len__(self) -> int:
        return len(self._full_at)

    def wait(self, key: Hashable, now: float) -> float:
        """Seconds until there is a token, 0 if there is one."""
        full_at = self._full_at.get(key)
        return 0.0 if full_at is None else self._lack(max(full_at, now), now)

    def take(self, key: Hashable, now: float) -> float:
        """Takes a token. If there is none: the seconds until there is, and nothing is taken."""
        full_at = max(self._full_at.get(key, now), now)
        wait = self._lack(full_at, now)
        if not wait:
            self._keep(key, full_at + self._step, now)
        return wait

    def charge(self, key: Hashable, now: float) -> None:
        """Takes a token for what has happened already; a bucket is never emptier than empty."""
        full_at = max(self._full_at.get(key, now), now)
        self._keep(key, min(full_at + self._step, now + self._depth), now)

    def _lack(self, full_at: float, now: float) -> float:
        wait = full_at + self._step - self._depth - now
        return wait if wait > self._step * _TOLERANCE else 0.0

    def _keep(self, key: Hashable, full_at: float, now: float) -> None:
        if key not in self._full_at:
            if len(self._full_at) >= self._most:
                self._forget(now)
            self._serial += 1  # settles ties, for keys need not have an order
            heapq.heappush(self._soonest, (full_at, self._serial, key))
        self._full_at[key] = full_at

    def _forget(self, now: float) -> None:
        """Of what is found out of date on the way each was paid for by a take."""
        while True:
            recorded, serial, key = self._soonest[0]
            full_at = self._full_at[key]
            if recorded >= full_at or full_at <= now:
                heapq.heappop(self._soonest)
                del self._full_at[key]
                return
            heapq.heapreplace(self._soonest, (full_at, serial, key))


class Recent:
    """The last `most` keys that were noted."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._keys: dict[Hashable, None] = {}

    def __contains__(self, key: Hashable) -> bool:
        return key in self._keys

    def note(self, key: Hashable) -> None:
        self._keys.pop(key, None)
        self._keys[key] = None
        if len(self._keys) > self._most:
            del self._keys[next(iter(self._keys))]
