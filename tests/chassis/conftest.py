"""A tiny server in the test's own loop."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.chassis import client, token
from services.chassis.config import ServerConfig
from services.chassis.server import serve
from tests.chassis import tiny

Background = Callable[[], Coroutine[Any, Any, None]]


async def wait_serving(address: str, name: str = "readiness", *, serving: bool = True) -> None:
    """Until the health of `name` is SERVING, or is not."""
    async with grpc.aio.insecure_channel(address) as plain:
        check: Any = health_pb2_grpc.HealthStub(plain)
        while True:
            try:
                answer = await check.Check(health_pb2.HealthCheckRequest(service=name))
                if (answer.status == health_pb2.HealthCheckResponse.SERVING) is serving:
                    return
            except grpc.aio.AioRpcError:
                pass
            await asyncio.sleep(0.02)


@dataclass
class Tiny:
    """A running tiny server and what steers it."""

    folder: Path
    key: Path
    healthy: bool = True
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.servicer = tiny.Servicer(self.draining)

    @property
    def address(self) -> str:
        return f"unix:{self.folder}/tiny.sock"

    def config(self, **changes: Any) -> ServerConfig:
        jwks = str(self.key.parent / "jwks.json")
        return replace(ServerConfig(address=self.address, jwks=jwks, drain=5.0), **changes)

    async def ready(self) -> bool:
        return self.healthy

    @contextlib.asynccontextmanager
    async def serving(
        self, background: Sequence[Background] = (), **changes: Any
    ) -> AsyncIterator[asyncio.Task[None]]:
        config, services = self.config(**changes), [tiny.service(self.servicer)]
        running = asyncio.create_task(
            serve(
                config,
                services,
                ready=self.ready,
                draining=self.draining,
                stop=self.stop,
                background=background,
            )
        )
        try:
            await wait_serving(self.address)
            yield running
        finally:
            self.stop.set()
            await running

    @contextlib.asynccontextmanager
    async def stub(self, authorization: Callable[[], str] = str) -> AsyncIterator[Any]:
        async with client.channel(self.address, authorization=authorization) as channel:
            yield tiny.Stub(channel)

    def bearer(self, role: str, kecamatan: str = "73.71.03") -> Callable[[], str]:
        given = token.mint(self.key, [role], [kecamatan], subject="officer-1")
        return lambda: f"Bearer {given}"


@pytest.fixture
async def own_tiny(tmp_path: Path) -> Tiny:
    return Tiny(tmp_path, token.make_key(tmp_path / "keys"))
