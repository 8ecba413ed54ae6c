"""A rolling restart and 2 → 4 → 2 replicas behind a name, under load: no call fails."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from services.chassis.client import channel
from services.chassis.errors import Problem
from services.local import ready
from tests.deploy.names import names
from tests.e2e.offices import new_id
from tests.e2e.processes import free_ports
from tests.queue.servicing import ADMIN, call, file_of, message_class, start_queue, stub_method

CODE = "73.71.88"
CLIENTS = 4
PATIENCE = 60.0
pytestmark = pytest.mark.timeout(240)


@dataclass
class Load:
    """Calls that were answered, and what the others failed of."""

    answered: int = 0
    failed: list[str] = field(default_factory=list)

    async def work(self, to):
        take, board = stub_method(to, "CreateTicket"), stub_method(to, "GetBoard")
        create, get = message_class("CreateTicketRequest"), message_class("GetBoardRequest")
        while True:
            try:
                await take(create(kecamatan=CODE, service="A", request_id=new_id()))
                await board(get(kecamatan=CODE))
                self.answered += 2
            except Problem as problem:
                self.failed.append(problem.reason)
            await asyncio.sleep(0.02)

    async def grows(self, by=60):
        wanted = self.answered + by
        async with asyncio.timeout(PATIENCE):
            while self.answered < wanted:
                await asyncio.sleep(0.05)


@dataclass
class Pods:
    """Replicas, each at an address of its own and the same port, and the name that has them."""

    folder: object
    redis: str
    name: object
    port: int
    running: dict = field(default_factory=dict)
    count: int = 0

    async def grow(self):
        """Another replica; it is in the name once it is ready."""
        self.count += 1
        host = f"127.0.103.{self.count}"
        settings = {
            "ADDRESS": f"{host}:{self.port}", "DRAIN_DELAY": 1, "MAX_CONNECTION_AGE": 3,
        }  # fmt: skip
        process = await asyncio.to_thread(start_queue, self.folder / host, self.redis, **settings)
        self.running[host] = process
        async with asyncio.timeout(PATIENCE):
            while await asyncio.to_thread(ready.queue, process.address):
                await asyncio.sleep(0.05)
        self.name.addresses = list(self.running)

    async def shrink(self):
        """The oldest leaves the name and is told to end."""
        host, process = next(iter(self.running.items()))
        del self.running[host]
        self.name.addresses = list(self.running)
        try:
            assert await asyncio.to_thread(process.end) == 0
        finally:
            process.kill()


@asynccontextmanager
async def pods(folder, redis):
    async with names() as name:
        (port,) = free_ports(1)
        found = Pods(folder, redis, name, port)
        try:
            yield found
        finally:
            for process in found.running.values():
                process.kill()


@asynccontextmanager
async def under_load(target):
    async with channel(target) as to:
        load = Load()
        tasks = [asyncio.create_task(load.work(to)) for _ in range(CLIENTS)]
        try:
            yield load
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def test_replicas_come_and_go_and_no_call_fails(tmp_path, own_redis):
    async with pods(tmp_path, own_redis.url) as found:
        await found.grow()
        await found.grow()
        async with next(iter(found.running.values())).channel() as first:
            apply = message_class("ApplyKecamatanRequest")
            file = apply(kecamatan=CODE, file=file_of(CODE), request_id=new_id())
            await call(first, "ApplyKecamatan", file, ADMIN.bearer)
        target = f"dns://127.0.0.1:{found.name.port}/queue.tunggu:{found.port}"
        async with under_load(target) as load:
            await load.grows()
            for _ in range(2):  # a rolling restart
                await found.grow()
                await found.shrink()
                await load.grows()
            for _ in range(2):
                await found.grow()
            await load.grows()
            for _ in range(2):
                await found.shrink()
                await load.grows()
            print(f"\n{load.answered} calls, {len(load.failed)} failed, ", end="")
            print(f"{found.name.asked} questions to the name server")
            assert load.failed == []
        assert list(found.running) == ["127.0.103.5", "127.0.103.6"]
        assert found.name.asked > 1
