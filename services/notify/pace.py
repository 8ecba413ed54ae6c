"""When to try again, and whom to leave alone for a while. Pure: the caller brings time and chance.

Seconds throughout.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

MOST_PAUSE_S = 60.0
FAILURES = 8
"""Failures in a row after which a host is left alone."""

REST_S = 2.0
MOST_REST_S = 60.0
FORGET_HOSTS = 1000
"""Hosts remembered at once; webhooks may name any number of them."""


def pause(tries: int, backoff: float, after: float | None, chance: float) -> float:
    """How long to wait after attempt number `tries` failed: `backoff` doubled each time, between
    half and one and a half of it by `chance` (0 to 1), and never less than `after`, which the
    other side asked for."""
    wait = min(MOST_PAUSE_S, backoff * 2.0 ** min(tries - 1, 16)) * (0.5 + chance)
    return max(wait, after * (1 + 0.1 * chance)) if after is not None else wait


@dataclass
class Host:
    """One host: `failures` in a row, `until` when it rests, and how often it has in a row."""

    failures: int = 0
    until: float = 0.0
    rests: int = 0
    probing: bool = False


@dataclass
class Breaker:
    """Leaves hosts alone that fail again and again; then one attempt decides."""

    clock: Callable[[], float]
    hosts: dict[str, Host] = field(default_factory=dict)

    def wait(self, name: str) -> float:
        """Seconds until the host may be asked, 0 = now. Whoever is told 0 asks, and says how it
        went: of a host that has rested only the first is."""
        host = self.hosts.get(name)
        if host is None or not host.rests:
            return 0.0
        left = host.until - self.clock()
        if left > 0 or host.probing:
            return max(left, REST_S)
        host.probing = True
        return 0.0

    def succeeded(self, name: str) -> None:
        self.hosts.pop(name, None)

    def failed(self, name: str) -> None:
        host = self._host(name)
        host.failures += 1
        if host.probing or host.failures == FAILURES:
            rest = min(MOST_REST_S, REST_S * 2.0**host.rests)
            host.until, host.rests, host.probing = self.clock() + rest, host.rests + 1, False

    def abandoned(self, name: str) -> None:
        """Whoever was to ask did not."""
        if name in self.hosts:
            self.hosts[name].probing = False

    @property
    def resting(self) -> int:
        """How many hosts are left alone."""
        return sum(host.rests > 0 for host in self.hosts.values())

    def _host(self, name: str) -> Host:
        if name not in self.hosts and len(self.hosts) >= FORGET_HOSTS:
            self.hosts.pop(next(iter(self.hosts)))
        return self.hosts.setdefault(name, Host())
