"""Bare grpc.aio: a server that sends back the bytes it gets, and its callers.

`python -m tests.load.echo server` answers a command with its port, `… client` calls.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import grpc

from tests.load.worker import serve

METHOD = "/bench.Echo/Echo"
PAYLOAD = b"x" * 64  # about what a CreateTicketRequest has


class Server:
    """Started with its first command."""

    port = 0

    async def handle(self) -> dict[str, Any]:
        if not self.port:
            self.port = await self._start()
        return {"port": self.port}

    async def _start(self) -> int:
        async def echo(request: bytes, _: Any) -> bytes:
            return request

        methods: dict[str, Any] = {"Echo": grpc.unary_unary_rpc_method_handler(echo)}
        self._server = grpc.aio.server()
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("bench.Echo", methods),)
        )
        port: int = self._server.add_insecure_port("127.0.0.1:0")
        await self._server.start()
        return port


async def call(*, port: int, connections: int, seconds: float, warm: float = 0.3) -> dict[str, Any]:
    """`connections` callers on one channel, each calls again once it is answered."""
    answered: list[float] = []
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        echo: Any = channel.unary_unary(METHOD)
        end = time.monotonic() + warm + seconds

        async def caller() -> None:
            while time.monotonic() < end:
                await echo(PAYLOAD)
                answered.append(time.monotonic())

        await asyncio.gather(*(caller() for _ in range(connections)))
    counted = sum(end - seconds <= at < end for at in answered)
    return {"rate": counted / seconds, "total": len(answered)}


if __name__ == "__main__":
    serve(Server().handle if sys.argv[1] == "server" else call)
