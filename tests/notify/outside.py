"""The world outside as tests need it: an HTTP server on loopback that answers as told."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Respond = Callable[["Received"], Any]


@dataclass(frozen=True)
class Received:
    """A request as it came."""

    method: str
    path: str
    headers: Any
    body: bytes


@dataclass
class Outside:
    """`respond` says what each request gets: a status, a web.Response, or a coroutine of one."""

    respond: Respond = lambda _: 201
    received: list[Received] = field(default_factory=list)
    port: int = 0
    scheme: str = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        seen = Received(request.method, request.path_qs, request.headers.copy(), body)
        self.received.append(seen)
        answer = self.respond(seen)
        if asyncio.iscoroutine(answer):
            answer = await answer
        return web.Response(status=answer) if isinstance(answer, int) else answer


@asynccontextmanager
async def outside(
    respond: Respond = lambda _: 201, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Outside]:
    """A server until the block ends."""
    world = Outside(respond, scheme="https" if tls else "http")
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", world.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    world.port = runner.addresses[0][1]
    try:
        yield world
    finally:
        await runner.cleanup()
