"""People who want to be told, and the world outside that is told: an endpoint that answers as bid,
and a stack whose notify may post to it."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from aiohttp import web

from services.local.apply import apply, client
from services.local.office_file import read
from services.local.stack import Stack
from services.notify import signing
from tests.e2e.survey_town import CODE, OFFICES, Desk, clock

FAST = {"LOG_LEVEL": "warning", "SEND_TIMEOUT": "1.5", "TAKEOVER": "4", "BACKOFF": "0.2"}


def stack(folder: Path, *, replicas: int = 1, more: dict[str, str] | None = None) -> Stack:
    """Its notify posts webhooks to loopback."""
    secret = folder / "webhook-secret"
    secret.parent.mkdir(parents=True, exist_ok=True)
    secret.write_text(signing.new_secret())
    settings = {"LOOPBACK": "true", "WEBHOOK_SECRET_FILE": str(secret), **FAST}
    return Stack(
        folder / "data",
        port=0,
        supervise=False,
        clock=clock(),
        notify_replicas=replicas,
        notify=settings | (more or {}),
    )


@dataclass(frozen=True)
class Got:
    """A message as the endpoint got and answered it: `due` by what it says, `at` when it was
    answered, both in seconds, the former of domain time."""

    path: str
    id: str
    status: int
    data: dict[str, Any]
    due: float
    at: float


@dataclass
class Endpoint:
    """Answers 200, or as `moods` (weights by name) bid: `busy` 429 with Retry-After, `broken` 503,
    `silent` no answer in time. Paths that begin with /gone always get 410. `got` has what was
    answered, `open` how many are being answered."""

    moods: dict[str, float] = field(default_factory=dict)
    lag: float = 0.0
    got: list[Got] = field(default_factory=list)
    open: int = 0
    port: int = 0
    _runner: web.AppRunner | None = None
    _chance: random.Random = field(default_factory=lambda: random.Random(5))

    async def __aenter__(self) -> Endpoint:
        app = web.Application()
        app.router.add_route("POST", "/{rest:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner
        await self._runner.cleanup()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}"

    def accepted(self, path: str = "") -> list[Got]:
        return [got for got in self.got if got.status == 200 and (not path or got.path == path)]

    async def _answer(self, request: web.Request) -> web.Response:
        self.open += 1
        try:
            said = json.loads(await request.read())
            status, headers = await self._mood(request.path)
            due = datetime.fromisoformat(said["timestamp"]).timestamp()
            id = request.headers["webhook-id"]
            self.got.append(Got(request.path[1:], id, status, said["data"], due, time.time()))
            return web.Response(status=status, headers=headers)
        finally:
            self.open -= 1

    async def _mood(self, path: str) -> tuple[int, dict[str, str]]:
        await asyncio.sleep(self._chance.random() * self.lag)
        if path.startswith("/gone"):
            return 410, {}
        names = ["good", *self.moods]
        weights = [1 - sum(self.moods.values()), *self.moods.values()]
        mood = self._chance.choices(names, weights)[0]
        if mood == "silent":
            await asyncio.sleep(6)
            return 504, {}
        retry = {"Retry-After": "1"} if mood == "busy" else {}
        return {"good": 200, "busy": 429, "broken": 503}[mood], retry


def open_big_office(stack: Stack, code: str = CODE) -> None:
    """It gives as many numbers as a test likes, its counter 1 serves everything, and whoever is
    called may be passed over at once."""
    with client(stack.url, stack.token("ADMIN")) as http:
        (office,) = (o for path in OFFICES.glob("*.yaml") for o in read(path) if _code(o) == code)
        for service in office["spec"]["services"]:
            service["quota"] = {"day": 9999, "web": 9999}
        office["spec"]["rule"]["skip"] = {"calls": 1, "after": "0s"}
        apply(http, office)
    with Desk(stack, code) as desk:
        services = [service["code"] for service in office["spec"]["services"]]
        path = f"{desk.office}/counters/1:setServices"
        desk.post(path, {"services": services}, "SUPERVISOR").raise_for_status()
        desk.at("1", "open")


def _code(office: Any) -> str:
    code: str = office["spec"]["code"]
    return code


async def subscribe_all(
    stack: Stack, wanted: Iterable[tuple[str, dict[str, Any]]], at_once: int = 16
) -> Counter[int]:
    """Subscribes ticket ids to targets; how often each status was answered."""
    turn, found = asyncio.Semaphore(at_once), Counter[int]()

    async def one(http: httpx.AsyncClient, id: str, target: dict[str, Any]) -> None:
        async with turn:
            answer = await http.post(f"/v1/tickets/{id}/subscriptions", json=target)
            found[answer.status_code] += 1

    async with httpx.AsyncClient(base_url=stack.url, trust_env=False, timeout=60) as http:
        await asyncio.gather(*(one(http, id, target) for id, target in wanted))
    return found


async def until(condition: Any, seconds: float = 120) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.05)
