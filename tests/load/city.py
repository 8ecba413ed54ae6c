"""The deployment that is measured: a town of real processes with offices in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from services.local import ready
from services.local.process import Program
from tests.e2e.offices import Way, new_id
from tests.e2e.processes import Part, Town, free_ports
from tests.load.machine import Used
from tests.load.wire import Line, request
from tests.load.worker import raise_limits
from tunggu.queue.v1 import queue_pb2

OFFICES = [f"73.71.{number:02}" for number in range(1, 16)]
SERVICES = "ABCDEFGHIJ"
COUNTERS = 60
QUOTA = 9999  # numbers of a service and day: the most that a file may allow
BATCH = 200
IDLE = 0.4  # seconds in which all processes together use less than a third of a core
# Without limits by address and on what is gathered: all of the load comes from one address.
EDGE = {"ENV": "development", "LIMITS": "off"}


class City(Town):
    """`gateways` has for each gateway the replicas it speaks to; /metrics is on."""

    def __init__(
        self,
        folder: Path,
        *,
        replicas: int = 1,
        gateways: Sequence[Sequence[str]] = ((),),
        edge: Mapping[str, str] = EDGE,
    ) -> None:
        folder.mkdir(exist_ok=True)
        raise_limits()
        self._metrics = free_ports(replicas + len(gateways))
        super().__init__(folder, replicas=replicas)
        self.doors = free_ports(len(gateways))
        for number, names in enumerate(gateways):
            program = self._door(number, names, edge)
            self.parts[program.name] = Part(program, folder / f"{program.name}.log")
        self.phone = Line("127.0.0.1", self.doors[0])

    def __exit__(self, *error: object) -> None:
        self.phone.close()
        super().__exit__(*error)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.doors[0]}"

    def at(self, *numbers: int) -> list[tuple[str, int]]:
        """Where the gateways of these numbers listen; the first by default."""
        return [("127.0.0.1", self.doors[number]) for number in numbers or (0,)]

    def pids(self) -> dict[str, int]:
        return {name: part.pid for name, part in self.parts.items()}

    def metrics_ports(self) -> dict[str, int]:
        """By process."""
        names = [name for name in self.parts if name != "redis"]
        return dict(zip(names, self._metrics, strict=True))

    # What is in it ------------------------------------------------------------------------------

    async def furnish(self, offices: Iterable[str], **more: Any) -> None:
        """Applies the offices' files; each day is opened, by counter 1."""
        for code in offices:
            await self.apply(code, **more)
            await self.act(code, "/counters/1:open")

    async def apply(self, code: str, **more: Any) -> None:
        token = self.token("ADMIN")
        file = office_file(code, **more)
        await self.phone.do(request("PUT", f"/v1/kecamatan/{code}", file, token=token))

    async def act(self, code: str, path: str, body: Any = None) -> Any:
        """An officer's verb. AssertionError: it is refused."""
        token = self.token("OFFICER", "officer")
        whole = f"/v1/kecamatan/{code}{path}"
        return await self.phone.do(request("POST", whole, body or {}, token=token, key=new_id()))

    async def fill(self, code: str, count: int, services: str = SERVICES) -> None:
        """So many take a number, spread over the services."""
        wishes = [
            queue_pb2.CreateTicketRequest(kecamatan=code, service=services[i % len(services)])
            for i in range(count)
        ]
        async with Way.to(self.target()) as way:
            for first in range(0, count, BATCH):
                part = queue_pb2.BatchCreateTicketsRequest(requests=wishes[first : first + BATCH])
                answer = await way.queue.BatchCreateTickets(part)
                assert all(r.WhichOneof("outcome") == "ticket" for r in answer.results)

    async def board(self, code: str) -> bytes:
        _, body = await self.phone.fetch(request("GET", f"/v1/kecamatan/{code}/board"))
        return body

    async def idle(self) -> None:
        """Returns when nothing is worked off any more."""
        while True:
            used = Used(self.pids())
            await asyncio.sleep(IDLE)
            if sum(used.seconds().values()) < IDLE * 0.3:
                return

    # What each is started with ------------------------------------------------------------------

    def _queue(self, number: int, more: dict[str, str]) -> Program:
        return super()._queue(number, more | {"METRICS_PORT": str(self._metrics[number])})

    def _door(self, number: int, names: Sequence[str], edge: Mapping[str, str]) -> Program:
        port = self.doors[number]
        settings = {
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "QUEUE": self.target(*names),
            "METRICS_PORT": str(self._metrics[len(self.replicas) + number]),
            "LOG_LEVEL": "warning",
            **edge,
        }
        name = f"gateway-{number + 1}"
        return self._python(name, settings, lambda: ready.gateway("127.0.0.1", port))


@asynccontextmanager
async def opened(
    folder: Path, offices: Iterable[str] = OFFICES, **more: Any
) -> AsyncIterator[City]:
    """One with its offices open and nobody there yet, so that every round finds the same."""
    with City(folder, **more) as city:
        await city.start()
        await city.furnish(offices)
        yield city


def office_file(
    code: str,
    services: str = SERVICES,
    counters: int = COUNTERS,
    rule: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """An office whose counters all serve all its services."""
    return {
        "apiVersion": "tunggu.makassarkota.go.id/v1alpha1",
        "kind": "Kecamatan",
        "metadata": {"name": "office-" + code.replace(".", "-")},
        "spec": {
            "code": code,
            "name": f"Kecamatan {code}",
            "timezone": "Asia/Makassar",
            "hours": {},
            "services": [
                {"code": s, "name": f"Layanan {s}", "quota": {"day": QUOTA}} for s in services
            ],
            "counters": [
                {"id": str(n), "name": f"Loket {n}", "services": list(services)}
                for n in range(1, counters + 1)
            ],
            "rule": dict(rule or {}),
        },
    }


async def at_rest(seconds: float = 1.5) -> None:
    """Boards of what went before are out by then."""
    await asyncio.sleep(seconds)
