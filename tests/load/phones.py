"""A process of phones: requests for numbers by HTTP on many connections.

Closed: each connection asks again as soon as it is answered. Paced: requests are due at a fixed
rate whether or not others were answered, and wait for a connection if all are busy; what they
take is counted from when they were due. What is refused is counted apart.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from typing import Any

from tests.load.wire import Wire
from tests.load.worker import serve

PATIENCE = 30.0  # seconds for the last answers of a paced load
GIVEN = 201
TICK = 0.001  # seconds between looks at what is due

Where = tuple[str, int]


def taking(offices: Iterable[str], services: str) -> list[bytes]:
    """Requests for a number, one of each service; `%b` is where their request id goes."""
    return [_taking(office, service) for service in services for office in offices]


def _taking(office: str, service: str) -> bytes:
    body = json.dumps({"service": service}).encode()
    head = f"POST /v1/kecamatan/{office}/tickets HTTP/1.1\r\nhost: bench\r\n"
    head += "content-type: application/json\r\nidempotency-key: %b\r\n"
    return head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body


class Phones:
    """Open connections and what was answered on them."""

    def __init__(self, requests: Sequence[bytes]) -> None:
        self._next = itertools.cycle(requests)
        self._prefix = secrets.token_urlsafe(12)
        self._number = 0
        self.wires: list[Wire] = []
        self.statuses: Counter[int] = Counter()
        self.took: list[tuple[float, float]] = []  # when each was given, and its seconds

    async def open(self, at: Sequence[Where], count: int) -> None:
        loop = asyncio.get_running_loop()
        for i in range(count):
            host, port = at[i % len(at)]
            _, wire = await loop.create_connection(self._wire, host, port)
            self.wires.append(wire)

    def close(self) -> None:
        for wire in self.wires:
            wire.close()

    def _wire(self) -> Wire:
        return Wire(self.answered, lambda _: None)

    def send(self, wire: Wire, since: float) -> None:
        self._number += 1
        wire.since = since
        wire.send(next(self._next) % b"%s-%011d" % (self._prefix.encode(), self._number))

    def answered(self, wire: Wire, status: int, _: bytes) -> None:
        now = time.monotonic()
        self.statuses[status] += 1
        if status == GIVEN:
            self.took.append((now, now - wire.since))


class Closed(Phones):
    """Everyone asks again at once, until told to stop."""

    going = True

    def answered(self, wire: Wire, status: int, body: bytes) -> None:
        super().answered(wire, status, body)
        if self.going:
            self.send(wire, time.monotonic())

    async def run(self, warm: float, seconds: float) -> dict[str, Any]:
        for wire in self.wires:
            self.send(wire, time.monotonic())
        await asyncio.sleep(warm)
        begun = time.monotonic()
        await asyncio.sleep(seconds)
        ended = time.monotonic()
        self.going = False
        counted = [took for at, took in self.took if begun <= at < ended]
        return {"rate": len(counted) / (ended - begun), **_quantiles(counted)}


class Paced(Phones):
    """`rate` requests a second are due; free connections take them, else they wait."""

    def __init__(self, requests: Sequence[bytes]) -> None:
        super().__init__(requests)
        self._free: list[Wire] = []
        self._due: deque[float] = deque()

    def answered(self, wire: Wire, status: int, body: bytes) -> None:
        super().answered(wire, status, body)
        if self._due:
            self.send(wire, self._due.popleft())
        else:
            self._free.append(wire)

    def _ask(self, due: float) -> None:
        if self._free:
            self.send(self._free.pop(), due)
        else:
            self._due.append(due)

    async def run(self, rate: float, seconds: float) -> dict[str, Any]:
        self._free = list(self.wires)
        begun, count = time.monotonic(), int(rate * seconds)
        asked = 0
        while asked < count:
            now = time.monotonic()
            while asked < count and begun + asked / rate <= now:
                self._ask(begun + asked / rate)
                asked += 1
            await asyncio.sleep(TICK)
        await self._settled(count)
        unanswered = count - self.statuses.total()
        return {"unanswered": unanswered, **_quantiles([took for _, took in self.took])}

    async def _settled(self, count: int) -> None:
        until = time.monotonic() + PATIENCE
        while self.statuses.total() < count and time.monotonic() < until:
            await asyncio.sleep(0.01)


def _quantiles(took: list[float]) -> dict[str, float]:
    """In ms."""
    ordered = sorted(took) or [0.0]
    at = {"p50": 0.5, "p99": 0.99, "most": 1.0}
    return {name: ordered[int((len(ordered) - 1) * q)] * 1000 for name, q in at.items()}


async def handle(
    *,
    at: Sequence[Where],
    connections: int,
    offices: Sequence[str],
    services: str,
    seconds: float,
    warm: float = 0.3,
    rate: float = 0.0,
) -> dict[str, Any]:
    """Paced at `rate`, closed without one; `answers` has all of them, by status."""
    phones: Closed | Paced = (Paced if rate else Closed)(taking(offices, services))
    await phones.open(at, connections)
    try:
        extent = (rate, seconds) if rate else (warm, seconds)
        found = await phones.run(*extent)
    finally:
        phones.close()
    return found | {"answers": {str(k): n for k, n in phones.statuses.items()}}


if __name__ == "__main__":
    serve(handle)
