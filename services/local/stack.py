"""Redis, the queue, the survey, notify and the gateway on one machine, as one thing.

    with Stack(Path("/tmp/t"), port=0, queue_replicas=3, supervise=False) as stack:
        httpx.get(stack.url + "/v1/kecamatan")
        stack.kill("redis")
        stack.restart("redis")

Processes are called `redis`, `queue-1` …, `survey`, `notify`, `notify-2` … and `gateway`; each
writes to `<data>/logs/<name>.log`. They die with the process that started them, however it ends.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from services.chassis.token import mint
from services.local import contract, ports
from services.local.clock import Clock
from services.local.contract import Where
from services.local.crew import Crew
from services.local.errors import LocalError
from services.local.folder import Folder, version_of
from services.local.keys import development_key
from services.local.process import Program
from services.local.redis_binary import redis_binary

QUEUE_PORT, QUEUE_METRICS, GATEWAY_METRICS = 50051, 9101, 9100
NOTIFY_PORT, NOTIFY_METRICS = 50052, 9102
SURVEY_PORT, SURVEY_METRICS = 50053, 9103


def say_on_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class Stack:
    """A whole deployment in `data`, created if absent.

    `port` 0 = any free one. The ports within are the usual ones where these are
    free. `hours` "real" or "always", `limits` "on" or "off".
    `notify` are more settings of notify.
    `clock` maps time as it says; without it `speed` does, remembered in `data`
    from start to start. Without `supervise` what dies stays dead until `restart`. Everything that
    cannot be is a LocalError, with nothing left running.
    """

    def __init__(
        self,
        data: Path,
        *,
        port: int = 8080,
        host: str = "127.0.0.1",
        queue_replicas: int = 1,
        notify_replicas: int = 1,
        notify: Mapping[str, str] | None = None,
        hours: str = "always",
        limits: str = "on",
        clock: Clock | None = None,
        speed: float = 1.0,
        metrics: bool = True,
        supervise: bool = True,
        say: Callable[[str], None] = say_on_stderr,
    ) -> None:
        self._data = data
        self._port, self._host, self._replicas = port, host, queue_replicas
        self._notifies, self._notify = notify_replicas, dict(notify or {})
        self._hours, self._limits = hours, limits
        self._clock, self._speed = clock, speed
        self._metrics, self._supervise, self._say = metrics, supervise, say
        self._folder: Folder | None = None
        self._crew: Crew | None = None
        self._where: Where | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when everything answers."""
        binary = _redis_server()
        if self._port:
            ports.require_free(self._host, self._port)
        try:
            self._folder = Folder(self._data)
            self._folder.admit_redis(version_of(binary))
            self._clock = self._clock or self._folder.admit_speed(self._speed)
            self._where = self._addresses(self._folder)
            programs = self._programs(binary, self._folder, self._where)
            self._crew = Crew(programs, self._folder.logs, self._say, supervise=self._supervise)
            self._crew.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Gateway, queues, Redis, in this order, each given time to finish. May be called twice."""
        crew, self._crew = self._crew, None
        folder, self._folder = self._folder, None
        if crew:
            crew.stop()
        if folder:
            folder.close()

    @property
    def url(self) -> str:
        """`http://127.0.0.1:8080`"""
        where = self.located()
        return f"http://{ports.address(ports.reachable(where.host), where.port)}"

    def located(self) -> Where:
        """Its addresses; still known after `stop`."""
        if self._where is None:
            raise LocalError("the stack has not been started")
        return self._where

    @property
    def redis_socket(self) -> Path:
        return self.located().redis

    def token(self, roles: str | Sequence[str], kecamatan: str = "*", subject: str = "") -> str:
        """A token of the development key, valid for 12 hours."""
        named = [roles] if isinstance(roles, str) else list(roles)
        return mint(development_key(self._data / "keys"), named, [kecamatan], subject=subject)

    def wait(self, seconds: float | None = None) -> str:
        """Until a process could not be kept alive, or `seconds`; the reason, else ""."""
        return self._running().wait(seconds)

    def pids(self) -> dict[str, int]:
        return self._running().pids()

    def kill(self, name: str) -> None:
        """kill -9 of one process."""
        self._running().kill(name)

    def kill_all(self) -> None:
        """kill -9 of everything, as in a power cut."""
        self._running().kill_all()

    def restart(self, name: str) -> None:
        """Starts one process again, killing it first if it is alive; returns when it is ready."""
        self._running().restart(name)

    def restart_all(self) -> None:
        """The same for everything."""
        self._running().restart_all()

    def _addresses(self, folder: Folder) -> Where:
        count = self._replicas
        wanted = [self._port, GATEWAY_METRICS, SURVEY_PORT, SURVEY_METRICS]
        others = [0] * (self._notifies - 1)
        wanted += [NOTIFY_PORT, *others, NOTIFY_METRICS, *others]
        wanted += [QUEUE_PORT, *[0] * (count - 1), QUEUE_METRICS, *[0] * (count - 1)]
        if self._port == 0:  # several such stacks may start at once: none takes the usual ones
            wanted = [0] * len(wanted)
        port, gateway_metrics, survey, survey_metrics, *rest = ports.choose(wanted)
        notify, rest = rest[: 2 * self._notifies], rest[2 * self._notifies :]
        return Where(
            redis=folder.socket(),
            host=self._host,
            port=self._port or port,
            gateway_metrics=gateway_metrics if self._metrics else 0,
            queues=tuple(rest[:count]),
            queue_metrics=tuple(rest[count:]) if self._metrics else (0,) * count,
            survey=survey,
            survey_metrics=survey_metrics if self._metrics else 0,
            notify=tuple(notify[: self._notifies]),
            notify_metrics=tuple(port if self._metrics else 0 for port in notify[self._notifies :]),
        )

    def _programs(self, binary: Path, folder: Folder, where: Where) -> list[list[Program]]:
        development_key(folder.keys)
        clock = self._clock.text() if self._clock else ""
        queues = [
            contract.queue(number, where, folder.keys, hours=self._hours, clock=clock)
            for number in range(self._replicas)
        ]
        beside = [contract.survey(where, folder.keys, clock=clock)]
        beside += [
            contract.notify(number, where, folder.keys, clock=clock, more=self._notify)
            for number in range(self._notifies)
        ]
        return contract.stages(
            contract.redis(binary, folder.redis, where.redis),
            [*queues, *beside],
            contract.gateway(where, folder.keys, limits=self._limits),
        )

    def _running(self) -> Crew:
        if self._crew is None:
            raise LocalError("the stack is not running")
        return self._crew


def _redis_server() -> Path:
    try:
        return redis_binary()
    except FileNotFoundError as error:
        raise LocalError(str(error)) from None
