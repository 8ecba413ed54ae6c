"""Numbers a second through everything, beside bare gRPC and beside Redis alone."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from tests.load.city import OFFICES, SERVICES, City, opened
from tests.load.machine import Used
from tests.load.rows import Row, compared, median
from tests.load.script import Overheard, template
from tests.load.sizes import Sizes
from tests.load.wire import request
from tests.load.worker import Worker, working

CLIENTS = 64  # of Redis alone
Found = list[dict[str, Any]]


async def run(sizes: Sizes, folder: Path) -> list[Row]:
    async with AsyncExitStack() as stack:
        words = [("phones",), ("script",), ("echo", "server"), ("echo", "client")]
        workers = [await stack.enter_async_context(working(*each)) for each in words]
        rush = _Rush(sizes, *workers)
        for number in range(sizes.rounds):
            async with opened(folder / str(number)) as city:
                await rush.round(city)
    return rush.rows()


class _Rush:
    """Rounds of everything, one measurement after the other."""

    def __init__(
        self, sizes: Sizes, phones: Worker, script: Worker, server: Worker, caller: Worker
    ) -> None:
        self._sizes = sizes
        self._phones, self._script, self._server, self._caller = phones, script, server, caller
        self._path: dict[int, Found] = defaultdict(list)
        self._echo: dict[int, Found] = defaultdict(list)
        self._alone: Found = []
        self._late: Found = []

    async def round(self, city: City) -> None:
        port = (await self._server.ask())["port"]
        commands = await overheard(city)
        for count in self._sizes.connections:
            self._path[count].append(await taken(city, self._phones, count, self._sizes))
            await city.idle()
            self._echo[count].append(await self._echoed(port, count))
        self._alone.append(await self._redis_alone(city, commands))
        self._late.append(await taken(city, self._phones, self._sizes.most, self._sizes))

    async def _echoed(self, port: int, count: int) -> dict[str, Any]:
        """`cpu`: µs a call of server and client together."""
        used = Used({"server": self._server.pid, "client": self._caller.pid})
        ask = {"port": port, "connections": count, "seconds": self._sizes.seconds}
        found = await self._caller.ask(**ask)
        return found | {"cpu": sum(used.seconds().values()) / found["total"] * 1e6}

    async def _redis_alone(self, city: City, commands: list[str]) -> dict[str, Any]:
        """Adds some ten thousand tickets to the day."""
        used = Used({"redis": city["redis"].pid})
        found = await self._script.ask(
            path=str(city.socket), commands=commands, clients=CLIENTS, seconds=self._sizes.seconds
        )
        return found | {"cpu": used.seconds()["redis"] / found["total"] * 1e6}

    def rows(self) -> list[Row]:
        rows = []
        for count in self._sizes.connections:
            least = 2.5 if count == 512 else 0.0
            what = f"tickets/s, connections: {count}"
            rates, echoes = _rates(self._path[count]), _rates(self._echo[count])
            rows.append(compared(what, rates, echoes, name="grpc.aio echo", least=least))
            rows += _details(self._path[count], self._echo[count], count)
        return [*rows, *self._most()]

    def _most(self) -> list[Row]:
        """Of the greatest number of connections."""
        most = self._sizes.most
        rates, what = _rates(self._path[most]), f"tickets/s, connections: {most}"
        alone = compared(what, rates, _rates(self._alone), name=f"EVALSHA alone, {CLIENTS} clients")
        redis = median([one["cpu"] for one in self._alone])
        more = median([one["total"] for one in self._alone])
        late = f"tickets/s with {more:,.0f} more waiting, connections: {most}"
        return [
            alone,
            Row("– CPU µs of Redis an EVALSHA alone", f"{redis:.0f}"),
            compared(late, _rates(self._late), rates, name="before", least=0.8),
        ]


async def overheard(city: City) -> list[str]:
    """The commands by which the queue takes a number of each office and service; Latin-1."""
    found = []
    with Overheard(city.socket) as monitor:
        for path, service in itertools.product(OFFICES, SERVICES):
            wish = request("POST", f"/v1/kecamatan/{path}/tickets", {"service": service})
            ticket = (await city.phone.do(wish))["ticket"]["id"]
            found.append(template(monitor.command(ticket), ticket).decode("latin-1"))
    return found


async def taken(
    city: City, phones: Worker, connections: int, sizes: Sizes, *doors: int, **more: Any
) -> dict[str, Any]:
    """What the phones have to say, and `cpu`: µs a request by process, theirs too."""
    await city.idle()
    used = Used(city.pids() | {"phones": phones.pid})
    found = await phones.ask(
        at=city.at(*doors),
        connections=connections,
        seconds=sizes.seconds,
        **({"offices": OFFICES, "services": SERVICES} | more),
    )
    seconds, total = used.seconds(), sum(found["answers"].values())
    return found | {
        "cpu": {name: spent / max(total, 1) * 1e6 for name, spent in seconds.items()},
        "share": seconds["phones"] / (total / found["rate"]) if found["rate"] else 0.0,
    }


def refusals(found: Found, what: str) -> list[Row]:
    """A row if there were any."""
    count = Counter[str]()
    for one in found:
        count.update({status: n for status, n in one["answers"].items() if status != "201"})
    said = ", ".join(f"{n:,} × {status}" for status, n in count.items())
    return [Row(f"– refused, {what}", said)] if said else []


def _rates(found: Found) -> list[float]:
    return [one["rate"] for one in found]


def _details(found: Found, echoes: Found, count: int) -> list[Row]:
    """The CPU of everything is what the rate comes to when the machine is busy with it alone."""
    cpu = {name: median([one["cpu"][name] for one in found]) for name in found[0]["cpu"]}
    said = ", ".join(f"{name} {spent:.0f}" for name, spent in cpu.items())
    share = median([one["share"] for one in found])
    p50, p99 = (median([one[q] for one in found]) for q in ("p50", "p99"))
    whole, bare = [sum(one["cpu"].values()) for one in found], [one["cpu"] for one in echoes]
    return [
        Row(f"– ms to the answer p50 / p99, {count}", f"{p50:.1f} / {p99:.1f}"),
        compared(f"– CPU µs a ticket, {count}", whole, bare, name="echo, both sides"),
        Row(f"– of these, {count}", said, f"phones {share:.0%} of a core"),
        *refusals(found, str(count)),
    ]
