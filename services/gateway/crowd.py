"""How many connections are open, whose they are, and which may be let go.

A connection has a seat from its acceptance to its end. While it waits for a request it rests;
when all seats are taken whoever has rested longest makes room for who comes, so connections
that are held open and ask nothing keep nobody out. If nobody rests, a few seats more are left
for staff (`reserved`). Absent: sockets, and what staff is.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import prometheus_client

OPEN = prometheus_client.Gauge("tunggu_gateway_connections", "Open connections. Sum.")
CUT = prometheus_client.Counter(
    "tunggu_gateway_cut", "Connections that were refused or cut off. Sum.", ["cause"]
)


class Cause(StrEnum):
    """Why a connection was refused or cut off; the values are labels of the metric."""

    FULL = "full"  # all are taken, and nobody rests
    ADDRESS = "address"  # one address holds as many as it may
    FILES = "files"  # the system gives no more: accepting pauses
    IDLE = "idle"  # it rested, and made room
    SLOW_HEAD = "slow_head"
    SLOW_READER = "slow_reader"
    PIPELINED = "pipelined"
    GARBAGE = "garbage"  # no HTTP, or a head without end


class Full(Exception):  # noqa: N818
    """There is no seat."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause)
        self.cause = cause


def _nothing() -> None:
    pass


@dataclass(slots=True, eq=False)
class Seat:
    """`client` is whom it counts for, empty for a proxy's connection."""

    crowd: "Crowd"
    client: str
    reserved: bool = False
    left: bool = False
    abort: Callable[[], None] = _nothing

    def rest(self) -> None:
        """It waits for a request."""
        if not self.left:
            self.crowd.resting[self] = None

    def wake(self) -> None:
        """A request has come."""
        self.crowd.resting.pop(self, None)

    def leave(self) -> None:
        """May be told again."""
        if not self.left:
            self.left, self.abort = True, _nothing  # which would keep the connection
            self.crowd.give_up(self)


class Crowd:
    """At most `most` seats, `each` of them for one client, and `reserved` more for staff."""

    def __init__(self, most: int, each: int, reserved: int) -> None:
        self._most = most
        self._each = each
        self._reserved = reserved
        self._seats = 0
        self._clients: Counter[str] = Counter()
        self.resting: dict[Seat, None] = {}  # who has rested longest comes first
        for cause in Cause:
            CUT.labels(cause)

    def __len__(self) -> int:
        return self._seats

    def enter(self, client: str) -> Seat:
        """Full."""
        if client and self._clients[client] >= self._each:
            raise Full(Cause.ADDRESS)
        if self._seats >= self._most:
            self.dismiss()
        if self._seats >= self._most + self._reserved:
            raise Full(Cause.FULL)
        seat = Seat(self, client, reserved=self._seats >= self._most)
        self._seats += 1
        self._clients[client] += 1
        OPEN.inc()
        return seat

    def give_up(self, seat: Seat) -> None:
        """Told by a seat that is left."""
        self.resting.pop(seat, None)
        self._seats -= 1
        self._clients[seat.client] -= 1
        if not self._clients[seat.client]:
            del self._clients[seat.client]
        OPEN.dec()

    def dismiss(self) -> bool:
        """Cuts off who has rested longest; False if nobody rests."""
        for seat in self.resting:
            seat.abort()
            seat.leave()
            CUT.labels(Cause.IDLE).inc()
            return True
        return False
