"""A city in mapped time: a real Redis, and real queue processes whose clocks stand or run as told.

A process keeps nothing, so time is moved by ending it and starting the next one with another
clock. `City.at` does that and returns only when a whole round of ticks has passed, so that what
the clock makes due is written, and what is not written then will not be.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from redis import Redis

from services.chassis import token
from tests.conftest import RedisServer, start_redis
from tests.e2e.mapped_office import Office
from tests.e2e.replica import Replica, environ, until

STANDING, TICK_S = 0.0, 0.02


@dataclass
class City:
    """The Redis, what runs on it, and the offices. `replicas[0]` is asked unless one is named."""

    folder: Path
    redis: RedisServer
    hours: str = "real"
    replicas: list[Replica] = field(default_factory=list)
    started: int = 0
    clock: str = ""

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    def look(self) -> Redis:
        """A client of the Redis itself, to see what is there."""
        return Redis(unix_socket_path=str(self.redis.socket))

    async def at(self, moment: int, speed: float = STANDING, replicas: int = 1) -> None:
        """Ends what runs, and starts queues whose clock reads `moment` (ms UTC) now. Returns after
        a round of ticks by one of them."""
        await self.stop()
        with self.look() as redis:
            epoch = int(redis.time()[0]) * 1000
        self.clock = f"{epoch},{moment},{speed!r}"
        before = self._rounds()
        self.replicas = [self.start(self.clock) for _ in range(replicas)]
        self._point_to(self.replicas[0])
        await until(lambda: self._rounds() > before + replicas, "a round of ticks")

    @property
    def address(self) -> Path:
        """A socket that always leads to `replicas[0]`, for a gateway that outlives them."""
        return self.folder / "queue.sock"

    def _point_to(self, replica: Replica) -> None:
        following = self.folder / "following.sock"
        following.symlink_to(replica.socket)
        following.rename(self.address)

    def start(self, clock: str, tick: float = TICK_S) -> Replica:
        """One more queue, not waited for."""
        self.started += 1
        socket = self.folder / f"queue-{self.started}.sock"
        settings = {
            "TUNGGU_ADDRESS": f"unix:{socket}",
            "TUNGGU_REDIS_URL": self.redis.url,
            "TUNGGU_ENV": "development",
            "TUNGGU_HOURS": self.hours,
            "TUNGGU_CLOCK": clock,
            "TUNGGU_TICK": str(tick),
            "TUNGGU_JWKS": str(self.keys / token.PUBLIC),
            "TUNGGU_LOG_LEVEL": "error",
        }
        command = [sys.executable, "-P", "-m", "services.queue"]
        process = subprocess.Popen(command, env=environ() | settings)
        channel = grpc.aio.insecure_channel(f"unix:{socket}", options=_IMPATIENT)
        return Replica(process, channel, socket, self.keys)

    def _rounds(self) -> int:
        """Rounds of ticks that were begun so far, by all queues: each lists the offices once."""
        with self.look() as redis:
            stats: Any = redis.info("commandstats")
        return int(stats.get("cmdstat_smembers", {"calls": 0})["calls"])

    async def rounds(self, count: int = 2) -> None:
        """Waits until so many more rounds have begun; with one replica all but the last are
        complete then."""
        enough = self._rounds() + count
        await until(lambda: self._rounds() >= enough, "rounds of ticks")

    async def stop(self) -> None:
        await asyncio.gather(*(replica.end() for replica in self.replicas))
        self.replicas = []

    async def office(self, code: str = "73.71.03", **spec: Any) -> Office:
        """An office whose file is applied now, by a queue that runs."""
        office = Office(self, code)
        await office.apply(**spec)
        return office


_IMPATIENT = [
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 200),
]


@asynccontextmanager
async def mapped_city(folder: Path, hours: str = "real") -> AsyncIterator[City]:
    """A city without offices and without running queues; ends everything that it started."""
    redis = start_redis(folder)
    token.make_key(folder / "keys")
    city = City(folder, redis, hours)
    try:
        yield city
    finally:
        await city.stop()
        redis.kill()
