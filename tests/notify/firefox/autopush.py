"""Firefox' push service and a site that asks for pushes, both on loopback.

The service speaks as much of autopush's protocol as a browser needs: a websocket for the browser,
an endpoint for each subscription. It passes messages on encrypted as they came: whether they can
be read is the browser's to say, by the code of its acknowledgement.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from tests.notify.push_service import vapid_claims

WEB = Path(__file__).with_name("web")
READ, NOT_DECRYPTED = 100, 101
"""Codes of an acknowledgement."""


@dataclass
class AutoPush:
    """`endpoints`: channel by endpoint's name; `acks`: codes as they came; `shown`: what the
    service worker was given; `keys`: the VAPID keys that subscriptions belong to."""

    url: str = ""
    endpoints: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    acks: asyncio.Queue[int] = field(default_factory=asyncio.Queue)
    shown: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)
    socket: web.WebSocketResponse | None = None

    @property
    def socket_url(self) -> str:
        return self.url.replace("http", "ws", 1) + "/autopush"

    async def browser(self, request: web.Request) -> web.WebSocketResponse:
        """The browser's own connection, for as long as it lasts."""
        self.socket = web.WebSocketResponse(protocols=["push-notification"])
        await self.socket.prepare(request)
        async for message in self.socket:
            if message.type is WSMsgType.TEXT:
                said = json.loads(message.data)
                answer = self._answer(said.get("messageType", "ping"), said)
                if answer is not None:
                    await self.socket.send_json(answer)
        return self.socket

    def _answer(self, kind: str, said: dict[str, Any]) -> dict[str, Any] | None:
        if kind == "hello":
            uaid = said.get("uaid") or secrets.token_hex(16)
            return {"messageType": "hello", "uaid": uaid, "status": 200, "use_webpush": True}
        if kind == "register":
            return self._registered(said)
        if kind == "unregister":
            gone = said["channelID"]
            self.endpoints = {n: c for n, c in self.endpoints.items() if c != gone}
            return {"messageType": "unregister", "channelID": gone, "status": 200}
        if kind == "ack":
            for update in said["updates"]:
                self.acks.put_nowait(update["code"])
            return None
        return {} if kind == "ping" else None

    def _registered(self, said: dict[str, Any]) -> dict[str, Any]:
        name, channel = secrets.token_urlsafe(16), said["channelID"]
        self.endpoints[name], self.keys[name] = channel, said.get("key", "").rstrip("=")
        endpoint = f"{self.url}/push/{name}"
        answer = {"messageType": "register", "channelID": channel, "status": 200}
        return answer | {"pushEndpoint": endpoint}

    async def push(self, request: web.Request) -> web.Response:
        """What an application server posts: only the signer that subscribed it may."""
        name = request.match_info["name"]
        if name not in self.endpoints:
            return web.Response(status=410)
        vapid_claims(request.headers["Authorization"], self.url, self.keys[name])
        body = await request.read()
        note = {
            "messageType": "notification",
            "channelID": self.endpoints[name],
            "version": secrets.token_urlsafe(8),
            "data": base64.urlsafe_b64encode(body).rstrip(b"=").decode(),
            "headers": {"encoding": request.headers["Content-Encoding"]},
        }
        assert self.socket is not None
        await self.socket.send_json(note)
        return web.Response(status=201)

    async def received(self, request: web.Request) -> web.Response:
        self.shown.put_nowait(await request.json())
        return web.Response(status=204)

    async def page(self, request: web.Request) -> web.FileResponse:
        return web.FileResponse(WEB / (request.match_info.get("name") or "index.html"))


@asynccontextmanager
async def autopush() -> AsyncIterator[AutoPush]:
    service = AutoPush()
    app = web.Application()
    app.router.add_get("/autopush", service.browser)
    app.router.add_post("/push/{name}", service.push)
    app.router.add_post("/received", service.received)
    app.router.add_get("/{name:(sw-push\\.js)?}", service.page)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    service.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield service
    finally:
        if service.socket is not None:
            await service.socket.close()
        await runner.cleanup()
