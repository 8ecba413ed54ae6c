"""A town of real processes: one Redis, queue replicas, a gateway; each may be killed and come back.

Nothing is killed by name: a process is known by the pid that its start returned, and dies with
the test run at the latest. Starting returns at once, `ready` waits and is bounded. Time is the
real one moved to a Monday morning, so that no test meets midnight.
"""

import asyncio
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Self

from redis.asyncio import Redis

from services.chassis.token import make_key, mint
from services.local import ready
from services.local.process import Process, Program
from services.local.redis_binary import redis_binary
from tests.conftest import missing

DATE = "2026-03-02"
MORNING = 1_772_416_800_000  # ms UTC: 10:00 of DATE in Makassar
KEEPING = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
PATIENCE = 60.0  # seconds until a process that was started must answer
# Below the range from which the kernel takes the ports of outgoing connections: else one of them
# could take the port of a replica that is dead for a moment.
PORTS = range(15_000, 32_000)


class Part:
    """One process of the town."""

    def __init__(self, program: Program, log: Path) -> None:
        self.program = program
        self.log = log
        self.process: Process | None = None

    @property
    def pid(self) -> int:
        assert self.process, f"{self.program.name} has not been started"
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.alive

    def start(self) -> None:
        assert not self.alive, f"{self.program.name} is running"
        self.process = Process(self.program, self.log)

    async def ready(self) -> float:
        """Waits until it works; the seconds that took."""
        begun = time.monotonic()
        while reason := await asyncio.to_thread(self.program.ready):
            assert self.process, f"{self.program.name} has not been started"
            assert self.alive, f"{self.program.name} died:{self.process.last_lines()}"
            assert time.monotonic() - begun < PATIENCE, f"{self.program.name}: {reason}"
            await asyncio.sleep(0.05)
        return time.monotonic() - begun

    def kill(self) -> None:
        """kill -9."""
        assert self.process
        self.process.kill()

    async def end(self) -> str:
        """SIGTERM; how it ended."""
        assert self.process
        self.process.terminate()
        assert await asyncio.to_thread(self.process.wait, PATIENCE), f"{self.program.name} stays"
        return self.process.ending()

    def pause(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)


class Town:
    """Parts by name: `redis`, `queue-1` …, `gateway`. A context manager: nothing outlives it.

    `keeping` are Redis' settings, `queue` more settings of each replica.
    """

    def __init__(
        self,
        folder: Path,
        *,
        replicas: int = 3,
        gateway: bool = False,
        keeping: Mapping[str, str] = KEEPING,
        queue: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.data = folder / "redis"
        self.socket = folder / "redis.sock"
        self.data.mkdir()
        self.key = make_key(folder / "keys")
        self.clock = f"{int(time.time() * 1000)},{MORNING},1"
        self.ports = free_ports(replicas + 1)
        self.parts = {"redis": self._part(self._redis(keeping))}
        for number in range(replicas):
            program = self._queue(number, dict(queue or {}))
            self.parts[program.name] = self._part(program)
        if gateway:
            self.parts["gateway"] = self._part(self._gateway())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for part in reversed(self.parts.values()):
            if part.alive:
                part.kill()

    def __getitem__(self, name: str) -> Part:
        return self.parts[name]

    @property
    def replicas(self) -> list[str]:
        return [name for name in self.parts if name.startswith("queue-")]

    def target(self, *names: str) -> str:
        """The gRPC target of the named replicas, of all by default."""
        numbers = [int(name.removeprefix("queue-")) - 1 for name in names or self.replicas]
        return "ipv4:" + ",".join(self._address(number) for number in numbers)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports[-1]}"

    def token(self, role: str, subject: str = "") -> str:
        """An `authorization` for every office."""
        return "Bearer " + mint(self.key, [role], ["*"], subject=subject or role.lower())

    def redis(self) -> Redis:
        """A plain client, to look and to break things."""
        return Redis(unix_socket_path=str(self.socket))

    async def start(self, *names: str) -> None:
        """Starts the named parts, all by default, and waits until they work."""
        chosen = [self.parts[name] for name in names or self.parts]
        for part in chosen:
            part.start()
        for part in chosen:
            await part.ready()

    async def mend(self) -> None:
        """Starts again whatever is dead."""
        if dead := [name for name, part in self.parts.items() if not part.alive]:
            await self.start(*dead)

    def kill(self, *names: str) -> None:
        """kill -9 of the named parts, of all by default."""
        for name in names or self.parts:
            self.parts[name].kill()

    # What each is started with ------------------------------------------------------------------

    def _part(self, program: Program) -> Part:
        return Part(program, self.folder / f"{program.name}.log")

    def _redis(self, keeping: Mapping[str, str]) -> Program:
        try:
            binary = redis_binary()
        except FileNotFoundError as error:
            missing(str(error))
        settings = {"port": "0", "unixsocket": str(self.socket), "dir": str(self.data), "save": ""}
        argv = [str(binary)]
        for name, value in (settings | dict(keeping)).items():
            argv += [f"--{name}", value]
        return Program("redis", tuple(argv), _environ({}), lambda: ready.redis(self.socket))

    def _queue(self, number: int, more: dict[str, str]) -> Program:
        settings = {
            "ADDRESS": self._address(number),
            "REDIS_URL": f"unix://{self.socket}",
            "ENV": "development",
            "HOURS": "always",
            "CLOCK": self.clock,
            "JWKS": str(self.key.with_name("jwks.json")),
            "LOG_LEVEL": "warning",
        }
        return self._python(f"queue-{number + 1}", settings | more, lambda: self._serves(number))

    def _gateway(self) -> Program:
        settings = {
            "HOST": "127.0.0.1",
            "PORT": str(self.ports[-1]),
            "QUEUE": self.target(),
            "ENV": "development",
            "LIMITS": "off",  # a whole town's people ask from one address here
            "LOG_LEVEL": "warning",
        }
        return self._python("gateway", settings, lambda: ready.gateway("127.0.0.1", self.ports[-1]))

    def _python(self, name: str, settings: Mapping[str, str], probe: Callable[[], str]) -> Program:
        module = "services." + name.partition("-")[0]
        return Program(name, (sys.executable, "-P", "-m", module), _environ(settings), probe)

    def _address(self, number: int) -> str:
        return f"127.0.0.1:{self.ports[number]}"

    def _serves(self, number: int) -> str:
        return ready.queue(self._address(number))


def _environ(settings: Mapping[str, str]) -> dict[str, str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("TUNGGU_")}
    return inherited | {f"TUNGGU_{name}": value for name, value in settings.items()}


def free_ports(count: int, among: range = PORTS) -> list[int]:
    found: list[int] = []
    for port in _shuffled(among):
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            break
    return found


def _shuffled(numbers: Iterable[int]) -> list[int]:
    return random.SystemRandom().sample(list(numbers), 200)
